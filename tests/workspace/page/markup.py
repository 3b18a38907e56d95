"""Reads rendered HTML as a browser would, so that tests look at elements and not at strings."""

from __future__ import annotations

from html.parser import HTMLParser

ALLOWED = frozenset(
    (
        "a article b blockquote br button code dd div dl dt em figcaption figure footer form h1 "
        "h2 h3 h4 header hr i img input label li ol p pre rect s section small span strong svg "
        "table tbody td template textarea th thead time tr u ul "
    ).split()
)


class Page(HTMLParser):
    """Every element with its attributes, and the visible text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str, **wanted: str) -> list[dict[str, str | None]]:
        """The attributes of all elements of that tag with these attribute values."""
        keys = {key.rstrip("_").replace("_", "-"): value for key, value in wanted.items()}
        return [
            attributes
            for name, attributes in self.elements
            if name == tag and all(attributes.get(key) == value for key, value in keys.items())
        ]

    def dangers(self) -> list[str]:
        """What could run or load something that the page did not mean to."""
        found = []
        for tag, attributes in self.elements:
            if tag not in ALLOWED:
                found.append(f"<{tag}>")
            for name, value in attributes.items():
                if name.startswith("on") or name == "style":
                    found.append(f"{tag} {name}")
                safe = (value or "").startswith(("http://", "https://", "mailto:", "/page/", "/client/"))
                if name in ("href", "src", "action", "formaction") and not safe:
                    found.append(f"{tag} {name}={value}")
        return found
