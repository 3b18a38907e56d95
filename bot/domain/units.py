"""Units as people write them in bands, and what they are in the unit a metric is measured in."""

from __future__ import annotations

from dataclasses import dataclass

from probes.base import Unit


@dataclass(frozen=True, slots=True)
class WrittenUnit:
    """A unit in a configuration: which dimension it belongs to and its size in that dimension's base."""

    dimension: str
    factor: float


_SIZES = {
    "": 1.0,
    "k": 1e3,
    "M": 1e6,
    "G": 1e9,
    "T": 1e12,
    "Ki": 2.0**10,
    "Mi": 2.0**20,
    "Gi": 2.0**30,
    "Ti": 2.0**40,
}

_WRITTEN: dict[str, WrittenUnit] = {
    "": WrittenUnit("count", 1),
    "%": WrittenUnit("share", 1),
    "us": WrittenUnit("time", 1e-6),
    "µs": WrittenUnit("time", 1e-6),
    "ms": WrittenUnit("time", 1e-3),
    "s": WrittenUnit("time", 1),
    "sec": WrittenUnit("time", 1),
    "min": WrittenUnit("time", 60),
    "m": WrittenUnit("time", 60),
    "h": WrittenUnit("time", 3600),
    "d": WrittenUnit("time", 86400),
    "rps": WrittenUnit("requests", 1),
    "req/s": WrittenUnit("requests", 1),
    "/s": WrittenUnit("rate", 1),
    "/min": WrittenUnit("rate", 1 / 60),
    **{f"{prefix}B": WrittenUnit("bytes", size) for prefix, size in _SIZES.items()},
    **{f"{prefix}B/s": WrittenUnit("byte rate", size) for prefix, size in _SIZES.items()},
}

_FOLDED = {name.casefold(): unit for name, unit in _WRITTEN.items()}
"""Case tells no two units apart here (there are no bits), so `mib`, `MIB` and `KB` are understood."""

_BASE: dict[Unit, WrittenUnit] = {unit: _WRITTEN[unit.value] for unit in Unit}


def written_unit(text: str) -> WrittenUnit | None:
    """The unit that `text` names, or None if there is none of that name."""
    return _FOLDED.get(text.strip().casefold())


def in_unit(value: float, written: WrittenUnit, unit: Unit) -> float | None:
    """`value`, given in `written`, in `unit`; None if the one can't be turned into the other."""
    base = _BASE[unit]
    if base.dimension != written.dimension:
        return None
    if base.factor == written.factor:
        return value
    if written.factor < base.factor:
        # A division by a whole number keeps 1500 ms at exactly 1.5 s, a multiplication by 0.001 does not.
        return value / (base.factor / written.factor)
    return value * (written.factor / base.factor)


def measured_in(written: WrittenUnit, text: str) -> Unit:
    """The unit to measure in when nothing but a band's text (`"500 MiB"`) says which."""
    if written.dimension == "time":
        return Unit.MILLISECONDS if text.strip().casefold() in ("ms", "us", "µs") else Unit.SECONDS
    return next(unit for unit, base in _BASE.items() if base.dimension == written.dimension)
