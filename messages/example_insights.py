"""Examples of what is found out beside the decisions: causes, forecasts, noise."""

from __future__ import annotations

from dataclasses import replace

from messages.insight_facts import (
    CauseFacts,
    ChangeFacts,
    ContextFacts,
    ForecastFacts,
    InsightFacts,
    NamedAlertFacts,
    NoiseFacts,
    RatingFacts,
    RuleNoiseFacts,
    SuggestionFacts,
)

FORECAST = ForecastFacts(
    metric="disk_usage",
    unit="%",
    bound=95.0,
    level="critical",
    made_at="2025-08-20T05:03:35+00:00",
    reaches_at="2025-08-20T07:13:35+00:00",
    slope=1.84,
    z=9.7,
    points=480,
)
DATABASE = NamedAlertFacts(
    id=11,
    kind="threshold",
    level="critical",
    metric="response_time",
    target="https://db.example.com/health",
    title="",
    service="db",
)
DEPLOYMENT = ChangeFacts(
    id=4,
    at="2025-08-20T04:51:00+00:00",
    kind="deploy",
    service="shop",
    environment="production",
    target="",
    title="v1.8.2",
    url="https://ci.example.com/runs/88",
    by="U024BE7LH",
)
CANARY = replace(
    DEPLOYMENT,
    id=6,
    title="shop v2.4.0",
    url="",
    facts={
        "percent": 25,
        "event": "stage",
        "operation": 21,
        "kind": "deploy",
        "revision": "v2.4.0",
        "previous": "v2.3.1",
    },
)
SETTINGS = replace(
    DEPLOYMENT,
    id=5,
    kind="config",
    service="",
    target="web-1",
    title="",
    url="",
    by="",
    facts={"sections": ["probes", "rules"]},
)
UPSTREAM = CauseFacts(
    kind="dependency",
    at="2025-08-20T05:00:05+00:00",
    upstream=2,
    alert=DATABASE,
    change=None,
    evidence={"path": ["shop", "api", "db"], "minutes": 3},
)
NEIGHBOUR = replace(UPSTREAM, kind="same_resource", upstream=0, evidence={"resource": "web-1", "minutes": 0})
COMPANION = replace(UPSTREAM, kind="together", upstream=0, evidence={"times": 7, "lift": 12.4, "minutes": 1})
DEPLOYED = CauseFacts(
    kind="change", at=DEPLOYMENT.at, upstream=0, alert=None, change=DEPLOYMENT, evidence={"minutes": 12}
)
INSIGHT = InsightFacts(
    context=ContextFacts(
        probable=UPSTREAM,
        causes=(UPSTREAM, DEPLOYED),
        effects=7,
        first_effects=tuple(replace(DATABASE, id=number) for number in range(21, 26)),
    ),
    forecast=FORECAST,
    changes=(DEPLOYMENT,),
)

_MEMORY = RuleNoiseFacts(
    rule="memory_usage",
    unit="%",
    alerts=21,
    pages=34,
    per_day=0.7,
    duration_seconds=252.0,
    acked=9.5,
    unseen=85.0,
    useful=1,
    useless=6,
    accuracy=100 / 7,
    suggestion=SuggestionFacts("bound", 86.0, 80.0, 14, 1),
)
NOISE = NoiseFacts(
    days=30,
    alerts=29,
    pages=41,
    rules=(
        _MEMORY,
        replace(
            _MEMORY,
            rule="Disk <filling> fast",
            unit="",
            alerts=6,
            pages=6,
            per_day=0.2,
            acked=100.0,
            unseen=0.0,
            useful=5,
            useless=0,
            accuracy=100.0,
            suggestion=SuggestionFacts("confirm", 6.0, 3.0, 4, 0),
        ),
        replace(
            _MEMORY,
            rule="no_data",
            unit="%",
            alerts=2,
            pages=1,
            per_day=2 / 30,
            duration_seconds=None,
            unseen=None,
            useful=0,
            useless=0,
            accuracy=None,
            suggestion=None,
        ),
    ),
    useful=6,
    useless=6,
    accuracy=50.0,
    target=85.0,
    forecasts=10,
    forecast_hits=8,
)
QUIET = NoiseFacts(7, 0, 0, (), 0, 0, None, 85.0, 0, 0)

RATED_USEFUL = RatingFacts(12, "memory_usage", "%", True, 2, 6, 25.0, False, None)
RATED_HINT = RatingFacts(12, "memory_usage", "%", False, 1, 5, 100 / 6, True, _MEMORY.suggestion)
RATED_BARE = RatingFacts(12, "DiskFilling", "", False, 0, 5, 0.0, True, None)
