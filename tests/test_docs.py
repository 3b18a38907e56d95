"""What the documents say of the tree is what is there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.config import RuleBook, load

ROOT = Path(__file__).parent.parent
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
_LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)[^)]*\)")
_DRAWN = re.compile(r"^( *)([\w.]+/?)(?:  |$)")
_YAML = re.compile(r"^```yaml\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_OTHERS = re.compile(r"# (?!guardian\.yaml)[\w-]+\.ya?ml\n")
"""A block that begins with the name of a file that is not ours."""


def _configurations() -> Iterator[tuple[str, str]]:
    """Every block of YAML in the documents that is a guardian.yaml, with where it stands."""
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        for found in _YAML.finditer(text):
            if _OTHERS.match(found[1]) is None:
                line = text.count("\n", 0, found.start()) + 2
                yield f"{document.name}:{line}", found[1]
    for example in sorted((ROOT / "docs" / "examples").glob("*.yaml")):
        yield example.name, example.read_text(encoding="utf-8")


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


@pytest.mark.parametrize(("place", "text"), [pytest.param(*each, id=each[0]) for each in _configurations()])
def test_configurations_load_as_they_stand(place: str, text: str, tmp_path: Path) -> None:
    file = tmp_path / "guardian.yaml"
    file.write_text(text, encoding="utf-8")
    RuleBook(load(file, {}))


def test_the_configurations_are_found() -> None:
    places = {place.partition(":")[0] for place, _ in _configurations()}
    assert places >= {"README.md", "README.ko.md", "oncall.md", "webhooks.md", "night.yaml"}
