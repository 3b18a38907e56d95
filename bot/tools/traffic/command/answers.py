"""What the commands answer: JSON, believed only when it is exactly what configuration.py says."""

from __future__ import annotations

from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.domain.deploy.slots import Slot
from bot.tools.traffic.contract import TrafficFailed

_Count = Annotated[int, Field(ge=0)]


class _Answer(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class _Share(_Answer):
    b: Annotated[int, Field(ge=0, le=100)]


class _Cut(_Answer):
    cut: _Count


class Durations(_Answer):
    """So many requests that took no longer than that, and longer than the entry before."""

    up_to_ms: Annotated[float, Field(ge=0, strict=False)]
    count: _Count


class SlotMetrics(_Answer):
    """What a slot has carried since its epoch began."""

    requests: _Count
    errors: _Count
    epoch: Annotated[str, Field(max_length=200)]
    in_flight: _Count | None = None
    durations: tuple[Durations, ...] | None = Field(default=None, max_length=10_000, strict=False)


class Metrics(_Answer):
    """Both slots at one moment."""

    a: SlotMetrics
    b: SlotMetrics

    def of(self, slot: Slot) -> SlotMetrics:
        """One of them."""
        return self.b if slot is Slot.B else self.a


_Model = TypeVar("_Model", bound=_Answer)


def read_share(text: str) -> int:
    """The share of slot b. Raises TrafficFailed(traffic_unreadable), as the others do."""
    return _read(_Share, text).b


def read_metrics(text: str) -> Metrics:
    """What both slots have carried."""
    return _read(Metrics, text)


def read_cut(text: str) -> int:
    """How many requests were cut off."""
    return _read(_Cut, text).cut


def _read(model: type[_Model], text: str) -> _Model:
    try:
        return model.model_validate_json(text)
    except ValidationError as invalid:
        first = invalid.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise TrafficFailed("traffic_unreadable", f"{where}: {first['msg']}".removeprefix(": ")) from None
