"""What users do to apps: commands, clicks, forms; and what the app answers within its three seconds."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

import structlog
from pydantic import JsonValue

from bot.workspace.blocks import find_element
from bot.workspace.book import Book
from bot.workspace.delivery import Delivery, DeliveryError, EnvelopeKind
from bot.workspace.elements import chosen, held
from bot.workspace.errors import SlackError
from bot.workspace.forms import form_errors
from bot.workspace.mentions import escape, from_typed
from bot.workspace.model import (
    App,
    Command,
    Container,
    JsonObject,
    Notice,
    Outcome,
    Submission,
    SubmissionKind,
    User,
    View,
    ViewKind,
)
from bot.workspace.payloads import Payloads, Spot
from bot.workspace.posts import Posts
from bot.workspace.responses import Responses
from bot.workspace.tickets import ResponseTicket
from bot.workspace.views import Views, read_view

_log = structlog.get_logger(__name__)


class Interactions:
    """Carries what a user does to the app it belongs to."""

    def __init__(
        self,
        book: Book,
        posts: Posts,
        views: Views,
        payloads: Payloads,
        responses: Responses,
        delivery: Delivery,
    ) -> None:
        self._book = book
        self._posts = posts
        self._views = views
        self._payloads = payloads
        self._responses = responses
        self._delivery = delivery

    async def run_command(self, user: User, channel_id: str, typed: str) -> Outcome:
        """Run `/name arguments`."""
        channel = self._book.channels[channel_id]
        name, _, arguments = typed.strip().partition(" ")
        found = self._find_command(name)
        if found is None:
            text = (
                f"{name} is not a valid command. In Slack, all messages that start with the “/” are commands."
            )
            return self._failed(user, Notice("unknown_command", text, name), channel_id)
        app, command = found
        if "commands" not in app.scopes:
            return self._failed(user, _app_failure(name, "dispatch_failed"), channel_id)
        text = arguments.strip()
        text = from_typed(text, self._book) if command.should_escape else escape(text)
        payload = self._payloads.command(app, command, user, channel, text)
        outcome, answer = await self._ask(
            app, user, EnvelopeKind.COMMAND, payload, command.url, name, channel_id
        )
        if answer:
            self._say(ResponseTicket(app.id, user.id, channel_id, 0.0), answer, user, name)
        return outcome

    def _find_command(self, name: str) -> tuple[App, Command] | None:
        for app in self._book.apps.values():
            for command in app.commands:
                if command.command.casefold() == name.casefold():
                    return app, command
        return None

    def _say(self, ticket: ResponseTicket, answer: JsonObject, user: User, subject: str) -> None:
        if not any(answer.get(name) for name in ("text", "blocks", "attachments")):
            return
        try:
            self._responses.say(ticket, answer)
        except SlackError as error:
            _log.warning("command_answer_refused", error=error.code, messages=error.messages)
            self._posts.notify(user.id, _app_failure(subject, error.code), ticket.channel_id)

    def spot(self, user: User, container: Container) -> Spot:
        """The message or view of a container. Raises SlackError `message_not_found` or `view_not_found`."""
        if container.view_id is not None:
            view = self._views.find(container.view_id)
            if view is None or view.user_id != user.id:
                raise SlackError("view_not_found")
            return Spot(self._book.apps[view.app_id], view=view)
        channel = self._book.channels.get(container.channel_id or "")
        if channel is None or container.message_ts is None:
            raise SlackError("message_not_found")
        message = self._book.message(channel.id, container.message_ts)
        if message is None:
            message = self._book.ephemerals.get((channel.id, user.id), {}).get(container.message_ts)
        if message is None:
            raise SlackError("message_not_found")
        app = self._book.apps.get(message.app_id or "")
        if app is None:
            raise SlackError("app_not_found")
        return Spot(app, channel=channel, message=message)

    async def click(
        self,
        user: User,
        container: Container,
        given: Mapping[str, JsonValue],
        values: JsonObject | None,
    ) -> Outcome:
        """Use an element."""
        spot = self.spot(user, container)
        block_id, action_id = str(given.get("block_id")), str(given.get("action_id"))
        found = find_element(spot.blocks, block_id, action_id)
        if found is None:
            raise SlackError("element_not_found")
        if spot.view is not None and values is None:
            values = spot.view.state_values
        values = _with_click(values, found[1], block_id, given)
        if spot.view is not None:
            spot = replace(spot, view=self._views.type_into(spot.view, values))
        payload = self._payloads.actions(spot, user, chosen(found[1], block_id, given), values)
        channel_id = None if spot.channel is None else spot.channel.id
        outcome, _ = await self._interact(spot.app, user, payload, channel_id)
        return outcome

    async def submit(self, user: User, view_id: str, values: JsonObject) -> Submission:
        """Submit a modal."""
        spot = self.spot(user, Container(view_id=view_id))
        if spot.view is None or spot.view.kind is not ViewKind.MODAL:
            raise SlackError("view_not_found")
        view = self._views.type_into(spot.view, values)
        errors = form_errors(view.blocks, view.state_values)
        if errors:
            return Submission(SubmissionKind.ERRORS, errors, view)
        payload = self._payloads.view("view_submission", view, spot.app, user)
        outcome, answer = await self._interact(spot.app, user, payload, None)
        if outcome.error is not None:
            return Submission(SubmissionKind.FAILED, view=view, notice=Notice(outcome.error, outcome.text))
        try:
            return self._answered(view, answer or {})
        except SlackError as error:
            _log.warning("view_answer_refused", error=error.code, messages=error.messages)
            notice = _app_failure(spot.app.name, error.code)
            self._posts.notify(user.id, notice)
            return Submission(SubmissionKind.FAILED, view=view, notice=notice)

    def _answered(self, view: View, answer: JsonObject) -> Submission:
        action = answer.get("response_action")
        if action == "errors":
            errors = answer.get("errors")
            known = {str(block.get("block_id")) for block in view.blocks if block.get("type") == "input"}
            told = errors.items() if isinstance(errors, dict) else ()
            sentences = {block: str(text) for block, text in told if block in known}
            if not sentences:
                raise SlackError("invalid_errors")
            return Submission(SubmissionKind.ERRORS, sentences, self._views.find(view.id))
        if action == "update":
            after = self._views.update(view, read_view(answer.get("view"), view.app_id, view.user_id))
            return Submission(SubmissionKind.UPDATED, view=after)
        if action == "push":
            after = self._views.push(read_view(answer.get("view"), view.app_id, view.user_id))
            return Submission(SubmissionKind.PUSHED, view=after)
        if action == "clear":
            self._views.close(view, clear=True)
            return Submission(SubmissionKind.CLEARED)
        if action is not None:
            raise SlackError("invalid_response_action")
        self._views.close(view, clear=False)
        return Submission(SubmissionKind.CLOSED, view=next(iter(self._views.stack(view.user_id)[::-1]), None))

    def close_view(self, user: User, view_id: str, *, clear: bool) -> None:
        """Close a modal; each that asked for it is reported to its app."""
        spot = self.spot(user, Container(view_id=view_id))
        if spot.view is None:
            return
        cleared = clear or spot.view.clear_on_close
        for view in self._views.close(spot.view, clear=cleared):
            if view.notify_on_close:
                payload = self._payloads.view("view_closed", view, spot.app, user)
                payload["is_cleared"] = cleared
                self._delivery.start(self._tell_closed(spot.app, user, payload))

    async def _tell_closed(self, app: App, user: User, payload: JsonObject) -> None:
        await self._interact(app, user, payload, None)

    async def suggest(
        self, user: User, container: Container, block_id: str, action_id: str, typed: str
    ) -> Sequence[JsonObject]:
        """Options for an external select."""
        spot = self.spot(user, container)
        payload = self._payloads.suggestion(spot, user, block_id, action_id, typed)
        url = spot.app.options_url or spot.app.interactivity_url
        try:
            answer = await self._delivery.ask(spot.app, EnvelopeKind.INTERACTIVE, payload, url) or {}
        except DeliveryError as error:
            _log.info("no_options", app=spot.app.id, reason=error.reason)
            return []
        options = answer.get("options") or answer.get("option_groups")
        return [option for option in options if isinstance(option, dict)] if isinstance(options, list) else []

    async def shortcut(self, user: User, app: App, callback_id: str, container: Container | None) -> Outcome:
        """Run a shortcut, of a message when there is a container."""
        spot = Spot(app)
        if container is not None:
            channel = self._book.channels.get(container.channel_id or "")
            if channel is None:
                raise SlackError("message_not_found")
            message = self._book.message(channel.id, container.message_ts or "")
            if message is None:
                raise SlackError("message_not_found")
            spot = Spot(app, channel=channel, message=message)
        payload = self._payloads.shortcut(spot, user, callback_id)
        outcome, _ = await self._interact(app, user, payload, None)
        return outcome

    async def _interact(
        self, app: App, user: User, payload: JsonObject, channel_id: str | None
    ) -> tuple[Outcome, JsonObject | None]:
        if not app.interactive:
            return self._failed(user, _app_failure(app.name, "interactivity_disabled"), channel_id), None
        url = app.interactivity_url
        return await self._ask(app, user, EnvelopeKind.INTERACTIVE, payload, url, app.name, channel_id)

    async def _ask(
        self,
        app: App,
        user: User,
        kind: EnvelopeKind,
        payload: JsonObject,
        url: str | None,
        subject: str,
        channel_id: str | None,
    ) -> tuple[Outcome, JsonObject | None]:
        started = time.perf_counter()
        try:
            answer = await self._delivery.ask(app, kind, payload, url)
        except DeliveryError as error:
            code = "operation_timeout" if error.timed_out else "dispatch_failed"
            return self._failed(user, _app_failure(subject, code), channel_id), None
        return Outcome(took=time.perf_counter() - started), answer

    def _failed(self, user: User, notice: Notice, channel_id: str | None) -> Outcome:
        self._posts.notify(user.id, notice, channel_id)
        return Outcome(error=notice.code, text=notice.text)


def _app_failure(subject: str, code: str) -> Notice:
    return Notice(code, f'{subject} failed with the error "{code}"', subject)


def _with_click(
    values: JsonObject | None, element: JsonObject, block_id: str, given: Mapping[str, JsonValue]
) -> JsonObject:
    """The state with what was chosen just now."""
    state: JsonObject = dict(values or {})
    if element.get("type") in ("button", "overflow", "workflow_button"):
        return state
    before = state.get(block_id)
    own: JsonObject = dict(before) if isinstance(before, dict) else {}
    own[str(element.get("action_id"))] = held(element, given)
    state[block_id] = own
    return state
