"""YAML text as plain values, each with its line, and nothing that YAML would do behind one's back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml
from pydantic import JsonValue

from bot.config.problems import ConfigProblem, Steps, path_text
from bot.config.yaml_faults import syntax_problem

SIZE_LIMIT = 256 * 1024
"""Bytes of a configuration; a thousand HTTP targets need half of it."""
_NODE_LIMIT = 50_000
"""Values after aliases are followed: ten lines of aliases to aliases would make billions."""
_DEPTH_LIMIT = 24

_TAG = "tag:yaml.org,2002:"


class _Loader(yaml.SafeLoader):
    """Reads scalars as YAML 1.2 does: `no` and `on` are texts, `1:30` is no number, dates are texts."""


_Loader.yaml_implicit_resolvers = {}

for _name, _pattern, _first in (
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
    ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("int", r"^[-+]?[0-9]+$", "-+0123456789"),
    ("float", r"^[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*)$", "-+.0123456789"),
):
    _Loader.add_implicit_resolver(_TAG + _name, re.compile(_pattern), list(_first))


@dataclass
class Document:
    """A configuration as plain values. `lines` has the line of every key and list item, from 1."""

    data: JsonValue = None
    lines: dict[Steps, int] = field(default_factory=dict)
    problems: list[ConfigProblem] = field(default_factory=list)

    def line_of(self, steps: Steps) -> int | None:
        """The line of that place, or of the nearest one around it that is in the file."""
        while steps and steps not in self.lines:
            steps = steps[:-1]
        return self.lines.get(steps)


class _TooMuch(Exception):
    """The document grows beyond all sense, at `line`."""

    def __init__(self, node: yaml.Node) -> None:
        super().__init__()
        self.line = node.start_mark.line + 1


def read_document(text: str) -> Document:
    """The values of a YAML text. What is wrong with the text itself is in `problems`; never raises."""
    document = Document()
    if len(text) > SIZE_LIMIT:
        document.problems.append(too_large(text[:SIZE_LIMIT].count("\n") + 1))
        return document
    loader = None
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is not None:
            document.lines[()] = node.start_mark.line + 1
            document.data = _Builder(document).build(node, ())
    except yaml.MarkedYAMLError as error:
        document.problems.append(syntax_problem(error, text))
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        document.problems.append(ConfigProblem("", line, "yaml_characters"))
    except _TooMuch as much:
        document.problems.append(ConfigProblem("", much.line, "yaml_too_much"))
    except RecursionError:
        document.problems.append(ConfigProblem("", _reached(loader), "yaml_too_much"))
    except (OverflowError, ValueError):
        # PyYAML makes a character of any escape: "\\U00110000" is beyond the last one that there is.
        document.problems.append(ConfigProblem("", _reached(loader), "yaml_escape"))
    finally:
        if loader is not None:
            loader.dispose()
    return document


def too_large(line: int) -> ConfigProblem:
    """The refusal of a file that is over the limit at that line."""
    return ConfigProblem("", line, "yaml_too_large", {"limit": SIZE_LIMIT // 1024})


def _reached(loader: _Loader | None) -> int | None:
    """The line up to which PyYAML has read."""
    return None if loader is None else int(loader.get_mark().line) + 1


def _whole(text: str) -> str | None:
    """`text` with each pair of escaped surrogates (as JSON writes 😀) as the character that they stand for;
    None if one stands alone, which nothing can store or send."""
    try:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
    except UnicodeDecodeError:
        return None


class _Builder:
    """Turns YAML nodes into values, counting them."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._nodes = 0

    def build(self, node: yaml.Node, steps: Steps) -> JsonValue:
        self._nodes += 1
        if self._nodes > _NODE_LIMIT or len(steps) > _DEPTH_LIMIT:
            raise _TooMuch(node)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, steps)
        if isinstance(node, yaml.SequenceNode):
            values: list[JsonValue] = []
            for index, item in enumerate(node.value):
                self._document.lines[*steps, index] = item.start_mark.line + 1
                values.append(self.build(item, (*steps, index)))
            return values
        return self._scalar(node, steps)

    def _mapping(self, node: yaml.MappingNode, steps: Steps) -> dict[str, JsonValue]:
        values: dict[str, JsonValue] = {}
        own: dict[str, int] = {}
        for key, value, merged in self._pairs(node, 0):
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                self._problem(steps, line, "yaml_key")
                continue
            name = _whole(str(key.value))
            if name is None:
                self._problem(steps, line, "yaml_half_character")
                continue
            if merged and name in values:
                continue
            if name in own:
                self._problem((*steps, name), line, "yaml_duplicate", word=name, first=own[name])
                continue
            if not merged:
                own[name] = line
            self._document.lines[*steps, name] = line
            values[name] = self.build(value, (*steps, name))
        return values

    def _pairs(self, node: yaml.MappingNode, depth: int) -> Iterator[tuple[yaml.Node, yaml.Node, bool]]:
        """The mapping's own pairs, then those of the mappings that `<<` brings in."""
        if depth > _DEPTH_LIMIT:
            raise _TooMuch(node)
        brought: list[yaml.Node] = []
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value == "<<" and key.style is None:
                brought += value.value if isinstance(value, yaml.SequenceNode) else [value]
            else:
                yield key, value, depth > 0
        for other in brought:
            if isinstance(other, yaml.MappingNode):
                yield from self._pairs(other, depth + 1)

    def _scalar(self, node: yaml.Node, steps: Steps) -> JsonValue:
        text = _whole(str(node.value))
        if text is None:
            self._problem(steps, node.start_mark.line + 1, "yaml_half_character")
            return None
        match node.tag.removeprefix(_TAG):
            case "str":
                return text
            case "null":
                return None
            case "bool":
                return text.lower() == "true"
            case "int":
                # Python refuses to read more than 4300 digits; no setting has thirty.
                return int(text) if len(text) < 30 else text
            case "float":
                return float(text)
        self._problem(steps, node.start_mark.line + 1, "yaml_tag", tag=node.tag)
        return None

    def _problem(self, steps: Steps, line: int, code: str, **values: str | int) -> None:
        self._document.problems.append(ConfigProblem(path_text(steps), line, code, values))
