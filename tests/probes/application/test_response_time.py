from __future__ import annotations

import asyncio
import gzip
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from probes.application.http import http_session
from probes.application.response_time import ResponseTime
from probes.base import ProblemKind, Reading
from tests.ports import free_port
from tests.probes.application import servers

AT = datetime(2026, 1, 1, tzinfo=UTC)
SHORT = timedelta(seconds=0.5)


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with http_session(version="1.2.3") as session:
        yield session


def one(readings: list[Reading], metric: str) -> Reading:
    (reading,) = [reading for reading in readings if reading.metric == metric]
    return reading


def problem(readings: list[Reading]) -> ProblemKind:
    """The problem of a target that did not answer; it is then not reachable either."""
    assert one(readings, "reachable").value == 0
    found = one(readings, "response_time").problem
    assert found is not None
    return found.kind


def reason(readings: list[Reading]) -> str:
    """Why an answer that came in time is not the expected one."""
    assert one(readings, "response_time").value is not None
    assert one(readings, "reachable").value == 0
    return one(readings, "reachable").facts["reason"]


async def test_a_good_answer_has_its_time(session: aiohttp.ClientSession) -> None:
    agents: list[str] = []

    async def slowly(request: web.Request) -> web.Response:
        agents.append(request.headers["User-Agent"])
        await asyncio.sleep(0.05)
        return web.Response(text="ok")

    async with servers.http_server(slowly) as address:
        readings = await ResponseTime(session=session, url=address).read(AT)
    took = one(readings, "response_time").value
    assert took is not None
    assert took >= 50
    assert one(readings, "reachable").value == 1
    assert agents == ["Guardian/1.2.3"]


async def test_the_time_runs_to_the_end_of_the_body(session: aiohttp.ClientSession) -> None:
    async def late_body(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await asyncio.sleep(0.05)
        await response.write(b"late")
        return response

    async with servers.http_server(late_body) as address:
        readings = await ResponseTime(session=session, url=address).read(AT)
    took = one(readings, "response_time").value
    assert took is not None
    assert took >= 50


async def test_a_server_that_hangs_is_a_time_out(session: aiohttp.ClientSession) -> None:
    async with servers.raw_server(servers.hang) as port:
        probe = ResponseTime(session=session, url=f"http://127.0.0.1:{port}/", timeout=SHORT)
        assert problem(await probe.read(AT)) is ProblemKind.TIMEOUT


async def test_a_closed_port_is_refused(session: aiohttp.ClientSession) -> None:
    for host in ("127.0.0.1", "localhost"):
        probe = ResponseTime(session=session, url=f"http://{host}:{free_port()}/")
        assert problem(await probe.read(AT)) is ProblemKind.REFUSED


async def test_a_reset_connection_is_a_connection_problem(session: aiohttp.ClientSession) -> None:
    async with servers.raw_server(servers.reset) as port:
        probe = ResponseTime(session=session, url=f"http://127.0.0.1:{port}/")
        assert problem(await probe.read(AT)) is ProblemKind.CONNECTION


async def test_a_name_that_does_not_exist_is_not_found(session: aiohttp.ClientSession) -> None:
    # RFC 6761: names under .invalid never resolve, and no query needs to leave the machine for that.
    probe = ResponseTime(session=session, url="http://shop.invalid/", timeout=timedelta(seconds=30))
    assert problem(await probe.read(AT)) is ProblemKind.NAME_NOT_FOUND


async def test_a_status_outside_the_range_is_told_with_its_time(session: aiohttp.ClientSession) -> None:
    async def broken(request: web.Request) -> web.Response:
        return web.Response(status=503, text="out of order")

    async with servers.http_server(broken) as address:
        assert reason(await ResponseTime(session=session, url=address).read(AT)) == "status 503"
        allowed = ResponseTime(session=session, url=address, statuses=(503, 503))
        assert one(await allowed.read(AT), "reachable").value == 1


@pytest.mark.parametrize("packed", [False, True])
async def test_the_body_is_searched_even_if_packed(session: aiohttp.ClientSession, packed: bool) -> None:
    async def page(request: web.Request) -> web.Response:
        body = "모두 정상".encode()
        if packed:
            return web.Response(body=gzip.compress(body), headers={"Content-Encoding": "gzip"})
        return web.Response(body=body)

    async with servers.http_server(page) as address:
        good = await ResponseTime(session=session, url=address, contains="정상").read(AT)
        bad = await ResponseTime(session=session, url=address, contains="healthy").read(AT)
    assert one(good, "reachable").value == 1
    assert "expected text" in reason(bad)


async def test_an_endless_body_is_read_up_to_the_limit(session: aiohttp.ClientSession) -> None:
    talk = servers.without_end(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65536)
    async with servers.raw_server(talk) as port:
        url = f"http://127.0.0.1:{port}/"
        assert one(await ResponseTime(session=session, url=url).read(AT), "reachable").value == 1
        searched = await ResponseTime(session=session, url=url, contains="y").read(AT)
    assert "expected text" in reason(searched)


async def test_a_gzip_bomb_does_not_go_off(session: aiohttp.ClientSession) -> None:
    """64 MB of zeros in 64 kB: unpacked no further than the limit, so what lies behind is not found."""
    bomb = gzip.compress(b"\0" * 64 * 1024**2 + b"boom")

    async def page(request: web.Request) -> web.Response:
        return web.Response(body=bomb, headers={"Content-Encoding": "gzip"})

    async with servers.http_server(page) as address:
        readings = await ResponseTime(session=session, url=address, contains="boom").read(AT)
    assert "expected text" in reason(readings)


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X-Many: x\r\n" * 50_000 + b"\r\n",
        b"220 mail.example.org ESMTP\r\n",
        b"\x00\x01\x02\x03" * 100,
    ],
    ids=["a long header", "many headers", "another protocol", "binary"],
)
async def test_what_is_no_sound_answer_is_a_connection_problem(
    session: aiohttp.ClientSession, head: bytes
) -> None:
    async with servers.raw_server(servers.saying(head)) as port:
        probe = ResponseTime(session=session, url=f"http://127.0.0.1:{port}/")
        assert problem(await probe.read(AT)) is ProblemKind.CONNECTION


async def test_headers_without_end_are_given_up(session: aiohttp.ClientSession) -> None:
    talk = servers.without_end(b"HTTP/1.1 200 OK\r\n", b"X-Many: x\r\n" * 100)
    async with servers.raw_server(talk) as port:
        probe = ResponseTime(session=session, url=f"http://127.0.0.1:{port}/")
        assert problem(await probe.read(AT)) is ProblemKind.CONNECTION


async def test_an_answer_that_breaks_off_is_a_connection_problem(session: aiohttp.ClientSession) -> None:
    talk = servers.saying(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf of it")
    async with servers.raw_server(talk) as port:
        probe = ResponseTime(session=session, url=f"http://127.0.0.1:{port}/")
        assert problem(await probe.read(AT)) is ProblemKind.CONNECTION


async def test_redirects_are_followed_but_not_for_ever(session: aiohttp.ClientSession) -> None:
    async def hop(request: web.Request) -> web.Response:
        left = int(request.path.strip("/"))
        return web.Response() if left == 0 else web.Response(status=302, headers={"Location": f"/{left - 1}"})

    async with servers.http_server(hop) as address:
        near = await ResponseTime(session=session, url=f"{address}4").read(AT)
        far = await ResponseTime(session=session, url=f"{address}50").read(AT)
    assert one(near, "reachable").value == 1
    assert problem(far) is ProblemKind.BAD_STATUS


async def test_secret_headers_go_to_the_configured_origin_only(session: aiohttp.ClientSession) -> None:
    secret = {"X-Api-Key": "hunter2", "Authorization": "Bearer hunter2", "Cookie": "id=hunter2"}
    got: list[tuple[str, list[str | None], str | None]] = []

    def note(where: str, request: web.Request) -> None:
        got.append((where, [request.headers.get(name) for name in secret], request.headers.get("X-Team")))

    async def stranger(request: web.Request) -> web.Response:
        note("stranger", request)
        return web.Response(text="ok")

    async with servers.http_server(stranger) as elsewhere:

        async def own(request: web.Request) -> web.Response:
            note(request.path, request)
            away = {"/": "/near", "/near": elsewhere}
            return web.Response(status=307, headers={"Location": away[request.path]})

        async with servers.http_server(own) as address:
            probe = ResponseTime(
                session=session, url=address, headers={"X-Team": "ops"}, secret_headers=secret
            )
            for _ in range(2):
                assert one(await probe.read(AT), "reachable").value == 1
    known: list[str | None] = list(secret.values())
    hops = [("/", known, "ops"), ("/near", known, "ops"), ("stranger", [None] * 3, "ops")]
    assert got == hops * 2


async def test_a_redirect_to_nowhere_is_a_bad_status(session: aiohttp.ClientSession) -> None:
    async def nowhere(request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": "http://[nonsense/"})

    async with servers.http_server(nowhere) as address:
        assert problem(await ResponseTime(session=session, url=address).read(AT)) is ProblemKind.BAD_STATUS


async def test_plain_text_where_tls_is_expected_is_a_tls_problem(session: aiohttp.ClientSession) -> None:
    async def answer_at_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(answer_at_once, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        probe = ResponseTime(session=session, url=f"https://127.0.0.1:{port}/")
        assert problem(await probe.read(AT)) is ProblemKind.TLS


async def test_a_certificate_must_be_trusted_and_for_that_name(
    session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    certificate, key = servers.own_certificate(tmp_path, "localhost")
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(certificate, key)
    trusting = ssl.create_default_context(cafile=str(certificate))
    good = servers.saying(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    async with servers.raw_server(good, serving) as port:
        named, numbered = f"https://localhost:{port}/", f"https://127.0.0.1:{port}/"
        trusted = await ResponseTime(session=session, url=named, tls=trusting).read(AT)
        assert one(trusted, "reachable").value == 1
        for wrong in (
            ResponseTime(session=session, url=named),
            ResponseTime(session=session, url=numbered, tls=trusting),
        ):
            assert problem(await wrong.read(AT)) is ProblemKind.TLS


async def test_a_connection_is_used_again(session: aiohttp.ClientSession) -> None:
    ports: set[int] = set()

    async def page(request: web.Request) -> web.Response:
        assert request.transport is not None
        ports.add(request.transport.get_extra_info("peername")[1])
        return web.Response(text="ok")

    async with servers.http_server(page) as address:
        probe = ResponseTime(session=session, url=address, contains="ok")
        for _ in range(5):
            await probe.read(AT)
    assert len(ports) == 1


async def test_secrets_of_an_address_stay_out_of_readings(session: aiohttp.ClientSession) -> None:
    port = free_port()
    probe = ResponseTime(session=session, url=f"http://me:hunter2@127.0.0.1:{port}/health?token=hunter2#x")
    assert probe.target == f"http://127.0.0.1:{port}/health"
    assert "hunter2" not in repr(await probe.read(AT))


@pytest.mark.parametrize("url", ["ftp://shop.example/", "shop.example", "http:///health", ""])
async def test_an_address_that_is_none_is_refused_at_once(session: aiohttp.ClientSession, url: str) -> None:
    with pytest.raises(ValueError, match="http"):
        ResponseTime(session=session, url=url)


async def test_uptime_comes_when_the_window_is_full(session: aiohttp.ClientSession) -> None:
    statuses = iter([200, 503, 200, 200])

    async def page(request: web.Request) -> web.Response:
        return web.Response(status=next(statuses))

    async with servers.http_server(page) as address:
        probe = ResponseTime(session=session, url=address, uptime_window=4)
        for _ in range(3):
            assert {reading.metric for reading in await probe.read(AT)} == {"response_time", "reachable"}
        assert one(await probe.read(AT), "uptime").value == 75.0
