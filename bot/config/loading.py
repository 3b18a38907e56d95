"""From a file and the environment to settings, or to everything that is wrong with them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path

from pydantic import SecretStr, ValidationError
from pydantic_core import PydanticCustomError

from bot.config.checks import check
from bot.config.document import SIZE_LIMIT, Document, read_document, too_large
from bot.config.duty import schedule_problems
from bot.config.problems import ConfigProblem, ConfigurationInvalid
from bot.config.references import check_references
from bot.config.refusals import refusals, take_out
from bot.config.secrets import read_secret
from bot.config.settings import Settings, SlackSettings, StoreSettings, default_state_directory
from bot.config.values import database_url

DEFAULT_FILE = "guardian.yaml"


def find_file(environment: Mapping[str, str]) -> Path | None:
    """The configuration to use when none is named: ./guardian.yaml, else $GUARDIAN_CONFIG, else none."""
    here = Path(DEFAULT_FILE)
    if here.is_file():
        return here
    named = environment.get("GUARDIAN_CONFIG", "").strip()
    return Path(named).expanduser() if named else None


def load(path: Path | None, environment: Mapping[str, str] | None = None) -> Settings:
    """The settings in the file at `path`, or the defaults for None, with what the environment overrides:
    DATABASE_URL (or DATABASE_URL_FILE), SLACK_API_URL, GUARDIAN_STATE_DIRECTORY.

    Raises ConfigurationInvalid with all problems at once.
    """
    environment = os.environ if environment is None else environment
    document = Document() if path is None else _read(path)
    problems = list(document.problems)
    settings = None
    if document.data is None and not problems:
        document.data = {}
    if not problems or document.data is not None:
        settings = _validate(document, problems)
    if settings is not None:
        settings = _override(settings, path, environment, problems)
    if problems or settings is None:
        ordered = sorted(problems, key=lambda problem: problem.line or 0)
        raise ConfigurationInvalid(ordered, None if path is None else str(path))
    return settings


def language_of(path: Path | None) -> str | None:
    """The language a configuration asks for, whatever else is wrong with it; None if it doesn't say."""
    try:
        data = None if path is None else _read(path).data
    except ConfigurationInvalid:
        return None
    language = data.get("language") if isinstance(data, dict) else None
    return language if language in ("ko", "en") else None


def _read(path: Path) -> Document:
    try:
        with path.open("rb") as file:
            content = file.read(SIZE_LIMIT + 1)
    except FileNotFoundError:
        raise _file_problem(path, "file_missing") from None
    except OSError as error:
        raise _file_problem(path, "file_unreadable", detail=error.strerror or "") from None
    if len(content) > SIZE_LIMIT:
        raise ConfigurationInvalid([too_large(content.count(b"\n") + 1)], str(path))
    try:
        return read_document(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        problem = ConfigProblem("", line, "file_not_utf8")
        raise ConfigurationInvalid([problem], str(path)) from None


def _file_problem(path: Path, code: str, **values: str | int) -> ConfigurationInvalid:
    return ConfigurationInvalid([ConfigProblem("", None, code, {"file": str(path), **values})], str(path))


def _validate(document: Document, problems: list[ConfigProblem]) -> Settings | None:
    """The settings in the document; adds what is wrong to `problems`, one problem a place.

    What is refused is taken out and the rest looked at again: values that don't agree with each other are
    compared only where nothing else is wrong. None if nothing is left; not to be used if there are problems.
    """
    problems += check(document)
    problems += check_references(document)
    known = {problem.path for problem in problems if problem.path}
    data = deepcopy(document.data)
    while True:
        try:
            settings = Settings.model_validate(data)
        except ValidationError as error:
            found = list(refusals(error, document, Settings))
            problems += [problem for problem in found if problem.path not in known or not problem.path]
            known |= {problem.path for problem in found}
            if not take_out(data, error):
                return None
        else:
            problems += schedule_problems(document, settings, known)
            return settings


def _override(
    settings: Settings, path: Path | None, environment: Mapping[str, str], problems: list[ConfigProblem]
) -> Settings:
    """The settings with what the environment says instead."""
    changes: dict[str, object] = {}
    if "state_directory" not in settings.model_fields_set:
        changes["state_directory"] = default_state_directory(environment).absolute()
    else:
        base = Path() if path is None else path.parent
        changes["state_directory"] = (base / settings.state_directory.expanduser()).absolute()
    try:
        named = read_secret(environment, "DATABASE_URL")
        if named is not None:
            url = SecretStr(database_url(named.get_secret_value()))
            changes["store"] = StoreSettings.model_construct(url=url)
    except ConfigurationInvalid as invalid:
        problems += invalid.problems
    except PydanticCustomError as error:
        problems.append(ConfigProblem("DATABASE_URL", None, error.type, error.context or {}))
    base_url = environment.get("SLACK_API_URL", "").strip()
    if base_url:
        try:
            api_url = SlackSettings(api_url=base_url).api_url
            changes["slack"] = settings.slack.model_copy(update={"api_url": api_url})
        except ValidationError:
            problems.append(ConfigProblem("SLACK_API_URL", None, "url", {"text": base_url[:200]}))
    for index, target in enumerate(settings.probes.http.targets):
        for header, variable in target.secret_headers.items():
            place = f"probes.http.targets[{index}].secret_headers.{header}"
            try:
                if read_secret(environment, variable) is None:
                    values = {"variable": variable}
                    problems.append(ConfigProblem(place, None, "secret_header_missing", values))
            except ConfigurationInvalid as invalid:
                problems += invalid.problems
    return settings.model_copy(update=changes)
