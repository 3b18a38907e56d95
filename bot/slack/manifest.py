"""The app's manifest for Slack's "create an app from a manifest", with as few scopes as can be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import yaml
from pydantic import JsonValue

Mode = Literal["socket", "http"]
PLACEHOLDER_URL = "https://guardian.example.com/slack/events"


@dataclass(frozen=True, slots=True)
class Scope:
    """A permission, and what the Guardian could not do without it."""

    name: str
    reason: str
    private: bool = False
    """needed only when the channels of alerts and operations are private"""


SCOPES = (
    Scope("app_mentions:read", "hears people who mention it in a channel"),
    Scope("channels:history", "after a time-out, looks in its channels whether its own message arrived"),
    Scope("channels:read", "finds its channels by the names in the configuration"),
    Scope("chat:write", "posts and edits cards, answers and notes"),
    Scope("commands", "has the slash commands /guardian, /cleanup, /deploy and /rollback"),
    Scope("files:write", "uploads the charts that its cards show"),
    Scope("im:history", "reads what people write to it in a direct message"),
    Scope("usergroups:read", "finds the user groups that policies name by their handles"),
    Scope("users:read", "finds the people whom schedules and policies name by their handles"),
    Scope("groups:history", "the same as channels:history, for private channels", private=True),
    Scope("groups:read", "the same as channels:read, for private channels", private=True),
)

EVENTS = {
    "app_home_opened": "draws its Home tab when someone opens it",
    "app_mention": "answers @Guardian in a channel",
    "message.channels": "sees that somebody is at work in an alert's thread, which renews an acknowledgement",
    "message.im": "answers direct messages",
}
"""The events it subscribes to, each with what it does on them."""
PRIVATE_EVENTS = {"message.groups": "the same as message.channels, in private channels"}
"""Those that it needs besides when the channels of alerts are private."""

_COMMAND = {
    "ko": (
        "시스템 상태와 알림을 묻고 다룹니다",
        "[상태|점검|알림|근거|침묵|점검창|당직|경로|소음|작업|배포|롤백|배포현황|지표|정리|백업|잠금|잠금해제|동결|감사|생존신호|도움말|버전]",
    ),
    "en": (
        "Ask for the state of the system, and handle alerts",
        "[status|probes|alerts|explain|silence|maintenance|oncall|route|noise|ops|deploy|rollback|deployments|dora|"
        "cleanup|backup|lock|unlock|freeze|audit|heartbeats|help|version]",
    ),
}
_OWN_COMMANDS = {
    "ko": {
        "/cleanup": ("오래된 로그, 임시 파일, 캐시를 정리할 계획을 세웁니다", "[로그|임시|캐시|좀비]"),
        "/deploy": ("배포 계획을 세웁니다", "[서비스 리비전 환경]"),
        "/rollback": ("되돌아가는 계획을 세웁니다", "[서비스 릴리스 환경]"),
    },
    "en": {
        "/cleanup": (
            "Plan the cleanup of old logs, temporary files and caches",
            "[logs|temp|caches|zombies]",
        ),
        "/deploy": ("Plan a deployment", "[SERVICE REVISION to ENVIRONMENT]"),
        "/rollback": ("Plan the way back to a release before", "[SERVICE RELEASE in ENVIRONMENT]"),
    },
}
"""Operations that have a command of their own; the same is behind /guardian."""
_ABOUT = {
    "ko": "시스템의 수호자는 잠들지 않습니다. 서버를 지켜보고, 문제가 생기면 알립니다.",
    "en": "The guardian of the system never sleeps: it watches servers and tells when something is wrong.",
}


def scopes(*, private_channels: bool = False) -> tuple[Scope, ...]:
    """The scopes that are needed."""
    return tuple(scope for scope in SCOPES if private_channels or not scope.private)


def manifest(
    *,
    mode: Mode = "socket",
    request_url: str = PLACEHOLDER_URL,
    private_channels: bool = False,
    language: str = "ko",
) -> dict[str, JsonValue]:
    """The manifest as plain values. `request_url` counts in HTTP mode only: where Slack sends everything."""
    texts = {"/guardian": _COMMAND[language], **_OWN_COMMANDS[language]}
    commands = [_slash(name, *text, request_url if mode == "http" else None) for name, text in texts.items()]
    wanted = [*EVENTS, *(PRIVATE_EVENTS if private_channels else ())]
    events: dict[str, JsonValue] = {"bot_events": list(wanted)}
    interactivity: dict[str, JsonValue] = {"is_enabled": True}
    if mode == "http":
        events = {"request_url": request_url, **events}
        interactivity["request_url"] = request_url
    return {
        "display_information": {
            "name": "Guardian (수호자)",
            "description": _ABOUT[language],
            "background_color": "#1f2d3d",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "bot_user": {"display_name": "Guardian", "always_online": True},
            "slash_commands": [*commands],
        },
        "oauth_config": {
            "scopes": {"bot": [scope.name for scope in scopes(private_channels=private_channels)]}
        },
        "settings": {
            "event_subscriptions": events,
            "interactivity": interactivity,
            "org_deploy_enabled": False,
            "socket_mode_enabled": mode == "socket",
            "token_rotation_enabled": False,
        },
    }


def _slash(name: str, description: str, usage: str, url: str | None) -> dict[str, JsonValue]:
    where: dict[str, JsonValue] = {} if url is None else {"url": url}
    return {
        "command": name,
        **where,
        "description": description,
        "usage_hint": usage,
        # Mentions arrive with ids (<@U123|ann>), so that nobody is taken for someone of the same name.
        "should_escape": True,
    }


def manifest_yaml(
    *,
    mode: Mode = "socket",
    request_url: str = PLACEHOLDER_URL,
    private_channels: bool = False,
    language: str = "ko",
) -> str:
    """The manifest as YAML, each scope and event with its reason as a comment."""
    values = manifest(
        mode=mode, request_url=request_url, private_channels=private_channels, language=language
    )
    reasons = {scope.name: scope.reason for scope in SCOPES} | EVENTS | PRIVATE_EVENTS
    lines = ["# https://api.slack.com/apps → Create New App → From a manifest"]
    text = yaml.safe_dump(values, allow_unicode=True, sort_keys=False, width=200)
    for line in text.splitlines():
        reason = reasons.get(line.strip().removeprefix("- "))
        lines.append(f"{line}  # {reason}" if reason and line.strip().startswith("- ") else line)
    return "\n".join(lines) + "\n"
