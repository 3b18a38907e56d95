"""Every message, as it is sent, against a file that people have read.

To rewrite the files: `GUARDIAN_WRITE_SNAPSHOTS=1 pytest tests/messages/test_snapshots.py`.
Then read what changed.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from messages.catalog import HERE
from messages.examples import EXAMPLES
from messages.facts import Facts
from messages.render import Voice

SNAPSHOTS = Path(__file__).parent / "snapshots"
CASES = [
    pytest.param(language, name, state, facts, id=f"{language}-{name}-{state}")
    for language in ("ko", "en")
    for name, states in EXAMPLES.items()
    for state, facts in states.items()
]
VOICES = {"ko": Voice("ko"), "en": Voice("en")}


@pytest.mark.parametrize(("language", "name", "state", "facts"), CASES)
def test_message_is_as_it_was_approved(language: str, name: str, state: str, facts: Facts) -> None:
    payload = VOICES[language].message(name, facts.as_json()).as_payload()
    file = SNAPSHOTS / language / f"{name}.{state}.json"
    if os.environ.get("GUARDIAN_WRITE_SNAPSHOTS") == "1":
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(payload, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    assert payload == json.loads(file.read_text(encoding="utf-8"))


def test_no_snapshot_is_left_of_a_message_that_is_gone() -> None:
    expected = {
        f"{language}/{name}.{state}.json"
        for language in ("ko", "en")
        for name, states in EXAMPLES.items()
        for state in states
    }
    found = {file.relative_to(SNAPSHOTS).as_posix() for file in SNAPSHOTS.glob("*/*.json")}
    assert found == expected


def test_every_template_has_an_example() -> None:
    templates = {file.stem for file in (HERE / "ko").glob("*.j2") if not file.stem.startswith("_")}
    assert templates == set(EXAMPLES)


def test_a_draft_is_made_of_facts_alone() -> None:
    """Cards are edited in place, so the same facts must give the same blocks, ids included."""
    facts = EXAMPLES["alert"]["critical"].as_json()
    assert Voice("ko").message("alert", facts) == VOICES["ko"].message("alert", facts)
