"""Who am I, where do I connect, who is there: `auth`, `apps`, `team`, `users`, `usergroups`, `bots`."""

from __future__ import annotations

from bot.workspace.access import need_scope, scope_for
from bot.workspace.api.call import Call, method, page_of, with_cursor
from bot.workspace.errors import SlackError
from bot.workspace.model import JsonObject, User
from bot.workspace.wire import bot_json, channel_json, group_json, user_json


@method("auth.test", tier=0)
async def auth_test(call: Call) -> JsonObject:
    """Whose token it is."""
    book = call.workspace.book
    return {
        "url": call.workspace.wire.origin + "/",
        "team": book.team.name,
        "user": book.users[call.app.bot_user].name,
        "team_id": book.team.id,
        "user_id": call.app.bot_user,
        "bot_id": call.app.bot_id,
        "is_enterprise_install": False,
    }


@method("apps.connections.open", tier=0, app_token=True)
async def connections_open(call: Call) -> JsonObject:
    """An address for one Socket Mode connection."""
    if not call.app.socket_mode:
        raise SlackError("socket_mode_not_enabled")
    ticket = call.workspace.sockets.open(call.app)
    origin = call.workspace.wire.origin.replace("http", "ws", 1)
    return {"url": f"{origin}/link/?ticket={ticket}&app_id={call.app.id}"}


@method("team.info", "team:read")
async def team_info(call: Call) -> JsonObject:
    """The workspace."""
    team = call.workspace.book.team
    return {
        "team": {
            "id": team.id,
            "name": team.name,
            "domain": team.domain,
            "url": call.workspace.wire.origin + "/",
            "email_domain": "example.com",
            "icon": {"image_default": True},
        }
    }


@method("bots.info", "users:read")
async def bots_info(call: Call) -> JsonObject:
    """An app's bot by its bot id."""
    wanted = call.text("bot", call.app.bot_id)
    for app in call.workspace.apps():
        if app.bot_id == wanted:
            return {"bot": bot_json(app)}
    raise SlackError("bot_not_found")


def _user(call: Call, user: User) -> JsonObject:
    body = user_json(user, call.workspace.book.team.id)
    profile = body["profile"]
    if "users:read.email" not in call.app.scopes and isinstance(profile, dict):
        body["profile"] = {name: value for name, value in profile.items() if name != "email"}
    return body


def _find(call: Call, user_id: str) -> User:
    user = call.workspace.user(user_id)
    if user is None:
        raise SlackError("user_not_found")
    return user


@method("users.list", "users:read", tier=2)
async def users_list(call: Call) -> JsonObject:
    """All users."""
    part, following = page_of(call, call.workspace.users())
    return with_cursor({"members": [_user(call, user) for user in part], "cache_ts": 0}, following)


@method("users.info", "users:read", tier=4)
async def users_info(call: Call) -> JsonObject:
    """One user."""
    return {"user": _user(call, _find(call, call.needed("user")))}


@method("users.lookupByEmail", "users:read.email")
async def users_lookup(call: Call) -> JsonObject:
    """One user by his address."""
    email = call.needed("email").casefold()
    for user in call.workspace.users():
        if user.email is not None and user.email.casefold() == email:
            return {"user": _user(call, user)}
    raise SlackError("users_not_found")


@method("users.getPresence", "users:read")
async def users_presence(call: Call) -> JsonObject:
    """Whether a user is online."""
    user = _find(call, call.text("user", call.app.bot_user))
    online = user.is_bot or call.workspace.posts.is_online(user.id)
    return {"presence": "active" if online else "away"}


@method("users.conversations")
async def users_conversations(call: Call) -> JsonObject:
    """The conversations a user is in, as far as the app may know."""
    user = _find(call, call.text("user", call.app.bot_user))
    kinds = set(call.text("types", "public_channel").split(","))
    found = []
    for channel in call.workspace.book.channels.values():
        if user.id not in channel.members or call.app.bot_user not in channel.members:
            continue
        if _TYPE[channel.kind.value] in kinds:
            need_scope(call.app, scope_for(channel.kind, "read"))
            if not (call.flag("exclude_archived") and channel.is_archived):
                found.append(channel_json(channel, call.app.bot_user))
    part, following = page_of(call, found)
    return with_cursor({"channels": [*part]}, following)


_TYPE = {"public": "public_channel", "private": "private_channel", "im": "im"}


@method("usergroups.list", "usergroups:read", tier=2)
async def usergroups_list(call: Call) -> JsonObject:
    """All user groups."""
    groups = [group_json(group, call.workspace.book.team.id) for group in call.workspace.user_groups()]
    if not call.flag("include_users"):
        groups = [{name: value for name, value in g.items() if name != "users"} for g in groups]
    return {"usergroups": [*groups]}


@method("usergroups.users.list", "usergroups:read", tier=2)
async def usergroups_users_list(call: Call) -> JsonObject:
    """The users of a group."""
    group = call.workspace.book.groups.get(call.needed("usergroup"))
    if group is None:
        raise SlackError("no_such_subteam")
    return {"users": list(group.users)}
