"""The last while of a run in some forty points, for a chart the height of a line."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from bot.domain.deploy.evidence import News
from bot.domain.deploy.measures import Counted, Latencies
from bot.domain.deploy.thresholds import Rules

POINTS = 40


@dataclass(frozen=True, slots=True)
class Point:
    """A few seconds of both colours. `Counted.rate` is the error rate; the 95th percentiles are
    milliseconds, None where nothing was measured."""

    began_at: float
    green: Counted
    blue: Counted
    green_p95: float | None
    blue_p95: float | None


@dataclass(frozen=True, slots=True)
class Chart:
    """The points so far; the last one may still grow."""

    points: tuple[Point, ...] = ()
    green_took: Latencies = field(default_factory=Latencies)
    """of the last point"""
    blue_took: Latencies = field(default_factory=Latencies)

    def after(self, news: News, rules: Rules, now: float) -> Chart:
        """With a look more: a point is a fortieth of the dwell, a second at least."""
        width = max(rules.dwell / POINTS, 1.0)
        if not self.points or now - self.points[-1].began_at >= width:
            last, kept = Point(now, Counted(), Counted(), None, None), self.points[-(POINTS - 1) :]
            green_took, blue_took = news.green_took, news.blue_took
        else:
            last, kept = self.points[-1], self.points[:-1]
            green_took, blue_took = self.green_took.plus(news.green_took), self.blue_took.plus(news.blue_took)
        last = replace(
            last,
            green=last.green + news.green,
            blue=last.blue + news.blue,
            green_p95=green_took.quantile(0.95),
            blue_p95=blue_took.quantile(0.95),
        )
        return Chart((*kept, last), green_took, blue_took)
