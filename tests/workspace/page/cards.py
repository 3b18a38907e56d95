"""Messages and views for the page's tests: one of everything."""

from __future__ import annotations

from pydantic import JsonValue

from bot.workspace.model import JsonObject


def plain(text: str) -> JsonObject:
    """A `plain_text` object."""
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str) -> JsonObject:
    """A `mrkdwn` object."""
    return {"type": "mrkdwn", "text": text}


def option(text: str, value: str, description: str | None = None) -> JsonObject:
    """An option of a menu."""
    made: JsonObject = {"text": plain(text), "value": value}
    return {**made, "description": plain(description)} if description else made


OPTIONS: list[JsonValue] = [
    option("한 시간", "1h"),
    option("네 시간", "4h", "점심때까지"),
    option("하루", "24h"),
]

CONFIRM: JsonObject = {
    "title": plain("정말 무시할까요?"),
    "text": plain("하루 동안 알림이 오지 않습니다."),
    "confirm": plain("무시하기"),
    "deny": plain("그만두기"),
    "style": "danger",
}

ALERT: JsonObject = {
    "text": "⚠️ 주의: 메모리 사용률 82%",
    "attachments": [
        {
            "color": "#d9a400",
            "fallback": "⚠️ 주의: 메모리 사용률 82%",
            "blocks": [
                {
                    "type": "section",
                    "block_id": "title",
                    "text": mrkdwn(
                        "*web-01* 의 메모리 사용률이 주의 구간에 들어왔습니다. 지난 3회 점검에서 모두 80%를 "
                        "넘었습니다."
                    ),
                },
                {
                    "type": "section",
                    "block_id": "facts",
                    "fields": [
                        mrkdwn("*대상*\nweb-01"),
                        mrkdwn("*현재 값*\n82.4 %"),
                        mrkdwn("*주의 구간*\n80–90 %"),
                        mrkdwn("*가장 큰 프로세스*\n`java` 6.1 GiB · `postgres` 2.0 GiB"),
                    ],
                },
                {
                    "type": "actions",
                    "block_id": "do",
                    "elements": [
                        {
                            "type": "button",
                            "action_id": "acknowledge",
                            "text": plain("확인"),
                            "style": "primary",
                            "value": "v1",
                        },
                        {
                            "type": "button",
                            "action_id": "silence",
                            "text": plain("무시"),
                            "value": "v1",
                            "confirm": CONFIRM,
                        },
                    ],
                },
                {
                    "type": "context",
                    "block_id": "note",
                    "elements": [
                        mrkdwn("감지에서 전달까지 0.6초"),
                        mrkdwn("#A-1042 · <!date^1764000000^{date_short_pretty} {time}|2025-11-24>"),
                    ],
                },
            ],
        }
    ],
}

RESOLVED: JsonObject = {
    "text": "✅ 해소: 메모리 사용률 71%",
    "attachments": [
        {
            "color": "good",
            "fallback": "해소",
            "blocks": [
                {
                    "type": "section",
                    "block_id": "title",
                    "text": mrkdwn("확인했습니다. 메모리 사용률 71%, 안전 범위"),
                }
            ],
        }
    ],
}

TABLE: list[JsonObject] = [
    {"type": "header", "block_id": "th", "text": plain("📊 점검 결과")},
    {
        "type": "table",
        "block_id": "t",
        "column_settings": [
            {"is_wrapped": True},
            {"align": "right"},
            {"align": "right"},
            {"align": "center"},
        ],
        "rows": [
            [{"type": "raw_text", "text": text} for text in row]
            for row in (
                ("점검", "값", "안전 범위", "상태"),
                ("CPU 사용률", "67 %", "< 70 %", "🟢"),
                ("메모리 사용률", "82 %", "< 80 %", "🟡"),
                ("디스크 사용률 /var/lib/postgresql", "9 %", "< 85 %", "🟢"),
                ("응답 시간", "1,204 ms", "< 200 ms", "🔴"),
            )
        ],
    },
]

MENUS: list[JsonObject] = [
    {
        "type": "section",
        "block_id": "row",
        "text": mrkdwn("*web-01* 을 어떻게 할까요?"),
        "accessory": {
            "type": "overflow",
            "action_id": "more",
            "options": [
                option("자세히", "detail"),
                option("지난 기록", "history"),
                option("담당 바꾸기", "owner"),
            ],
        },
    },
    {
        "type": "actions",
        "block_id": "choose",
        "elements": [
            {
                "type": "static_select",
                "action_id": "long",
                "placeholder": plain("얼마 동안"),
                "options": OPTIONS,
            },
            {"type": "users_select", "action_id": "who", "placeholder": plain("담당자")},
            {"type": "datepicker", "action_id": "day", "initial_date": "2026-11-24"},
            {
                "type": "external_select",
                "action_id": "far",
                "placeholder": plain("지역"),
                "min_query_length": 1,
            },
            {"type": "button", "action_id": "wait", "text": plain("기다리기")},
            {
                "type": "button",
                "action_id": "danger",
                "text": plain("지우기"),
                "style": "danger",
                "confirm": CONFIRM,
            },
        ],
    },
]


def text_input(block_id: str, label: str, **more: object) -> JsonObject:
    """An input block with a text field called `text`."""
    element: JsonObject = {"type": "plain_text_input", "action_id": "text"}
    element.update(more)  # type: ignore[arg-type]  # JSON values by construction of the callers below
    return {"type": "input", "block_id": block_id, "label": plain(label), "element": element}


MODAL: JsonObject = {
    "type": "modal",
    "callback_id": "form",
    "title": plain("알림 재우기"),
    "submit": plain("재우기"),
    "close": plain("그만두기"),
    "notify_on_close": True,
    "blocks": [
        {"type": "section", "block_id": "intro", "text": mrkdwn("*web-01* · 메모리 사용률 82%")},
        {
            **text_input("reason", "이유", multiline=True, placeholder=plain("왜 재우나요?")),
            "hint": plain("기록에 남고 채널에 보입니다."),
        },
        {
            "type": "input",
            "block_id": "long",
            "label": plain("얼마 동안"),
            "element": {
                "type": "static_select",
                "action_id": "pick",
                "options": OPTIONS,
                "initial_option": OPTIONS[0],
            },
        },
        {
            "type": "input",
            "block_id": "team",
            "optional": True,
            "label": plain("함께 알릴 사람"),
            "element": {"type": "multi_users_select", "action_id": "pick", "placeholder": plain("고르세요")},
        },
        {
            "type": "input",
            "block_id": "level",
            "label": plain("남길 단계"),
            "element": {
                "type": "radio_buttons",
                "action_id": "pick",
                "options": OPTIONS[:2],
                "initial_option": OPTIONS[0],
            },
        },
        {
            "type": "input",
            "block_id": "extra",
            "optional": True,
            "label": plain("그리고"),
            "element": {"type": "checkboxes", "action_id": "pick", "options": OPTIONS[1:]},
        },
        {
            "type": "input",
            "block_id": "until",
            "optional": True,
            "label": plain("마감"),
            "element": {"type": "datetimepicker", "action_id": "pick", "initial_date_time": 1764000000},
        },
        {
            "type": "input",
            "block_id": "proof",
            "optional": True,
            "label": plain("증거"),
            "element": {"type": "file_input", "action_id": "pick", "filetypes": ["log"]},
        },
        {
            "type": "input",
            "block_id": "mail",
            "optional": True,
            "label": plain("전자 우편"),
            "element": {"type": "email_text_input", "action_id": "text"},
        },
    ],
}

SECOND: JsonObject = {
    "type": "modal",
    "callback_id": "second",
    "title": plain("둘째 단계"),
    "submit": plain("끝내기"),
    "blocks": [{"type": "section", "block_id": "sure", "text": mrkdwn("정말로 *끝낼까요*?")}],
}

HOME: JsonObject = {
    "type": "home",
    "blocks": [
        {"type": "header", "block_id": "h", "text": plain("🛡️ 안녕하세요, 수호자입니다")},
        {"type": "section", "block_id": "s", "text": mrkdwn("시스템 상태: 정상 (Green)\n모니터링 알림 없음")},
        {"type": "divider", "block_id": "d"},
        {
            "type": "actions",
            "block_id": "a",
            "elements": [{"type": "button", "action_id": "refresh", "text": plain("새로 고침")}],
        },
    ],
}

RICH: list[JsonObject] = [
    {
        "type": "rich_text",
        "block_id": "rich",
        "elements": [
            {
                "type": "rich_text_section",
                "elements": [
                    {"type": "text", "text": "굵게", "style": {"bold": True}},
                    {"type": "text", "text": " 기울여 ", "style": {"italic": True}},
                    {"type": "text", "text": "지움", "style": {"strike": True}},
                    {"type": "text", "text": " "},
                    {"type": "text", "text": "df -h", "style": {"code": True}},
                    {"type": "text", "text": " "},
                    {"type": "link", "url": "https://example.com/?a=1&b=2", "text": "주소"},
                    {"type": "text", "text": " "},
                    {"type": "emoji", "name": "rocket"},
                    {"type": "broadcast", "range": "here"},
                ],
            },
            {
                "type": "rich_text_list",
                "style": "bullet",
                "elements": [
                    {"type": "rich_text_section", "elements": [{"type": "text", "text": "첫째"}]},
                    {"type": "rich_text_section", "elements": [{"type": "text", "text": "둘째"}]},
                ],
            },
            {
                "type": "rich_text_list",
                "style": "ordered",
                "indent": 1,
                "offset": 2,
                "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "셋째"}]}],
            },
            {"type": "rich_text_quote", "elements": [{"type": "text", "text": "백업 없는 작업은 없다"}]},
            {
                "type": "rich_text_preformatted",
                "elements": [{"type": "text", "text": "$ df -h\n/dev/sda1  91%"}],
            },
        ],
    }
]
