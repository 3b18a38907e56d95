"""The people, groups, channels and apps that a workspace has from its first start."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace

from bot.workspace.book import Book
from bot.workspace.ids import new_id, now
from bot.workspace.manifest import Manifest
from bot.workspace.model import App, Channel, ChannelKind, Credentials, User, UserGroup

PEOPLE = (
    ("jiwoo.han", "한지우", "Jiwoo Han", "서비스 기획 · Viewer", "4a7fb5", False),
    ("doyun.lee", "이도윤", "Doyun Lee", "시스템 운영 · Operator", "3b8f6b", False),
    ("seoyeon.park", "박서연", "Seoyeon Park", "배포 승인 · Approver", "b5664a", False),
    ("minjun.choi", "최민준", "Minjun Choi", "플랫폼 관리 · Administrator", "7d5fb2", True),
)
GROUPS = (
    ("viewers", "조회 Viewers", "May look", ("jiwoo.han",)),
    ("operators", "운영 Operators", "May operate", ("doyun.lee",)),
    ("approvers", "승인 Approvers", "May approve", ("seoyeon.park",)),
    ("administrators", "관리 Administrators", "May do everything", ("minjun.choi",)),
)


def seed(
    book: Book, manifests: Sequence[Manifest], channels: Sequence[str], *, bot_in_channels: bool
) -> None:
    """Add what isn't there yet; what is there keeps its ids, tokens and messages."""
    people = _people(book)
    for handle, name, description, members in GROUPS:
        if not any(group.handle == handle for group in book.groups.values()):
            users = tuple(people[member].id for member in members)
            book.put_group(UserGroup(new_id("S"), handle, name, description, users))
    known = set(book.apps)
    apps = [_install(book, manifest) for manifest in manifests]
    everyone = tuple(person.id for person in people.values())
    bots = [app.bot_user for app in apps] if bot_in_channels else []
    new_bots = [app.bot_user for app in apps if app.id not in known and app.bot_user in bots]
    for name in channels:
        _channel(book, name.removeprefix("#"), everyone, bots, new_bots)
    for app in apps:
        for person in everyone:
            book.direct(person, app.bot_user)


def _people(book: Book) -> dict[str, User]:
    known = {user.name: user for user in book.users.values() if not user.is_bot}
    for handle, korean, english, title, color, is_admin in PEOPLE:
        if handle not in known:
            known[handle] = User(
                id=new_id("U"),
                name=handle,
                real_name=f"{korean} {english}",
                display_name=korean,
                title=title,
                email=f"{handle}@example.com",
                color=color,
                is_admin=is_admin,
            )
            book.put_user(known[handle])
    return known


def _channel(
    book: Book, name: str, people: tuple[str, ...], bots: Sequence[str], new_bots: Sequence[str]
) -> None:
    for channel in book.channels.values():
        if channel.name == name:
            # a bot that was taken out stays out; one that is new comes in
            if new_bots:
                book.put_channel(replace(channel, members=(*channel.members, *new_bots)))
            return
    channel = Channel(
        id=new_id("C"),
        name=name,
        kind=ChannelKind.PUBLIC,
        members=(*people, *bots),
        created=int(now()),
        creator=people[-1],
        is_general=name == "general",
    )
    book.put_channel(channel)


def _install(book: Book, manifest: Manifest) -> App:
    name = manifest.display_information.name
    old = next((app for app in book.apps.values() if app.name == name), None)
    if old is not None:
        app = manifest.as_app(old.id, old.bot_id, old.bot_user)
        credentials = book.credentials[old.id]
    else:
        app = manifest.as_app(new_id("A"), new_id("B"), new_id("U"))
        credentials = _credentials(app.id)
    book.put_app(app, credentials)
    bot = User(
        id=app.bot_user,
        name=manifest.handle,
        real_name=manifest.bot_name,
        display_name=manifest.bot_name,
        color=app.background_color,
        is_bot=True,
        app_id=app.id,
        bot_id=app.bot_id,
    )
    book.put_user(replace(bot, title=app.description))
    return app


def _credentials(app_id: str) -> Credentials:
    digits = "".join(secrets.choice("0123456789") for _ in range(12))
    return Credentials(
        bot_token=f"xoxb-{digits}-{digits[::-1]}-{secrets.token_hex(12)}",
        app_token=f"xapp-1-{app_id}-{digits}-{secrets.token_hex(32)}",
        signing_secret=secrets.token_hex(16),
    )
