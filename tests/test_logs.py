"""Logs: structured, and never with a secret in them."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Literal

import pytest
import structlog

from bot.logs import configure_logs, mask

SECRETS = [
    "token xoxb-1234-geheim and xapp-1-A0-geheim",
    "xoxp-geheim-1",
    "xoxe.xoxb-1-geheim",
    "Authorization: Bearer geheim.abc",
    "{'Authorization': 'Basic Z2VoZWlt+geheim=='}",
    "postgresql+psycopg://guardian:geheim@db/guardian",
    "postgresql://guardian:ge@heim:geheim@db/guardian",
    "wss://wss.slack.com/link/?ticket=geheim&app_id=1",
    'client_secret="geheim"',
    "https://example.com/?api_key=geheim",
]


@pytest.mark.parametrize("text", SECRETS)
def test_a_secret_is_masked(text: str) -> None:
    assert "geheim" not in mask(text)


@pytest.mark.parametrize(
    "text",
    [
        "CPU 사용률 67%, 안전 범위",
        "http://127.0.0.1:9464/health answered 200",
        "conversations.history of C0123ABCD",
        "no token",
    ],
)
def test_everything_else_stays(text: str) -> None:
    assert mask(text) == text


def test_who_and_where_stay_readable() -> None:
    assert mask("postgresql://guardian:geheim@db/guardian") == "postgresql://guardian:…@db/guardian"
    assert mask("xoxb-1234-geheim") == "xoxb-…"


@pytest.fixture
def restored() -> Iterator[None]:
    """Puts logging back as it was."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.mark.usefixtures("restored")
def test_json_logs_are_one_object_a_line_with_masked_values() -> None:
    stream = io.StringIO()
    configure_logs("info", "json", stream=stream, known_secrets=["0123456789abcdef"])
    log = structlog.get_logger("bot.test")
    log.info(
        "sent", token="geheim", payload={"headers": {"Cookie": "geheim"}, "list": ["Bearer geheim"]}, took=3
    )
    log.debug("not shown")
    log.warning("signed with 0123456789abcdef")
    logging.getLogger("other.library").warning("connect %s", "postgres://u:geheim@h/x")
    try:
        raise RuntimeError("xoxb-1-geheim")
    except RuntimeError:
        log.exception("failed")
    text = stream.getvalue()
    assert "geheim" not in text
    assert "0123456789abcdef" not in text
    lines = [json.loads(line) for line in text.splitlines()]
    assert [line["level"] for line in lines] == ["info", "warning", "warning", "error"]
    assert (lines[0]["event"], lines[0]["took"], lines[0]["logger"]) == ("sent", 3, "bot.test")
    assert lines[2]["event"] == "connect postgres://u:…@h/x"
    assert "RuntimeError: xoxb-…" in lines[3]["exception"]
    assert lines[0]["timestamp"].endswith("Z")


@pytest.mark.usefixtures("restored")
def test_console_logs_are_lines_for_people() -> None:
    stream = io.StringIO()
    configure_logs("info", "console", stream=stream)
    structlog.get_logger("bot.test").info("상태", system="green")
    try:
        raise RuntimeError("password=geheim")
    except RuntimeError:
        structlog.get_logger("bot.test").exception("failed")
    text = stream.getvalue()
    assert "상태" in text
    assert "system=green" in text
    assert "geheim" not in text
    assert "Traceback" in text


@pytest.mark.usefixtures("restored")
def test_configuring_again_replaces_the_stream_and_libraries_are_quiet() -> None:
    first, second = io.StringIO(), io.StringIO()
    configure_logs("info", "json", stream=first)
    configure_logs("info", "json", stream=second)
    structlog.get_logger("bot.test").info("once")
    logging.getLogger("slack_sdk.web").info("chatter")
    assert first.getvalue() == ""
    assert len(second.getvalue().splitlines()) == 1


@pytest.mark.usefixtures("restored")
@pytest.mark.parametrize("form", ["json", "console"])
def test_what_steers_the_reader_is_shown_and_not_done(form: Literal["json", "console"]) -> None:
    stream = io.StringIO()
    configure_logs("info", form, stream=stream)
    turned = "a\u202eb\u2066\u200f\x1b[2J\x9b\u2028c"
    log = structlog.get_logger("bot.test")
    log.info(f"alert {turned}", target=turned, labels={turned: [turned, f"with blanks {turned}"]})
    try:
        raise RuntimeError(turned)
    except RuntimeError:
        log.exception("failed")
    text = stream.getvalue()
    assert [character for character in text if not character.isprintable() and character != "\n"] == []
    assert "a\\u202eb" in text
    if form == "json":
        first = json.loads(text.splitlines()[0])
        assert (first["target"], first["labels"][turned][0]) == (turned, turned)
