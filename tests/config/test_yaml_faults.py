"""YAML that is none: the line to look at and a sentence in the reader's own language."""

import re
from collections.abc import Callable, Sequence

import pytest

from bot.config import ConfigProblem, Settings
from messages.render import Voice

Loading = Callable[[str], Settings]
Refusing = Callable[[str], Sequence[ConfigProblem]]


@pytest.mark.parametrize(
    ("text", "line", "code"),
    [
        ("name: [a, b\nprobes: {}\n", 2, "yaml_bracket"),
        ("probes: {cpu: {}\nname: a\n", 2, "yaml_bracket"),
        ("probes: {cpu: {}}}\n", 1, "yaml_bracket_surplus"),
        ('name: "abc\nprobes: {}\n', 1, "yaml_quote"),
        ("name: 'abc\nprobes: {}\n", 1, "yaml_quote"),
        ("name: *x\n", 1, "yaml_alias"),
        ("name: *\n", 1, "yaml_star"),
        ("name: &x a\nenvironment: &x b\n", 2, "yaml_anchor"),
        ("name: a: b\n", 1, "yaml_colon"),
        ("name: a\n  environment: b\n", 2, "yaml_colon"),
        ("probes:\n  cpu: {}\n disk: {}\n", 3, "yaml_indentation"),
        ("name: 'a' b\n", 1, "yaml_indentation"),
        ("name: a\n- b\n", 2, "yaml_indentation"),
        ("name: - b\n", 1, "yaml_dash"),
        ("name: a\nprobes\n", 2, "yaml_no_colon"),
        ("name: @a\n", 1, "yaml_start_character"),
        ("probes:\n\t- b\n", 2, "yaml_tab"),
        ('name: "C:\\q"\n', 1, "yaml_escape"),
        ('# x\nname: "\\U00110000"\n', 2, "yaml_escape"),
        ('name: "\\UFFFFFFFF"\n', 1, "yaml_escape"),
        ("name: a\n---\nname: b\n", 2, "yaml_documents"),
        ("name: ]\n", 1, "yaml_no_value"),
        ("name: |x\n", 1, "yaml_block_text"),
    ],
)
def test_it_is_said_where_and_in_the_readers_language(
    refused: Refusing, text: str, line: int, code: str
) -> None:
    (problem,) = refused(text)
    assert (problem.line, problem.code) == (line, code)
    korean = Voice("ko").phrase(f"config.{code}", **problem.values)
    assert not re.search("expected|found|while", korean)


def test_what_nobody_foresaw_is_shown_as_it_is(refused: Refusing) -> None:
    (problem,) = refused("%YAML 3.0\n---\nname: a\n")
    assert problem.code == "yaml_syntax"
    assert "incompatible YAML" in Voice("ko").phrase("config.yaml_syntax", **problem.values)


def test_a_pair_of_escapes_is_one_character(loaded: Loading) -> None:
    settings = loaded("""
name: "web \\ud83d\\ude00"
probes:
  http:
    targets: [{name: shop, url: "http://a", headers: {X-Shop: "\\ud83d\\ude00"}}]
""")
    assert settings.name == "web 😀"
    assert settings.probes.http.targets[0].headers == {"X-Shop": "😀"}


@pytest.mark.parametrize("half", ["\\ud83d", "\\ude00", "\\ude00\\ud83d", "a\\ud800b"])
def test_half_a_character_is_refused_wherever_it_stands(refused: Refusing, half: str) -> None:
    (problem,) = refused(f'name: a\nenvironment: "{half}"\n')
    assert (problem.path, problem.line, problem.code) == ("environment", 2, "yaml_half_character")
    (problem,) = refused(f'probes:\n  disk:\n    exclude:\n      - "{half}"\n')
    assert (problem.path, problem.line) == ("probes.disk.exclude[0]", 4)
