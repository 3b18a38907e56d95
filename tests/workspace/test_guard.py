"""The server is for this machine: other names, other sites and other addresses are refused."""

from __future__ import annotations

from pathlib import Path

import aiohttp
import pytest

from bot.workspace.errors import WorkspaceError
from bot.workspace.server import Running, serve


@pytest.mark.parametrize(
    "host", ["evil.example.com", "evil.example.com:80", "10.0.0.1", "", "[", "127.0.0.1.evil.com"]
)
@pytest.mark.parametrize("path", ["/faults", "/api/api.test", "/link/"])
async def test_another_hosts_name_is_refused(
    host: str, path: str, running: Running, session: aiohttp.ClientSession
) -> None:
    async with session.get(running.url + path, headers={"Host": host}) as response:
        assert response.status in (400, 403)


async def test_names_of_this_machine_are_taken(running: Running, session: aiohttp.ClientSession) -> None:
    port = running.url.rsplit(":", 1)[1]
    for host in (f"localhost:{port}", f"127.0.0.1:{port}", f"[::1]:{port}"):
        async with session.get(running.url + "/api/api.test", headers={"Host": host}) as response:
            assert response.status == 200


@pytest.mark.parametrize("path", ["/faults", "/api/api.test", "/actions/T/x", "/upload/v1/F"])
async def test_a_page_of_another_site_changes_nothing(
    path: str, running: Running, session: aiohttp.ClientSession
) -> None:
    for headers in (
        {"Origin": "https://evil.example.com"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ):
        async with session.post(running.url + path, headers=headers) as response:
            assert response.status == 403
    async with session.post(running.url + "/api/api.test", headers={"Origin": running.url}) as response:
        assert response.status == 200


async def test_a_page_of_another_site_opens_no_socket(
    running: Running, session: aiohttp.ClientSession
) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await session.ws_connect(running.url + "/link/", headers={"Origin": "https://evil.example.com"})
    assert refused.value.status == 403


@pytest.mark.parametrize("host", ["10.0.0.1", "example.com", "::", ""])
async def test_it_listens_on_loopback_only(host: str, tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="loopback"):
        async with serve(tmp_path, host=host):
            pass
