"""`files.*`: an upload is asked for, sent, and then shared."""

from __future__ import annotations

from dataclasses import replace

from pydantic import JsonValue

from bot.workspace.access import writable_channel
from bot.workspace.api.call import Call, invalid_arguments, method
from bot.workspace.content import Content, read_content, read_json
from bot.workspace.errors import SlackError
from bot.workspace.ids import now
from bot.workspace.model import Channel, File, JsonObject, Message
from bot.workspace.pictures import need_pictures
from bot.workspace.uploads import new_file
from bot.workspace.wire import file_json

LARGEST = 1024 * 1024 * 1024
LONGEST_ALT_TEXT = 1000


@method("files.getUploadURLExternal", "files:write", tier=4)
async def get_upload_url(call: Call) -> JsonObject:
    """Where to send a file's bytes."""
    name = call.needed("filename")
    size = call.number("length", 0)
    if size <= 0:
        raise invalid_arguments("must be greater than 0 [json-pointer:/length]")
    if size > LARGEST:
        raise SlackError("file_upload_size_restricted")
    if len(call.text("alt_txt")) > LONGEST_ALT_TEXT:
        raise SlackError("alt_txt_too_large")
    file = new_file(call.app.bot_user, name, size, call.text("alt_txt"))
    call.workspace.book.put_file(file)
    return {"upload_url": f"{call.workspace.wire.origin}/upload/v1/{file.id}", "file_id": file.id}


@method("files.completeUploadExternal", "files:write", tier=4)
async def complete_upload(call: Call) -> JsonObject:
    """Share uploaded files in a channel, or keep them unshared without one."""
    book = call.workspace.book
    given = read_json(call.arguments.get("files") or None, "invalid_arguments")
    if not isinstance(given, list) or not given:
        raise invalid_arguments("missing required field: files")
    files = [_uploaded(call, entry) for entry in given]
    channel_id = call.text("channel_id") or call.text("channels").partition(",")[0]
    if channel_id:
        channel = writable_channel(book, call.app, channel_id)
        content = _comment(call)
        files = [replace(file, channels=(channel.id,)) for file in files]
        for file in files:
            book.put_file(file)
        _share(call, channel, files, content)
    else:
        for file in files:
            book.put_file(file)
    return {"files": [file_json(file, call.workspace.wire.origin) for file in files]}


def _uploaded(call: Call, entry: JsonValue) -> File:
    file_id = entry.get("id") if isinstance(entry, dict) else None
    file = call.workspace.book.files.get(str(file_id))
    if file is None or file.user != call.app.bot_user or not isinstance(entry, dict):
        raise SlackError("file_not_found")
    if not call.workspace.file_path(file.id).exists():
        raise SlackError("file_update_failed")
    title = entry.get("title")
    return replace(
        file,
        complete=True,
        title=title if isinstance(title, str) and title else file.title,
        ready_at=now() + call.workspace.timings.file_processing,
    )


def _comment(call: Call) -> Content:
    content = read_content({"text": call.text("initial_comment"), "blocks": call.arguments.get("blocks")})
    need_pictures(call.workspace.book, call.app, content)
    return content


def _share(call: Call, channel: Channel, files: list[File], content: Content) -> None:
    call.workspace.limiter.post(call.app.id, channel.id)
    message = call.workspace.posts.post(
        Message(
            channel=channel.id,
            ts="",
            user=call.app.bot_user,
            text=content.text,
            blocks=content.blocks,
            thread_ts=call.text("thread_ts") or None,
            subtype="file_share",
            bot_id=call.app.bot_id,
            app_id=call.app.id,
            files=tuple(file.id for file in files),
        )
    )
    for file in files:
        call.workspace.events.file_shared(file.id, channel.id, call.app.bot_user, message.ts)


@method("files.info", "files:read", tier=4)
async def info(call: Call) -> JsonObject:
    """One file."""
    file = call.workspace.file(call.needed("file"))
    if file is None:
        raise SlackError("file_not_found")
    return {"file": file_json(file, call.workspace.wire.origin), "comments": []}
