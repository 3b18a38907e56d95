"""The section `cleanup`: the document's ages by default, and no way to point it at the system."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import JsonValue, ValidationError

from bot.config.cleanup import CleanupSettings
from bot.domain.cleanup.rules import AgeBy, CacheRules, Root, Stage
from messages.catalog import load
from messages.render import Voice


def read(**section: JsonValue) -> CleanupSettings:
    return CleanupSettings.model_validate(section)


def refused(**section: JsonValue) -> list[str]:
    """The codes of what is refused. A list whose items were refused seems too short beside that; nobody is
    told so (`bot.config.refusals`)."""
    with pytest.raises(ValidationError) as invalid:
        read(**section)
    return [e["type"] for e in invalid.value.errors() if e["type"] != "too_short" or not e["input"]]


def test_the_defaults_are_the_documents() -> None:
    rules = CleanupSettings().rules()
    assert rules.stages == tuple(Stage)
    logs, temporary = rules.files[Stage.LOGS], rules.files[Stage.TEMPORARY]
    assert (logs.min_age, logs.age_by) == (timedelta(days=30), AgeBy.MODIFIED)
    assert (temporary.min_age, temporary.age_by) == (timedelta(days=7), AgeBy.CHANGED)
    assert [root.shown for root in logs.roots] == ["/var/log"]
    assert [root.shown for root in temporary.roots] == ["/tmp", "/var/tmp"]  # noqa: S108 - only named
    assert logs.in_use_respected and temporary.in_use_respected
    assert rules.caches == CacheRules(("npm",), ("python3", "-m", "pip"), ("docker",))
    assert (rules.restart, rules.quarantine_for) == ({}, timedelta(days=7))


def test_all_of_it_can_be_said_otherwise() -> None:
    rules = read(
        logs={"roots": [{"path": "/srv/shop/logs", "quarantine": "/srv/kept"}], "older_than": "14d"},
        temporary={"roots": ["/srv/shop/tmp/"], "patterns": ["*.part"], "keep": []},
        caches={"npm": None, "pip": "pip3", "docker": None},
        zombies={"restart": {"shop": ["systemctl", "restart", "shop"]}},
        quarantine_for="3d",
        protected=["jupyter-lab"],
    ).rules(never=(Path("/srv/shop/tmp/guardian"),))
    assert rules.files[Stage.LOGS].roots == (Root(b"/srv/shop/logs", b"/srv/kept"),)
    assert rules.files[Stage.LOGS].min_age == timedelta(days=14)
    temporary = rules.files[Stage.TEMPORARY]
    assert (temporary.roots, temporary.patterns) == ((Root(b"/srv/shop/tmp"),), ("*.part",))
    assert (temporary.keep, temporary.never) == ((), (b"/srv/shop/tmp/guardian",))
    assert rules.caches == CacheRules(None, ("pip3",), None)
    assert rules.restart == {"shop": ("systemctl", "restart", "shop")}
    assert (rules.quarantine_for, rules.protected) == (timedelta(days=3), ("jupyter-lab",))


def test_guardians_own_directory_is_known_by_its_real_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    monkeypatch.chdir(tmp_path)
    for written in ("real", "link", str(tmp_path / "link")):
        rules = CleanupSettings().rules(never=(Path(written),))
        assert rules.files[Stage.TEMPORARY].never == (os.fsencode(os.path.realpath(tmp_path / "real")),)


def test_stages_without_roots_or_tools_are_left_out() -> None:
    rules = read(logs={"roots": []}, caches={"npm": None, "pip": None, "docker": None}).rules()
    assert rules.stages == (Stage.TEMPORARY, Stage.ZOMBIES)


def test_a_root_with_any_bytes_is_those_bytes() -> None:
    assert read(logs={"roots": ["/srv/로그"]}).rules().files[Stage.LOGS].roots[0].path == os.fsencode(
        "/srv/로그"
    )


@pytest.mark.parametrize(
    "path", ["/", "/etc", "/etc/shop", "/usr/local", "/var", "/home", "/proc/1", "/run/x", "/root"]
)
def test_the_system_is_no_root(path: str) -> None:
    assert refused(logs={"roots": [path]}) == ["cleanup_root_system"]


@pytest.mark.parametrize(
    "path", ["", "logs", "~/logs", "/srv/../etc", "/srv//x", "/srv/./x", "//srv", "/srv/a\nb", "/srv/*/\0"]
)
def test_a_path_is_absolute_and_plain(path: str) -> None:
    assert refused(logs={"roots": [path]}) == ["cleanup_path"]
    assert refused(logs={"roots": [{"path": "/srv/x", "quarantine": path}]}) == ["cleanup_path"]


@pytest.mark.parametrize(
    ("logs", "temporary"),
    [
        (["/srv/a"], ["/srv/a"]),
        (["/srv/a", "/srv/a/b"], []),
        (["/srv/a/b"], ["/srv/a"]),
        ([{"path": "/srv/a", "quarantine": "/srv/b/kept"}], ["/srv/b"]),
        (
            [{"path": "/srv/a", "quarantine": "/srv/kept/a"}, {"path": "/srv/b", "quarantine": "/srv/kept"}],
            [],
        ),
    ],
)
def test_roots_and_quarantines_do_not_hold_one_another(
    logs: list[JsonValue], temporary: list[JsonValue]
) -> None:
    assert refused(logs={"roots": logs}, temporary={"roots": temporary}) == ["cleanup_overlap"]


def test_names_that_only_begin_alike_are_apart_and_a_quarantine_may_serve_many() -> None:
    read(logs={"roots": ["/srv/a", "/srv/ab"]})
    both: JsonValue = [{"path": path, "quarantine": "/srv/kept"} for path in ("/srv/a", "/srv/b")]
    read(logs={"roots": both})
    read(logs={"roots": [{"path": "/srv/a", "quarantine": "/srv/a/kept"}]})


@pytest.mark.parametrize("pattern", ["", " ", "a/b", "../*", "a\nb"])
def test_a_pattern_is_of_names(pattern: str) -> None:
    assert refused(temporary={"patterns": [pattern]}) == ["cleanup_pattern"]


@pytest.mark.parametrize("command", ["", "systemctl restart shop", [""], ["a\0b"]])
def test_a_command_is_a_list_and_no_line_for_a_shell(command: JsonValue) -> None:
    assert refused(zombies={"restart": {"shop": command}}) == ["command"]


@pytest.mark.parametrize(
    ("section", "code"),
    [
        ({"logs": {"older_than": "10m"}}, "duration_range"),
        ({"quarantine_for": "0s"}, "duration_range"),
        ({"temporary": {"patterns": []}}, "too_short"),
        ({"zombies": {"restart": {"shop": []}}}, "too_short"),
        ({"log": {}}, "extra_forbidden"),
        ({"zombies": {"kill": True}}, "extra_forbidden"),
    ],
)
def test_other_values_are_refused_as_everywhere(section: dict[str, JsonValue], code: str) -> None:
    assert refused(**section) == [code]


def test_it_has_a_schema() -> None:
    schema = CleanupSettings.model_json_schema()
    assert set(schema["properties"]) == {
        "logs",
        "temporary",
        "caches",
        "zombies",
        "quarantine_for",
        "protected",
    }
    assert all(each.get("description") for each in schema["properties"].values())


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize(
    ("code", "values"),
    [
        ("cleanup_path", {"text": "x"}),
        ("cleanup_root_system", {"text": "/etc"}),
        ("cleanup_pattern", {"text": "a/b"}),
        ("command", {"text": "a b"}),
        ("cleanup_overlap", {"text": "/a", "other": "/a/b"}),
    ],
)
def test_every_refusal_has_a_sentence(language: str, code: str, values: dict[str, str]) -> None:
    assert f"config.{code}" in load(language)
    said = Voice(language).phrase(f"config.{code}", **values)
    assert all(value in said for value in values.values())
