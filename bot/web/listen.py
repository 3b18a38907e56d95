"""Opening a door."""

from __future__ import annotations

from aiohttp import web


async def listen(application: web.Application, host: str, port: int) -> web.AppRunner:
    """Serve the application there; `cleanup()` of what comes back closes it. OSError if the port is taken."""
    runner = web.AppRunner(
        application,
        access_log=None,
        handle_signals=False,
        shutdown_timeout=1,
        # A broken body would be a traceback in the log, whoever sent it; `payloads` unpacks what may be.
        auto_decompress=False,
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
    except BaseException:
        await runner.cleanup()
        raise
    return runner
