"""The least that takes approvals: an envelope, an UPDATE in sqlite3 that outlives a power failure, an edit.

It is connected to the Slack at API_URL and keeps its states in FILE. Whoever comes second is told so.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys

import aiohttp

_STATES = "CREATE TABLE operations (id INTEGER PRIMARY KEY, state TEXT NOT NULL DEFAULT 'pending')"
_MOVE = "UPDATE operations SET state = 'queued' WHERE id = ? AND state = 'pending'"


def _opened(file: str) -> sqlite3.Connection:
    states = sqlite3.connect(file, isolation_level=None)
    states.execute("PRAGMA journal_mode = WAL")
    states.execute("PRAGMA synchronous = FULL")
    states.execute(_STATES)
    return states


async def _run(api_url: str, file: str) -> None:
    states = _opened(file)
    async with aiohttp.ClientSession() as session:
        async with session.post(f"{api_url}apps.connections.open") as opened:
            url = (await opened.json())["url"]
        async with session.ws_connect(url) as socket, asyncio.TaskGroup() as answers:

            async def answer(to: str, message: dict[str, str]) -> None:
                async with session.post(to, json=message) as posted:
                    await posted.read()

            async for frame in socket:
                envelope = json.loads(frame.data)
                if "envelope_id" not in envelope:
                    continue
                await socket.send_str(json.dumps({"envelope_id": envelope["envelope_id"]}))
                payload = envelope["payload"]
                number = int(payload["actions"][0]["value"])
                states.execute("INSERT OR IGNORE INTO operations (id) VALUES (?)", (number,))
                if states.execute(_MOVE, (number,)).rowcount == 1:
                    place = {"channel": payload["channel"]["id"], "ts": payload["container"]["message_ts"]}
                    answers.create_task(answer(f"{api_url}chat.update", {**place, "text": "approved"}))
                else:
                    answers.create_task(answer(payload["response_url"], {"text": "too late"}))


if __name__ == "__main__":
    asyncio.run(_run(sys.argv[1], sys.argv[2]))
