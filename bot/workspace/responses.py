"""What an app says by a response URL or in the acknowledgement of a command."""

from __future__ import annotations

from dataclasses import replace

from pydantic import JsonValue

from bot.workspace.book import Book
from bot.workspace.content import Content, read_content
from bot.workspace.errors import SlackError
from bot.workspace.model import App, JsonObject, Message
from bot.workspace.pictures import need_pictures
from bot.workspace.posts import Posts
from bot.workspace.tickets import ResponseTicket, Tickets


class Responses:
    """Posts, replaces or deletes on behalf of a ticket."""

    def __init__(self, book: Book, posts: Posts, tickets: Tickets) -> None:
        self._book = book
        self._posts = posts
        self._tickets = tickets

    def by_url(self, secret: str, body: JsonObject) -> None:
        """Do what was posted to a response URL. Raises SlackError; a refusal counts as a use too."""
        self.say(self._tickets.use_response(secret), body)

    def say(self, ticket: ResponseTicket, body: JsonObject) -> None:
        """Do what the body says for a ticket. Raises SlackError."""
        app = self._book.apps[ticket.app_id]
        original = self._original(ticket)
        if body.get("delete_original") is True or body.get("delete_original") == "true":
            if original is not None:
                self._posts.delete(original)
            return
        content = read_content(body)
        if content.is_empty:
            raise SlackError("no_text")
        need_pictures(self._book, app, content)
        replaces = body.get("replace_original")
        if replaces in (True, "true") and original is not None:
            changed = replace(
                original,
                text=content.text,
                blocks=content.blocks,
                attachments=content.attachments,
                metadata=content.metadata or original.metadata,
            )
            self._posts.edit(original, changed, app.bot_user)
            return
        self._post(ticket, app, content, body)

    def _post(self, ticket: ResponseTicket, app: App, content: Content, body: JsonObject) -> None:
        channel = self._book.channels[ticket.channel_id]
        in_channel = body.get("response_type") == "in_channel"
        if in_channel and channel.is_archived:
            raise SlackError("is_archived")
        thread_ts = _text(body.get("thread_ts")) or ticket.thread_ts
        message = Message(
            channel=ticket.channel_id,
            ts="",
            user=app.bot_user,
            text=content.text,
            blocks=content.blocks,
            attachments=content.attachments,
            metadata=content.metadata,
            thread_ts=thread_ts,
            bot_id=app.bot_id,
            app_id=app.id,
        )
        if in_channel:
            self._posts.post(message)
        else:
            self._posts.post_ephemeral(replace(message, ephemeral_for=ticket.user_id))

    def _original(self, ticket: ResponseTicket) -> Message | None:
        if ticket.message_ts is None:
            return None
        shown = self._book.message(ticket.channel_id, ticket.message_ts)
        if shown is not None:
            return shown
        return self._book.ephemerals.get((ticket.channel_id, ticket.user_id), {}).get(ticket.message_ts)


def _text(value: JsonValue) -> str | None:
    return value if isinstance(value, str) and value else None
