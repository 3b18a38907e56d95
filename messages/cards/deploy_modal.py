"""The form for a deployment: service, environment, revision."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping

from pydantic import JsonValue
from slackblocks import InputBlock

from messages import blocks
from messages.blocks import Draft
from messages.cards.readings import rows
from messages.escape import literal_text
from messages.templates import Words

SERVICE, ENVIRONMENT, CHOICE = "service", "environment", "choice"
"""Names of the fields. That of the choice goes on with service and environment: Slack keeps what was chosen
in a field of the same name, and this one's choices are others for another place."""
PREVIOUS = "-"
"""The choice for the release before, whichever it is."""
_MOST = 100
"""options of a menu"""
_OPTION = 75
"""characters of one"""
_TYPED = 120
_NAME = re.compile(r"[\w.][\w./+-]{0,74}|-")
"""What may be chosen: its value comes back as it is, so one that is not plain has to be typed."""


def layout(words: Words, facts: Mapping[str, JsonValue]) -> Draft:
    """The fields (`DeployFormFacts`)."""
    about = words("about", facts)
    place = json.dumps([facts["service"], facts["environment"]])
    field = f"{CHOICE}:{hashlib.sha256(place.encode()).hexdigest()[:12]}"
    choices = [
        (literal_text(words("choice", each), _OPTION), str(each["value"]))
        for each in rows(facts["choices"])
        if _NAME.fullmatch(str(each["value"]))
    ][:_MOST]
    return Draft(
        about,
        (
            blocks.section("about", about),
            _menu(SERVICE, words("service_label"), facts["services"], facts["service"]),
            _menu(ENVIRONMENT, words("environment_label"), facts["environments"], facts["environment"]),
            blocks.select(field, words("choice_label"), CHOICE, choices)
            if choices
            else blocks.text_field(field, words("choice_label"), CHOICE, words("choice_hint"), _TYPED),
        ),
    )


def _menu(name: str, label: str, known: JsonValue, chosen: JsonValue) -> InputBlock:
    every = known if isinstance(known, list | tuple) else []
    names = [str(each) for each in every if _NAME.fullmatch(str(each))][:_MOST]
    if not names:
        return blocks.text_field(name, label, f"deploy_{name}", label, _TYPED)
    initial = names.index(str(chosen)) if chosen in names else 0
    options = [(each, each) for each in names]
    return blocks.select(name, label, f"deploy_{name}", options, initial, dispatch=True)
