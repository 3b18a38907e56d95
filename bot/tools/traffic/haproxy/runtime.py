"""HAProxy's runtime API: one connection a question, always an end in time, and never a word that was not
checked."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass

from bot.tools.traffic.contract import TrafficFailed
from bot.tools.traffic.haproxy.configuration import local_port

_COMMAND = re.compile(r"[a-z]+( [A-Za-z0-9_.:/@+-]+)*", re.ASCII)
"""words between single blanks; nothing that would end a command or begin another"""
_ANSWER = 4 * 1024 * 1024
_CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True)
class Runtime:
    """The socket, and the seconds that a whole question may take."""

    address: str
    timeout: float

    async def ask(self, *commands: str) -> str:
        """What HAProxy answers to all of them, which go to the same process of its in one line, so that
        nothing comes between. An answer that says no is an answer: whoever asks knows what a yes looks like.

        Raises TrafficFailed: traffic_gone when nobody answers, traffic_unreadable when too much comes; and
        ValueError for words that can't be meant.
        """
        for command in commands:
            if _COMMAND.fullmatch(command) is None:
                raise ValueError(f"not a command for HAProxy: {command!r}")
        try:
            async with asyncio.timeout(self.timeout):
                answer = await self._exchange(";".join(commands).encode() + b"\n")
        except TimeoutError:
            raise TrafficFailed("traffic_gone", f"no answer within {self.timeout:g} s") from None
        except OSError as error:
            raise TrafficFailed("traffic_gone", error.strerror or str(error)) from None
        if not answer:  # even "done" is an empty line: this process ended meanwhile
            raise TrafficFailed("traffic_gone", "hung up without an answer")
        return answer.decode(errors="replace")

    async def _exchange(self, line: bytes) -> bytes:
        port = local_port(self.address)
        if port is not None:
            reader, writer = await asyncio.open_connection(*port)
        else:
            reader, writer = await asyncio.open_unix_connection(self.address)
        try:
            writer.write(line)
            await writer.drain()
            answer = bytearray()
            while chunk := await reader.read(_CHUNK):
                answer += chunk
                if len(answer) > _ANSWER:
                    raise TrafficFailed("traffic_unreadable", f"an answer of more than {_ANSWER} bytes")
            return bytes(answer)
        finally:
            writer.close()


def first_line(answer: str) -> str:
    """The first line that says anything, cut; empty when none does, which is how HAProxy says that it has
    done something."""
    return next((line.strip()[:200] for line in answer.splitlines() if line.strip()), "")
