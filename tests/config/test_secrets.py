"""Secrets from the environment and from files, and what is said when they are missing or wrong."""

from pathlib import Path

import pytest

from bot.config import ConfigurationInvalid, Secrets

BOT = {"SLACK_BOT_TOKEN": "xoxb-1-bot"}
APP = {"SLACK_APP_TOKEN": "xapp-1-app"}
SIGNING = {"SLACK_SIGNING_SECRET": "0123abcd"}


def codes(environment: dict[str, str], mode: str = "socket") -> list[tuple[str, str]]:
    with pytest.raises(ConfigurationInvalid) as invalid:
        Secrets.from_environment(environment, "http" if mode == "http" else "socket")
    assert "geheim" not in str(invalid.value.problems)
    return [(problem.path, problem.code) for problem in invalid.value.problems]


def test_socket_mode_needs_a_bot_token_and_an_app_token() -> None:
    secrets = Secrets.from_environment(BOT | APP)
    assert secrets.bot_token.get_secret_value() == "xoxb-1-bot"
    assert secrets.app_token is not None
    assert secrets.signing_secret is None
    assert codes({}) == [("SLACK_BOT_TOKEN", "secret_missing"), ("SLACK_APP_TOKEN", "secret_missing")]


def test_http_mode_needs_a_bot_token_and_a_signing_secret() -> None:
    assert Secrets.from_environment(BOT | SIGNING, "http").signing_secret is not None
    assert codes(BOT | APP, "http") == [("SLACK_SIGNING_SECRET", "secret_missing")]


def test_a_secret_can_be_a_file(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("xoxb-from-file\n")
    secrets = Secrets.from_environment({"SLACK_BOT_TOKEN_FILE": str(file), **APP})
    assert secrets.bot_token.get_secret_value() == "xoxb-from-file"


def test_a_file_that_is_absent_or_empty_or_one_too_many_is_named(tmp_path: Path) -> None:
    absent, empty = tmp_path / "absent", tmp_path / "empty"
    empty.touch()
    assert codes({"SLACK_BOT_TOKEN_FILE": str(absent), **APP}) == [("SLACK_BOT_TOKEN_FILE", "secret_file")]
    assert codes({"SLACK_BOT_TOKEN_FILE": str(empty), **APP}) == [
        ("SLACK_BOT_TOKEN_FILE", "secret_file_empty")
    ]
    assert codes({**BOT, "SLACK_BOT_TOKEN_FILE": str(empty), **APP}) == [("SLACK_BOT_TOKEN", "secret_twice")]


def test_a_token_of_another_kind_is_named_by_its_prefix_only() -> None:
    with pytest.raises(ConfigurationInvalid) as invalid:
        Secrets.from_environment({"SLACK_BOT_TOKEN": "xapp-geheim", "SLACK_APP_TOKEN": "geheim"})
    seen = [(problem.code, problem.values["seen"]) for problem in invalid.value.problems]
    assert seen == [("secret_prefix", "xapp-"), ("secret_prefix", "")]
    assert "geheim" not in str(invalid.value.problems)


def test_a_token_with_blanks_inside_is_refused() -> None:
    assert codes({"SLACK_BOT_TOKEN": "xoxb-geheim xoxb", **APP}) == [("SLACK_BOT_TOKEN", "secret_blank")]


def test_a_token_does_not_show_itself() -> None:
    assert "xoxb-1" not in repr(Secrets.from_environment(BOT | APP))
