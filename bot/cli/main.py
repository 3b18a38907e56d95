"""The commands, and what becomes of a command line that can't be used."""

from __future__ import annotations

import difflib
import io
import os
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal

import typer
from typer.exceptions import TyperException

from bot import __version__
from bot.cli.speech import Speaker
from bot.collector import spare_what_is_loaded
from bot.config import ConfigurationInvalid, Secrets, Settings, find_file, language_of, load

OK, FOUND, UNUSABLE = 0, 1, 2


app = typer.Typer(
    name="guardian",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Guardian (수호자): watches this machine and tells Slack.",
)

ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "-c", "--config", help="Default: ./guardian.yaml, else $GUARDIAN_CONFIG, else the defaults."
    ),
]
Language = Annotated[
    str | None, typer.Option("--language", metavar="ko|en", help="Language of this program's messages.")
]


class _Chosen:
    """What was said before the command."""

    language: str | None = None


def _speaker(language: str | None, config: Path | None) -> Speaker:
    """Speaks the language asked for here, else the configuration's, else Korean."""
    chosen = language or _Chosen.language or language_of(config or find_file(os.environ)) or "ko"
    if chosen not in ("ko", "en"):
        speaker = Speaker("ko")
        speaker.complain("language", language=chosen)
        raise typer.Exit(UNUSABLE)
    return Speaker(chosen)


def _settings(config: Path | None, language: str | None) -> Settings:
    """The settings in effect; what is wrong with them is said, and ends the program."""
    path = config or find_file(os.environ)
    speaker = _speaker(language, config)
    try:
        settings = load(path)
    except ConfigurationInvalid as invalid:
        speaker.refuse(invalid)
        raise typer.Exit(UNUSABLE) from None
    asked = language or _Chosen.language
    return settings.model_copy(update={"language": asked}) if asked else settings


def _version(value: bool) -> None:
    if value:
        sys.stdout.write(f"guardian {__version__}\n")
        raise typer.Exit


@app.callback()
def _before(
    language: Language = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    _Chosen.language = language


@app.command()
def run(
    config: ConfigFile = None,
    trial: Annotated[
        bool, typer.Option("--trial", help="With a Slack of its own on this machine: no account needed.")
    ] = False,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Port of the trial's page.")] = None,
    language: Language = None,
) -> None:
    """Stand watch until stopped."""
    if port is not None and not trial:
        _speaker(language, config).complain("port_without_trial", port=port)
        raise typer.Exit(UNUSABLE)
    from bot.config.outside import OutsideSecrets
    from bot.trial.settings import with_people, with_secrets

    settings = _settings(config, language)
    secrets, environment = None, dict(os.environ)
    try:
        if trial:
            settings = with_people(settings)
            environment = with_secrets(environment, settings.state_directory)
        else:
            secrets = Secrets.from_environment(os.environ, settings.slack.mode)
        outside = OutsideSecrets.from_environment(settings, environment)
    except ConfigurationInvalid as invalid:
        Speaker(settings.language).refuse(invalid)
        raise typer.Exit(UNUSABLE) from None
    except OSError as error:
        Speaker(settings.language).complain("state", path=str(error.filename), detail=error.strerror or "")
        raise typer.Exit(UNUSABLE) from None
    spare_what_is_loaded()
    from bot.app import run as stand_watch  # everything else: only this command needs it
    from bot.logs import configure_logs

    known = [*_known(secrets), *(secret.get_secret_value() for secret in outside.all())]
    configure_logs(settings.log.level, settings.log.format, known_secrets=known)
    raise typer.Exit(stand_watch(settings, secrets, outside, trial, port))


def _known(secrets: Secrets | None) -> list[str]:
    """The secrets' values, for the logs to mask."""
    if secrets is None:
        return []
    held = (secrets.bot_token, secrets.app_token, secrets.signing_secret)
    return [secret.get_secret_value() for secret in held if secret is not None]


@app.command()
def check(config: ConfigFile = None, language: Language = None) -> None:
    """Tell everything that is wrong with the configuration, with path and line."""
    from bot.cli.check import report

    settings = _settings(config, language)
    path = config or find_file(os.environ)
    raise typer.Exit(report(Speaker(settings.language), settings, path, os.environ))


@app.command()
def schema() -> None:
    """Print the configuration's JSON Schema, for editors."""
    import json

    from bot.config.schema import json_schema

    sys.stdout.write(json.dumps(json_schema(), ensure_ascii=False, indent=2) + "\n")


@app.command()
def manifest(
    config: ConfigFile = None,
    mode: Annotated[
        Literal["socket", "http"] | None, typer.Option(help="Default: slack.mode of the configuration.")
    ] = None,
    request_url: Annotated[
        str | None, typer.Option("--request-url", help="HTTP mode: the public address that Slack calls.")
    ] = None,
    private_channels: Annotated[
        bool, typer.Option("--private-channels", help="With the scopes that private channels need.")
    ] = False,
    language: Language = None,
) -> None:
    """Print the manifest to create the Slack app from."""
    from bot.slack.manifest import PLACEHOLDER_URL, manifest_yaml

    settings = _settings(config, language)
    chosen = mode or settings.slack.mode
    if request_url is not None and not request_url.startswith("https://"):
        Speaker(settings.language).complain("request_url", url=request_url)
        raise typer.Exit(UNUSABLE)
    sys.stdout.write(
        manifest_yaml(
            mode=chosen,
            request_url=request_url or PLACEHOLDER_URL,
            private_channels=private_channels or settings.slack.private_channels,
            language=settings.language,
        )
    )


@app.command()
def probe(
    name: Annotated[str | None, typer.Argument(help="A probe, or a web address by its name.")] = None,
    config: ConfigFile = None,
    language: Language = None,
) -> None:
    """Take one reading and print it; without a name, list the probes."""
    from bot.cli.probe import list_probes, take

    settings = _settings(config, language)
    speaker = Speaker(settings.language, settings.timezone)
    if name is None:
        list_probes(speaker, settings)
        raise typer.Exit(OK)
    raise typer.Exit(take(speaker, settings, name, os.environ))


@app.command()
def simulate(
    series: Annotated[Path, typer.Argument(metavar="SERIES.csv", help="Readings: docs/simulate.md.")],
    config: ConfigFile = None,
    begins: Annotated[
        str | None,
        typer.Option("--from", help="What times of day and seconds count from. Default: today."),
    ] = None,
    every: Annotated[
        str | None, typer.Option(help="A reading every so often, such as 15s. Default: one a row.")
    ] = None,
    ack: Annotated[
        list[str] | None, typer.Option(metavar="ID@TIME=@WHO", help="Somebody acknowledges an alert.")
    ] = None,
    silence: Annotated[
        list[str] | None, typer.Option(metavar="FROM-UNTIL MATCHER", help="Somebody silences alerts.")
    ] = None,
    band: Annotated[
        list[str] | None,
        typer.Option(metavar='METRIC="LEVEL: BAND, …"', help="Other bands, to compare with the present."),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="With repeats, false starts and what nobody would have seen.")
    ] = False,
    form: Annotated[
        Literal["table", "json"], typer.Option("--format", help="json: one object a line.")
    ] = "table",
    language: Language = None,
) -> None:
    """Replay readings: what would be posted, who would be paged, and why."""
    from bot.cli.simulate import Asked
    from bot.cli.simulate import simulate as replay

    settings = _settings(config, language)
    asked = Asked(
        begins=begins,
        every=every,
        acks=tuple(ack or ()),
        silences=tuple(silence or ()),
        bands=tuple(band or ()),
        everything=everything,
        json=form == "json",
    )
    raise typer.Exit(replay(Speaker(settings.language, settings.timezone), settings, series, asked))


@app.command()
def route(
    labels: Annotated[
        list[str] | None,
        typer.Argument(metavar="[LABELS]...", help="Such as service=shop level=critical; level: critical."),
    ] = None,
    config: ConfigFile = None,
    language: Language = None,
) -> None:
    """Tell which way an alert with these labels goes, who is paged when, and why no other route took it."""
    from bot.cli.route import explain

    settings = _settings(config, language)
    raise typer.Exit(explain(Speaker(settings.language, settings.timezone), settings, labels or []))


@app.command()
def doctor(config: ConfigFile = None, language: Language = None) -> None:
    """Tell what is missing on this machine, and how to install it."""
    from bot.cli.doctor import report

    settings = _settings(config, language)
    raise typer.Exit(report(Speaker(settings.language), settings, os.environ))


@app.command()
def watchdog(
    folder: Annotated[
        Path | None, typer.Argument(help="Where the leases are. Default: leases, in the state directory.")
    ] = None,
    linger: Annotated[
        float | None, typer.Option(min=0, metavar="SECONDS", help="End after so long without a lease.")
    ] = None,
    config: ConfigFile = None,
    language: Language = None,
) -> None:
    """Take traffic back from a new release when the Guardian stops watching it. Until stopped."""
    from bot.tools.traffic.guarding import leases_folder, watchdog_command

    watched = folder or leases_folder(_settings(config, language).state_directory)
    command = watchdog_command(watched.absolute(), linger)
    os.execv(command[0], command)  # noqa: S606 - ourselves, without all that reading the settings has loaded


audit = typer.Typer(
    name="audit",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="The audit log, read from the configured database: who did what.",
)
app.add_typer(audit)


@audit.command(name="verify")
def audit_verify(
    expect: Annotated[
        list[str] | None,
        typer.Option(metavar="NUMBER:HASH", help="A head that was noted before: a cut end shows beside it."),
    ] = None,
    config: ConfigFile = None,
    language: Language = None,
) -> None:
    """Tell whether an entry was changed, removed, moved or put in. Exit status 0: none, 1: some."""
    from bot.cli.audit import verify

    settings = _settings(config, language)
    raise typer.Exit(verify(Speaker(settings.language, settings.timezone), settings, expect or []))


@audit.command(name="export")
def audit_export(
    form: Annotated[
        Literal["jsonl", "csv"],
        typer.Option("--format", help="jsonl: one object a line, as it is hashed; csv: for spreadsheets."),
    ] = "jsonl",
    since: Annotated[
        str | None, typer.Option(help="From this day or moment on, such as 2026-03-01 or 2026-03-01T22:00.")
    ] = None,
    until: Annotated[str | None, typer.Option(help="Until the end of this day, or this moment.")] = None,
    config: ConfigFile = None,
    language: Language = None,
) -> None:
    """Print the entries to standard output."""
    from bot.cli.audit import export

    settings = _settings(config, language)
    speaker = Speaker(settings.language, settings.timezone)
    raise typer.Exit(export(speaker, settings, form, since, until))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code. Entry point `guardian`."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that can't show Korean still gets the rest
    given = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    unknown = _unknown_command(given)
    if unknown is not None:
        return _refuse(given, "no_command", name=unknown, nearest=_nearest(unknown, COMMANDS), known=COMMANDS)
    try:
        result = app(given, prog_name="guardian", standalone_mode=False)
    except TyperException as error:
        # An unknown option says which and what is like it; everything else comes as a sentence.
        option, near = getattr(error, "option_name", None), getattr(error, "possibilities", None)
        if option is not None:
            return _refuse(given, "no_option", name=option, nearest=near[0] if near else "")
        return _refuse(given, "usage", detail=error.format_message().rstrip("."))
    except (typer.Abort, KeyboardInterrupt):
        return 130
    except BrokenPipeError:
        # Whoever read our output has seen enough; nothing may be written while the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    return result if isinstance(result, int) else OK


COMMANDS = (
    *(str(command.callback.__name__) for command in app.registered_commands if command.callback),
    *(str(group.typer_instance.info.name) for group in app.registered_groups if group.typer_instance),
)


def _unknown_command(given: Sequence[str]) -> str | None:
    """The command in the line if there is none of that name; None also where an option is what is wrong."""
    words = iter(given)
    for word in words:
        if word == "--language":
            next(words, None)
        elif not word.startswith("-"):
            return None if word in COMMANDS else word
        elif not word.startswith("--language="):
            return None
    return None


def _nearest(word: str, known: Sequence[str]) -> str:
    return next(iter(difflib.get_close_matches(word, known, n=1)), "")


def _refuse(given: Sequence[str], key: str, **values: object) -> int:
    """Says why the command line can't be used, in the language it would have been answered in."""
    following = dict(pairwise([*given, ""])).get("--language", "")
    asked = next((word.partition("=")[2] for word in given if word.startswith("--language=")), following)
    language = asked if asked in ("ko", "en") else language_of(find_file(os.environ)) or "ko"
    Speaker(language).complain(key, **values)
    return UNUSABLE
