"""`probes 점검`: every probe and what it read last, or one of them in full."""

from __future__ import annotations

import difflib

from bot.slack.command import Answer, Asked, Command
from messages.answer_facts import NotFoundFacts
from messages.facts import ProbeListFacts


async def _answer(asked: Asked) -> Answer:
    probes = asked.guardian.probes()
    if not asked.arguments:
        return Answer("probes", ProbeListFacts(probes=probes))
    wanted = " ".join(asked.arguments)
    found = [
        probe for probe in probes if wanted.casefold() in (probe.name.casefold(), probe.target.casefold())
    ]
    if len(found) == 1:
        return Answer("probe", found[0])
    if found:
        return Answer("probes", ProbeListFacts(probes=tuple(found)))
    known = list(dict.fromkeys(name for probe in probes for name in (probe.name, probe.target)))
    nearest = difflib.get_close_matches(wanted, known, n=3, cutoff=0.4)
    rest = [name for name in dict.fromkeys(probe.name for probe in probes) if name not in nearest]
    return Answer("not_found", NotFoundFacts(kind="probe", name=wanted, known=(*nearest, *rest)))


COMMAND = Command(name="probes", korean="점검", arguments="[NAME]", order=2, answer=_answer)
