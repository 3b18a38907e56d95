"""The form for a deployment: service, environment, revision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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


def layout(words: Words, facts: Mapping[str, JsonValue]) -> Draft:
    """The fields (`DeployFormFacts`)."""
    about = words("about", facts)
    service, environment = str(facts["service"]), str(facts["environment"])
    field = f"{CHOICE}:{service}:{environment}"[:250]
    choices = [
        (literal_text(words("choice", each), _OPTION), str(each["value"]))
        for each in rows(facts["choices"])
        if len(str(each["value"])) <= _OPTION
    ][:_MOST]
    if choices:
        last = blocks.select(field, words("choice_label"), CHOICE, choices)
    else:
        last = blocks.text_field(field, words("choice_label"), CHOICE, words("choice_hint"), _TYPED)
    return Draft(
        about,
        (
            blocks.section("about", about),
            _menu(SERVICE, words("service_label"), facts["services"], service),
            _menu(ENVIRONMENT, words("environment_label"), facts["environments"], environment),
            last,
        ),
    )


def _menu(name: str, label: str, known: JsonValue, chosen: str) -> InputBlock:
    names = [str(each) for each in known if len(str(each)) <= _OPTION] if isinstance(known, Sequence) else []
    names = names[:_MOST]
    options = [(literal_text(each, _OPTION), each) for each in names]
    initial = names.index(chosen) if chosen in names else 0
    return blocks.select(name, label, f"deploy_{name}", options, initial, dispatch=True)
