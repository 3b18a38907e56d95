"""Webhooks, heartbeats, watchdog and second way in the configuration: what is refused, where and why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from bot.config import ConfigProblem, ConfigurationInvalid, Settings, load
from bot.config.outside import OutsideSecrets
from bot.domain.levels import Level

Loading = Callable[[str], Settings]
Refusing = Callable[[str], Sequence[ConfigProblem]]

MAPPING = """\
      mapping:
        key: "{{ payload.id }}"
        title: "{{ payload.text }}"
        firing: "{{ payload.bad }}"
        target: "{{ payload.host }}"
"""
SHOP = "webhooks:\n  sources:\n    shop:\n"
EXAMPLE = Path(__file__).parents[2] / "docs" / "guardian.example.yaml"


def test_nothing_is_open_and_nothing_is_called_by_default() -> None:
    settings = load(None, {})
    assert settings.webhooks is None
    assert (settings.heartbeats, settings.watchdog.url, settings.second_way.apprise) == ({}, None, {})
    assert OutsideSecrets.from_environment(settings, {}) == OutsideSecrets()


def test_a_source_has_its_templates(loaded: Loading) -> None:
    webhooks = loaded(SHOP + MAPPING + "  severities: {P1: emergency}\n").webhooks
    assert webhooks is not None
    assert (webhooks.host, webhooks.port) == ("127.0.0.1", 9465)
    assert webhooks.levels == {"P1": Level.EMERGENCY}
    assert webhooks.sources["shop"].mapping.texts.key == "{{ payload.id }}"
    assert webhooks.sources["shop"].mapping.texts.each is None


def test_a_job_has_its_figures(loaded: Loading) -> None:
    heartbeats = loaded("heartbeats: {backup: {every: 1d, labels: {service: db}}}").heartbeats
    job = heartbeats["backup"].job("backup")
    assert (job.every, job.grace) == (timedelta(days=1), timedelta(minutes=5))
    assert (job.level, dict(job.labels)) == (Level.ERROR, {"service": "db"})


@pytest.mark.parametrize(
    ("line", "code", "named"),
    [
        ('title: "{{ payload.text"', "template_syntax", "unexpected end of template"),
        ('title: "{% for x in range(1000000000) %}{% endfor %}"', "template_not_possible", "for"),
        ('title: "{{ pay.text }}"', "template_unknown_name", "pay"),
        ('title: "{{ payload.text | shout }}"', "template_no_filter", "shout"),
        ('title: "{{ payload.text is nice }}"', "template_no_test", "nice"),
        ('title: "{{ range(9) }}"', "template_no_call", ""),
        ('title: "{{ 1 / 0 }}"', "template_fails", "division by zero"),
    ],
)
def test_a_template_with_a_mistake_is_refused_with_its_line(
    refused: Refusing, line: str, code: str, named: str
) -> None:
    [problem] = refused(SHOP + MAPPING.replace('title: "{{ payload.text }}"', line))
    assert (problem.path, problem.line, problem.code) == (
        "webhooks.sources.shop.mapping.title",
        6,
        code,
    )
    assert named in str(problem.values.get("detail", problem.values.get("name")))


@pytest.mark.parametrize(
    ("field", "template", "unfit"),
    [
        ("each", "{{ payload.events | list }} ", "text_around"),
        ("each", "{{ event.events }}", "no_event"),
        ("each", "{{ 'x' }}", "no_list"),
        ("firing", "yes", "no_truth"),
        ("level", "{{ none }}", "is_null"),
        ("level", "{{ [] }}", "no_text"),
        ("level", "{{ '' }}", "empty"),
        ("level", "{{ 'x' * 9 }}", "no_product"),
        ("metric", "{% if payload.a %}{{ payload.b | shout }}{% endif %}", "no_filter"),
    ],
)
def test_a_template_that_could_never_work_is_refused_with_its_line(
    refused: Refusing, field: str, template: str, unfit: str
) -> None:
    lines = [line for line in MAPPING.splitlines() if f" {field}:" not in line]
    text = SHOP + "\n".join([*lines, f'        {field}: "{template}"'])
    [problem] = refused(text)
    assert (problem.path, problem.line, problem.code) == (
        f"webhooks.sources.shop.mapping.{field}",
        len(text.splitlines()),
        f"template_{unfit}",
    )


@pytest.mark.parametrize(
    ("text", "path", "code"),
    [
        ("webhooks: {port: 0}", "webhooks.port", "number_low"),
        ("webhooks: {secret: x}", "webhooks.secret", "secret_in_file"),
        ("webhooks: {severities: {P1: bad}}", "webhooks.severities.P1", "not_one_of"),
        ("webhooks: {sources: {shop: {}}}", "webhooks.sources.shop.mapping", "missing"),
        (
            f"{SHOP}{MAPPING}        labels: {{a b: x}}",
            'webhooks.sources.shop.mapping.labels["a b"]',
            "label_name",
        ),
        (f"{SHOP}      variable: a b\n{MAPPING}", "webhooks.sources.shop.variable", "variable"),
        (SHOP.replace("shop", "alertmanager") + MAPPING, "webhooks.sources.alertmanager", "source_taken"),
        (SHOP.replace("shop", "a/b") + MAPPING, 'webhooks.sources["a/b"]', "plain_name"),
        ("heartbeats: {backup: {}}", "heartbeats.backup.every", "missing"),
        ("heartbeats: {backup: {every: 1s}}", "heartbeats.backup.every", "duration_range"),
        ("heartbeats: {backup: {every: soon}}", "heartbeats.backup.every", "duration"),
        ("heartbeats: {backup: {every: 1h, grace: 0s}}", "heartbeats.backup.grace", "duration_range"),
        ("heartbeats: {backup: {every: 1h, level: bad}}", "heartbeats.backup.level", "not_one_of"),
        ("heartbeats: {backup: {every: 1h, levl: error}}", "heartbeats.backup.levl", "unknown_key"),
        ("heartbeats: {../x: {every: 1h}}", 'heartbeats["../x"]', "plain_name"),
        ("watchdog: {url: 'ftp://a'}", "watchdog.url", "url_scheme"),
        ("watchdog: {every: 1s}", "watchdog.every", "duration_range"),
        ("second_way: {after: 1s}", "second_way.after", "duration_range"),
        ("second_way: {levels: [bad]}", "second_way.levels[0]", "not_one_of"),
        ("second_way: {apprise: {sms: {}}}", "second_way.apprise.sms.variable", "missing"),
        ("second_way: {apprise: {sms: 'json://x'}}", "second_way.apprise.sms", "not_mapping"),
        ("second_way: {apprise: {'a b': {variable: X}}}", 'second_way.apprise["a b"]', "plain_name"),
    ],
)
def test_what_is_wrong_is_refused_with_its_place(refused: Refusing, text: str, path: str, code: str) -> None:
    assert (path, code) in [(problem.path, problem.code) for problem in refused(text)]


ALL = {
    "GUARDIAN_WEBHOOK_SECRET": "geheim-webhook",
    "SHOP_WEBHOOK_SECRET": "geheim-shop",
    "GUARDIAN_APPRISE_SMS": "json://geheim",
    "GUARDIAN_WATCHDOG_URL": "https://hc.example.com/geheim",
    "GUARDIAN_BACKUP_PASSWORD": "geheim-local",
    "GUARDIAN_BACKUP_OFFSITE_PASSWORD": "geheim-offsite",
    "AWS_ACCESS_KEY_ID": "geheim-key",
    "AWS_SECRET_ACCESS_KEY": "geheim-secret",
    "SHOP_DB_PASSWORD": "geheim-release",
}


def test_secrets_come_from_the_environment() -> None:
    secrets = OutsideSecrets.from_environment(load(EXAMPLE, {}), ALL)
    assert secrets.webhook is not None and secrets.webhook.get_secret_value() == "geheim-webhook"
    assert secrets.sources["shop"].get_secret_value() == "geheim-shop"
    assert secrets.apprise["sms"].get_secret_value() == "json://geheim"
    assert secrets.watchdog_url is not None
    assert secrets.backup is not None and secrets.backup.local.get_secret_value() == "geheim-local"
    assert {"geheim-local", "geheim-offsite", "geheim-secret", "geheim-release"} <= {
        s.get_secret_value() for s in secrets.all()
    }
    assert "geheim" not in repr(secrets)


def test_the_watchdogs_address_in_the_environment_wins(loaded: Loading) -> None:
    settings = loaded("watchdog: {url: 'https://hc.example.com/yaml'}")
    from_file = OutsideSecrets.from_environment(settings, {}).watchdog_url
    from_outside = OutsideSecrets.from_environment(settings, ALL).watchdog_url
    assert from_file is not None and from_file.get_secret_value().endswith("/yaml")
    assert from_outside is not None and from_outside.get_secret_value().endswith("/geheim")


def test_all_that_is_missing_or_wrong_is_said_at_once_without_showing_it(tmp_path: Path) -> None:
    environment = {
        "GUARDIAN_WEBHOOK_SECRET": "geheim",
        "SHOP_WEBHOOK_SECRET_FILE": str(tmp_path / "absent"),
        "GUARDIAN_WATCHDOG_URL": "ftp://geheim",
    }
    with pytest.raises(ConfigurationInvalid) as invalid:
        OutsideSecrets.from_environment(load(EXAMPLE, {}), environment)
    assert [(problem.path, problem.code) for problem in invalid.value.problems] == [
        ("GUARDIAN_WEBHOOK_SECRET", "secret_short"),
        ("SHOP_WEBHOOK_SECRET_FILE", "secret_file"),
        ("second_way.apprise.sms.variable", "variable_missing"),
        ("GUARDIAN_WATCHDOG_URL", "url"),
        ("backup.local.variable", "variable_missing"),
        ("backup.offsite.variable", "variable_missing"),
        ("backup.offsite.key_id_variable", "variable_missing"),
        ("backup.offsite.key_variable", "variable_missing"),
        ("deploy.services.shop.environments.production.releases.secrets.DB_PASSWORD", "variable_missing"),
    ]
    assert "geheim" not in str(invalid.value.problems)


def test_heartbeats_alone_need_the_doors_secret(loaded: Loading) -> None:
    settings = loaded("heartbeats: {backup: {every: 1h}}")
    with pytest.raises(ConfigurationInvalid) as invalid:
        OutsideSecrets.from_environment(settings, {})
    assert [problem.code for problem in invalid.value.problems] == ["variable_missing"]
