"""`views.*`: modals and Home tabs."""

from __future__ import annotations

from dataclasses import replace

from bot.workspace.api.call import Call, invalid_arguments, method
from bot.workspace.content import refuse
from bot.workspace.errors import SlackError
from bot.workspace.model import JsonObject, View, ViewKind
from bot.workspace.pictures import picture_problems
from bot.workspace.views import read_view


def _read(call: Call, user_id: str) -> View:
    view = read_view(call.arguments.get("view"), call.app.id, user_id)
    problems = picture_problems(call.workspace.book, call.app, view.blocks, "/view/blocks")
    refuse("invalid_arguments", problems)
    return view


def _modal(call: Call, user_id: str) -> View:
    view = _read(call, user_id)
    if view.kind is not ViewKind.MODAL:
        raise invalid_arguments("unsupported type: home [json-pointer:/view/type]")
    return view


def _trigger(call: Call) -> str:
    return call.text("trigger_id") or call.text("interactivity_pointer") or call.needed("trigger_id")


@method("views.open", tier=4)
async def open_view(call: Call) -> JsonObject:
    """Open a modal for the user whose trigger id it is."""
    trigger = _trigger(call)
    view = _modal(call, "")
    user_id = call.workspace.tickets.use_trigger(call.app.id, trigger)
    view = call.workspace.views.open(replace(view, user_id=user_id))
    return {"view": call.workspace.wire.view(view)}


@method("views.push", tier=4)
async def push_view(call: Call) -> JsonObject:
    """Put a modal on top of the user's stack of at most three."""
    trigger = _trigger(call)
    view = _modal(call, "")
    user_id = call.workspace.tickets.use_trigger(call.app.id, trigger)
    view = call.workspace.views.push(replace(view, user_id=user_id))
    return {"view": call.workspace.wire.view(view)}


@method("views.update", tier=4)
async def update_view(call: Call) -> JsonObject:
    """Replace an open modal or a Home tab."""
    view_id, external_id = call.text("view_id"), call.text("external_id")
    if not (view_id or external_id):
        raise invalid_arguments("must provide view_id or external_id")
    old = call.workspace.views.find(view_id or None, external_id or None)
    if old is None or old.app_id != call.app.id:
        raise SlackError("not_found")
    if call.text("hash", old.hash) != old.hash:
        raise SlackError("hash_conflict")
    new = _read(call, old.user_id)
    if new.kind is not old.kind:
        raise invalid_arguments("unsupported type [json-pointer:/view/type]")
    return {"view": call.workspace.wire.view(call.workspace.views.update(old, new))}


@method("views.publish", tier=4)
async def publish_view(call: Call) -> JsonObject:
    """Publish an app's Home tab for a user."""
    user = call.workspace.user(call.needed("user_id"))
    if user is None or user.is_bot:
        raise SlackError("user_not_found")
    if not call.app.home_tab:
        raise SlackError("not_enabled")
    view = _read(call, user.id)
    if view.kind is not ViewKind.HOME:
        raise invalid_arguments("unsupported type: modal [json-pointer:/view/type]")
    old = call.workspace.home(call.app.id, user.id)
    if old is not None and call.text("hash", old.hash) != old.hash:
        raise SlackError("hash_conflict")
    return {"view": call.workspace.wire.view(call.workspace.views.publish(view))}
