"""The workspace as its page sees it: what a user reads, does and is told."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from pathlib import Path

from pydantic import JsonValue

from bot.workspace.model import (
    App,
    Change,
    Channel,
    Command,
    Container,
    File,
    JsonObject,
    Message,
    Outcome,
    Shortcut,
    Submission,
    User,
    UserGroup,
    View,
)


class Workspace:
    """One workspace in memory, written behind to its state directory.

    Reading is synchronous and cheap; acting is a coroutine that returns when the app has answered or has
    had its three seconds. Every method must be called in the event loop that the server runs in. Acting
    raises `bot.workspace.errors.SlackError` (`.code` is Slack's error name) when it can't be done.
    """

    # Reading

    @property
    def name(self) -> str:
        """The workspace's name."""
        raise NotImplementedError

    def users(self) -> list[User]:
        """All people, then all bots, in the order of their creation."""
        raise NotImplementedError

    def user(self, user_id: str) -> User | None:
        """The user of that id; None when there is none."""
        raise NotImplementedError

    def user_groups(self) -> list[UserGroup]:
        """All user groups."""
        raise NotImplementedError

    def apps(self) -> list[App]:
        """All installed apps."""
        raise NotImplementedError

    def app(self, app_id: str) -> App | None:
        """The app of that id; None when there is none."""
        raise NotImplementedError

    def app_online(self, app_id: str) -> bool:
        """Whether the app has a Socket Mode connection now (always True for an HTTP app)."""
        raise NotImplementedError

    def channel(self, channel_id: str) -> Channel | None:
        """The channel of that id; None when there is none."""
        raise NotImplementedError

    def channels_for(self, user_id: str) -> list[Channel]:
        """Public channels, then private ones and direct conversations that the user is in.

        There is a direct conversation with the bot of every app. Archived channels are included.
        """
        raise NotImplementedError

    def messages(
        self,
        channel_id: str,
        viewer: str,
        thread_ts: str | None = None,
        before: str | None = None,
        limit: int = 100,
    ) -> list[Message]:
        """The latest messages that the viewer can see, oldest first, with his ephemeral ones.

        Without `thread_ts`: the channel's own messages and broadcast replies. With it: the thread, its parent
        first. `before` is a `ts`: only older messages.
        """
        raise NotImplementedError

    def message(self, channel_id: str, ts: str, viewer: str) -> Message | None:
        """One message, ephemeral ones of the viewer included; None when there is none it is hidden."""
        raise NotImplementedError

    def file(self, file_id: str) -> File | None:
        """The file of that id; None when there is none."""
        raise NotImplementedError

    def file_path(self, file_id: str) -> Path:
        """Where the file's bytes are."""
        raise NotImplementedError

    def home(self, app_id: str, user_id: str) -> View | None:
        """The Home tab that the app published for the user; None when it never did."""
        raise NotImplementedError

    def open_views(self, user_id: str) -> list[View]:
        """The user's stack of modals, bottom first."""
        raise NotImplementedError

    def view(self, view_id: str) -> View | None:
        """An open modal or a published Home tab by its id."""
        raise NotImplementedError

    def commands(self) -> list[Command]:
        """All slash commands of all apps, for the composer."""
        raise NotImplementedError

    def shortcuts(self, kind: str | None = None) -> list[Shortcut]:
        """All shortcuts of all apps; only `global` or `message` ones when `kind` says so."""
        raise NotImplementedError

    # Acting as a user

    async def post_as_user(
        self, user_id: str, channel_id: str, text: str, thread_ts: str | None = None, broadcast: bool = False
    ) -> Message:
        """Post what the user typed; `@name` and `#channel` become mentions, `&<>` are escaped."""
        raise NotImplementedError

    async def edit_own_message(self, user_id: str, channel_id: str, ts: str, text: str) -> Message:
        """Change the text of the user's own message."""
        raise NotImplementedError

    async def delete_own_message(self, user_id: str, channel_id: str, ts: str) -> None:
        """Delete the user's own message, or dismiss one of his ephemeral messages."""
        raise NotImplementedError

    async def react(self, user_id: str, channel_id: str, ts: str, name: str) -> None:
        """Add the user's reaction, or take it back when he had given it. `name` has no colons."""
        raise NotImplementedError

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
        raise NotImplementedError

    async def join_channel(self, user_id: str, channel_id: str) -> Channel:
        """Make the user a member of a public channel."""
        raise NotImplementedError

    async def run_command(
        self, user_id: str, channel_id: str, text: str, thread_ts: str | None = None
    ) -> Outcome:
        """Run a slash command as typed, `/name arguments`.

        Failures are also told to the user as a `Notice`: `unknown_command`, `dispatch_failed` (the app is
        not connected or answered with an error) or `operation_timeout` (no acknowledgement within 3 s).
        """
        raise NotImplementedError

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
        raise NotImplementedError

    async def submit_view(self, user_id: str, view_id: str, state_values: JsonObject) -> Submission:
        """Submit a modal with `{block_id: {action_id: {"type": …, "value": …}}}`.

        A form that isn't filled in comes back with `errors` at once and the app does not hear of it.
        """
        raise NotImplementedError

    async def close_view(self, user_id: str, view_id: str, clear: bool = False) -> None:
        """Close a modal, or with `clear` the whole stack; the app hears of it if it asked to."""
        raise NotImplementedError

    async def open_home(self, user_id: str, app_id: str, tab: str = "home") -> None:
        """Open the app's `home` or `messages` tab, which the app is told."""
        raise NotImplementedError

    async def suggest_options(
        self, user_id: str, container: Container, block_id: str, action_id: str, typed: str
    ) -> Sequence[JsonObject]:
        """Options or option groups from the app for an external select; empty when it did not answer."""
        raise NotImplementedError

    async def run_shortcut(
        self, user_id: str, app_id: str, callback_id: str, container: Container | None = None
    ) -> Outcome:
        """Run a global shortcut, or with a message's container a message shortcut."""
        raise NotImplementedError

    # Live

    def last_change(self) -> int:
        """The id of the latest change."""
        raise NotImplementedError

    def subscribe(self, user_id: str, after: int | None = None) -> AsyncGenerator[Change, None]:
        """Changes that the user may see, from now on or from the change after id `after`.

        Close it with `aclose()` when it isn't needed any more. When `after` is older than what is still
        remembered, the first change is a `CHANNEL_CHANGED` without a channel: draw everything anew.
        """
        raise NotImplementedError
