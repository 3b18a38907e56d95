"""Who may speak to the page, and with which headers it answers."""

from __future__ import annotations

import pytest
from aiohttp import ClientSession, FormData

from tests.workspace.page.sample import Sample


def said(sample: Sample) -> FormData:
    form = FormData()
    form.add_field("channel", sample.channel())
    form.add_field("text", "안녕")
    return form


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "{url}"}, 200),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
        ({"Origin": "{url}", "Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": "http://evil.example", "Host": "evil.example"}, 403),
    ],
)
async def test_only_the_page_itself_may_act(sample: Sample, headers: dict[str, str], status: int) -> None:
    address = f"{sample.url}/page/{sample.person('doyun.lee')}/send"
    sent = {name: value.format(url=sample.url) for name, value in headers.items()}
    async with ClientSession() as session, session.post(address, data=said(sample), headers=sent) as answer:
        assert answer.status == status
    posted = sample.running.workspace.messages(sample.channel(), sample.person("doyun.lee"))
    assert len(posted) == (1 if status == 200 else 0)


async def test_the_document_forbids_what_it_does_not_need(sample: Sample) -> None:
    async with ClientSession() as session, session.get(sample.address()) as answer:
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "script-src 'self'" in policy
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        text = await answer.text()
    assert "<script>" not in text and "style=" not in text


async def test_another_hosts_name_is_refused(sample: Sample) -> None:
    async with (
        ClientSession() as session,
        session.get(sample.address(), headers={"Host": "evil.example"}) as answer,
    ):
        assert answer.status == 403


async def test_only_its_own_static_files_are_served(sample: Sample) -> None:
    async with ClientSession() as session:
        async with session.get(f"{sample.url}/page/static/page.js") as answer:
            assert answer.status == 200
        async with session.get(f"{sample.url}/page/static/..%2Fguard.py") as answer:
            assert answer.status == 404


async def test_the_stream_resumes_behind_the_last_event(sample: Sample) -> None:
    workspace, person = sample.running.workspace, sample.person("doyun.lee")
    await sample.say("하나")
    seen = workspace.last_change()
    await sample.say("둘")
    await sample.say("셋")
    address = f"{sample.url}/page/{person}/live?channel={sample.channel()}"
    received = ""
    async with (
        ClientSession() as session,
        session.get(address, headers={"Last-Event-ID": str(seen)}) as answer,
    ):
        async for line in answer.content:
            received += line.decode()
            if "셋" in received:
                break
    assert "둘" in received and "하나" not in received


async def test_a_page_of_nobody_is_not_found(sample: Sample) -> None:
    async with ClientSession() as session:
        async with session.get(f"{sample.url}/client/U0/{sample.channel()}") as answer:
            assert answer.status == 404
        bot = next(user for user in sample.running.workspace.users() if user.is_bot)
        async with session.get(f"{sample.url}/client/{bot.id}/{sample.channel()}") as answer:
            assert answer.status == 404


async def test_the_front_door_leads_to_the_liveliest_channel(sample: Sample) -> None:
    await sample.say("여기")
    async with ClientSession() as session, session.get(sample.url + "/") as answer:
        assert answer.status == 200
        assert str(answer.url).endswith(sample.channel())


async def test_going_back_never_leaves_the_page(sample: Sample) -> None:
    for back in ("https://evil.example/", "//evil.example", "/client/\\evil", "/api/x"):
        async with (
            ClientSession() as session,
            session.post(
                f"{sample.url}/page/preferences",
                data={"back": back, "theme": "dark"},
                headers={"Origin": sample.url},
                allow_redirects=False,
            ) as answer,
        ):
            assert (answer.status, answer.headers["Location"]) == (303, "/")
