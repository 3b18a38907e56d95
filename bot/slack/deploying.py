"""Deployments and rollbacks in words: what somebody typed, read against what there is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pydantic import JsonValue

from bot.engine.deploy.choices import DeployChoices

DEPLOY, ROLLBACK = "deploy", "rollback"
_RELEASE = {DEPLOY: "revision", ROLLBACK: "release"}
"""what the request for each calls its release"""
_TO = frozenset({"to", "in", "on", "→", "->", "에", "로", "으로", "에서"})
"""words that only say that a place follows, or went before"""
_PARTICLES = ("에서", "으로", "에", "로")
_CALLED = {
    "프로덕션": "production",
    "운영": "production",
    "prod": "production",
    "스테이징": "staging",
    "stage": "staging",
    "개발": "development",
    "dev": "development",
    "테스트": "test",
}
"""what people call environments; counts only where there is one of that name"""
_LONGEST = 120
_HELP = frozenset({"help", "--help", "-h", "?", "도움말", "도움"})


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants. What is empty was not said."""

    service: str = ""
    release: str = ""
    environment: str = ""

    def as_request(self, operation: str) -> dict[str, JsonValue]:
        """The request for that operation."""
        release = _RELEASE[operation]
        said = {"service": self.service, release: self.release, "environment": self.environment}
        return {name: value for name, value in said.items() if value}


def wants_help(words: tuple[str, ...], choices: DeployChoices) -> bool:
    """Whether somebody asks how it is typed; a service of that name goes before."""
    return len(words) == 1 and words[0].casefold() in _HELP and words[0] not in choices.services()


def read_deploy(words: Iterable[str], choices: DeployChoices) -> Wanted | None:
    """`SERVICE REVISION [to ENVIRONMENT]`; None for more words than that."""
    said = _cut(words)
    if len(said) > 3:
        return None
    service, revision, environment = (*said, "", "", "")[:3]
    service = _known(service, choices.services())
    return Wanted(service, revision, _environment(environment, choices.environments(service)))


def read_rollback(words: Iterable[str], choices: DeployChoices) -> Wanted | None:
    """`SERVICE [RELEASE] [in ENVIRONMENT]`; None for more words than that. A second word that is an
    environment is one, and no release."""
    said = _cut(words)
    if len(said) > 3:
        return None
    service, second, third = (*said, "", "", "")[:3]
    service = _known(service, choices.services())
    known = choices.environments(service)
    place = _environment(second, known)
    if not third and place in known:
        return Wanted(service, "", place)
    return Wanted(service, second, _environment(third, known))


def _cut(words: Iterable[str]) -> list[str]:
    return [word[:_LONGEST] for word in words if word.casefold() not in _TO]


def _known(typed: str, known: Iterable[str]) -> str:
    """The name as it is written, whatever the case it was typed in; else what was typed, which whoever makes
    the plan refuses with what there is."""
    return next((name for name in known if name.casefold() == typed.casefold()), typed)


def _environment(typed: str, known: tuple[str, ...]) -> str:
    for said in (typed, *(typed.removesuffix(each) for each in _PARTICLES if typed.endswith(each))):
        for name in (said, _CALLED.get(said.casefold(), "")):
            found = _known(name, known)
            if name and found in known:
                return found
    return typed
