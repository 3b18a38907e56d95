"""Slack's JSON for what the workspace holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.workspace.model import App, Channel, ChannelKind, File, JsonObject, Message, User, UserGroup, View

if TYPE_CHECKING:
    from bot.workspace.book import Book


def user_json(user: User, team_id: str) -> JsonObject:
    """A user as `users.info` gives it."""
    profile: JsonObject = {
        "title": user.title,
        "real_name": user.real_name,
        "real_name_normalized": user.real_name,
        "display_name": user.display_name,
        "display_name_normalized": user.display_name,
        "status_text": "",
        "status_emoji": "",
        "team": team_id,
    }
    if user.email is not None:
        profile["email"] = user.email
    if user.bot_id is not None:
        profile |= {"bot_id": user.bot_id, "api_app_id": user.app_id}
    return {
        "id": user.id,
        "team_id": team_id,
        "name": user.name,
        "real_name": user.real_name,
        "deleted": user.deleted,
        "color": user.color,
        "tz": user.tz,
        "tz_label": user.tz_label,
        "tz_offset": user.tz_offset,
        "profile": profile,
        "is_admin": user.is_admin,
        "is_owner": False,
        "is_primary_owner": False,
        "is_restricted": False,
        "is_ultra_restricted": False,
        "is_bot": user.is_bot,
        "is_app_user": False,
        "updated": 0,
    }


def group_json(group: UserGroup, team_id: str) -> JsonObject:
    """A user group as `usergroups.list` gives it."""
    return {
        "id": group.id,
        "team_id": team_id,
        "is_usergroup": True,
        "name": group.name,
        "handle": group.handle,
        "description": group.description,
        "is_external": False,
        "date_delete": 0,
        "user_count": len(group.users),
        "users": list(group.users),
    }


def channel_json(channel: Channel, viewer: str) -> JsonObject:
    """A conversation as `conversations.info` gives it to that user."""
    shared: JsonObject = {
        "id": channel.id,
        "created": channel.created,
        "is_archived": channel.is_archived,
        "is_im": channel.kind is ChannelKind.DIRECT,
        "is_mpim": False,
        "is_org_shared": False,
    }
    if channel.kind is ChannelKind.DIRECT:
        other = next((member for member in channel.members if member != viewer), viewer)
        return {**shared, "user": other, "is_user_deleted": False}
    return {
        **shared,
        "name": channel.name,
        "name_normalized": channel.name,
        "is_channel": channel.kind is ChannelKind.PUBLIC,
        "is_group": channel.kind is ChannelKind.PRIVATE,
        "is_private": channel.kind is ChannelKind.PRIVATE,
        "is_general": channel.is_general,
        "is_shared": False,
        "is_member": viewer in channel.members,
        "creator": channel.creator,
        "topic": {"value": channel.topic, "creator": channel.creator, "last_set": channel.created},
        "purpose": {"value": channel.purpose, "creator": channel.creator, "last_set": channel.created},
        "num_members": len(channel.members),
    }


def file_json(file: File, origin: str) -> JsonObject:
    """A file as `files.info` gives it; `origin` is the workspace's own address."""
    url = f"{origin}/files-pri/{file.id}/{file.name}"
    return {
        "id": file.id,
        "created": file.created,
        "timestamp": file.created,
        "name": file.name,
        "title": file.title,
        "mimetype": file.mimetype,
        "filetype": file.filetype,
        "size": file.size,
        "user": file.user,
        "alt_txt": file.alt_text,
        "mode": "hosted",
        "is_external": False,
        "is_public": bool(file.channels),
        "channels": list(file.channels),
        "url_private": url,
        "url_private_download": url,
        "permalink": url,
    }


def bot_json(app: App) -> JsonObject:
    """An app's bot as `bots.info` gives it."""
    return {
        "id": app.bot_id,
        "deleted": False,
        "name": app.name,
        "updated": 0,
        "app_id": app.id,
        "user_id": app.bot_user,
        "icons": {},
    }


class Wire:
    """Messages and views in Slack's JSON, which needs the book for names and files."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self.origin = ""
        """the workspace's own address, known when it listens"""

    def message(self, message: Message, *, with_metadata: bool = False) -> JsonObject:
        """A message as history and events give it."""
        book = self._book
        body: JsonObject = {"type": "message"}
        if message.subtype is not None:
            body["subtype"] = message.subtype
        body |= {"user": message.user, "ts": message.ts, "text": message.text, "team": book.team.id}
        if message.client_msg_id is not None:
            body["client_msg_id"] = message.client_msg_id
        if message.bot_id is not None:
            body |= {"bot_id": message.bot_id, "app_id": message.app_id}
            app = book.apps.get(message.app_id or "")
            if app is not None:
                body["bot_profile"] = {**bot_json(app), "team_id": book.team.id}
        if message.username is not None:
            body["username"] = message.username
        if message.icon is not None:
            body["icons"] = {"emoji": message.icon} if message.icon[:1] == ":" else {"image_64": message.icon}
        if message.blocks:
            body["blocks"] = list(message.blocks)
        if message.attachments:
            body["attachments"] = list(message.attachments)
        if message.files:
            files = [book.files[file_id] for file_id in message.files if file_id in book.files]
            body["files"] = [file_json(file, self.origin) for file in files]
        self._add_thread(body, message)
        if message.edited is not None:
            body["edited"] = {"user": message.edited.user, "ts": message.edited.ts}
        if message.reactions:
            body["reactions"] = [
                {"name": r.name, "users": list(r.users), "count": len(r.users)} for r in message.reactions
            ]
        if with_metadata and message.metadata is not None:
            body["metadata"] = message.metadata
        return body

    def _add_thread(self, body: JsonObject, message: Message) -> None:
        if message.thread_ts is None:
            return
        body["thread_ts"] = message.thread_ts
        if message.is_reply:
            parent = self._book.message(message.channel, message.thread_ts)
            if parent is not None:
                body["parent_user_id"] = parent.user
        elif message.reply_count:
            body |= {
                "reply_count": message.reply_count,
                "reply_users_count": len(message.reply_users),
                "reply_users": list(message.reply_users),
                "latest_reply": message.latest_reply,
                "is_locked": False,
                "subscribed": False,
            }

    def view(self, view: View) -> JsonObject:
        """A view as `views.open` answers it and payloads carry it."""
        app = self._book.apps.get(view.app_id)
        return {
            "id": view.id,
            "team_id": self._book.team.id,
            "type": view.kind.value,
            "blocks": list(view.blocks),
            "private_metadata": view.private_metadata,
            "callback_id": view.callback_id,
            "external_id": view.external_id,
            "state": {"values": view.state_values},
            "hash": view.hash,
            "title": view.title,
            "submit": view.submit,
            "close": view.close,
            "clear_on_close": view.clear_on_close,
            "notify_on_close": view.notify_on_close,
            "submit_disabled": view.submit_disabled,
            "previous_view_id": view.previous_view_id,
            "root_view_id": view.root_view_id,
            "app_id": view.app_id,
            "app_installed_team_id": self._book.team.id,
            "bot_id": None if app is None else app.bot_id,
        }
