"""What PyYAML says about a text that is no YAML, as problems of our own with sentences in both languages."""

from __future__ import annotations

import re

import yaml

from bot.config.problems import ConfigProblem

_UNQUOTED_SIGN = re.compile(r":\s*[>|]\s*=?\s*[\d.]")

_FAULTS = (
    (re.compile(r"cannot start any token", re.DOTALL), "yaml_start_character"),
    (re.compile(r"expected ',' or '(?P<close>.)'"), "yaml_bracket"),
    (re.compile(r"expected <block end>, but found '[\]}]'"), "yaml_bracket_surplus"),
    (re.compile(r"expected <block end>"), "yaml_indentation"),
    (re.compile(r"quoted scalar: found unexpected (?:end of stream|document separator)"), "yaml_quote"),
    (re.compile(r"undefined alias '(?P<word>.*)'"), "yaml_alias"),
    (re.compile(r"duplicate anchor '(?P<word>[^']*)'"), "yaml_anchor"),
    (re.compile(r"mapping (?:values|keys) are not allowed here"), "yaml_colon"),
    (re.compile(r"sequence entries are not allowed here"), "yaml_dash"),
    (re.compile(r"could not find expected ':'"), "yaml_no_colon"),
    (re.compile(r"escape (?:character|sequence)"), "yaml_escape"),
    (re.compile(r"expected a single document|expected '<document start>'"), "yaml_documents"),
    (re.compile(r"expected the node content"), "yaml_no_value"),
    (re.compile(r"while scanning a block scalar"), "yaml_block_text"),
    (re.compile(r"while scanning an (?:alias|anchor)"), "yaml_star"),
)
"""PyYAML's words, and the code of our sentence. What is not here is shown in PyYAML's words."""

_BEGUN = frozenset({"yaml_quote", "yaml_no_colon"})
"""Faults that PyYAML sees further down than where they are: it names the place where the part began, too."""


def syntax_problem(error: yaml.MarkedYAMLError, text: str) -> ConfigProblem:
    """The problem that `error` is about, with the line to look at. `text` is what was read."""
    mark = error.problem_mark or error.context_mark
    line = None if mark is None else mark.line + 1
    first = line if error.context_mark is None else error.context_mark.line + 1
    lines = text.splitlines()
    here = lines[line - 1] if line is not None and line <= len(lines) else ""
    said = ": ".join(part for part in (error.context, error.problem) if part)
    if _UNQUOTED_SIGN.search(here):
        return ConfigProblem("", line, "yaml_unquoted_sign")
    if "\t" in here and "\\t" in said:
        return ConfigProblem("", line, "yaml_tab")
    for pattern, code in _FAULTS:
        if found := pattern.search(said):
            values: dict[str, str | int] = {name: word[:80] for name, word in found.groupdict().items()}
            if code == "yaml_start_character" and mark is not None:
                values["character"] = here[mark.column : mark.column + 1]
            values["first"] = first or 0
            return ConfigProblem("", first if code in _BEGUN else line, code, values)
    return ConfigProblem("", line, "yaml_syntax", {"detail": said})
