"""Draws what one reader sees: whole pages and the fragments that replace parts of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from bot.workspace.core import Workspace
from bot.workspace.model import App, Channel, ChannelKind, Message, Shortcut, User, View
from bot.workspace.page import shown
from bot.workspace.page.names import Names
from bot.workspace.page.render import ENVIRONMENT, Place, call, dom_id
from bot.workspace.page.sentences import translated
from bot.workspace.page.words import Words

PAGE_OF_MESSAGES = 80


@dataclass(frozen=True, slots=True)
class Looking:
    """What the reader has in front of him."""

    channel: str
    thread_ts: str | None = None
    app_id: str | None = None
    """the app whose Home tab is shown"""

    @property
    def path(self) -> str:
        """The end of the page's address, the same for every reader."""
        if self.app_id:
            return f"app/{self.app_id}"
        return f"{self.channel}/{self.thread_ts}" if self.thread_ts else self.channel


@dataclass(frozen=True, slots=True)
class CommandLine:
    """A slash command in the completion list."""

    command: str
    description: str
    usage_hint: str
    app: str


@dataclass(frozen=True, slots=True)
class PageModel:
    """Everything the page's templates read."""

    words: Words
    theme: str
    workspace_name: str
    me: shown.Person
    everyone: Sequence[shown.Person]
    mentionable: Sequence[shown.Person]
    path: str
    stay: str
    base: str
    room: shown.Room
    rooms: Sequence[shown.Room]
    people_rooms: Sequence[shown.Room]
    app_rooms: Sequence[shown.Room]
    app: App | None
    tab: str
    home: View | None
    home_place: Place
    messages: Sequence[tuple[shown.Shown, Place]]
    earlier: str | None
    thread_ts: str | None
    thread: Sequence[tuple[shown.Shown, Place]]
    commands: Sequence[CommandLine]
    shortcuts: Sequence[Shortcut]
    read_only: bool
    modal: View | None
    modal_place: Place
    depth: int
    after: int
    place: Place


class Painter:
    """Draws for one user in one language; reads the workspace anew at every call."""

    def __init__(self, workspace: Workspace, user_id: str, words: Words) -> None:
        self.workspace = workspace
        self.user_id = user_id
        self.words = words

    @property
    def base(self) -> str:
        """Where this reader's pages are."""
        return f"/client/{self.user_id}"

    def place(self, prefix: str) -> Place:
        """A place for blocks whose ids begin with `prefix`."""
        users = [user for user in self.workspace.users() if not user.deleted]
        groups = self.workspace.user_groups()
        channels = [(c, self._channel_name(c)) for c in self.workspace.channels_for(self.user_id)]
        return Place(
            prefix=prefix,
            names=Names(
                viewer=self.user_id,
                users={user.id: self._called(user) for user in users},
                channels={channel.id: name for channel, name in channels},
                groups={group.id: group.handle for group in groups},
                viewer_groups=frozenset(group.id for group in groups if self.user_id in group.users),
            ),
            words=self.words,
            user=self.user_id,
            people=[(user.id, self._called(user)) for user in users],
            channels=[(c.id, f"#{name}") for c, name in channels if c.kind is ChannelKind.PUBLIC],
            conversations=[
                (c.id, name if c.kind is ChannelKind.DIRECT else f"#{name}") for c, name in channels
            ],
        )

    def _called(self, user: User) -> str:
        return shown.display_name(user, self.words.code)

    def _channel_name(self, channel: Channel) -> str:
        if channel.kind is not ChannelKind.DIRECT:
            return channel.name
        other = next((member for member in channel.members if member != self.user_id), self.user_id)
        user = self.workspace.user(other)
        return self._called(user) if user else other

    # Messages

    def history(
        self, channel_id: str, thread_ts: str | None = None, before: str | None = None
    ) -> list[tuple[shown.Shown, Place]]:
        """The latest messages of a channel or of a thread, oldest first."""
        limit = 1000 if thread_ts else PAGE_OF_MESSAGES
        items = self.workspace.messages(channel_id, self.user_id, thread_ts, before, limit)
        letter = "t" if thread_ts else "m"
        above: Message | None = None
        drawn = []
        for item in items:
            drawn.append(
                (
                    shown.message(self.workspace, item, self.user_id, above, self.words.code),
                    self.place(f"{letter}-{item.ts}"),
                )
            )
            above = item
        return drawn

    def message(self, item: Message, in_thread: bool) -> Markup:
        """One message as a fragment for the channel's list or for the thread's."""
        above = self.workspace.messages(
            item.channel, self.user_id, item.thread_ts if in_thread else None, item.ts, 1
        )
        previous = above[-1] if above and above[-1].ts < item.ts else None
        return call(
            "message.html",
            "message",
            shown.message(self.workspace, item, self.user_id, previous, self.words.code),
            self.place(f"{'t' if in_thread else 'm'}-{item.ts}"),
            self.base,
            "thread" if in_thread else "channel",
        )

    # Views

    def modal(self) -> Markup:
        """The top of the reader's stack of modals, or what closes the dialog."""
        view, place, depth = self._top()
        return call("modal.html", "modal", view, place, depth)

    def _top(self) -> tuple[View | None, Place, int]:
        stack = self.workspace.open_views(self.user_id)
        view = stack[-1] if stack else None
        return view, self.place(f"v-{view.id}" if view else "v"), len(stack)

    def errors(self, view: View, errors: dict[str, str]) -> Markup:
        """The sentence at every input of the form, empty where nothing is wrong."""
        prefix = f"v-{view.id}"
        errors = {key: translated(sentence, self.words.code) for key, sentence in errors.items()}
        parts = [
            call("modal.html", "error", dom_id(prefix, key, "error"), errors.get(key, ""))
            for key in (str(block.get("block_id")) for block in view.blocks if block.get("type") == "input")
        ]
        known = {str(block.get("block_id")) for block in view.blocks}
        rest = " ".join(sentence for key, sentence in errors.items() if key not in known)
        return Markup("").join([*parts, call("modal.html", "error", "modal-error", rest)])

    def home(self, app_id: str) -> Markup:
        """The Home tab that the app published for the reader."""
        view = self.workspace.home(app_id, self.user_id)
        return call("modal.html", "home", view, self.place(f"h-{app_id}"))

    # The rest of the page

    def rooms(self, current: str) -> list[shown.Room]:
        """The reader's conversations as the side bar lists them."""
        channels = self.workspace.channels_for(self.user_id)
        return [
            shown.room(self.workspace, c, self.user_id, c.id == current, self.words.code) for c in channels
        ]

    def direct_room(self, app: App) -> Channel | None:
        """The reader's direct conversation with the app's bot."""
        return next(
            (
                channel
                for channel in self.workspace.channels_for(self.user_id)
                if channel.kind is ChannelKind.DIRECT and app.bot_user in channel.members
            ),
            None,
        )

    def page(self, looking: Looking, theme: str, before: str | None = None) -> str:
        """The whole document. The channel must be one of the reader's."""
        workspace, words = self.workspace, self.words
        rooms = self.rooms(looking.channel)
        room = next(room for room in rooms if room.id == looking.channel)
        app = workspace.app(room.app_id) if room.app_id else None
        people = [user for user in workspace.users() if not user.deleted]
        me = next(user for user in people if user.id == self.user_id)
        messages = [] if looking.app_id else self.history(room.id, before=before)
        names = {app.id: app.name for app in workspace.apps()}
        view, modal_place, depth = self._top()
        model = PageModel(
            words=words,
            theme=theme,
            workspace_name=workspace.name,
            me=shown.person(workspace, me, words.code),
            everyone=[shown.person(workspace, user, words.code) for user in people if not user.is_bot],
            mentionable=[shown.person(workspace, user, words.code) for user in people],
            path=f"{self.base}/{looking.path}",
            # What is private to the reader can't be kept when somebody else takes the seat.
            stay="" if room.direct or room.private else looking.path,
            base=self.base,
            room=room,
            rooms=rooms,
            people_rooms=[room for room in rooms if room.direct and room.app_id is None],
            app_rooms=[room for room in rooms if room.app_id is not None],
            app=app,
            tab="home" if looking.app_id else "messages",
            home=workspace.home(looking.app_id, self.user_id) if looking.app_id else None,
            home_place=self.place(f"h-{looking.app_id}"),
            messages=messages,
            earlier=messages[0][0].ts if len(messages) >= PAGE_OF_MESSAGES else None,
            thread_ts=looking.thread_ts,
            thread=self.history(room.id, looking.thread_ts) if looking.thread_ts else [],
            commands=[
                CommandLine(c.command, c.description, c.usage_hint, names.get(c.app_id, ""))
                for c in workspace.commands()
            ],
            shortcuts=workspace.shortcuts("global"),
            read_only=bool(app and (app.messages_read_only or not app.messages_tab)),
            modal=view,
            modal_place=modal_place,
            depth=depth,
            after=workspace.last_change(),
            place=self.place("p"),
        )
        return ENVIRONMENT.get_template("page.html").render(p=model)
