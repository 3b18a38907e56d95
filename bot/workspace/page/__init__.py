"""The workspace in a browser: a stand-in for Slack's own client."""

from __future__ import annotations

from aiohttp import web

from bot.workspace.core import Workspace
from bot.workspace.page import live
from bot.workspace.page.doings import DOINGS, answering
from bot.workspace.page.guard import guarded
from bot.workspace.page.pages import Pages, preferences

__all__ = ["add_routes"]


def add_routes(app: web.Application, workspace: Workspace) -> None:
    """Serve the page at `/`; everything else of it is below `/client/` and `/page/`."""
    pages = Pages(workspace)
    app[live.OPEN_STREAMS] = set()
    app.on_shutdown.append(live.close_streams)
    for path, handler in (
        ("/", pages.front),
        ("/client/{user}", pages.seat),
        ("/client/{user}/", pages.seat),
        ("/client/{user}/app/{app}", pages.home),
        ("/client/{user}/{channel}", pages.channel),
        ("/client/{user}/{channel}/{ts}", pages.channel),
        ("/page/static/{name}", pages.static),
        ("/page/{user}/live", pages.live),
        ("/page/{user}/files/{file}", pages.file),
    ):
        app.router.add_get(path, guarded(handler))
    app.router.add_post("/page/preferences", guarded(preferences))
    for name, doing in DOINGS.items():
        app.router.add_post(f"/page/{{user}}/{name}", guarded(answering(workspace, doing)))
