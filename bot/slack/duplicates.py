"""Slack delivers again what it thinks we missed; each delivery counts once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping

from slack_bolt.middleware.async_middleware import AsyncMiddleware
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

_REMEMBERED = 10_000


class OnlyOnce(AsyncMiddleware):
    """Bolt middleware: acknowledges a delivery that was seen before and lets nobody work on it again.

    It is of Bolt's own kind, because for a plain function Bolt would gather thirty arguments a call.
    Events are known by `event_id`; commands and clicks by `trigger_id`, which Slack gives out once.
    """

    def __init__(self) -> None:
        self._seen: OrderedDict[str, None] = OrderedDict()

    async def async_process(
        self, *, req: AsyncBoltRequest, resp: BoltResponse, next: Callable[[], Awaitable[BoltResponse]]
    ) -> BoltResponse:
        """Pass a new delivery on; answer 200 to an old one."""
        key = _key(req.body)
        if key is not None:
            if key in self._seen:
                return BoltResponse(status=200, body="")
            self._seen[key] = None
            if len(self._seen) > _REMEMBERED:
                self._seen.popitem(last=False)
        return await next()


def _key(body: Mapping[str, object]) -> str | None:
    for name in ("event_id", "trigger_id"):
        value = body.get(name)
        if isinstance(value, str) and value:
            return value
    return None
