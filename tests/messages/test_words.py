"""The words of both languages say the same, and the Korean ones need no particle that depends on a value."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import jinja2
import pytest
from jinja2 import meta, nodes

from bot.domain.alerts.reasons import Reason
from bot.domain.audit import Action, Outcome
from bot.domain.audit_faults import FaultKind
from bot.domain.levels import Level, SystemState
from bot.slack.commands import all_commands
from messages.catalog import HERE, load
from messages.render import Voice
from probes.base import Layer, ProblemKind

KOREAN_SOURCES = sorted((HERE / "ko").rglob("*.j2")) + sorted((HERE / "ko").rglob("*.yaml"))
PARTICLE = re.compile(
    r"\}\}[`*'\")]*(이|가|은|는|을|를|와|과|로|으로|이나|나|아|야|이라|라|이며|며|이고|고|란|이란)(?![가-힣])"
)


@pytest.mark.parametrize("file", KOREAN_SOURCES, ids=lambda file: file.name)
def test_no_particle_stands_behind_a_value(file: Path) -> None:
    found = [line for line in file.read_text(encoding="utf-8").splitlines() if PARTICLE.search(line)]
    assert found == []


def test_the_particle_rule_finds_what_it_looks_for() -> None:
    assert PARTICLE.search("{{ target }}이 멈췄습니다")
    assert PARTICLE.search("`{{ target }}`를 확인")
    assert PARTICLE.search("{{ a }}로 이동")
    assert not PARTICLE.search("{{ count }}개는 정상")
    assert not PARTICLE.search("대상: {{ target }} 이상 없음")


def test_both_languages_have_the_same_phrases() -> None:
    assert set(load("en")) == set(load("ko"))


def test_both_languages_use_the_same_values_in_each_phrase() -> None:
    environment = jinja2.Environment(autoescape=True)
    environment.filters["term"] = environment.filters["plural"] = environment.filters["number"] = str
    for filter_ in (
        "amount",
        "band",
        "brief",
        "clock",
        "code",
        "duration",
        "milliseconds",
        "moment",
        "sentence",
        "user",
    ):
        environment.filters[filter_] = str
    korean, english = load("ko"), load("en")

    def variables(source: str) -> set[str]:
        return meta.find_undeclared_variables(environment.parse(source))

    differing = {key for key in korean if variables(korean[key]) != variables(english.get(key, ""))}
    assert differing == set()


def test_both_languages_have_the_same_templates_with_the_same_sections() -> None:
    def sections(language: str) -> Iterator[tuple[str, str, tuple[str, ...]]]:
        environment = jinja2.Environment(autoescape=True)
        for file in (HERE / language).glob("*.j2"):
            tree = environment.parse(file.read_text(encoding="utf-8"))
            for macro in tree.find_all(nodes.Macro):
                yield file.name, macro.name, tuple(argument.name for argument in macro.args)

    assert set(sections("en")) == set(sections("ko"))


@pytest.mark.parametrize("language", ["ko", "en"])
def test_every_code_has_a_word(language: str) -> None:
    texts = load(language)
    wanted = [
        *(f"reasons.{reason.value}" for reason in Reason),
        *(f"terms.problem.{kind.value}" for kind in ProblemKind),
        *(f"terms.layer.{layer.value}" for layer in Layer),
        *(f"terms.level.{level.word}" for level in Level),
        *(f"terms.level_word.{level.word}" for level in Level),
        *(f"terms.state.{state.value}" for state in SystemState),
        *(f"terms.deed.{action.value}" for action in Action),
        *(f"terms.outcome.{outcome.value}" for outcome in Outcome),
        *(f"cli.audit.{kind.value}" for kind in FaultKind),
    ]
    assert [key for key in wanted if key not in texts] == []


@pytest.mark.parametrize(
    ("level", "word"),
    [
        ("info", "ℹ️ 정보"),
        ("warning", "⚠️ 주의"),
        ("error", "🚨 경고"),
        ("critical", "🔥 긴급"),
        ("emergency", "🆘 비상"),
    ],
)
def test_levels_are_named_as_in_the_source_document(level: str, word: str) -> None:
    assert Voice("ko").phrase(f"terms.level.{level}") == word


def test_how_arguments_are_written_is_said_in_korean_and_as_the_commands_have_it() -> None:
    korean, english = load("ko"), load("en")
    for command in all_commands():
        key = f"terms.usage.{command.name}"
        assert english.get(key, command.arguments) == command.arguments
        said = korean.get(key, command.arguments)
        assert not re.search("[A-Za-z]", said), said
