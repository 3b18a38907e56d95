"""The configuration's JSON Schema, for editors that complete and check guardian.yaml."""

from __future__ import annotations

from pydantic import JsonValue

from bot.config.metrics import UNITS
from bot.config.settings import Settings


def json_schema() -> dict[str, JsonValue]:
    """A JSON Schema (2020-12) of guardian.yaml. It checks shapes; `guardian check` also checks sense."""
    schema: dict[str, JsonValue] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Settings.model_json_schema(),
        "title": "guardian.yaml",
    }
    properties = schema["properties"]
    for section in ("infrastructure_kpis", "application_kpis"):
        kpis = properties[section] if isinstance(properties, dict) else None
        if isinstance(kpis, dict):
            kpis["propertyNames"] = {"enum": list(UNITS)}
    return schema
