"""Jinja environments in which a value cannot be printed unescaped, and templates as named sections."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from zoneinfo import ZoneInfo

import jinja2

from messages.catalog import FALLBACK, HERE, Catalog
from messages.escape import Ready, clean_lines, printable, value_text
from messages.filters import MACHINE_WIDE, Filters


def _slack_value(value: object) -> object:
    """What `{{ … }}` prints in a Slack text; Jinja's own escaping would also turn quotes into entities."""
    return value if hasattr(value, "__html__") else value_text(value)


def _plain_value(value: object) -> object:
    """What `{{ … }}` prints on a terminal: nothing is escaped, but nothing moves the cursor either."""
    return Ready(clean_lines(printable(value)))


def environment(
    language: str, catalog: Catalog, timezone: ZoneInfo, *, slack: bool, root: Path = HERE
) -> jinja2.Environment:
    """The environment of one language, for Slack texts or for plain ones."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(root / language),
        undefined=jinja2.StrictUndefined,
        autoescape=True,
        finalize=_slack_value if slack else _plain_value,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters.update(Filters(made, catalog, timezone, slack=slack).all())
    made.globals["machine_wide"] = MACHINE_WIDE
    return made


class Words:
    """One template: its macros are the sections of a message."""

    def __init__(self, template: jinja2.Template, templates: Templates) -> None:
        self._sections = template.module
        self._templates = templates

    def of(self, name: str) -> Words:
        """Another template of the same language, for messages that contain one another."""
        return self._templates.words(name)

    def has(self, section: str) -> bool:
        """Whether the template has that section."""
        return hasattr(self._sections, section)

    def __call__(self, section: str, *values: object) -> str:
        """The text of a section, escaped; each line trimmed, empty lines left out. May be empty."""
        text = getattr(self._sections, section)(*values)
        return "\n".join(line.strip() for line in str(text).splitlines() if line.strip())


class Templates:
    """All templates of one language; a missing one is the fallback language's, filters included."""

    def __init__(
        self, language: str, catalogs: Mapping[str, Catalog], timezone: ZoneInfo, root: Path = HERE
    ) -> None:
        self._environments = [
            environment(each, catalogs[each], timezone, slack=True, root=root)
            for each in dict.fromkeys((language, FALLBACK))
        ]
        self._words: dict[str, Words] = {}

    def words(self, name: str) -> Words:
        """The template of that message; raises `jinja2.TemplateNotFound`."""
        if name not in self._words:
            self._words[name] = Words(self._load(name + ".j2"), self)
        return self._words[name]

    def _load(self, file: str) -> jinja2.Template:
        for each in self._environments[:-1]:
            try:
                return each.get_template(file)
            except jinja2.TemplateNotFound as missing:
                if missing.name != file:
                    raise
        return self._environments[-1].get_template(file)
