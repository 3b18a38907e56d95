"""The least that keeps what Alertmanager posts and tells all of it: a table, and digests as large as can be.

It listens on PORT, keeps its book in FILE and posts to the Slack at API_URL.
"""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from itertools import groupby

import aiohttp
from aiohttp import web

_IN_ONE_MESSAGE = 3_000
"""names; Slack cuts a text above 40,000 characters"""
_NEW = "INSERT OR IGNORE INTO alerts (key, name, target, service, level) VALUES (?, ?, ?, ?, ?)"
_UNTOLD = "SELECT rowid, name, target FROM alerts WHERE NOT told ORDER BY rowid LIMIT ?"


def _opened(file: str) -> sqlite3.Connection:
    book = sqlite3.connect(file)
    book.execute("PRAGMA journal_mode = WAL")
    book.execute("PRAGMA synchronous = FULL")
    book.execute(
        "CREATE TABLE IF NOT EXISTS alerts (key TEXT UNIQUE, name TEXT, target TEXT, service TEXT,"
        " level TEXT, told INTEGER NOT NULL DEFAULT 0)"
    )
    return book


async def _tell(book: sqlite3.Connection, session: aiohttp.ClientSession, url: str) -> bool:
    """Tell the next few; whether there were any."""
    rows = book.execute(_UNTOLD, (_IN_ONE_MESSAGE,)).fetchall()
    if not rows:
        return False
    groups = groupby(sorted(rows, key=lambda row: str(row[1])), key=lambda row: str(row[1]))
    text = "\n".join(f"{name}: {', '.join(str(row[2]) for row in members)}" for name, members in groups)
    message = {"channel": "guardian-alerts", "text": text}
    while True:
        async with session.post(f"{url}chat.postMessage", json=message) as answer:
            await answer.read()
            if answer.status == 200:
                break
            wait = float(answer.headers.get("Retry-After", 1))
        await asyncio.sleep(wait)
    with book:
        book.executemany("UPDATE alerts SET told = 1 WHERE rowid = ?", [(row[0],) for row in rows])
    return True


async def _run(port: int, file: str, url: str) -> None:
    book, news = _opened(file), asyncio.Event()
    news.set()

    async def receive(request: web.Request) -> web.Response:
        rows = []
        for alert in (await request.json())["alerts"]:
            labels = alert["labels"]
            kept = (labels["alertname"], labels["instance"], labels["service"], labels["severity"])
            rows.append((alert["fingerprint"], *kept))
        with book:
            book.executemany(_NEW, rows)
        news.set()
        return web.Response(text="ok")

    application = web.Application(client_max_size=8 * 1024 * 1024)
    application.router.add_post("/webhook/alertmanager", receive)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    async with aiohttp.ClientSession() as session:
        while await news.wait():
            news.clear()
            while await _tell(book, session, url):
                pass


if __name__ == "__main__":
    asyncio.run(_run(int(sys.argv[1]), sys.argv[2], sys.argv[3]))
