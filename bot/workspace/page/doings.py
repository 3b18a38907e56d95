"""What the reader does: every POST of the page. Answers are fragments, like those of the live stream."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web
from markupsafe import Markup
from multidict import MultiDict

from bot.workspace.core import Workspace
from bot.workspace.errors import SlackError
from bot.workspace.model import Container, JsonObject, Message, SubmissionKind, View
from bot.workspace.page import changes, forms
from bot.workspace.page.pages import painter_for
from bot.workspace.page.painter import Painter
from bot.workspace.page.render import call, control_name
from bot.workspace.texts import whole

Doing = Callable[["Sheet"], Awaitable[Markup]]

NOTHING = Markup("")


class Sheet:
    """A posted form with who posted it."""

    def __init__(
        self,
        workspace: Workspace,
        painter: Painter,
        fields: MultiDict[str],
        uploads: MultiDict[tuple[str, bytes]],
    ) -> None:
        self.workspace = workspace
        self.painter = painter
        self.user = painter.user_id
        self.fields = fields
        self.uploads = uploads
        """name and bytes of each file, by the form field it was chosen in"""

    def get(self, name: str) -> str:
        """The field's value, empty when it wasn't sent."""
        return self.fields.get(name, "")

    def container(self) -> tuple[Container, Message | View | None]:
        """Where it was done, by id and as it is now; the latter None when it has gone meanwhile."""
        if view_id := self.get("view"):
            return Container(view_id=view_id), self.workspace.view(view_id)
        channel, ts = self.get("channel"), self.get("ts")
        return Container(channel_id=channel, message_ts=ts), self.workspace.message(channel, ts, self.user)


async def read_sheet(request: web.Request, workspace: Workspace) -> Sheet:
    """The posted form, texts apart from the uploaded file."""
    painter = painter_for(request, workspace)
    fields: MultiDict[str] = MultiDict()
    uploads: MultiDict[tuple[str, bytes]] = MultiDict()
    for name, value in (await request.post()).items():
        if isinstance(value, str):
            # Browsers send CRLF in forms; Slack's texts have LF.
            fields.add(whole(name), whole(value.replace("\r\n", "\n")))
        elif isinstance(value, web.FileField) and value.filename:
            uploads.add(whole(name), (whole(value.filename), value.file.read()))
    return Sheet(workspace, painter, fields, uploads)


def answering(workspace: Workspace, doing: Doing) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """A handler for the doing; what Slack refuses is told in a passing note."""

    async def handler(request: web.Request) -> web.StreamResponse:
        sheet = await read_sheet(request, workspace)
        try:
            drawn, status = await doing(sheet), 200
        except SlackError as refused:
            drawn, status = _note(sheet.painter, refused.code), 409
        return web.Response(text=drawn, status=status, content_type="text/html")

    return handler


def _note(painter: Painter, code: str) -> Markup:
    return call("message.html", "toast", f"refused-{code}", painter.words.failed.format(code))


async def send(sheet: Sheet) -> Markup:
    """Post what was typed, run it when it is a slash command, share the file when there is one."""
    text, channel = sheet.get("text").strip("\n"), sheet.get("channel")
    thread = sheet.get("thread") or None
    if "file" in sheet.uploads:
        name, content = sheet.uploads["file"]
        await sheet.workspace.upload_as_user(sheet.user, channel, name, content, text, thread)
    elif text.startswith("/"):
        await sheet.workspace.run_command(sheet.user, channel, text, thread)
    elif text.strip():
        await sheet.workspace.post_as_user(sheet.user, channel, text, thread, bool(sheet.get("broadcast")))
    return NOTHING


async def act(sheet: Sheet) -> Markup:
    """Use an interactive element."""
    container, place = sheet.container()
    block_id, action_id, kind = sheet.get("block_id"), sheet.get("action_id"), sheet.get("kind")
    blocks = forms.blocks_of(place) if place else []
    element: JsonObject = next(
        (e for key, e in forms.elements(blocks) if (key, e.get("action_id")) == (block_id, action_id)), {}
    )
    chosen = forms.chosen(kind, sheet.fields.getall("chosen", []), element)
    await sheet.workspace.click(
        sheet.user,
        container,
        {"block_id": block_id, "action_id": action_id, **chosen},
        forms.state_values(blocks, sheet.fields),
    )
    return NOTHING


async def suggest(sheet: Sheet) -> Markup:
    """The list of an external select for what was typed."""
    container, _ = sheet.container()
    found = await sheet.workspace.suggest_options(
        sheet.user, container, sheet.get("block_id"), sheet.get("action_id"), sheet.get("typed")
    )
    groups = [item for item in found if "options" in item]
    plain = [item for item in found if "options" not in item]
    return call(
        "elements.html", "options", plain, groups, sheet.get("list"), sheet.painter.place("suggested"), True
    )


async def submit(sheet: Sheet) -> Markup:
    """Submit the modal; errors come back at their fields."""
    view = sheet.workspace.view(sheet.get("view"))
    if view is None:
        return sheet.painter.modal()
    state = forms.state_values(forms.blocks_of(view), sheet.fields)
    for block_id, element in forms.elements(view.blocks):
        if element.get("type") == "file_input":
            action_id = str(element.get("action_id"))
            chosen = sheet.uploads.getall(control_name(block_id, action_id), [])
            files = [await sheet.workspace.upload_for_form(sheet.user, *file) for file in chosen]
            state[block_id] = {action_id: {"type": "file_input", "files": list(files)}}
    result = await sheet.workspace.submit_view(sheet.user, view.id, state)
    if result.kind is SubmissionKind.ERRORS:
        return sheet.painter.errors(view, result.errors)
    if result.kind is SubmissionKind.FAILED:
        told = changes.sentence(sheet.painter, result.notice) if result.notice else ""
        return call("modal.html", "error", "modal-error", told)
    return sheet.painter.modal()


async def close(sheet: Sheet) -> Markup:
    """Close the modal, or all that are stacked."""
    await sheet.workspace.close_view(sheet.user, sheet.get("view"), clear=sheet.get("all") == "yes")
    return sheet.painter.modal()


async def react(sheet: Sheet) -> Markup:
    """Add a reaction or take it back."""
    await sheet.workspace.react(sheet.user, sheet.get("channel"), sheet.get("ts"), sheet.get("name"))
    return NOTHING


async def delete(sheet: Sheet) -> Markup:
    """Delete an own message or hide an ephemeral one."""
    await sheet.workspace.delete_own_message(sheet.user, sheet.get("channel"), sheet.get("ts"))
    return NOTHING


async def join(sheet: Sheet) -> Markup:
    """Join the channel."""
    await sheet.workspace.join_channel(sheet.user, sheet.get("channel"))
    return NOTHING


async def opened(sheet: Sheet) -> Markup:
    """Tell the app that its tab was opened."""
    await sheet.workspace.open_home(sheet.user, sheet.get("app"), sheet.get("tab"))
    return NOTHING


async def shortcut(sheet: Sheet) -> Markup:
    """Run a global shortcut, or one on a message."""
    ts = sheet.get("ts")
    container = Container(channel_id=sheet.get("channel"), message_ts=ts) if ts else None
    await sheet.workspace.run_shortcut(sheet.user, sheet.get("app"), sheet.get("name"), container)
    return NOTHING


DOINGS: dict[str, Doing] = {
    doing.__name__: doing
    for doing in (send, act, suggest, submit, close, react, delete, join, opened, shortcut)
}
