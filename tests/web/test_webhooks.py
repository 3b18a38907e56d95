"""Alerts from elsewhere, through a real socket: what is taken, and what is refused with nothing changed."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import time
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime

import pytest
from pydantic import JsonValue, SecretStr

from bot.domain.alerts.model import Condition
from bot.domain.levels import Level
from bot.engine.payload_templates import MappingTexts
from bot.engine.reports import ReportsNotTaken
from bot.store.errors import StoreUnavailable
from bot.web.alertmanager import read_notification
from bot.web.generic import Mapped
from bot.web.severities import Severities
from bot.web.webhooks import Source, Sources, Webhooks, application
from messages.render import Voice
from probes.base import Layer
from tests.doors import SECRET, Knocker, at_door
from tests.factories import T0
from tests.reporting import ReportBook

URL = "/webhook/alertmanager"
SHOP = MappingTexts(
    each="{{ payload.events }}",
    key="{{ event.id }}",
    title="{{ event.name }} on {{ event.host }}",
    firing="{{ event.state != 'ok' }}",
    target="{{ event.host }}",
    level="{{ event.priority }}",
    labels={"service": "{{ event.service | default('shop') }}", "layer": "business"},
    facts={"link": "{{ event.link | default('none') }}"},
)
SHOP_SECRET = "the shop's own secret"


def alert(number: int = 1, status: str = "firing", **changes: JsonValue) -> dict[str, JsonValue]:
    """One alert as Alertmanager writes it."""
    return {
        "status": status,
        "labels": {"alertname": "HighLatency", "instance": f"web-{number}:9100", "severity": "critical"},
        "annotations": {"summary": f"web-{number} is slow", "description": "p99 is\nabove 2 s"},
        "startsAt": "2026-03-01T08:55:00.739266876Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus.example.com/graph?g0.expr=up",
        "fingerprint": f"{number:016x}",
        **changes,
    }


def notification(*alerts: JsonValue, **changes: JsonValue) -> bytes:
    """A payload of those alerts, as Alertmanager 0.25 and later write it."""
    return json.dumps(
        {
            "receiver": "guardian",
            "status": "firing",
            "alerts": list(alerts),
            "groupLabels": {"alertname": "HighLatency"},
            "commonLabels": {},
            "commonAnnotations": {},
            "externalURL": "http://alertmanager.example.com",
            "version": "4",
            "groupKey": '{}:{alertname="HighLatency"}',
            "truncatedAlerts": 0,
            **changes,
        }
    ).encode()


@pytest.fixture
def desk() -> ReportBook:
    """The desk behind the door."""
    return ReportBook()


@pytest.fixture
async def door(desk: ReportBook) -> AsyncIterator[Knocker]:
    """A door that knows Alertmanager and a shop."""
    sources = Sources(
        SecretStr(SECRET),
        {"shop": Source(Mapped("shop", SHOP), SecretStr(SHOP_SECRET))},
        Severities({"P1": Level.EMERGENCY}),
    )
    webhooks = Webhooks(desk, sources, "production", lambda: T0)
    async with at_door(application(Voice("en"), webhooks)) as knocker:
        yield knocker


async def test_alertmanagers_payload_is_taken_and_counted(door: Knocker, desk: ReportBook) -> None:
    both = notification(alert(1), alert(2))
    first = await door.send("POST", URL, both)
    assert first.status == 200
    assert first.body == {"received": 2, "opened": 2, "resolved": 0, "repeated": 0, "changed": 0}
    assert (await door.send("POST", URL, both)).body["repeated"] == 2
    over = notification(alert(1, "resolved", endsAt="2026-03-01T09:00:00Z"), status="resolved")
    assert (await door.send("POST", URL, over)).body["resolved"] == 1


async def test_an_alert_becomes_a_report(door: Knocker, desk: ReportBook) -> None:
    await door.send("POST", URL, notification(alert(7)))
    [report] = desk.taken()
    assert report.subject.environment == "production"
    assert report.subject.source == "alertmanager:0000000000000007"
    assert (report.subject.metric, report.subject.target) == ("HighLatency", "web-7:9100")
    assert report.subject.condition is Condition.REPORTED
    assert report.labels["severity"] == "critical"
    assert report.event.firing
    assert report.event.level is Level.CRITICAL
    assert report.event.at == T0
    assert report.event.title == "web-7 is slow"
    assert report.event.facts == {
        "description": "p99 is above 2 s",
        "origin": "http://prometheus.example.com/graph?g0.expr=up",
        "started": "2026-03-01T08:55:00+00:00",
    }


@pytest.mark.parametrize(
    ("severity", "level"),
    [("info", 1), ("warn", 2), ("Major", 3), ("page", 4), ("disaster", 5), ("P1", 5), ("purple", 2), ("", 2)],
)
async def test_severities_are_levels_and_unknown_ones_are_told(
    door: Knocker, desk: ReportBook, severity: str, level: int
) -> None:
    await door.send("POST", URL, notification(alert(labels={"alertname": "A", "severity": severity})))
    [report] = desk.taken()
    assert report.event.level == level
    assert report.event.facts.get("unknown_severity") == ("purple" if severity == "purple" else None)


async def test_labels_say_environment_layer_and_target(door: Knocker, desk: ReportBook) -> None:
    labels: JsonValue = {"alertname": "A", "environment": "staging", "layer": "database", "job": "pg"}
    await door.send("POST", URL, notification(alert(labels=labels, fingerprint="", annotations={})))
    await door.send("POST", URL, notification(alert(labels=labels, fingerprint="", annotations={})))
    first, second = desk.taken()
    assert (first.subject.environment, first.layer, first.subject.target) == ("staging", Layer.DATABASE, "pg")
    assert first.event.title == "A"
    assert first.subject.source.startswith("alertmanager:")
    assert first.subject.key == second.subject.key, "without a fingerprint the labels are the identity"


async def test_texts_are_cut_and_cleaned(door: Knocker, desk: ReportBook) -> None:
    notes: JsonValue = {"summary": "a\x00b\r\n" + "c" * 5000, "description": "\x1b[2J" + "d" * 100_000}
    await door.send("POST", URL, notification(alert(annotations=notes)))
    [report] = desk.taken()
    assert report.event.title.startswith("ab c")
    assert len(report.event.title) == 200
    assert len(report.event.facts["description"]) == 500
    assert report.event.title.isprintable()


async def test_the_secret_is_shown_as_bearer_or_as_a_password(door: Knocker) -> None:
    body = notification(alert())
    basic = base64.b64encode(f"anybody:{SECRET}".encode()).decode()
    assert (await door.send("POST", URL, body)).status == 200
    assert (await door.send("POST", URL, body, Authorization=f"Basic {basic}")).status == 200


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        f"Bearer {SECRET}x",
        SECRET,
        "Basic !!",
        "Basic YTpi",
        "Bearer \xff",
    ],
)
async def test_without_the_secret_nothing_is_taken(door: Knocker, desk: ReportBook, header: str) -> None:
    answer = await door.send("POST", URL, notification(alert()), secret=None, Authorization=header)
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert SECRET not in json.dumps(answer.body)
    assert desk.calls == 0


async def test_a_secret_in_the_address_is_refused_even_when_it_is_right(
    door: Knocker, desk: ReportBook
) -> None:
    answer = await door.send("POST", f"{URL}?token=x", notification(alert()))
    assert answer.status == 401
    assert "address" in answer.error
    assert desk.calls == 0


LABELS: dict[str, JsonValue] = {"alertname": "A"}
WRONG: list[tuple[JsonValue, str]] = [
    (alert(labels=None), "alerts[1].labels: must be an object"),
    (alert(labels=["a"]), "alerts[1].labels: must be an object"),
    (alert(labels={"a": 1}), "alerts[1].labels.a: must be a text"),
    (alert(labels={"a": "x\x07"}), "alerts[1].labels.a: has characters"),
    (alert(labels={"a": "x\ny"}), "alerts[1].labels.a: has characters"),
    (alert(labels={"a": "x\x9by"}), "alerts[1].labels.a: has characters"),
    (alert(labels={"a b": "x"}), "alerts[1].labels['a b']: a label's name"),
    (alert(labels={"": "x"}), "alerts[1].labels['']: a label's name"),
    (alert(labels={"a\x00": "x"}), "alerts[1].labels['a\\x00']: a label's name"),
    (alert(labels={"a": "x" * 1001}), "alerts[1].labels.a: must not be longer than 1000"),
    (alert(labels={f"a{n}": "x" for n in range(65)}), "alerts[1].labels: must not have more than 64"),
    (alert(status="broken"), "alerts[1].status: must be one of 'firing' or 'resolved'"),
    (alert(startsAt="yesterday"), "alerts[1].startsAt: must be a time"),
    (alert(startsAt="2026-03-01T08:55:00"), "alerts[1].startsAt: must be a time"),
    (alert(fingerprint="<!channel>"), "alerts[1].fingerprint: has characters"),
    (alert(annotations={"a": []}), "alerts[1].annotations.a: must be a text"),
    ({"labels": LABELS}, "alerts[1].status: must be there"),
    ("alert", "alerts[1]: must be an object"),
]


@pytest.mark.parametrize(("bad", "said"), WRONG)
async def test_one_wrong_alert_refuses_all_with_its_place(
    door: Knocker, desk: ReportBook, bad: JsonValue, said: str
) -> None:
    answer = await door.send("POST", URL, notification(alert(1), bad, alert(3)))
    assert answer.status == 422
    assert answer.error.startswith(said), answer.error
    assert desk.calls == 0


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b"", 400, "not JSON"),
        (b"{", 400, "not JSON"),
        (b"\xff\xfe", 400, "not JSON"),
        (b'{"version": "4", "x": "\\ud800"}', 400, "not JSON"),
        (b"[" * 100_000, 400, "not JSON"),
        (b"[]", 422, "must be an object"),
        (b"null", 422, "must be an object"),
        (notification(version="3"), 422, "version: must be one of '4'"),
        (notification(version=4), 422, "version: must be one of '4'"),
        (json.dumps({"version": "4", "status": "firing"}).encode(), 422, "alerts: must be there"),
        (
            json.dumps({"version": "4", "status": "firing", "alerts": {}}).encode(),
            422,
            "alerts: must be a list",
        ),
    ],
)
async def test_a_wrong_payload_is_refused_with_the_reason(
    door: Knocker, desk: ReportBook, body: bytes, status: int, said: str
) -> None:
    answer = await door.send("POST", URL, body)
    assert answer.status == status
    assert answer.error.startswith(said), answer.error
    assert desk.calls == 0


async def test_a_payload_full_of_mistakes_names_some_of_them(door: Knocker) -> None:
    bad = [alert(labels={"a b": "\x00"}) for _ in range(3000)]
    answer = await door.send("POST", URL, notification(*bad))
    problems = answer.body["problems"]
    assert answer.status == 422
    assert isinstance(problems, list)
    assert len(problems) == 20


async def test_other_types_methods_and_addresses_are_refused(door: Knocker, desk: ReportBook) -> None:
    body = notification(alert())
    assert (await door.send("POST", URL, body, Content_Type="text/plain")).status == 415
    assert (await door.send("GET", URL)).status == 405
    assert (await door.send("POST", "/webhook/nobody", body)).status == 404
    assert (await door.send("POST", "/webhook", body)).status == 404
    assert (await door.send("POST", "/webhook/nobody", body, secret=None)).status == 401
    assert desk.calls == 0


async def test_ten_megabytes_are_refused_before_they_are_read(door: Knocker, desk: ReportBook) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
    head = (
        f"POST {URL} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {SECRET}\r\n"
        "Content-Type: application/json\r\nContent-Length: 10485760\r\n"
    )
    writer.write(f"{head}\r\n".encode() + b"{" * 1000)
    assert b" 413 " in await reader.readline(), "answered, though 10 MB have not come"
    writer.close()
    reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
    writer.write(f"{head}Expect: 100-continue\r\n\r\n".encode())
    assert b" 413 " in await reader.readline(), "who asks first need not send it at all"
    writer.close()
    assert desk.calls == 0


async def test_a_client_that_asks_first_may_send(door: Knocker, desk: ReportBook) -> None:
    body = notification(alert())
    reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
    writer.write(
        f"POST {URL} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {SECRET}\r\nExpect: 100-continue\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    )
    assert b" 100 " in await reader.readline()
    await reader.readline()
    writer.write(body)
    assert b" 200 " in await reader.readline()
    writer.close()
    assert desk.calls == 1


async def test_bodies_that_do_not_say_how_large_they_are_have_the_same_limit(
    door: Knocker, desk: ReportBook
) -> None:
    packed = gzip.compress(b"[" + b" " * 20_000_000 + b"]", mtime=0)
    answer = await door.send("POST", URL, packed, Content_Encoding="gzip")
    assert answer.status == 413
    assert (await door.send("POST", URL, b" " * 5_300_000)).status == 413
    assert desk.calls == 0
    assert (await door.send("POST", URL, notification(alert()) + b" " * 5_000_000)).status == 200
    assert desk.calls == 1


@pytest.mark.parametrize("away", [ReportsNotTaken("full", 30), StoreUnavailable("database is locked")])
async def test_a_desk_that_cannot_take_it_asks_to_send_again(
    door: Knocker, desk: ReportBook, away: Exception
) -> None:
    desk.away = away
    answer = await door.send("POST", URL, notification(alert()))
    assert answer.status == 503
    assert answer.headers["Retry-After"] == ("30" if isinstance(away, ReportsNotTaken) else "2")
    desk.away = None
    assert (await door.send("POST", URL, notification(alert()))).body["opened"] == 1


async def test_ten_thousand_alerts_are_one_payload(door: Knocker, desk: ReportBook) -> None:
    answer = await door.send("POST", URL, notification(*(alert(number) for number in range(10_000))))
    assert answer.body["opened"] == 10_000


def test_ten_thousand_alerts_are_read_quickly() -> None:
    body = notification(*(alert(number) for number in range(10_000)))
    took = []
    for _ in range(3):
        begun = time.process_time()
        reports, left_out = read_notification(bytearray(body), Severities(), "production", datetime.now(UTC))
        took.append(time.process_time() - begun)
    assert (len(reports), left_out) == (10_000, 0)
    assert min(took) < 1.0, "0.2 s on the machine where this was written"


@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
async def test_a_packed_payload_is_unpacked(
    door: Knocker, desk: ReportBook, encoding: str, pack: Callable[[bytes], bytes]
) -> None:
    body = pack(notification(alert()))
    answer = await door.send("POST", URL, body, Content_Encoding=encoding)
    assert (answer.status, answer.body["opened"]) == (200, 1)


@pytest.mark.parametrize(
    ("encoding", "body", "status", "said"),
    [
        ("gzip", b"notgzip", 400, "the body is no gzip"),
        ("gzip", gzip.compress(b"{" * 5000, mtime=0)[:-9], 400, "the body is no gzip"),
        ("deflate", b"\x00", 400, "the body is no deflate"),
        ("br", b"x", 415, "the Content-Encoding can be gzip or deflate, not br"),
    ],
)
async def test_what_cannot_be_unpacked_is_refused(
    door: Knocker,
    desk: ReportBook,
    caplog: pytest.LogCaptureFixture,
    encoding: str,
    body: bytes,
    status: int,
    said: str,
) -> None:
    answer = await door.send("POST", URL, body, Content_Encoding=encoding)
    assert answer.status == status
    assert answer.error.startswith(said)
    unknown = await door.send("POST", URL, body, secret=None, Content_Encoding=encoding)
    assert unknown.status == 401
    assert desk.calls == 0
    assert not caplog.records, "nobody fills the log with tracebacks"


def test_a_payload_is_let_go_of_as_it_becomes_reports() -> None:
    body = bytearray(notification(*(alert(number) for number in range(5_000))))
    read_notification(bytearray(body), Severities(), "production", datetime.now(UTC))  # makes what stays
    size = len(body)
    tracemalloc.start()
    try:
        reports, _ = read_notification(body, Severities(), "production", datetime.now(UTC))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (len(reports), len(body)) == (5_000, 0)
    assert peak < 4.5 * size, f"{peak / size:.1f} times the payload; 6 with two lists of it"


async def test_a_moment_that_has_no_utc_refuses_nothing(door: Knocker, desk: ReportBook) -> None:
    answer = await door.send("POST", URL, notification(alert(startsAt="9999-12-31T23:59:59-12:00")))
    assert (answer.status, answer.body["opened"]) == (200, 1)


def event(**changes: JsonValue) -> dict[str, JsonValue]:
    """One event of the shop."""
    return {"id": 7, "name": "Checkout fails", "host": "shop-1", "state": "bad", "priority": "P1", **changes}


async def shop(door: Knocker, *events: JsonValue) -> tuple[int, str]:
    """What a payload of the shop is answered: the status, and the error or nothing."""
    body = json.dumps({"events": list(events)}).encode()
    answer = await door.send("POST", "/webhook/shop", body, secret=SHOP_SECRET)
    return answer.status, answer.error if "error" in answer.body else ""


async def test_another_systems_json_becomes_reports(door: Knocker, desk: ReportBook) -> None:
    assert await shop(door, event(), event(id="8", state="ok", priority="low", service="pay")) == (200, "")
    first, second = desk.taken()
    assert first.subject.source == "shop:7"
    assert (first.subject.metric, first.subject.target) == ("shop", "shop-1")
    assert (first.event.firing, first.event.level) == (True, Level.EMERGENCY)
    assert first.event.title == "Checkout fails on shop-1"
    assert first.event.facts == {"link": "none"}
    assert first.layer is Layer.BUSINESS
    assert (second.event.firing, second.event.level) == (False, Level.INFO)
    assert second.labels == {"service": "pay", "layer": "business"}


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ({"id": 1}, "event 1: level: the configuration's template does not fit"),
        (
            event(id=None),
            "event 1: key: the configuration's template does not fit this payload: the value is null",
        ),
        (event(host="a\x00b"), "event 1: target: has characters"),
        (event(host=["a"]), "event 1: target: the configuration's template"),
        (event(service="x" * 2000), "event 1: labels.service: the configuration's template"),
        (event(service="a\nb"), "event 1: labels.service: has characters"),
        ("text", "event 1: "),
    ],
)
async def test_an_event_that_the_mapping_does_not_fit_refuses_all(
    door: Knocker, desk: ReportBook, bad: JsonValue, said: str
) -> None:
    status, error = await shop(door, event(), bad)
    assert status == 422
    assert error.startswith(said), error
    assert desk.calls == 0


async def test_a_payload_without_events_is_refused(door: Knocker, desk: ReportBook) -> None:
    for body, said in (
        (
            b"{}",
            "each: the configuration's template does not fit this payload: 'dict object' has no attribute",
        ),
        (b'{"events": 5}', "each: must be a list"),
        (b'{"events": [NaN]}', "not JSON"),
        (json.dumps({"events": [1] * 10_001}).encode(), "each: must not have more than 10000"),
    ):
        answer = await door.send("POST", "/webhook/shop", body, secret=SHOP_SECRET)
        assert answer.error.startswith(said), answer.error
    assert desk.calls == 0


async def test_each_source_has_its_own_secret(door: Knocker, desk: ReportBook) -> None:
    body = json.dumps({"events": []}).encode()
    assert (await door.send("POST", "/webhook/shop", body)).status == 401
    assert (await door.send("POST", URL, notification(), secret=SHOP_SECRET)).status == 401
    assert desk.calls == 0


def test_templates_that_take_too_long_are_stopped() -> None:
    seconds = iter(range(0, 100_000, 1))
    mapped = Mapped("shop", SHOP, clock=lambda: float(next(seconds)))
    body = json.dumps({"events": [event() for _ in range(100)]}).encode()
    with pytest.raises(Exception, match="too_slow"):
        mapped.reports(bytearray(body), Severities(), "production", T0)
