"""Block Kit's tables: which blocks and elements there are, their fields and the limits of each."""

from __future__ import annotations

from collections.abc import Mapping

from bot.workspace.rules import Anything, Bool, Int, Many, OneOf, Pattern, Rule, Shape, Str, Typed, Url


def text(most: int, *, plain: bool = False, least: int = 1) -> Rule:
    """A text object: `plain_text`, and `mrkdwn` unless only plain text is allowed."""
    rules: dict[str, Rule] = {
        "plain_text": Shape({"text": Str(most, least)}, {"emoji": Bool()}),
    }
    if not plain:
        rules["mrkdwn"] = Shape({"text": Str(most, least)}, {"verbatim": Bool(), "emoji": Bool()})
    return Typed(lambda: rules)


ID = Str(255)
STYLE = OneOf(frozenset({"primary", "danger"}))
DATE = Str(10, 10)
TIME = Str(5, 5)
FOCUS: Mapping[str, Rule] = {"focus_on_load": Bool()}

CONFIRM = Shape(
    {"title": text(100, plain=True), "text": text(300)},
    {"confirm": text(30, plain=True), "deny": text(30, plain=True), "style": STYLE},
)


def option(*, plain: bool) -> Rule:
    """An option of a menu (plain text only) or of checkboxes and radio buttons."""
    return Shape(
        {"text": text(75, plain=plain), "value": Str(150)},
        {"description": text(75, plain=plain), "url": Url(3000)},
    )


OPTION = option(plain=True)
RICH_OPTION = option(plain=False)
GROUP = Shape({"label": text(75, plain=True), "options": Many(OPTION, 100)})
PLACEHOLDER: Mapping[str, Rule] = {"placeholder": text(150, plain=True)}
COMMON: Mapping[str, Rule] = {"action_id": ID, "confirm": CONFIRM, **FOCUS}
FILTER = Shape(
    {},
    {
        "include": Many(OneOf(frozenset({"im", "mpim", "private", "public"})), 4),
        "exclude_external_shared_channels": Bool(),
        "exclude_bot_users": Bool(),
    },
)
DISPATCH = Shape(
    {}, {"trigger_actions_on": Many(OneOf(frozenset({"on_enter_pressed", "on_character_entered"})), 2)}
)
COUNT = Int(1, 1000)


def _menu(**extra: Rule) -> Shape:
    return Shape({}, {**COMMON, **PLACEHOLDER, **extra})


def _static(single: bool) -> Shape:
    initial: dict[str, Rule] = (
        {"initial_option": OPTION}
        if single
        else {"initial_options": Many(OPTION, 100), "max_selected_items": COUNT}
    )
    return Shape(
        {},
        {
            **COMMON,
            **PLACEHOLDER,
            "options": Many(OPTION, 100),
            "option_groups": Many(GROUP, 100),
            **initial,
        },
        one_of=("options", "option_groups"),
    )


def _external(single: bool) -> Shape:
    if single:
        return _menu(initial_option=OPTION, min_query_length=Int(0, 100))
    return _menu(initial_options=Many(OPTION, 100), min_query_length=Int(0, 100), max_selected_items=COUNT)


def _text_input(**extra: Rule) -> Shape:
    return Shape(
        {},
        {
            "action_id": ID,
            **PLACEHOLDER,
            **FOCUS,
            "initial_value": Str(3000, 0),
            "dispatch_action_config": DISPATCH,
            **extra,
        },
    )


SLACK_FILE = Shape({}, {"id": Pattern("^[F][A-Z0-9]{8,}$"), "url": Url(3000)}, one_of=("id", "url"))
IMAGE_SOURCE: Mapping[str, Rule] = {"image_url": Url(3000), "slack_file": SLACK_FILE}
PEOPLE = Many(Str(255), 100)

ELEMENTS: Mapping[str, Rule] = {
    "button": Shape(
        {"text": text(75, plain=True)},
        {
            "action_id": ID,
            "value": Str(2000),
            "url": Url(3000),
            "style": STYLE,
            "confirm": CONFIRM,
            "accessibility_label": Str(75),
        },
    ),
    "overflow": Shape({"options": Many(OPTION, 5)}, {"action_id": ID, "confirm": CONFIRM}),
    "checkboxes": Shape(
        {"options": Many(RICH_OPTION, 10)}, {**COMMON, "initial_options": Many(RICH_OPTION, 10)}
    ),
    "radio_buttons": Shape({"options": Many(RICH_OPTION, 10)}, {**COMMON, "initial_option": RICH_OPTION}),
    "static_select": _static(True),
    "multi_static_select": _static(False),
    "external_select": _external(True),
    "multi_external_select": _external(False),
    "users_select": _menu(initial_user=Str(255)),
    "multi_users_select": _menu(initial_users=PEOPLE, max_selected_items=COUNT),
    "channels_select": _menu(initial_channel=Str(255), response_url_enabled=Bool()),
    "multi_channels_select": _menu(initial_channels=PEOPLE, max_selected_items=COUNT),
    "conversations_select": _menu(
        initial_conversation=Str(255),
        default_to_current_conversation=Bool(),
        response_url_enabled=Bool(),
        filter=FILTER,
    ),
    "multi_conversations_select": _menu(
        initial_conversations=PEOPLE,
        default_to_current_conversation=Bool(),
        max_selected_items=COUNT,
        filter=FILTER,
    ),
    "datepicker": _menu(initial_date=DATE),
    "timepicker": _menu(initial_time=TIME, timezone=Str(255)),
    "datetimepicker": Shape({}, {**COMMON, "initial_date_time": Int(0, 9_999_999_999)}),
    "plain_text_input": _text_input(multiline=Bool(), min_length=Int(0, 3000), max_length=Int(1, 3000)),
    "email_text_input": _text_input(),
    "url_text_input": _text_input(),
    "number_input": Shape(
        {"is_decimal_allowed": Bool()},
        {
            "action_id": ID,
            **PLACEHOLDER,
            **FOCUS,
            "initial_value": Str(150),
            "min_value": Str(150),
            "max_value": Str(150),
            "dispatch_action_config": DISPATCH,
        },
    ),
    "rich_text_input": Shape(
        {},
        {
            "action_id": ID,
            **PLACEHOLDER,
            **FOCUS,
            "initial_value": Anything(),
            "dispatch_action_config": DISPATCH,
        },
    ),
    "file_input": Shape({}, {"action_id": ID, "filetypes": Many(Str(20), 100), "max_files": Int(1, 10)}),
    "image": Shape({"alt_text": Str(2000)}, IMAGE_SOURCE, one_of=("image_url", "slack_file")),
    "workflow_button": Shape({"text": text(75, plain=True), "workflow": Anything()}, {"action_id": ID}),
}

_MENUS = frozenset(name for name in ELEMENTS if name.endswith("_select"))
_PICKERS = frozenset({"datepicker", "timepicker", "datetimepicker"})
_CHOICES = frozenset({"checkboxes", "radio_buttons"})
IN_ACTIONS = _MENUS | _PICKERS | _CHOICES | {"button", "overflow", "workflow_button", "rich_text_input"}
IN_SECTION = (
    _MENUS | _CHOICES | {"button", "overflow", "datepicker", "timepicker", "image", "workflow_button"}
)
IN_INPUT = _MENUS | _PICKERS | _CHOICES | frozenset(n for n in ELEMENTS if n.endswith("_input"))


def _elements(allowed: frozenset[str]) -> Rule:
    return Typed(lambda: ELEMENTS, allowed)


_CONTEXT: Mapping[str, Rule] = {
    "image": ELEMENTS["image"],
    "plain_text": Shape({"text": Str(3000)}, {"emoji": Bool()}),
    "mrkdwn": Shape({"text": Str(3000)}, {"verbatim": Bool(), "emoji": Bool()}),
}

_RICH_STYLE: Mapping[str, Rule] = {"style": Anything()}
_RICH_LEAVES: Mapping[str, Rule] = {
    "text": Shape({"text": Str(12000)}, _RICH_STYLE),
    "link": Shape({"url": Url(3000)}, {"text": Str(3000), "unsafe": Bool(), **_RICH_STYLE}),
    "user": Shape({"user_id": Str(255)}, _RICH_STYLE),
    "usergroup": Shape({"usergroup_id": Str(255)}, _RICH_STYLE),
    "channel": Shape({"channel_id": Str(255)}, _RICH_STYLE),
    "broadcast": Shape({"range": OneOf(frozenset({"here", "channel", "everyone"}))}, _RICH_STYLE),
    "emoji": Shape({"name": Str(255)}, {"unicode": Str(255), "skin_tone": Int(1, 6), **_RICH_STYLE}),
    "date": Shape(
        {"timestamp": Int(0, 9_999_999_999), "format": Str(255)},
        {"url": Url(3000), "fallback": Str(255), **_RICH_STYLE},
    ),
    "color": Shape({"value": Str(7)}, _RICH_STYLE),
    "team": Shape({"team_id": Str(255)}, _RICH_STYLE),
}
_LEAVES = Many(Typed(lambda: _RICH_LEAVES), 1000, 0)
_INDENT: Mapping[str, Rule] = {"indent": Int(0, 8), "offset": Int(0, 100_000), "border": Int(0, 1)}
_RICH_PARTS: Mapping[str, Rule] = {
    "rich_text_section": Shape({"elements": _LEAVES}),
    "rich_text_list": Shape(
        {
            "elements": Many(Typed(lambda: _RICH_PARTS, frozenset({"rich_text_section"})), 1000),
            "style": OneOf(frozenset({"bullet", "ordered"})),
        },
        _INDENT,
    ),
    "rich_text_preformatted": Shape({"elements": _LEAVES}, {"border": Int(0, 1), "language": Str(255)}),
    "rich_text_quote": Shape({"elements": _LEAVES}, {"border": Int(0, 1)}),
}
_RICH_TEXT = Shape({"elements": Many(Typed(lambda: _RICH_PARTS), 1000, 0)}, {"block_id": ID})

_CELLS: Mapping[str, Rule] = {
    "raw_text": Shape({"text": Str(12000, 0)}),
    "rich_text": _RICH_TEXT,
}
_COLUMN = Shape({}, {"align": OneOf(frozenset({"left", "center", "right"})), "is_wrapped": Bool()})
_BLOCK: Mapping[str, Rule] = {"block_id": ID}

BLOCKS: Mapping[str, Rule] = {
    "section": Shape(
        {},
        {
            "text": text(3000),
            "fields": Many(text(2000), 10),
            "accessory": _elements(IN_SECTION),
            "expand": Bool(),
            **_BLOCK,
        },
        any_of=("text", "fields"),
    ),
    "header": Shape({"text": text(150, plain=True)}, _BLOCK),
    "divider": Shape({}, _BLOCK),
    "context": Shape({"elements": Many(Typed(lambda: _CONTEXT), 10)}, _BLOCK),
    "actions": Shape({"elements": Many(_elements(IN_ACTIONS), 25)}, _BLOCK),
    "image": Shape(
        {"alt_text": Str(2000)},
        {"title": text(2000, plain=True), **IMAGE_SOURCE, **_BLOCK},
        one_of=("image_url", "slack_file"),
    ),
    "input": Shape(
        {"label": text(2000, plain=True), "element": _elements(IN_INPUT)},
        {"hint": text(2000, plain=True), "optional": Bool(), "dispatch_action": Bool(), **_BLOCK},
    ),
    "rich_text": _RICH_TEXT,
    "markdown": Shape({"text": Str(12000)}, _BLOCK),
    "table": Shape(
        {"rows": Many(Many(Typed(lambda: _CELLS), 20), 100)},
        {"column_settings": Many(_COLUMN, 20), **_BLOCK},
    ),
    "video": Shape(
        {"alt_text": Str(2000), "title": text(200, plain=True), "thumbnail_url": Url(), "video_url": Url()},
        {
            "author_name": Str(50),
            "description": text(200, plain=True),
            "provider_icon_url": Url(),
            "provider_name": Str(100),
            "title_url": Url(),
            **_BLOCK,
        },
    ),
    "file": Shape({"external_id": Str(255), "source": Str(20)}, _BLOCK),
}

_EVERYWHERE = frozenset({"section", "header", "divider", "context", "actions", "image", "rich_text", "video"})
IN_MESSAGE = _EVERYWHERE | {"markdown", "table", "file", "input"}
IN_ATTACHMENT = IN_MESSAGE
IN_MODAL = _EVERYWHERE | {"input"}
IN_HOME = IN_MODAL
