"""What the browser gets: the document, its static files and the workspace's files."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web

from bot.workspace.core import Workspace
from bot.workspace.page import live
from bot.workspace.page.painter import Looking, Painter
from bot.workspace.page.shown import INLINE_PICTURES
from bot.workspace.page.words import LANGUAGES, Words, choose

STATIC = Path(__file__).parent / "static"
THEMES = ("auto", "light", "dark")
_YEAR = 365 * 24 * 3600


def words_for(request: web.Request) -> Words:
    """The reader's language."""
    return choose(request.cookies.get("workspace_language"), request.headers.get("Accept-Language", ""))


def painter_for(request: web.Request, workspace: Workspace) -> Painter:
    """A painter for the person in the address; raises `HTTPNotFound` when there is none."""
    user = workspace.user(request.match_info["user"])
    if user is None or user.is_bot or user.deleted:
        raise web.HTTPNotFound(text=words_for(request).not_found)
    return Painter(workspace, user.id, words_for(request))


def see(address: str) -> web.Response:
    """Send the browser to another page of ours."""
    return web.Response(status=303, headers={"Location": address})


class Pages:
    """The GET side of the page."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace

    async def front(self, request: web.Request) -> web.StreamResponse:
        """Take the reader to where he was last, or to the first person's liveliest channel."""
        people = [user for user in self.workspace.users() if not user.is_bot and not user.deleted]
        if not people:
            raise web.HTTPNotFound(text=words_for(request).not_found)
        last = request.cookies.get("workspace_user")
        user = next((user for user in people if user.id == last), people[0])
        return self._to_liveliest(Painter(self.workspace, user.id, words_for(request)))

    async def seat(self, request: web.Request) -> web.StreamResponse:
        """The person's liveliest channel."""
        return self._to_liveliest(painter_for(request, self.workspace))

    def _to_liveliest(self, painter: Painter) -> web.StreamResponse:
        rooms = [room for room in painter.rooms("") if room.joined and not room.archived] or painter.rooms("")
        if not rooms:
            raise web.HTTPNotFound(text=painter.words.not_found)
        room = max(rooms, key=lambda room: float(room.latest))
        return see(f"{painter.base}/{room.path}")

    async def channel(self, request: web.Request) -> web.StreamResponse:
        """A channel, with a thread beside it when the address names one."""
        painter = painter_for(request, self.workspace)
        looking = Looking(request.match_info["channel"], request.match_info.get("ts"))
        return self._document(request, painter, looking)

    async def home(self, request: web.Request) -> web.StreamResponse:
        """An app's Home tab."""
        painter = painter_for(request, self.workspace)
        app = self.workspace.app(request.match_info["app"])
        room = painter.direct_room(app) if app else None
        if app is None or room is None:
            return self._to_liveliest(painter)
        return self._document(request, painter, Looking(room.id, app_id=app.id))

    def _document(self, request: web.Request, painter: Painter, looking: Looking) -> web.StreamResponse:
        if all(room.id != looking.channel for room in self.workspace.channels_for(painter.user_id)):
            return self._to_liveliest(painter)
        theme = request.cookies.get("workspace_theme", "auto")
        html = painter.page(looking, theme if theme in THEMES else "auto", request.query.get("before"))
        response = web.Response(text=html, content_type="text/html", headers={"Cache-Control": "no-store"})
        _remember(response, "workspace_user", painter.user_id)
        return response

    async def live(self, request: web.Request) -> web.StreamResponse:
        """The stream of changes to what the reader looks at."""
        painter = painter_for(request, self.workspace)
        asked = request.query
        looking = Looking(asked.get("channel", ""), asked.get("thread") or None, asked.get("app") or None)
        return await live.stream(request, self.workspace, painter, looking)

    async def file(self, request: web.Request) -> web.StreamResponse:
        """A file that was shared where the reader can see it: a picture to look at, all else to download."""
        painter = painter_for(request, self.workspace)
        file = self.workspace.file(request.match_info["file"])
        mine = {channel.id for channel in self.workspace.channels_for(painter.user_id)}
        if file is None or not (
            file.user == painter.user_id or not file.channels or mine & set(file.channels)
        ):
            raise web.HTTPNotFound(text=painter.words.not_found)
        shown = file.mimetype in INLINE_PICTURES
        response = web.FileResponse(
            self.workspace.file_path(file.id),
            headers={
                "Content-Type": file.mimetype if shown else "application/octet-stream",
                "Content-Security-Policy": "default-src 'none'; sandbox",
                "Cache-Control": "private, max-age=3600",
            },
        )
        if not shown:
            response.headers["Content-Disposition"] = "attachment"
        return response

    async def static(self, request: web.Request) -> web.StreamResponse:
        """One of the page's own files."""
        path = STATIC / request.match_info["name"]
        if path.parent != STATIC or not path.is_file():
            raise web.HTTPNotFound()
        return web.FileResponse(path, headers={"Cache-Control": "no-cache"})


async def preferences(request: web.Request) -> web.StreamResponse:
    """Remember language and appearance in cookies and go back."""
    form = await request.post()
    back = str(form.get("back", "/"))
    # `//host` and `/\host` would lead away from this page.
    response = see(back if back.startswith("/client/") and "\\" not in back else "/")
    if (language := form.get("language")) in LANGUAGES:
        _remember(response, "workspace_language", str(language))
    if (theme := form.get("theme")) in THEMES:
        _remember(response, "workspace_theme", str(theme))
    return response


def _remember(response: web.StreamResponse, name: str, value: str) -> None:
    response.set_cookie(name, value, max_age=_YEAR, path="/", httponly=True, samesite="Strict")
