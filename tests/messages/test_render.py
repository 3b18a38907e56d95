"""The voice as others use it: failures, fallbacks, plain texts, and what each card offers."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import jinja2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from messages.catalog import Catalog, CatalogBroken, load
from messages.example_facts import ACKED, DOWN, MEMORY, NO_DATA, RESOLVED, SECURITY, THROUGHPUT
from messages.examples import EXAMPLES
from messages.facts import AlertFacts
from messages.render import Message, TemplateFailed, Voice
from messages.templates import Templates

KO, EN = Voice("ko"), Voice("en")
SEOUL = ZoneInfo("Asia/Seoul")


def elements(message: Message) -> dict[str, dict[str, JsonValue]]:
    """The buttons and menus of a card by their action."""
    found: dict[str, dict[str, JsonValue]] = {}
    for attachment in message.attachments:
        blocks = attachment["blocks"]
        assert isinstance(blocks, list)
        for block in blocks:
            assert isinstance(block, dict)
            if block["type"] == "actions":
                assert isinstance(block["elements"], list)
                for element in block["elements"]:
                    assert isinstance(element, dict)
                    found[str(element["action_id"])] = element
    return found


@pytest.mark.parametrize(
    ("alert", "text"),
    [
        (MEMORY, "⚠️ 주의: 메모리 사용률 82%"),
        (DOWN, "🔥 긴급: 서비스 응답 없음 · https://shop.example.com/health"),
        (NO_DATA, "🚨 경고: 측정 불가 – CPU 사용률"),
        (RESOLVED, "✅ 해결: 메모리 사용률 61%"),
        (SECURITY, "🛡️ 보안: failed_logins 42 · sshd"),
        (THROUGHPUT, "📊 성능: 처리량 임계값 도달 (480 rps) · shop"),
    ],
)
def test_the_headline_is_what_notifications_show(alert: AlertFacts, text: str) -> None:
    assert KO.message("alert", alert.as_json()).text == text


@pytest.mark.parametrize(
    ("level", "color"),
    [
        ("info", "#1e88e5"),
        ("warning", "#fbc02d"),
        ("error", "#f57c00"),
        ("critical", "#d32f2f"),
        ("emergency", "#7b1fa2"),
    ],
)
def test_the_bar_has_the_colour_of_the_level(level: str, color: str) -> None:
    card = KO.message("alert", replace(THROUGHPUT, level=level).as_json())
    assert card.attachments[0]["color"] == color


def test_a_firing_card_has_the_button_for_its_version() -> None:
    offered = elements(KO.message("alert", MEMORY.as_json()))
    assert list(offered) == ["alert_ack", "alert_more"]
    assert json.loads(str(offered["alert_ack"]["value"])) == {"id": 12, "version": 3}
    options = offered["alert_more"]["options"]
    assert isinstance(options, list)
    values = [option["value"] for option in options if isinstance(option, dict)]
    assert values == ["explain", "silence", "resolve", "help"]


def test_an_acknowledged_card_has_no_button_but_a_name() -> None:
    card = KO.message("alert", ACKED.as_json())
    assert list(elements(card)) == ["alert_more"]
    assert "확인: <@U024BE7LH>" in json.dumps(card.attachments, ensure_ascii=False)


def test_a_resolved_card_asks_whether_it_was_right() -> None:
    offered = elements(KO.message("alert", RESOLVED.as_json()))
    assert list(offered) == ["alert_useful", "alert_useless"]
    assert {button["value"] for button in offered.values()} == {'{"id":12}'}


@pytest.mark.parametrize("name", ["status", "startup"])
def test_the_first_line_of_a_status_is_the_state(name: str) -> None:
    message = KO.message(name, EXAMPLES["status"]["green"].as_json())
    assert message.text.splitlines()[0] == "시스템 상태: 정상 (Green)"
    assert "CPU 사용률 67%, 안전 범위" in json.dumps(message.blocks, ensure_ascii=False)
    assert "모니터링 알림 없음" in json.dumps(message.blocks, ensure_ascii=False)


@pytest.mark.parametrize(
    ("state", "line"),
    [
        ("yellow", "시스템 상태: 주의 관찰 (Yellow)"),
        ("orange", "시스템 상태: 경고 상태 (Orange)"),
        ("red", "시스템 상태: 긴급 대응 (Red)"),
        ("black", "시스템 상태: 시스템 중단 (Black)"),
    ],
)
def test_each_state_has_its_words(state: str, line: str) -> None:
    facts = EXAMPLES["status"]["green"].as_json() | {"state": state}
    assert KO.message("status", facts).text == line


def test_the_home_view_is_what_views_publish_takes() -> None:
    view = KO.home(EXAMPLES["home"]["red"].as_json())
    assert view["type"] == "home"
    assert view["blocks"]


@pytest.mark.parametrize("voice", [KO, EN])
def test_a_missing_fact_is_a_failed_template(voice: Voice) -> None:
    facts = MEMORY.as_json()
    del facts["target"]
    with pytest.raises(TemplateFailed) as caught:
        voice.message("alert", facts)
    assert caught.value.name == "alert"
    assert isinstance(caught.value.cause, jinja2.UndefinedError)


def test_an_absent_value_is_never_printed_as_none() -> None:
    facts = EXAMPLES["version"]["one"].as_json() | {"version": None, "python": None}
    for voice in (KO, EN):
        with pytest.raises(TemplateFailed) as caught:
            voice.message("version", facts)
        assert isinstance(caught.value.cause, TypeError)


@pytest.mark.parametrize("name", ["nothing", "../ko/alert", "_alert.x", ""])
def test_an_unknown_message_is_a_failed_template(name: str) -> None:
    with pytest.raises(TemplateFailed):
        KO.message(name, {})


def test_only_what_is_there_is_sent() -> None:
    assert Message("hello").as_payload() == {"text": "hello"}


def test_another_language_is_refused() -> None:
    with pytest.raises(ValueError, match="fr"):
        Voice("fr")


def test_phrases_speak_plainly_on_a_terminal_and_escaped_in_slack() -> None:
    value = {"value": "a<b & `c`\x1b[2J", "band": "x"}
    assert "a<b & `c`[2J" in EN.phrase("reasons.still_firing", **value)
    assert "a&lt;b &amp; 'c'[2J" in EN.slack_phrase("reasons.still_firing", **value)


def test_a_storms_card_offers_to_take_what_nobody_has() -> None:
    storm = EXAMPLES["storm"]["raging"].as_json()
    for acked, offered in ((0, True), (299, True), (300, False)):
        card = json.dumps(KO.message("storm", storm | {"open": 300, "acked": acked}).as_payload())
        assert ("storm_ack" in card) is offered


@pytest.mark.parametrize("name", ["storm", "storm_digest", "storm_page", "page", "alert"])
def test_what_goes_out_a_second_way_is_words_without_markup(name: str) -> None:
    for facts in EXAMPLES[name].values():
        for voice in (KO, EN):
            said = voice.unmarked(name, facts.as_json())
            assert not said.startswith(voice.phrase("notices.plain")), "the raw facts"
            assert not any(mark in said for mark in ("`", "<@", "&lt;", "&amp;"))
            assert re.search(r"\bU024BE7LH\b", said) is None, "an id instead of a name"


def test_an_unknown_phrase_is_its_own_name() -> None:
    assert KO.phrase("config.never_written") == "config.never_written"


def test_a_missing_english_template_or_phrase_falls_back_to_korean_words_and_filters(tmp_path: Path) -> None:
    files = {
        "ko/phrases/terms.yaml": "duration: {second: 초, minute: 분}\nonly: 우리말",
        "en/phrases/terms.yaml": "duration: {second: s, minute: m}",
        "ko/both.j2": "{% macro text(n) %}{{ n | duration }} 지남{% endmacro %}",
        "en/both.j2": "{% macro text(n) %}{{ n | duration }} ago{% endmacro %}",
        "ko/one.j2": "{% macro text(n) %}{{ n | duration }} 남음{% endmacro %}",
    }
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content, encoding="utf-8")
    catalogs = {language: Catalog(language, tmp_path) for language in ("ko", "en")}
    templates = Templates("en", catalogs, SEOUL, tmp_path)
    assert templates.words("both")("text", 90) == "1m 30s ago"
    assert templates.words("one")("text", 90) == "1분 30초 남음"
    assert catalogs["en"].find("terms.only") == "우리말"
    with pytest.raises(jinja2.TemplateNotFound):
        templates.words("none")


def test_every_file_of_phrases_is_loaded_under_its_name(tmp_path: Path) -> None:
    (tmp_path / "ko" / "phrases").mkdir(parents=True)
    (tmp_path / "ko" / "phrases" / "cli.yaml").write_text("run: {ready: '준비: {{ url }}'}", encoding="utf-8")
    assert load("ko", tmp_path) == {"cli.run.ready": "준비: {{ url }}"}


@pytest.mark.parametrize(
    ("content", "said"),
    [("a: [1]", "list"), ("a: {yes: x}", "quotes"), ("a: 3", "int"), ("a: b: c", "cli.yaml")],
)
def test_a_malformed_catalog_names_the_file_and_the_key(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "ko" / "phrases").mkdir(parents=True)
    (tmp_path / "ko" / "phrases" / "cli.yaml").write_text(content, encoding="utf-8")
    with pytest.raises(CatalogBroken, match=said) as caught:
        load("ko", tmp_path)
    assert "cli.yaml" in str(caught.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(st.characters(codec=None)),
    lambda children: st.lists(children) | st.dictionaries(st.text(st.characters(codec=None)), children),
    max_leaves=30,
)


@given(st.dictionaries(st.text(st.characters(codec=None)), JSON))
def test_plain_facts_never_fail_and_are_harmless(facts: dict[str, JsonValue]) -> None:
    text = KO.plain(facts)
    text.encode("utf-8")
    assert text.strip()
    assert len(text) <= 4000
    assert "<" not in text
    assert "`" not in text


def test_plain_facts_name_everything_of_the_alert() -> None:
    text = EN.plain(MEMORY.as_json())
    assert "metric: memory_usage" in text
    assert "value: 82.0" in text
    assert "target_band: &lt; 80%" in text
    assert "facts.top_processes: postgres 31%, java 22%, nginx 4%" in text


def test_plain_facts_that_never_end_are_cut() -> None:
    endless: dict[str, JsonValue] = {}
    endless["again"] = endless
    assert len(KO.plain(endless).splitlines()) == 2
    assert KO.plain({"many": ["x" * 400] * 4000}).endswith("…")
