"""Taking a JSON payload: how large it may be, who may send it, and how a refusal is said."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Any

from aiohttp import web
from pydantic import Field, JsonValue, SecretStr, StringConstraints, ValidationError
from pydantic_core import ErrorDetails, from_json

LARGEST_PAYLOAD = 5 * 1024 * 1024
"""bytes; Alertmanager's notification of 10,000 alerts has 4 MB"""
LONGEST_LABEL = 1000
MOST_LABELS = 64
PROBLEMS_TOLD = 20
"""of a wrong payload: whoever mends these finds the others of the same kind"""
_ENCODINGS = {"gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}
"""What a body may be packed with, and what zlib calls it."""
_CONTROL = r"^[^\x00-\x1f\x7f-\x9f]*$"

LabelName = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$", max_length=200)]
LabelValue = Annotated[str, StringConstraints(pattern=_CONTROL, max_length=LONGEST_LABEL)]
Labels = Annotated[dict[LabelName, LabelValue], Field(max_length=MOST_LABELS)]


@dataclass(frozen=True, slots=True)
class PayloadProblem:
    """What is wrong at one place: `path` as people write it (`alerts[3].labels`), the sentence's `code` under
    `webhooks.` and what it names."""

    path: str
    code: str
    values: Mapping[str, str | int] = field(default_factory=dict)


class PayloadRefused(Exception):
    """A request that is refused, with the HTTP status that says how."""

    def __init__(self, status: int, problems: Sequence[PayloadProblem]) -> None:
        super().__init__("; ".join(f"{each.path}: {each.code}" for each in problems))
        self.status = status
        self.problems = tuple(problems)


def wrong(path: str, code: str, **values: str | int) -> PayloadRefused:
    """The refusal of a payload that is JSON and not what it should be."""
    return PayloadRefused(422, [PayloadProblem(path, code, values)])


def check_key(request: web.Request, secret: SecretStr) -> None:
    """Raises PayloadRefused(401) unless the request carries the secret: `Authorization: Bearer …`, or as the
    password of basic authentication. Never in the address, which ends up in everybody's logs."""
    if {"token", "secret", "key", "password"} & {name.lower() for name in request.query}:
        raise PayloadRefused(401, [PayloadProblem("", "secret_in_address")])
    shown = _shown(request.headers.get("Authorization", ""))
    if shown is None or not hmac.compare_digest(shown, secret.get_secret_value().encode()):
        raise PayloadRefused(401, [PayloadProblem("", "unauthorized")])


def _shown(header: str) -> bytes | None:
    scheme, _, rest = header.partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip().encode("utf-8", "surrogateescape")
    if scheme.lower() != "basic":
        return None
    try:
        _, colon, password = base64.b64decode(rest.strip(), validate=True).partition(b":")
    except (binascii.Error, ValueError):
        return None
    return password if colon else None


async def read_payload(request: web.Request) -> bytearray:
    """The body of a JSON request. Raises PayloadRefused 413, as soon as that is known, or 415."""
    if request.content_length is not None and request.content_length > LARGEST_PAYLOAD:
        raise _too_large()
    if request.content_type != "application/json" and not request.content_type.endswith("+json"):
        raise PayloadRefused(415, [PayloadProblem("", "media_type", {"text": request.content_type[:80]})])
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("identity", *_ENCODINGS):
        raise PayloadRefused(415, [PayloadProblem("", "encoding", {"text": encoding[:80]})])
    unpack = zlib.decompressobj(_ENCODINGS[encoding]) if encoding in _ENCODINGS else None
    body = bytearray()
    # Not by `request.read()`: that keeps the body as long as the request lives, and has it twice for a while.
    async for chunk in request.content.iter_any():
        try:
            # A byte too much is enough to know: what unpacks to gigabytes is never unpacked.
            body += chunk if unpack is None else unpack.decompress(chunk, LARGEST_PAYLOAD + 1 - len(body))
        except zlib.error:
            raise PayloadRefused(400, [PayloadProblem("", "broken_encoding", {"text": encoding})]) from None
        if len(body) > LARGEST_PAYLOAD:
            raise _too_large()
    if unpack is not None and not unpack.eof:
        raise PayloadRefused(400, [PayloadProblem("", "broken_encoding", {"text": encoding})])
    return body


def read_json(body: bytearray) -> Any:  # noqa: ANN401 - whatever somebody else's JSON holds
    """What the body says, which is empty afterwards: megabytes that are needed no more.

    Raises PayloadRefused 400 for what is no JSON.
    """
    try:
        value = from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise PayloadRefused(400, [PayloadProblem("", "bad_json", {"detail": str(error)[:200]})]) from None
    body.clear()
    return value


async def expect(request: web.Request) -> None:
    """Answer a client that asks before it sends (`Expect: 100-continue`): what is too large need not come."""
    # Without that word it waits, and `read_payload` refuses it with a reason.
    if (request.content_length or 0) <= LARGEST_PAYLOAD and request.transport is not None:
        request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")


def answer(
    body: Mapping[str, object], status: int = 200, headers: Mapping[str, str] | None = None
) -> web.Response:
    """A JSON answer in which people can read Korean."""
    return web.json_response(
        body, status=status, headers=headers, dumps=partial(json.dumps, ensure_ascii=False)
    )


def _too_large() -> PayloadRefused:
    return PayloadRefused(413, [PayloadProblem("", "too_large", {"limit": LARGEST_PAYLOAD // 1024**2})])


def refused(error: ValidationError, at: Sequence[str | int] = ()) -> PayloadRefused:
    """What pydantic refuses, as a refusal of ours. `at`: where in the payload the values were that it looked
    at."""
    details = error.errors(include_url=False, include_input=False)
    return PayloadRefused(422, list(_problems(details[:PROBLEMS_TOLD], at)))


def _problems(details: Sequence[ErrorDetails], at: Sequence[str | int]) -> Iterator[PayloadProblem]:
    for detail in details:
        is_key = detail["loc"][-1:] == ("[key]",)
        path = path_of([*at, *(step for step in detail["loc"] if step != "[key]")])
        context = detail.get("ctx", {})
        match detail["type"]:
            case "missing":
                yield PayloadProblem(path, "missing")
            case "string_pattern_mismatch":
                yield PayloadProblem(path, "label_name" if is_key else "characters")
            case "string_too_long" | "too_long":
                code = "too_many" if detail["type"] == "too_long" else "too_long"
                yield PayloadProblem(path, code, {"limit": int(context["max_length"])})
            case "literal_error":
                yield PayloadProblem(path, "not_one_of", {"known": str(context["expected"])})
            case kind if kind in _CODES:
                yield PayloadProblem(path, _CODES[kind])
            case _:
                yield PayloadProblem(path, "other", {"detail": detail["msg"]})


_CODES = {
    "string_type": "not_text",
    "dict_type": "not_object",
    "model_type": "not_object",
    "model_attributes_type": "not_object",
    "list_type": "not_list",
    "tuple_type": "not_list",
    "datetime_type": "not_time",
    "datetime_parsing": "not_time",
    "datetime_from_date_parsing": "not_time",
    "timezone_aware": "not_time",
    "int_type": "not_integer",
    "int_from_float": "not_integer",
}


def path_of(steps: Sequence[str | int]) -> str:
    """`("alerts", 3, "labels")` as `alerts[3].labels`; odd keys get quotes."""
    text = ""
    for step in steps:
        if isinstance(step, int):
            text += f"[{step}]"
        elif step.replace("_", "").isalnum() and step.isascii() and len(step) <= 80:
            text += f".{step}" if text else step
        else:
            text += f"[{step[:80]!r}]"
    return text


Answer = dict[str, JsonValue]
