"""Whether anybody listens at an address at all: less than whether they answer, let alone well."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from bot.domain.deploy.addresses import Address

ACCEPTED_WITHIN = 0.5
"""seconds for one connection: shorter than a Guardian that comes back waits for the watchdog's fence"""
_AGAIN = 0.1


async def accepts(address: Address, times: int = 1) -> bool:
    """Whether somebody takes a TCP connection there, asked so many times at most."""
    for left in reversed(range(times)):
        with suppress(OSError, UnicodeError):  # a time-out is the first; no name for DNS is the second
            async with asyncio.timeout(ACCEPTED_WITHIN):
                _, writer = await asyncio.open_connection(address.host, address.port)
            writer.close()
            # A port that nobody listens on may meet itself, when the kernel gives it to the connection.
            if writer.get_extra_info("sockname") != writer.get_extra_info("peername"):
                return True
        if left:
            await asyncio.sleep(_AGAIN)
    return False
