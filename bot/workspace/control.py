"""`/faults`: ordering faults over HTTP."""

from __future__ import annotations

from typing import Annotated, Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from bot.workspace.core import Workspace
from bot.workspace.errors import SlackError
from bot.workspace.faults import FaultKind
from bot.workspace.journal import as_json
from bot.workspace.model import JsonObject


class _Order(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CallOrder(_Order):
    """Let calls of a method fail: the next `times`, or all for `seconds`."""

    do: Literal["call"]
    method: str = "*"
    kind: FaultKind
    times: int | None = Field(default=None, ge=1)
    seconds: float | None = Field(default=None, gt=0)
    error: str = "internal_error"
    status: int = Field(default=500, ge=400, le=599)
    retry_after: int = Field(default=1, ge=0)


class SocketOrder(_Order):
    """Cut all sockets, or send `disconnect`; `refresh` warns first and asks ten seconds later."""

    do: Literal["drop_sockets", "refresh"]


class DisconnectOrder(_Order):
    """Send `disconnect` with a reason."""

    do: Literal["disconnect"]
    reason: Literal["warning", "refresh_requested", "link_disabled"] = "refresh_requested"


class DuplicateOrder(_Order):
    """Send the next envelopes twice."""

    do: Literal["duplicate"]
    envelopes: int = Field(default=1, ge=1)


class ChannelOrder(_Order):
    """Archive a channel or take the bot out, or undo it; `channel` is an id or a name."""

    do: Literal["archive", "unarchive", "remove_bot", "invite_bot"]
    channel: str


class MessageOrder(_Order):
    """Delete a message."""

    do: Literal["delete_message"]
    channel: str
    ts: str


class TokenOrder(_Order):
    """Revoke a token, or make it valid again."""

    do: Literal["revoke", "unrevoke"]
    which: Literal["bot", "app"] = "bot"


class AwayOrder(_Order):
    """Take no connections for some seconds."""

    do: Literal["away"]
    seconds: float = Field(gt=0)


Order = Annotated[
    CallOrder
    | SocketOrder
    | DisconnectOrder
    | DuplicateOrder
    | ChannelOrder
    | MessageOrder
    | TokenOrder
    | AwayOrder,
    Field(discriminator="do"),
]
_ORDER: TypeAdapter[Order] = TypeAdapter(Order)


def _sentence(problem: ErrorDetails) -> str:
    """What is wrong, behind its place unless that is the whole order."""
    place = "/".join(map(str, problem["loc"]))
    return f"{place}: {problem['msg']}" if place else problem["msg"]


class Control:
    """The routes of `/faults`."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._faults = workspace.faults

    def add_routes(self, app: web.Application) -> None:
        """Mount them."""
        app.router.add_get("/faults", self.show)
        app.router.add_post("/faults", self.order)
        app.router.add_delete("/faults", self.clear)

    async def show(self, request: web.Request) -> web.Response:
        """What still stands."""
        return self._answer()

    async def order(self, request: web.Request) -> web.Response:
        """Give an order; 400 with the reason when it isn't one."""
        try:
            order = _ORDER.validate_json(await request.read())
            await self._do(order)
        except ValidationError as error:
            problems = "; ".join(_sentence(problem) for problem in error.errors(include_url=False))
            return web.json_response({"ok": False, "error": problems}, status=400)
        except SlackError as error:
            return web.json_response({"ok": False, "error": error.code}, status=400)
        return self._answer()

    async def clear(self, request: web.Request) -> web.Response:
        """End all faults."""
        await self._faults.clear()
        return self._answer()

    def _answer(self) -> web.Response:
        orders: list[JsonObject] = [
            {"method": order.method, "kind": order.kind.value, "times": order.times}
            for order in self._faults.orders
        ]
        return web.Response(text=as_json({"ok": True, "orders": orders}), content_type="application/json")

    async def _do(self, order: Order) -> None:
        faults = self._faults
        match order:
            case CallOrder():
                faults.add(**order.model_dump(exclude={"do"}))
            case SocketOrder(do="drop_sockets"):
                faults.drop_sockets()
            case SocketOrder():
                faults.refresh()
            case DisconnectOrder():
                await faults.disconnect(order.reason)
            case DuplicateOrder():
                faults.duplicate(order.envelopes)
            case ChannelOrder(do="archive" | "unarchive"):
                faults.archive(order.channel, order.do == "archive")
            case ChannelOrder(do="remove_bot"):
                faults.remove_bot(order.channel)
            case ChannelOrder():
                faults.invite_bot(order.channel)
            case MessageOrder():
                faults.delete_message(order.channel, order.ts)
            case TokenOrder():
                faults.revoke(order.which, order.do == "revoke")
            case AwayOrder():
                # in the background, so that this answer still gets out
                self._workspace.delivery.start(faults.away(order.seconds))
