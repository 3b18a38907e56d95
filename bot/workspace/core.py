"""The workspace as its page sees it: what a user reads, does and is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from pydantic import JsonValue

from bot.workspace.content import TEXT_CUT
from bot.workspace.delivery import new_envelope_id
from bot.workspace.errors import SlackError
from bot.workspace.mentions import from_typed
from bot.workspace.model import (
    Channel,
    Container,
    JsonObject,
    Message,
    Outcome,
    Submission,
    User,
)
from bot.workspace.reading import Reading
from bot.workspace.uploads import keep_file
from bot.workspace.wire import file_json


class Workspace(Reading):
    """One workspace in memory, written behind to its state directory.

    Reading is synchronous and cheap; acting is a coroutine that returns when the app has answered or has
    had its three seconds. Every method must be called in the event loop that the server runs in. Acting
    raises `bot.workspace.errors.SlackError` (`.code` is Slack's error name) when it can't be done.
    """

    async def post_as_user(
        self, user_id: str, channel_id: str, text: str, thread_ts: str | None = None, broadcast: bool = False
    ) -> Message:
        """Post what the user typed; `@name` and `#channel` become mentions, `&<>` are escaped."""
        channel = self._writable(user_id, channel_id)
        text = text.strip()
        if not text:
            raise SlackError("no_text")
        message = Message(
            channel=channel.id,
            ts="",
            user=user_id,
            text=from_typed(text, self.book)[:TEXT_CUT],
            thread_ts=thread_ts,
            broadcast=broadcast and thread_ts is not None,
            client_msg_id=new_envelope_id(),
        )
        return self.posts.post(message)

    async def edit_own_message(self, user_id: str, channel_id: str, ts: str, text: str) -> Message:
        """Change the text of the user's own message."""
        message = self._own(user_id, channel_id, ts)
        if message.ephemeral_for is not None:
            raise SlackError("cant_update_message")
        if not self.posts.may_still_edit(message):
            raise SlackError("edit_window_closed")
        if not text.strip():
            raise SlackError("no_text")
        changed = replace(message, text=from_typed(text.strip(), self.book)[:TEXT_CUT])
        return self.posts.edit(message, changed, user_id)

    async def delete_own_message(self, user_id: str, channel_id: str, ts: str) -> None:
        """Delete the user's own message, or dismiss one of his ephemeral messages."""
        self.posts.delete(self._own(user_id, channel_id, ts))

    async def react(self, user_id: str, channel_id: str, ts: str, name: str) -> None:
        """Add the user's reaction, or take it back when he had given it. `name` has no colons."""
        self._readable(user_id, channel_id)
        message = self.book.message(channel_id, ts)
        if message is None:
            raise SlackError("message_not_found")
        if any(r.name == name and user_id in r.users for r in message.reactions):
            self.posts.unreact(message, user_id, name)
        else:
            self.posts.react(message, user_id, name)

    async def upload_as_user(
        self,
        user_id: str,
        channel_id: str,
        name: str,
        content: bytes,
        text: str = "",
        thread_ts: str | None = None,
    ) -> Message:
        """Upload a file and share it in a message."""
        channel = self._writable(user_id, channel_id)
        file = await keep_file(self.book, user_id, name, content)
        self.book.put_file(replace(file, channels=(channel.id,), complete=True))
        message = self.posts.post(
            Message(
                channel=channel.id,
                ts="",
                user=user_id,
                text=from_typed(text.strip(), self.book),
                files=(file.id,),
                thread_ts=thread_ts,
                subtype="file_share",
            )
        )
        self.events.file_shared(file.id, channel.id, user_id, message.ts)
        return message

    async def upload_for_form(self, user_id: str, name: str, content: bytes) -> JsonObject:
        """Upload a file that a modal's file input holds; returns it as the form's state lists it."""
        self._person(user_id)
        file = replace(await keep_file(self.book, user_id, name, content), complete=True)
        self.book.put_file(file)
        return file_json(file, self.wire.origin)

    async def join_channel(self, user_id: str, channel_id: str) -> Channel:
        """Make the user a member of a public channel."""
        channel = self._readable(user_id, channel_id)
        if channel.is_archived:
            raise SlackError("is_archived")
        if user_id in channel.members:
            return channel
        joined = replace(channel, members=(*channel.members, user_id))
        return self.posts.change_channel(joined, "member_joined_channel", user_id)

    async def run_command(
        self, user_id: str, channel_id: str, text: str, thread_ts: str | None = None
    ) -> Outcome:
        """Run a slash command as typed, `/name arguments`.

        Failures are also told to the user as a `Notice`: `unknown_command`, `dispatch_failed` (the app is
        not connected or answered with an error) or `operation_timeout` (no acknowledgement within 3 s).
        """
        self._readable(user_id, channel_id)
        return await self.interactions.run_command(self._person(user_id), channel_id, text)

    async def click(
        self,
        user_id: str,
        container: Container,
        action: Mapping[str, JsonValue],
        state_values: JsonObject | None = None,
    ) -> Outcome:
        """Use an interactive element: a button, a menu, a date picker, an input with `dispatch_action`.

        `action` holds `block_id`, `action_id` and what was chosen, named as in Slack's payload
        (`selected_option` or `selected_options` with at least `value`, `selected_date`, `selected_time`,
        `selected_user`, `selected_users`, `selected_channel`, `selected_conversation`, `value` of a text
        input). Everything else is taken from the element itself. `state_values` is what all inputs of the
        container hold now.
        """
        return await self.interactions.click(self._person(user_id), container, action, state_values)

    async def submit_view(self, user_id: str, view_id: str, state_values: JsonObject) -> Submission:
        """Submit a modal with `{block_id: {action_id: {"type": …, "value": …}}}`.

        A form that isn't filled in comes back with `errors` at once and the app does not hear of it.
        """
        return await self.interactions.submit(self._person(user_id), view_id, state_values)

    async def close_view(self, user_id: str, view_id: str, clear: bool = False) -> None:
        """Close a modal, or with `clear` the whole stack; the app hears of it if it asked to."""
        self.interactions.close_view(self._person(user_id), view_id, clear=clear)

    async def open_home(self, user_id: str, app_id: str, tab: str = "home") -> None:
        """Open the app's `home` or `messages` tab, which the app is told."""
        self._person(user_id)
        app = self.book.apps.get(app_id)
        if app is None:
            raise SlackError("app_not_found")
        at = self.book.stamps.next()
        self.events.home_opened(app, user_id, tab, self.home(app_id, user_id), at)

    async def suggest_options(
        self, user_id: str, container: Container, block_id: str, action_id: str, typed: str
    ) -> Sequence[JsonObject]:
        """Options or option groups from the app for an external select; empty when it did not answer."""
        return await self.interactions.suggest(self._person(user_id), container, block_id, action_id, typed)

    async def run_shortcut(
        self, user_id: str, app_id: str, callback_id: str, container: Container | None = None
    ) -> Outcome:
        """Run a global shortcut, or with a message's container a message shortcut."""
        app = self.book.apps.get(app_id)
        if app is None:
            raise SlackError("app_not_found")
        return await self.interactions.shortcut(self._person(user_id), app, callback_id, container)

    # Who may

    def _person(self, user_id: str) -> User:
        user = self.book.users.get(user_id)
        if user is None or user.deleted or user.is_bot:
            raise SlackError("user_not_found")
        self.posts.saw(user_id)
        return user

    def _readable(self, user_id: str, channel_id: str) -> Channel:
        self._person(user_id)
        if not self._may_read(user_id, channel_id):
            raise SlackError("channel_not_found")
        return self.book.channels[channel_id]

    def _writable(self, user_id: str, channel_id: str) -> Channel:
        channel = self._readable(user_id, channel_id)
        if channel.is_archived:
            raise SlackError("is_archived")
        if user_id not in channel.members:
            raise SlackError("not_in_channel")
        return channel

    def _own(self, user_id: str, channel_id: str, ts: str) -> Message:
        message = self.message(channel_id, ts, self._person(user_id).id)
        if message is None:
            raise SlackError("message_not_found")
        if message.user != user_id and message.ephemeral_for != user_id:
            raise SlackError("cant_update_message")
        return message
