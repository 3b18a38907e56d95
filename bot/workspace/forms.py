"""What Slack itself checks in a modal's form before the app hears of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from urllib.parse import urlsplit

from pydantic import JsonValue

from bot.workspace.elements import HOLDINGS
from bot.workspace.model import JsonObject

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def form_errors(blocks: Sequence[JsonObject], values: Mapping[str, JsonValue]) -> dict[str, str]:
    """A sentence by block_id for each input that isn't filled in as it asks."""
    errors: dict[str, str] = {}
    for block in blocks:
        element = block.get("element")
        if block.get("type") != "input" or not isinstance(element, dict):
            continue
        block_id = str(block.get("block_id"))
        own = values.get(block_id)
        state = own.get(str(element.get("action_id"))) if isinstance(own, dict) else None
        value = state.get(HOLDINGS[str(element["type"])].key) if isinstance(state, dict) else None
        if value is None or value == [] or value == "":
            if block.get("optional") is not True:
                errors[block_id] = "Please complete this required field."
        elif isinstance(value, str):
            problem = _text_problem(element, value)
            if problem is not None:
                errors[block_id] = problem
        elif isinstance(value, list):
            most = element.get("max_selected_items")
            if isinstance(most, int) and len(value) > most:
                errors[block_id] = f"Please select at most {most} items."
    return errors


def _text_problem(element: JsonObject, value: str) -> str | None:
    kind = element["type"]
    if kind == "plain_text_input":
        least, most = element.get("min_length"), element.get("max_length")
        if isinstance(least, int) and len(value) < least:
            return f"Please enter at least {least} characters."
        limit = most if isinstance(most, int) else 3000
        if len(value) > limit:
            return f"Please enter at most {limit} characters."
    elif kind == "email_text_input" and not _EMAIL.fullmatch(value):
        return "Please enter a valid email address."
    elif kind == "url_text_input" and not _is_web_address(value):
        return "Please enter a valid URL."
    elif kind == "number_input":
        return _number_problem(element, value)
    return None


def _is_web_address(value: str) -> bool:
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc)


def _number_problem(element: JsonObject, value: str) -> str | None:
    number = _number(value)
    if number is None:
        return "Please enter a number."
    if element.get("is_decimal_allowed") is not True and number != number.to_integral_value():
        return "Please enter a whole number."
    least, most = _number(element.get("min_value")), _number(element.get("max_value"))
    if least is not None and number < least:
        return f"Please enter a number of at least {least}."
    if most is not None and number > most:
        return f"Please enter a number of at most {most}."
    return None


def _number(value: JsonValue) -> Decimal | None:
    if not isinstance(value, str):
        return None
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
