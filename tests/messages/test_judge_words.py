"""What the judge says has its sentence in both languages, with the values that it really gives."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from bot.domain.deploy.measures import Counted, Latencies, Usage
from bot.domain.deploy.sample import Fault, Lack, Reason
from bot.domain.deploy.stage import Kind
from bot.domain.deploy.thresholds import Thresholds
from messages.render import Voice
from tests.domain.deploy.canary import FAST, RULES, SLOW, Canary, canary

GREEN, BLUE = Counted(60, 0), Counted(540, 0)


def started() -> Canary:
    made = canary()
    made.looks(10, GREEN, BLUE)
    return made


def slow(green: Sequence[float], blue: Sequence[float]) -> tuple[Reason, ...]:
    made = started()
    for _ in range(30):
        decision = made.look(GREEN, BLUE, green_ms=green, blue_ms=blue)
        if decision.kind is Kind.ROLL_BACK:
            break
    return decision.reasons


def reasons() -> Iterator[Reason]:
    """Of canaries to which everything happens that can."""
    for wrong in ({"alive": False}, {"restarts": 2}, {"usage": Usage(99, 40)}, {"usage": Usage(30, 99)}):
        made = started()
        for name, value in wrong.items():
            setattr(made, name, value)
        yield from made.looks(40, GREEN, BLUE).reasons
    made = started()
    made.healthy = False
    yield from made.looks(2, GREEN, BLUE).reasons
    yield from started().look(Counted(60, 60), BLUE).reasons
    yield from started().look(Counted(60, 60), Counted(540, 540)).reasons
    made = canary(replace(RULES, thresholds=Thresholds(error_rate=5)))
    yield from made.looks(60, Counted(100, 2), Counted(900, 1)).reasons
    yield from slow([SLOW] * 60, [FAST] * 540)
    yield from slow([SLOW] * 60, [SLOW] * 540)
    yield from slow([100.0] * 60, [FAST] * 540)
    made = started()
    made.answering = False
    made.alive = made.usage = None
    yield from made.looks(10).missing
    yield from made.looks(20).reasons
    made = canary()
    for _ in range(4):
        yield from made.look(GREEN, BLUE, seconds=6.0).reasons
    made = canary()
    made.latencies, made.usage, made.alive = False, None, None
    yield from made.look().missing
    yield from made.wait_for(Kind.ASK).missing
    yield from made.looks(120).reasons
    made = started()
    yield from made.look(Counted(20, 0), BLUE, green_ms=[FAST]).missing
    made = canary()
    made.green.took = Latencies()
    made.look()
    yield from made.look(Counted(10, 0), BLUE, green_ms=[FAST] * 8 + [SLOW] * 2).missing


@pytest.mark.parametrize("language", ["ko", "en"])
def test_every_reason_has_its_sentence(language: str) -> None:
    voice = Voice(language)
    named: set[Fault | Lack] = set()
    for reason in reasons():
        group = "fault" if isinstance(reason.name, Fault) else "lack"
        sentence = voice.phrase(f"judge.{group}.{reason.name.value}", **reason.values)
        assert not sentence.startswith("judge.")
        assert "None" not in sentence
        named.add(reason.name)
    assert named == {*Fault, *Lack}


def test_a_reason_reads_as_a_person_would_say_it() -> None:
    made = started()
    decision = made.until(lambda each: each.kind is Kind.ROLL_BACK, Counted(20, 1), BLUE, 20)
    (reason,) = (each for each in decision.reasons if each.name is Fault.ERROR_RATE)
    said = Voice("ko").phrase("judge.fault.error_rate", **reason.values)
    assert said == "오류율 5% (요청 80건 중 4건), 기준 0.1% 미만"
