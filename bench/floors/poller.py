"""A bare poller: asks an address every interval, and posts to Slack's door when the answer turns bad."""

from __future__ import annotations

import asyncio
import sys

import aiohttp


async def _run(target: str, api_url: str, interval: float) -> None:
    loop = asyncio.get_running_loop()
    was_good = True
    async with aiohttp.ClientSession() as session:
        due = loop.time()
        while True:
            async with session.get(target) as answer:
                await answer.read()
                good = answer.status < 400
            if was_good and not good:
                message = {"channel": "guardian-alerts", "text": target}
                async with session.post(f"{api_url}chat.postMessage", json=message) as posted:
                    await posted.read()
            was_good = good
            due += interval
            await asyncio.sleep(max(0.0, due - loop.time()))


if __name__ == "__main__":
    asyncio.run(_run(sys.argv[1], sys.argv[2], float(sys.argv[3])))
