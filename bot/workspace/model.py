"""What a workspace consists of: frozen values, named as Slack names them.

Ids are Slack's (`U…`, `C…`, `D…`, `A…`, `B…`, `F…`, `V…`, `S…`); `ts` is Slack's message time stamp, seconds
with six decimals as text, unique in its channel; `created` and the like are whole Unix seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from pydantic import JsonValue

JsonObject = dict[str, JsonValue]


class ChannelKind(StrEnum):
    """What kind of conversation a channel is."""

    PUBLIC = "public"
    PRIVATE = "private"
    DIRECT = "im"


class ViewKind(StrEnum):
    """Where a view is shown."""

    MODAL = "modal"
    HOME = "home"


class ChangeKind(StrEnum):
    """What a `Change` tells."""

    MESSAGE_ADDED = "message_added"
    MESSAGE_CHANGED = "message_changed"
    MESSAGE_DELETED = "message_deleted"
    EPHEMERAL_ADDED = "ephemeral_added"
    EPHEMERAL_CHANGED = "ephemeral_changed"
    EPHEMERAL_DELETED = "ephemeral_deleted"
    REACTION_CHANGED = "reaction_changed"
    CHANNEL_CHANGED = "channel_changed"
    VIEW_OPENED = "view_opened"
    VIEW_UPDATED = "view_updated"
    VIEW_CLOSED = "view_closed"
    HOME_CHANGED = "home_changed"
    APP_CHANGED = "app_changed"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True)
class User:
    """A person or an app's bot user."""

    id: str
    name: str
    """the handle, as typed behind `@`"""
    real_name: str
    display_name: str
    title: str = ""
    email: str | None = None
    tz: str = "Asia/Seoul"
    tz_label: str = "Korea Standard Time"
    tz_offset: int = 32400
    """seconds east of UTC"""
    color: str = "4a7fb5"
    """hexadecimal, without `#`"""
    is_admin: bool = False
    is_bot: bool = False
    app_id: str | None = None
    bot_id: str | None = None
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class UserGroup:
    """A group that can be mentioned as `<!subteam^ID>`."""

    id: str
    handle: str
    name: str
    description: str
    users: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel or a direct conversation of two."""

    id: str
    name: str
    """without `#`; empty for a direct conversation"""
    kind: ChannelKind
    members: tuple[str, ...]
    created: int
    creator: str
    topic: str = ""
    purpose: str = ""
    is_archived: bool = False
    is_general: bool = False


@dataclass(frozen=True, slots=True)
class Reaction:
    """One emoji below a message and who gave it, in order."""

    name: str
    users: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Edited:
    """Who changed a message last, and when."""

    user: str
    ts: str


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a channel; an ephemeral one when `ephemeral_for` names its only reader."""

    channel: str
    ts: str
    user: str
    text: str
    blocks: tuple[JsonObject, ...] = ()
    attachments: tuple[JsonObject, ...] = ()
    thread_ts: str | None = None
    """the thread's parent; equal to `ts` on a parent with replies"""
    subtype: str | None = None
    bot_id: str | None = None
    app_id: str | None = None
    username: str | None = None
    """a name that the app gave this one message"""
    icon: str | None = None
    """an emoji such as `:shield:` or a URL that the app gave this one message"""
    edited: Edited | None = None
    reactions: tuple[Reaction, ...] = ()
    files: tuple[str, ...] = ()
    """ids of `File`"""
    metadata: JsonObject | None = None
    client_msg_id: str | None = None
    broadcast: bool = False
    """a reply that is shown in the channel too"""
    reply_users: tuple[str, ...] = ()
    reply_count: int = 0
    latest_reply: str | None = None
    ephemeral_for: str | None = None

    @property
    def is_reply(self) -> bool:
        """True for a message inside a thread, False for its parent and for all others."""
        return self.thread_ts is not None and self.thread_ts != self.ts


@dataclass(frozen=True, slots=True)
class File:
    """An uploaded file; its bytes are at `Workspace.file_path(id)`."""

    id: str
    name: str
    title: str
    mimetype: str
    filetype: str
    size: int
    """bytes"""
    user: str
    created: int
    channels: tuple[str, ...] = ()
    alt_text: str = ""
    complete: bool = False
    ready_at: float = 0.0
    """Unix time from which blocks may show it; Slack looks a file through first"""


@dataclass(frozen=True, slots=True)
class View:
    """A modal that a user has open, or an app's Home tab for a user."""

    id: str
    app_id: str
    user_id: str
    kind: ViewKind
    blocks: tuple[JsonObject, ...]
    hash: str
    root_view_id: str
    title: JsonObject | None = None
    submit: JsonObject | None = None
    close: JsonObject | None = None
    previous_view_id: str | None = None
    private_metadata: str = ""
    callback_id: str = ""
    external_id: str = ""
    clear_on_close: bool = False
    notify_on_close: bool = False
    submit_disabled: bool = False
    response_urls: tuple[JsonObject, ...] = ()
    state_values: JsonObject = field(default_factory=dict)
    """`{block_id: {action_id: {"type": …, "value": …}}}`, as last seen"""


@dataclass(frozen=True, slots=True)
class Command:
    """A slash command of an app."""

    command: str
    """with its slash"""
    description: str
    usage_hint: str
    app_id: str
    url: str | None = None
    should_escape: bool = False


@dataclass(frozen=True, slots=True)
class Shortcut:
    """A global or message shortcut of an app."""

    name: str
    kind: str
    """`global` or `message`"""
    callback_id: str
    description: str
    app_id: str


@dataclass(frozen=True, slots=True)
class App:
    """An installed app, as its manifest describes it."""

    id: str
    name: str
    description: str
    bot_id: str
    bot_user: str
    scopes: tuple[str, ...]
    events: tuple[str, ...]
    commands: tuple[Command, ...] = ()
    shortcuts: tuple[Shortcut, ...] = ()
    socket_mode: bool = True
    interactive: bool = True
    home_tab: bool = False
    messages_tab: bool = True
    messages_read_only: bool = False
    events_url: str | None = None
    interactivity_url: str | None = None
    options_url: str | None = None
    background_color: str = "2c2d30"


@dataclass(frozen=True, slots=True)
class Notice:
    """Something Slack itself tells one user, such as that an app did not answer."""

    code: str
    """`operation_timeout`, `dispatch_failed`, `unknown_command`, `app_error`, …"""
    text: str
    subject: str = ""
    """what failed: the command as typed or the app's name"""


@dataclass(frozen=True, slots=True)
class Change:
    """Something a page that shows one user's workspace has to redraw.

    Ids rise by at least one with every change and go on rising after a restart.
    """

    id: int
    kind: ChangeKind
    channel: str | None = None
    ts: str | None = None
    thread_ts: str | None = None
    message: Message | None = None
    """the message after the change; before it for a deletion"""
    view: View | None = None
    app_id: str | None = None
    notice: Notice | None = None
    audience: frozenset[str] | None = None
    """the users who may see it; None for everyone"""


@dataclass(frozen=True, slots=True)
class Container:
    """Where a user clicked: a message (`channel_id` and `message_ts`) or a view (`view_id`)."""

    channel_id: str | None = None
    message_ts: str | None = None
    view_id: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of something a user did. `error` is None when the app acknowledged it."""

    error: str | None = None
    """the code of the `Notice` that the user got as well"""
    text: str = ""
    took: float = 0.0
    """seconds from sending it to the app until the acknowledgement"""


class SubmissionKind(StrEnum):
    """What the app answered to a submitted modal."""

    CLOSED = "closed"
    ERRORS = "errors"
    UPDATED = "updated"
    PUSHED = "pushed"
    CLEARED = "cleared"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Submission:
    """The result of submitting a modal."""

    kind: SubmissionKind
    errors: dict[str, str] = field(default_factory=dict)
    """sentence by block_id, of the form itself or of the app"""
    view: View | None = None
    """the view now on top of the stack; None when none is left"""
    notice: Notice | None = None


@dataclass(frozen=True, slots=True)
class Credentials:
    """What an app needs to speak with the workspace."""

    bot_token: str
    app_token: str
    signing_secret: str
