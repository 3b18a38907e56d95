"""What the documents say of the tree is what is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
_LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)[^)]*\)")
_DRAWN = re.compile(r"^( *)([\w.]+/?)(?:  |$)")


def _drawn() -> list[str]:
    """Every path in the tree that docs/architecture.md draws."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    tree = text.split("## What is where")[1].split("```")[1]
    paths: list[str] = []
    above: list[tuple[int, str]] = []
    for line in tree.splitlines():
        found = _DRAWN.match(line)
        if found is None:
            continue
        depth, name = len(found[1]), found[2]
        while above and above[-1][0] >= depth:
            above.pop()
        paths.append("".join(folder for _, folder in above) + name)
        if name.endswith("/"):
            above.append((depth, name))
    return paths


def test_the_drawn_tree_is_on_disk() -> None:
    drawn = _drawn()
    assert len(drawn) > 40
    assert [path for path in drawn if not (ROOT / path).exists()] == []


def test_every_package_is_drawn() -> None:
    drawn = {path.rstrip("/") for path in _drawn()}
    packages = {
        str(file.parent.relative_to(ROOT))
        for top in ("bot", "probes", "messages")
        for file in (ROOT / top).rglob("__init__.py")
    }
    assert sorted(packages - drawn) == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    targets = _LINK.findall(document.read_text(encoding="utf-8"))
    assert [target for target in targets if not (document.parent / target).exists()] == []
