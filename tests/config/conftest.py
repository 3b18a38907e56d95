"""Configurations as people write them, and what is said about them."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from bot.config import ConfigProblem, ConfigurationInvalid, Settings, load
from messages.render import Voice

VOICES = (Voice("ko"), Voice("en"))

Loading = Callable[[str], Settings]
Refusing = Callable[[str], Sequence[ConfigProblem]]


@pytest.fixture
def loaded(tmp_path: Path) -> Loading:
    """Loads a YAML text without any environment."""

    def load_text(text: str) -> Settings:
        path = tmp_path / "guardian.yaml"
        path.write_text(text, encoding="utf-8")
        return load(path, {})

    return load_text


@pytest.fixture
def refused(loaded: Loading) -> Refusing:
    """The problems of a YAML text that must not load; each has a sentence in both languages."""

    def problems_of(text: str) -> Sequence[ConfigProblem]:
        with pytest.raises(ConfigurationInvalid) as invalid:
            loaded(text)
        for problem in invalid.value.problems:
            for voice in VOICES:
                sentence = voice.phrase(f"config.{problem.code}", **problem.values)
                assert sentence not in ("", f"config.{problem.code}")
        return invalid.value.problems

    return problems_of
