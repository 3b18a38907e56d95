"""What is looked at before a release goes out: `python checks.py WHAT …`. Says how much it has looked at."""

from __future__ import annotations

import ast
import http.client
import json
import sys
import time
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

_RELEASE = Path(__file__).parent
_DANGEROUS = {"eval", "exec", "compile", "system", "popen", "__import__"}
_DANGEROUS_MODULES = {"pickle", "marshal", "shelve", "subprocess", "telnetlib"}
_ROUNDS = 2000
_SLOWEST_MS = 5.0


def _trees() -> Iterator[tuple[Path, ast.Module]]:
    for file in sorted((_RELEASE / "shop").glob("*.py")):
        yield file, ast.parse(file.read_text(encoding="utf-8"), str(file))


def _imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.partition(".")[0]


def security() -> list[str]:
    """Calls and modules that run what others have written."""
    files, faults = 0, []
    for file, tree in _trees():
        files += 1
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                if name in _DANGEROUS:
                    faults.append(f"{file.name}:{node.lineno}: {name}()")
        faults += [f"{file.name}: import {name}" for name in _imports(tree) if name in _DANGEROUS_MODULES]
    print(f"파일 {files}개를 살펴보았습니다.")
    return faults


def dependencies() -> list[str]:
    """Imports that the standard library does not have."""
    found = [(file, name) for file, tree in _trees() for name in _imports(tree)]
    print(f"가져오는 모듈 {len(found)}개를 살펴보았습니다.")
    return [f"{file.name}: {name}" for file, name in found if name not in sys.stdlib_module_names]


def performance() -> list[str]:
    """How long the page takes to make, and how long it is."""
    sys.path.insert(0, str(_RELEASE))
    from shop.items import CATALOGUE  # type: ignore[import-not-found]  # of the release that is looked at
    from shop.page import page  # type: ignore[import-not-found]  # likewise

    began = time.perf_counter()
    for _ in range(_ROUNDS):
        made = page("v0", CATALOGUE)
    milliseconds = (time.perf_counter() - began) * 1000 / _ROUNDS
    print(f"페이지를 {_ROUNDS}번 만들었습니다: 한 번에 {milliseconds:.3f} ms, {len(made.encode())} B")
    return [f"{milliseconds:.1f} ms"] if milliseconds > _SLOWEST_MS else []


class _Page(HTMLParser):
    """What of a page matters to those who cannot see it."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take note of it."""
        self.tags.append((tag, dict(attrs)))


def accessibility() -> list[str]:
    """WCAG 2.1 as far as a program can tell of a static page: language, title, headings in order,
    alternatives of pictures, zoom."""
    sys.path.insert(0, str(_RELEASE))
    from shop.items import CATALOGUE
    from shop.page import page

    looked = _Page()
    looked.feed(page("v0", CATALOGUE))
    names = [name for name, _ in looked.tags]
    headings = [int(name[1]) for name in names if len(name) == 2 and name[0] == "h" and name[1].isdigit()]
    steps = zip([0, *headings], headings, strict=False)
    rules = {
        "html lang (3.1.1)": any(name == "html" and has.get("lang") for name, has in looked.tags),
        "title (2.4.2)": "title" in names,
        "h1 하나, 건너뛰지 않는 제목 (1.3.1)": headings.count(1) == 1 and all(b - a <= 1 for a, b in steps),
        "그림마다 alt (1.1.1)": all("alt" in has for name, has in looked.tags if name == "img"),
        "확대를 막지 않음 (1.4.4)": not any("user-scalable=no" in str(has) for _, has in looked.tags),
    }
    print(f"규칙 {len(rules)}개를 살펴보았습니다: {', '.join(rules)}")
    return [rule for rule, kept in rules.items() if not kept]


def _ask(url: str, path: str, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=5)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def integration(url: str) -> list[str]:
    """Whether the page shows what the data says."""
    items = json.loads(_ask(url, "/api/items")[2])["items"]
    text = _ask(url, "/")[2].decode()
    print(f"상품 {len(items)}개를 화면과 맞춰 보았습니다.")
    return [each["name"] for each in items if each["name"] not in text]


def headers(url: str) -> list[str]:
    """Whether it is safe from outside, as far as one can ask it."""
    _, has, _ = _ask(url, "/")
    rules = {
        "X-Content-Type-Options": has.get("x-content-type-options") == "nosniff",
        "Content-Security-Policy": "default-src" in has.get("content-security-policy", ""),
        "/../VERSION": _ask(url, "/../VERSION")[0] == 404,
        "POST /": _ask(url, "/", "POST")[0] == 405,
    }
    print(f"규칙 {len(rules)}개를 살펴보았습니다: {', '.join(rules)}")
    return [rule for rule, kept in rules.items() if not kept]


_BEFORE: dict[str, Callable[[], list[str]]] = {
    each.__name__: each for each in (security, dependencies, performance, accessibility)
}
_GREEN: dict[str, Callable[[str], list[str]]] = {each.__name__: each for each in (integration, headers)}


def main(words: list[str]) -> int:
    """The exit status: 0 nothing found, 1 something."""
    what = words[0]
    faults = _GREEN[what](words[1]) if what in _GREEN else _BEFORE[what]()
    for fault in faults:
        print(f"잘못: {fault}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
