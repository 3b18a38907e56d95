"""Opening a door."""

from __future__ import annotations

from aiohttp import web


async def listen(application: web.Application, host: str, port: int) -> web.AppRunner:
    """Serve the application there; `cleanup()` of what comes back closes it. OSError if the port is taken."""
    runner = web.AppRunner(application, access_log=None, handle_signals=False, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
    except BaseException:
        await runner.cleanup()
        raise
    return runner
