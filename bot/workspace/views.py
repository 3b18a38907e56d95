"""Modals and Home tabs: checked, stacked, published."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import replace

from pydantic import JsonValue

from bot.workspace.block_rules import text
from bot.workspace.blocks import HOME, MODAL, block_problems, completed
from bot.workspace.book import Book
from bot.workspace.content import read_json, refuse
from bot.workspace.elements import state_of
from bot.workspace.errors import SlackError
from bot.workspace.ids import new_id, now
from bot.workspace.journal import as_json
from bot.workspace.live import Feed
from bot.workspace.model import Change, ChangeKind, JsonObject, View, ViewKind
from bot.workspace.rules import Bool, Rule, Shape, Str, complaint

LARGEST = 250 * 1024
"""bytes of a view in JSON"""
STACKED = 3

_SHARED: dict[str, Rule] = {
    "private_metadata": Str(3000, 0),
    "callback_id": Str(255, 0),
    "external_id": Str(255, 0),
}


_LABEL = text(24, plain=True)
_RULES: Mapping[ViewKind, Shape] = {
    ViewKind.MODAL: Shape(
        {"title": _LABEL},
        {
            "submit": _LABEL,
            "close": _LABEL,
            "clear_on_close": Bool(),
            "notify_on_close": Bool(),
            "submit_disabled": Bool(),
            **_SHARED,
        },
    ),
    ViewKind.HOME: Shape({}, _SHARED),
}


def read_view(given: JsonValue, app_id: str, user_id: str) -> View:
    """The view in a call's `view` argument, without a place yet. Raises SlackError."""
    given = read_json(given or None, "invalid_arguments")
    if not isinstance(given, dict):
        raise SlackError(
            "invalid_arguments", messages=["[ERROR] missing required field: view [json-pointer:/view]"]
        )
    if len(as_json(given).encode()) > LARGEST:
        raise SlackError("view_too_large")
    kind = next((kind for kind in ViewKind if kind.value == given.get("type")), None)
    if kind is None:
        refuse("invalid_arguments", [complaint(f"unsupported type: {given.get('type')}", "/view/type")])
    refuse("invalid_arguments", _problems(given, kind or ViewKind.MODAL))
    blocks = given["blocks"]
    return View(
        id=new_id("V"),
        app_id=app_id,
        user_id=user_id,
        kind=kind or ViewKind.MODAL,
        blocks=completed([b for b in blocks if isinstance(b, dict)] if isinstance(blocks, list) else []),
        hash=new_hash(),
        root_view_id="",
        title=_object(given, "title"),
        submit=_object(given, "submit"),
        close=_object(given, "close"),
        private_metadata=str(given.get("private_metadata") or ""),
        callback_id=str(given.get("callback_id") or ""),
        external_id=str(given.get("external_id") or ""),
        clear_on_close=given.get("clear_on_close") is True,
        notify_on_close=given.get("notify_on_close") is True,
        submit_disabled=given.get("submit_disabled") is True,
    )


def _problems(given: JsonObject, kind: ViewKind) -> list[str]:
    fields = {name: value for name, value in given.items() if name != "blocks"}
    found = list(_RULES[kind].complaints(fields, "/view"))
    if given.get("blocks") is None:
        return [*found, complaint("missing required field: blocks", "/view")]
    found += block_problems(given["blocks"], MODAL if kind is ViewKind.MODAL else HOME, "/view/blocks")
    blocks = given["blocks"]
    has_input = isinstance(blocks, list) and any(
        isinstance(block, dict) and block.get("type") == "input" for block in blocks
    )
    if kind is ViewKind.MODAL and has_input and given.get("submit") is None:
        found.append(complaint("missing required field: submit", "/view"))
    return found


def _object(given: JsonObject, name: str) -> JsonObject | None:
    value = given.get(name)
    return value if isinstance(value, dict) else None


def new_hash() -> str:
    """A view's version, as Slack writes it."""
    return f"{int(now())}.{secrets.token_hex(4)}"


class Views:
    """The stack of modals of each user and the Home tabs."""

    def __init__(self, book: Book, feed: Feed) -> None:
        self._book = book
        self._feed = feed
        self._stacks: dict[str, list[View]] = {}

    def stack(self, user_id: str) -> list[View]:
        """A user's modals, bottom first."""
        return list(self._stacks.get(user_id, []))

    def find(self, view_id: str | None = None, external_id: str | None = None) -> View | None:
        """An open modal by either id, or a Home tab."""
        candidates = [view for stack in self._stacks.values() for view in stack]
        for view in (*candidates, *self._book.homes.values()):
            if (view_id and view.id == view_id) or (external_id and view.external_id == external_id):
                return view
        return None

    def open(self, view: View) -> View:
        """Put a modal before the user; an older stack goes away."""
        self._refuse_same_external_id(view)
        for old in reversed(self.stack(view.user_id)):
            self._publish(ChangeKind.VIEW_CLOSED, old)
        view = _placed(view, view.id, None)
        self._stacks[view.user_id] = [view]
        return self._publish(ChangeKind.VIEW_OPENED, view)

    def push(self, view: View) -> View:
        """Put a modal on top of the stack. Raises SlackError `push_limit_reached`."""
        stack = self._stacks.setdefault(view.user_id, [])
        if not stack:
            return self.open(view)
        if len(stack) >= STACKED:
            raise SlackError("push_limit_reached")
        self._refuse_same_external_id(view)
        view = _placed(view, stack[0].id, stack[-1].id)
        stack.append(view)
        return self._publish(ChangeKind.VIEW_OPENED, view)

    def _refuse_same_external_id(self, view: View) -> None:
        if view.external_id and self.find(external_id=view.external_id) is not None:
            raise SlackError("duplicate_external_id")

    def update(self, old: View, new: View) -> View:
        """Replace a view's content; what was typed into blocks that stay is kept."""
        new = replace(
            new,
            id=old.id,
            user_id=old.user_id,
            root_view_id=old.root_view_id,
            previous_view_id=old.previous_view_id,
            state_values=state_of(new.blocks, old.state_values),
            hash=new_hash(),
        )
        return self.keep(new)

    def keep(self, view: View) -> View:
        """Put a view back in its place and tell the page."""
        if view.kind is ViewKind.HOME:
            self._book.put_home(view)
            return self._publish(ChangeKind.HOME_CHANGED, view)
        self._remember(view)
        return self._publish(ChangeKind.VIEW_UPDATED, view)

    def type_into(self, view: View, values: JsonObject) -> View:
        """The view with what the user has typed, which the page knows already."""
        view = replace(view, state_values=state_of(view.blocks, values))
        self._remember(view)
        return view

    def _remember(self, view: View) -> None:
        stack = self._stacks.get(view.user_id, [])
        for index, other in enumerate(stack):
            if other.id == view.id:
                stack[index] = view

    def close(self, view: View, *, clear: bool) -> list[View]:
        """Take a modal and all above it away, or the whole stack; returns what went, top first."""
        stack = self._stacks.get(view.user_id, [])
        ids = [other.id for other in stack]
        if view.id not in ids:
            return []
        at = 0 if clear else ids.index(view.id)
        gone = stack[at:]
        del stack[at:]
        for old in reversed(gone):
            self._publish(ChangeKind.VIEW_CLOSED, old)
        return gone[::-1]

    def publish(self, view: View) -> View:
        """Publish a Home tab; it keeps the id of the one before."""
        old = self._book.homes.get(f"{view.app_id}/{view.user_id}")
        view_id = view.id if old is None else old.id
        view = replace(_placed(view, view_id, None), id=view_id)
        return self.keep(view)

    def _publish(self, kind: ChangeKind, view: View) -> View:
        change = Change(0, kind, view=view, app_id=view.app_id, audience=frozenset({view.user_id}))
        self._feed.publish(change)
        return view


def _placed(view: View, root: str, previous: str | None) -> View:
    return replace(
        view, root_view_id=root, previous_view_id=previous, state_values=state_of(view.blocks, None)
    )
