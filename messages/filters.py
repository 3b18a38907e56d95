"""The Jinja filters of the templates: values in, words out, in one language.

A filter that returns `Ready` has escaped what it was given; all else is escaped when it is printed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from zoneinfo import ZoneInfo

import jinja2
from jinja2 import Environment
from pydantic import JsonValue

from messages import formats
from messages.catalog import Catalog
from messages.escape import Ready, clean, code_text, mention_text, printable, truncate, user_text

MACHINE_WIDE = frozenset(
    {"cpu_usage", "memory_usage", "swap_usage", "load_average", "process_count", "zombie_count"}
)
"""Metrics of the machine as a whole: a sentence about them needs no target."""
_SENTENCE = re.compile(r"\s.*\w[.!?](\s|$)", re.DOTALL)


def plural(count: int, one: str, many: str) -> str:
    """The count with its English noun: `{{ 3 | plural("alert", "alerts") }}` → 3 alerts."""
    return f"{formats.plain_number(count)} {one if count == 1 else many}"


class Filters:
    """The filters of one language and time zone; without `slack` they write no mentions and no code spans."""

    def __init__(
        self, environment: Environment, catalog: Catalog, timezone: ZoneInfo, *, slack: bool
    ) -> None:
        self._environment = environment
        self._catalog = catalog
        self._timezone = timezone
        self._slack = slack
        self._compiled: dict[str, jinja2.Template] = {}
        """phrases by key: the card of a deployment says dozens of them, and is drawn anew every second"""

    def all(self) -> dict[str, Callable[..., object]]:
        """Every filter by the name that templates use."""
        return {
            "amount": self.amount,
            "between": self.between,
            "band": self.band,
            "brief": self.brief,
            "clock": self.clock,
            "code": self.code,
            "duration": self.duration,
            "fact": self.fact,
            "milliseconds": self.milliseconds,
            "moment": self.moment,
            "number": formats.plain_number,
            "plural": plural,
            "reason": self.reason,
            "recipient": self.recipient,
            "recipient_name": self.recipient_name,
            "sentence": self.sentence,
            "spark": formats.spark,
            "term": self.term,
            "user": self.user,
            "value": self.value,
        }

    def term(self, name: str, group: str) -> str:
        """What a code is called: `{{ "cpu_usage" | term("metric") }}` → CPU 사용률."""
        return self._catalog.term(group, name)

    def value(self, thing: Mapping[str, JsonValue], name: str = "value") -> str:
        """The value of a reading or an alert with its unit; `name` may be peak or value_at_firing."""
        value, unit, metric = thing[name], thing["unit"], thing["metric"]
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise TypeError(f"{name} of {metric} is not a number")
        return self.amount(value, str(unit), str(metric))

    def amount(self, value: float, unit: str = "", metric: str = "") -> str:
        """A number with its unit (`probes.base.Unit`), as `messages.formats` describes."""
        if metric == "reachable":
            return self.term("yes" if value else "no", "reachable")
        if unit == "%":
            return formats.percent(value)
        if unit == "ms":
            return self.milliseconds(value)
        if unit == "s":
            return self.duration(value)
        if unit == "B":
            return formats.size(value)
        if unit == "B/s":
            return formats.size(value) + "/s"
        if unit == "/s":
            return formats.plain_number(value) + "/s"
        return f"{formats.plain_number(value)} {unit}" if unit else formats.plain_number(value)

    def milliseconds(self, value: float) -> str:
        """1234.5 → `1,235ms`; from ten seconds on `12.3초`, from two minutes on a duration."""
        if abs(value) < 10_000 or not math.isfinite(value):
            return formats.decimal(value, 1 if abs(value) < 10 else 0) + "ms"
        return self.duration(value / 1000)

    def duration(self, seconds: float) -> str:
        """192 → `3분 12초` or `3m 12s`; below a minute one decimal at most."""
        if not math.isfinite(seconds):
            return formats.decimal(seconds, 0)
        if seconds < 0:
            return self.duration(0)
        if 0 < seconds < 1:
            return f"{max(1, round(seconds * 1000))}ms"
        if seconds < 59.95:
            return formats.decimal(seconds, 1) + self.term("second", "duration")
        parts = formats.duration_parts(seconds)
        return " ".join(f"{count:,}{self.term(unit, 'duration')}" for count, unit in parts)

    def between(self, start: str, end: str) -> str:
        """How long from one moment to the other."""
        return self.duration((formats.parse_moment(end) - formats.parse_moment(start)).total_seconds())

    def clock(self, moment: str) -> str:
        """The moment in the configured time zone, as text."""
        return formats.local_time(formats.parse_moment(moment), self._timezone)

    def moment(self, moment: str) -> str:
        """The moment in each reader's own time zone; readers without Slack's help see the configured one."""
        if not self._slack:
            return self.clock(moment)
        at = formats.parse_moment(moment)
        fallback = formats.local_time(at, self._timezone)
        return Ready(f"<!date^{int(at.timestamp())}^{{date_num}} {{time_secs}}|{fallback}>")

    def fact(self, text: str) -> str:
        """A fact of a reading or a report: a moment as one, a sentence as it is, all else as a code span."""
        try:
            return self.moment(text)
        except (ValueError, OverflowError):  # no moment, or one that no clock shows
            return self.brief(text, 200) if _SENTENCE.search(text) else self.code(text, 200)

    def user(self, user: str) -> str:
        """A mention of that Slack user."""
        return user_text(user) if self._slack else clean(user)

    def recipient(self, recipient: Mapping[str, JsonValue]) -> str:
        """Calls whoever is paged: a person, a user group, everybody active in a channel. Outside Slack, where
        an id tells nobody anything, their name."""
        if not self._slack:
            return self.recipient_name(recipient)
        return mention_text(str(recipient["kind"]), str(recipient["id"]))

    def recipient_name(self, recipient: Mapping[str, JsonValue]) -> str:
        """The name of whoever is paged, without calling anybody."""
        name = str(recipient["name"] or recipient["id"])
        prefix = {"channel": "#", "apprise": "apprise:"}.get(str(recipient["kind"]), "")
        return self.code(prefix + name.removeprefix(prefix), 60)

    def code(self, value: object, limit: int = 120) -> str:
        """The value as a code span."""
        return code_text(value, limit) if self._slack else truncate(clean(printable(value)), limit)

    def reason(self, code: str, values: Mapping[str, JsonValue]) -> str:
        """The sentence of a decision's reason; a code that has none comes back itself.

        A number among the values is written with the `unit` beside it.
        """
        sentence = self._catalog.find(f"reasons.{code}")
        if sentence is None:
            return code
        told: dict[str, object] = {name: value for name, value in values.items() if value is not None}
        value = told.get("value")
        if isinstance(value, int | float):
            told["value"] = self.amount(value, str(told.get("unit", "")))
        return self._rendered(f"reasons.{code}", sentence, told)

    def sentence(self, key: str, values: Mapping[str, object]) -> str:
        """The phrase of that key with those values in it; a key that has none comes back itself."""
        source = self._catalog.find(key)
        return key if source is None else self._rendered(key, source, values)

    def _rendered(self, key: str, source: str, values: Mapping[str, object]) -> Ready:
        template = self._compiled.get(key)
        if template is None:
            template = self._compiled[key] = self._environment.from_string(source)
        return Ready(template.render(values))

    def band(self, text: object) -> str:
        """A band as the configuration writes it, never broken over two lines: `<` alone says nothing."""
        return self.brief(text, 40).replace(" ", "\u00a0")

    def brief(self, value: object, limit: int = 60) -> str:
        """At most that many characters of the value."""
        return truncate(clean(printable(value)), limit)
