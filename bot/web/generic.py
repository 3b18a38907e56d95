"""A webhook of any system that posts JSON: the configuration's templates say what is what."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import datetime

from pydantic import JsonValue, TypeAdapter, ValidationError

from bot.domain.alerts.model import Condition, Reported, Subject
from bot.domain.levels import Level
from bot.engine.payload_faults import TemplateFault
from bot.engine.payload_templates import MappingTexts, PayloadTemplate, shortened, truth_of
from bot.engine.reports import Report
from bot.web.alertmanager import FACT_LIMIT, TITLE_LIMIT, one_line
from bot.web.payloads import LONGEST_LABEL, Labels, PayloadProblem, PayloadRefused, read_json, refused, wrong
from bot.web.severities import Severities
from probes.base import Layer

MOST_EVENTS = 10_000
PATIENCE_SECONDS = 2.0
"""for all templates of one payload"""
_TITLE_TEXT = 10_000
_LABELS = TypeAdapter(Labels)
_LAYERS = {layer.value: layer for layer in Layer}


class Mapped:
    """One source: its name and its templates, compiled."""

    def __init__(self, name: str, texts: MappingTexts, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` gives seconds. Raises TemplateFault, which checking the configuration has done before."""
        self.name = name
        self._clock = clock
        self._each = None if texts.each is None else PayloadTemplate(texts.each)
        single = {"key": texts.key, "title": texts.title, "firing": texts.firing, "target": texts.target,
                  "level": texts.level, "metric": texts.metric}  # fmt: skip
        self._single = {field: PayloadTemplate(text) for field, text in single.items() if text is not None}
        self._labels = {label: PayloadTemplate(text) for label, text in texts.labels.items()}
        self._facts = {fact: PayloadTemplate(text) for fact, text in texts.facts.items()}

    def reports(
        self, body: bytearray, severities: Severities, environment: str, now: datetime
    ) -> list[Report]:
        """A report for each event in the body. Raises PayloadRefused: 400 for what is no JSON, 422 with the
        event and the field for what the mapping doesn't fit."""
        payload: JsonValue = shortened(read_json(body))
        end = self._clock() + PATIENCE_SECONDS
        found: list[Report] = []
        for index, event in enumerate(self._events(payload)):
            if self._clock() > end:
                raise wrong("", "too_slow", limit=int(PATIENCE_SECONDS))
            where = "" if self._each is None else f"event {index}: "
            found.append(
                self._report(where, {"payload": payload, "event": event}, severities, environment, now)
            )
        return found

    def _events(self, payload: JsonValue) -> list[JsonValue]:
        if self._each is None:
            return [payload]
        try:
            events = self._each.value({"payload": payload, "event": None})
        except TemplateFault as fault:
            raise wrong("each", "template", detail=fault.detail) from None
        if not isinstance(events, list):
            raise wrong("each", "not_list")
        if len(events) > MOST_EVENTS:
            raise wrong("each", "too_many", limit=MOST_EVENTS)
        return events

    def _report(
        self,
        where: str,
        names: Mapping[str, JsonValue],
        severities: Severities,
        environment: str,
        now: datetime,
    ) -> Report:
        def text(name: str, template: PayloadTemplate, limit: int) -> str:
            try:
                return template.text(names, limit)
            except TemplateFault as fault:
                raise wrong(f"{where}{name}", "template", detail=fault.detail) from None

        single = self._single
        labels = self._own_labels(
            f"{where}labels.",
            {name: text(f"labels.{name}", each, LONGEST_LABEL) for name, each in self._labels.items()},
        )
        facts = {
            name: one_line(text(f"facts.{name}", template, _TITLE_TEXT), FACT_LIMIT)
            for name, template in self._facts.items()
        }
        level = Level.WARNING
        if "level" in single:
            word = text("level", single["level"], 100)
            known = severities.level(word)
            if known is None:
                facts["unknown_severity"] = word
            else:
                level = known
        identity = {
            "key": text("key", single["key"], LONGEST_LABEL),
            "target": text("target", single["target"], LONGEST_LABEL),
            "metric": text("metric", single["metric"], 200) if "metric" in single else self.name,
        }
        self._own_labels(where, identity)
        subject = Subject(
            environment=labels.get("environment") or environment,
            source=f"{self.name}:{identity['key']}",
            metric=identity["metric"],
            target=identity["target"],
            condition=Condition.REPORTED,
        )
        event = Reported(
            firing=self._firing(where, names),
            level=level,
            at=now,
            title=one_line(text("title", single["title"], _TITLE_TEXT), TITLE_LIMIT),
            facts=facts,
        )
        return Report(subject, labels, event, _LAYERS.get(labels.get("layer", ""), Layer.APPLICATION))

    def _firing(self, where: str, names: Mapping[str, JsonValue]) -> bool:
        try:
            value = self._single["firing"].value(names)
        except TemplateFault as fault:
            raise wrong(f"{where}firing", "template", detail=fault.detail) from None
        firing = truth_of(value)
        if firing is None:
            raise wrong(f"{where}firing", "not_bool")
        return firing

    def _own_labels(self, prefix: str, labels: dict[str, str]) -> dict[str, str]:
        try:
            return _LABELS.validate_python(labels)
        except ValidationError as error:
            problems = refused(error).problems
            raise PayloadRefused(
                422, [PayloadProblem(f"{prefix}{each.path}", each.code, each.values) for each in problems]
            ) from None
