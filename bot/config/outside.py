"""Secrets for all that is not Slack: the webhooks' door, the watchdog's address, Apprise's addresses, what
opens backups and what releases are given."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from pydantic import SecretStr, TypeAdapter, ValidationError

from bot.config.backup import BackupSecrets
from bot.config.deploy_secrets import Found, release_secrets
from bot.config.problems import ConfigProblem, ConfigurationInvalid
from bot.config.secrets import read_secret
from bot.config.settings import Settings
from bot.config.values import HttpUrl

WEBHOOK_SECRET = "GUARDIAN_WEBHOOK_SECRET"  # noqa: S105 - the variable's name
WATCHDOG_URL = "GUARDIAN_WATCHDOG_URL"
SHORTEST_SECRET = 8
_URL: TypeAdapter[str] = TypeAdapter(HttpUrl)


@dataclass(frozen=True, slots=True)
class OutsideSecrets:
    """What the environment holds for them. None where nothing of the kind is configured."""

    webhook: SecretStr | None = None
    sources: Mapping[str, SecretStr] = field(default_factory=dict)
    """of the sources with a secret of their own"""
    watchdog_url: SecretStr | None = None
    """the address that applies, from the environment or the file"""
    apprise: Mapping[str, SecretStr] = field(default_factory=dict)
    backup: BackupSecrets | None = None
    """what opens the repositories"""
    releases: Found = field(default_factory=dict)
    """what releases are given, by service and environment"""

    def all(self) -> Iterator[SecretStr]:
        """Every secret there is, for the logs to mask."""
        yield from (each for each in (self.webhook, self.watchdog_url) if each is not None)
        yield from self.sources.values()
        yield from self.apprise.values()
        yield from () if self.backup is None else self.backup.all()
        yield from (secret for given in self.releases.values() for secret in given.values())

    @classmethod
    def from_environment(cls, settings: Settings, environment: Mapping[str, str]) -> OutsideSecrets:
        """Everything that these settings need.

        Raises ConfigurationInvalid with all that is missing (`variable_missing`), unreadable or wrong.
        """
        reader = _Reader(environment)
        shared = settings.webhooks is not None or bool(settings.heartbeats)
        webhook = reader.secret(WEBHOOK_SECRET, WEBHOOK_SECRET) if shared else None
        own = settings.webhooks.sources if settings.webhooks is not None else {}
        sources = {
            name: reader.secret(f"webhooks.sources.{name}.variable", source.variable)
            for name, source in own.items()
            if source.variable is not None
        }
        apprise = {
            name: reader.read(f"second_way.apprise.{name}.variable", target.variable)
            for name, target in settings.second_way.apprise.items()
        }
        watchdog_url = reader.url(WATCHDOG_URL)
        if watchdog_url is None and settings.watchdog.url is not None:
            watchdog_url = SecretStr(settings.watchdog.url)
        backup: BackupSecrets | None = None
        if settings.backup is not None:
            try:
                backup = BackupSecrets.from_environment(settings.backup, environment)
            except ConfigurationInvalid as invalid:
                reader.problems += invalid.problems
        releases: Found = {}
        try:
            releases = release_secrets(settings.deploy, environment)
        except ConfigurationInvalid as invalid:
            reader.problems += invalid.problems
        if reader.problems:
            raise ConfigurationInvalid(reader.problems)
        return cls(webhook, _present(sources), watchdog_url, _present(apprise), backup, releases)


def missing_variables(problems: Iterable[ConfigProblem]) -> tuple[str, ...]:
    """The names of variables that are not set."""
    names = (str(each.values["variable"]) for each in problems if each.code == "variable_missing")
    return tuple(dict.fromkeys(names))


def _present(secrets: Mapping[str, SecretStr | None]) -> dict[str, SecretStr]:
    return {name: secret for name, secret in secrets.items() if secret is not None}


class _Reader:
    """Reads variables and keeps what is wrong with them."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.problems: list[ConfigProblem] = []

    def read(self, path: str, variable: str, *, needed: bool = True) -> SecretStr | None:
        """The value of a variable, or of the file that it names with _FILE behind."""
        try:
            value = read_secret(self._environment, variable)
        except ConfigurationInvalid as invalid:
            self.problems += invalid.problems
            return None
        if value is None and needed:
            self._problem(path, "variable_missing", variable=variable)
        return value

    def secret(self, path: str, variable: str) -> SecretStr | None:
        """A secret that others show at our door: nobody may guess it."""
        value = self.read(path, variable)
        if value is not None and len(value.get_secret_value()) < SHORTEST_SECRET:
            self._problem(path, "secret_short", name=variable, limit=SHORTEST_SECRET)
        return value

    def url(self, variable: str) -> SecretStr | None:
        """A web address, which may be a secret: what is wrong with it is not shown."""
        value = self.read(variable, variable, needed=False)
        if value is not None:
            try:
                _URL.validate_python(value.get_secret_value())
            except ValidationError:
                self._problem(variable, "url", text="…")
        return value

    def _problem(self, path: str, code: str, **values: str | int) -> None:
        self.problems.append(ConfigProblem(path, None, code, values))
