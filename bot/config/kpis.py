"""Which bands and which rule a metric of a target has: the configuration's, else the defaults."""

from __future__ import annotations

from collections.abc import Mapping

from bot.config.metrics import DEFAULT_KPIS, DEFAULT_MARGINS, UNITS
from bot.config.settings import Settings
from bot.config.watching import BandTexts, RuleSettings
from bot.domain.alerts.model import Rule
from bot.domain.band_notation import parse_bands
from bot.domain.bands import Bands
from probes.base import Layer

DEFAULT_RULE = "default"
"""The key in `rules` that holds for all metrics."""


def texts_of(bands: BandTexts) -> dict[str, str]:
    """The band texts by key, without those left out."""
    return bands.model_dump(exclude_none=True, exclude={"targets"})


class RuleBook:
    """Finds the rule for a reading. Made once from valid settings; safe to share."""

    def __init__(self, settings: Settings) -> None:
        """Raises `bot.domain.band_notation.BandsInvalid` for settings that `bot.config.load` would refuse."""
        self._host = settings.name
        self._rules = settings.rules
        self._bands: dict[str, Bands | None] = {
            metric: parse_bands(texts, UNITS[metric]) for metric, texts in DEFAULT_KPIS.items()
        }
        self._target_bands: dict[tuple[str, str], Bands | None] = {}
        for section in (settings.infrastructure_kpis, settings.application_kpis, settings.kpis):
            for metric, kpi in section.items():
                self._bands[metric] = _parse(metric, kpi)
                for target, texts in (kpi.targets if kpi is not None else {}).items():
                    self._target_bands[metric, target] = _parse(metric, texts)
        self._known: dict[tuple[str, int, Layer], Rule] = {}

    @property
    def bands(self) -> Mapping[str, Bands | None]:
        """The bands of every metric that has a say in the matter, single targets aside."""
        return self._bands

    def bands_for(self, metric: str, target: str) -> Bands | None:
        """The bands of that metric on that target; None: no value of it is bad.

        A target of the configuration is meant by its whole name (`web-1:/data`) or by the part behind this
        host's name (`/data`).
        """
        for name in (target, target.removeprefix(f"{self._host}:")):
            if (metric, name) in self._target_bands:
                return self._target_bands[metric, name]
        return self._bands.get(metric)

    def rule_for(self, metric: str, target: str, layer: Layer) -> Rule:
        """How readings of that metric on that target are judged."""
        # Reported alerts bring new targets for ever; most share the bands of their metric.
        bands = self.bands_for(metric, target)
        key = (metric, id(bands), layer)
        rule = self._known.get(key)
        if rule is None:
            rule = self._known[key] = self._make(metric, bands, layer)
        return rule

    def _make(self, metric: str, bands: Bands | None, layer: Layer) -> Rule:
        own = self._rules.get(metric, RuleSettings())
        general = self._rules.get(DEFAULT_RULE, RuleSettings())
        chosen = general.model_dump(exclude_none=True) | own.model_dump(exclude_none=True)
        if "margin" not in chosen:
            fitting = bands.default_margin() if bands is not None else 0.0
            chosen["margin"] = DEFAULT_MARGINS.get(metric, fitting)
        names = {"reopen": "reopen_within", "repeat": "repeat_window"}
        values = {names.get(name, name): value for name, value in chosen.items()}
        return Rule(metric=metric, layer=layer, bands=bands, **values)


def _parse(metric: str, texts: BandTexts | None) -> Bands | None:
    return None if texts is None else parse_bands(texts_of(texts), UNITS.get(metric))
