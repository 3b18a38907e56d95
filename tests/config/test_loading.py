"""guardian.yaml: what loads, what is refused, and where the refusal points."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from bot.config import ConfigProblem, ConfigurationInvalid, RuleBook, Settings, find_file, language_of, load
from bot.config.metrics import DEFAULT_KPIS, UNITS
from bot.domain.levels import Level
from probes.base import Layer
from probes.registry import HOST_PROBES, PROBES

Loading = Callable[[str], Settings]
Refusing = Callable[[str], Sequence[ConfigProblem]]

# The two blocks of the source document, character by character.
DOCUMENT = """\
infrastructure_kpis:
  cpu_usage:
    target: "< 70%"
    warning: "70-85%"
    critical: "> 85%"
    
  memory_usage:
    target: "< 80%"
    warning: "80-90%"
    critical: "> 90%"
    
  disk_usage:
    target: "< 85%"
    warning: "85-95%"
    critical: "> 95%"
    
  response_time:
    target: "< 200ms"
    warning: "200-500ms"
    critical: "> 500ms"

application_kpis:
  uptime:
    target: "> 99.9%"
    warning: "99.5-99.9%"
    critical: "< 99.5%"
    
  error_rate:
    target: "< 0.1%"
    warning: "0.1-1%"
    critical: "> 1%"
    
  throughput:
    target: "> 1000 rps"
    warning: "500-1000 rps"
    critical: "< 500 rps"
"""


def places(problems: Sequence[ConfigProblem]) -> list[tuple[str, int | None, str]]:
    return [(problem.path, problem.line, problem.code) for problem in problems]


def test_the_documents_tables_load_unchanged_and_are_the_defaults(loaded: Loading) -> None:
    written = RuleBook(loaded(DOCUMENT))
    assert written.bands == RuleBook(load(None, {})).bands
    for section in yaml.safe_load(DOCUMENT).values():
        for metric, texts in section.items():
            assert DEFAULT_KPIS[metric] == texts


def test_without_a_file_this_machine_is_watched_with_the_documents_figures() -> None:
    settings = load(None, {})
    rule = RuleBook(settings).rule_for("memory_usage", settings.name, Layer.INFRASTRUCTURE)
    assert rule.bands is not None
    assert rule.bands.level_of(82) is Level.WARNING
    assert (rule.confirm, rule.confirm_critical, rule.confirm_emergency, rule.clear) == (3, 2, 1, 2)
    assert (rule.margin, rule.missed, rule.reopen_within) == (5, 3, timedelta(minutes=15))
    assert settings.probes.cpu.interval == timedelta(seconds=15)
    assert settings.slack.alerts_channel == "guardian-alerts"
    assert settings.language == "ko"


def test_every_metric_of_a_probe_is_known_in_its_unit() -> None:
    for probe in PROBES.values():
        for metric, unit in probe.metrics.items():
            assert UNITS[metric] is unit


def test_an_empty_file_is_the_defaults(loaded: Loading) -> None:
    assert loaded("").probes == load(None, {}).probes
    assert loaded("# only a comment\n").language == "ko"


def test_a_metric_that_is_given_replaces_its_default_and_no_other(loaded: Loading) -> None:
    book = RuleBook(loaded('infrastructure_kpis: {cpu_usage: {target: "< 20%", critical: ">= 20%"}}'))
    cpu, memory = book.bands["cpu_usage"], book.bands["memory_usage"]
    assert cpu is not None
    assert memory is not None
    assert cpu.level_of(50) is Level.CRITICAL
    assert memory.entry(Level.WARNING) == 80


def test_null_takes_the_bands_away(loaded: Loading) -> None:
    book = RuleBook(loaded("kpis: {swap_usage: null}"))
    assert book.rule_for("swap_usage", "web-1", Layer.INFRASTRUCTURE).bands is None


def test_a_target_can_have_bands_of_its_own(loaded: Loading) -> None:
    book = RuleBook(
        loaded("""
name: web-1
infrastructure_kpis:
  disk_usage:
    target: "< 85%"
    warning: ">= 85%"
    targets:
      /data: {target: "< 50%", warning: ">= 50%"}
      web-1:/scratch: null
""")
    )
    levels = {}
    for target in ("web-1:/", "web-1:/data", "web-1:/scratch", "/data"):
        bands = book.bands_for("disk_usage", target)
        levels[target] = None if bands is None else bands.level_of(60)
    assert levels == {
        "web-1:/": None,
        "web-1:/data": Level.WARNING,
        "web-1:/scratch": None,
        "/data": Level.WARNING,
    }
    assert book.bands_for("disk_usage", "web-1:/scratch") is None


def test_a_metrics_rule_differs_from_the_default_rule_only_where_it_says_so(loaded: Loading) -> None:
    book = RuleBook(
        loaded("rules: {default: {confirm: 1, clear: 4}, cpu_usage: {confirm: 7, margin: 2, reopen: 1h}}")
    )
    cpu = book.rule_for("cpu_usage", "web-1", Layer.INFRASTRUCTURE)
    load_average = book.rule_for("load_average", "web-1", Layer.INFRASTRUCTURE)
    assert (cpu.confirm, cpu.clear, cpu.margin, cpu.reopen_within) == (7, 4, 2, timedelta(hours=1))
    assert (load_average.confirm, load_average.clear) == (1, 4)
    assert load_average.margin == pytest.approx(0.05)


def test_every_default_rule_can_be_left_again() -> None:
    book = RuleBook(load(None, {}))
    for metric, bands in book.bands.items():
        assert bands is not None
        rule = book.rule_for(metric, "web-1", Layer.INFRASTRUCTURE)
        best = {"uptime": 100.0, "reachable": 1.0, "throughput": 1e6}.get(metric, 0.0)
        assert bands.level_held(best, max(bands.levels), rule.margin) is None, metric


def test_a_new_metric_takes_its_unit_from_its_bands(loaded: Loading) -> None:
    bands = RuleBook(loaded('kpis: {queue_age: {target: "< 5 min", warning: ">= 5 min"}}')).bands["queue_age"]
    assert bands is not None
    assert (bands.unit, bands.entry(Level.WARNING)) == ("s", 300)


def test_all_problems_come_at_once_with_path_and_line(refused: Refusing) -> None:
    problems = refused("""\
language: jp
timezone: Asia/Seol
infrastructure_kpis:
  cpu_usage:
    target: "< 70%"
    warning: "75-85%"
    critical: "> 85%"
  memry_usage: {target: "< 70%", warning: ">= 70%"}
probes:
  cpu:
    intervall: 5s
    timeout: -5
  http:
    targets:
      - url: ftp://example.com
slack:
  mode: sockt
  bot_token: xoxb-1234-secret
health: {port: 99999}
rules: {cpu_usage: {confirm: 0}}
""")
    assert places(problems) == [
        ("language", 1, "not_one_of"),
        ("timezone", 2, "timezone"),
        ("infrastructure_kpis.cpu_usage.warning", 6, "band_gap"),
        ("infrastructure_kpis.memry_usage", 8, "unknown_metric"),
        ("probes.cpu.intervall", 11, "unknown_key"),
        ("probes.cpu.timeout", 12, "duration_range"),
        ("probes.http.targets[0].name", 15, "missing"),
        ("probes.http.targets[0].url", 15, "url_scheme"),
        ("slack.mode", 17, "not_one_of"),
        ("slack.bot_token", 18, "secret_in_file"),
        ("health.port", 19, "number_high"),
        ("rules.cpu_usage.confirm", 20, "number_low"),
    ]
    nearest = {
        problem.path: problem.values.get("nearest") for problem in problems if "nearest" in problem.values
    }
    assert nearest == {
        "language": "",
        "timezone": "Asia/Seoul",
        "infrastructure_kpis.memry_usage": "memory_usage",
        "probes.cpu.intervall": "interval",
        "slack.mode": "socket",
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("languag: en", ("languag", "unknown_key")),
        ("probes: {htp: {}}", ("probes.htp", "unknown_key")),
        ("- language", ("", "not_mapping")),
        ("just words", ("", "not_mapping")),
        ("probes: [cpu]", ("probes", "not_mapping")),
        ("probes: {cpu: {enabled: yes}}", ("probes.cpu.enabled", "not_bool")),
        ("probes: {cpu: {interval: 0}}", ("probes.cpu.interval", "duration_range")),
        ("probes: {cpu: {interval: 2d}}", ("probes.cpu.interval", "duration_range")),
        ("probes: {cpu: {interval: soon}}", ("probes.cpu.interval", "duration")),
        ("probes: {cpu: {interval: true}}", ("probes.cpu.interval", "duration")),
        ("probes: {cpu: {interval: 1e400}}", ("probes.cpu.interval", "duration")),
        ("probes: {cpu: {interval: 5s, timeout: 6s}}", ("probes.cpu", "timeout_over_interval")),
        ("probes: {disk: {paths: /data}}", ("probes.disk.paths", "not_list")),
        ("probes: {disk: {paths: [1]}}", ("probes.disk.paths[0]", "not_text")),
        ("health: {port: '9464'}", ("health.port", "not_integer")),
        ("health: {port: 94.5}", ("health.port", "not_integer")),
        ("name: ''", ("name", "name")),
        ('name: "two\\nlines"', ("name", "name")),
        ("timezone: /etc/passwd", ("timezone", "timezone")),
        ("slack: {alerts_channel: 'Two Words'}", ("slack.alerts_channel", "channel")),
        ("slack: {alerts_channel: '<!channel>'}", ("slack.alerts_channel", "channel")),
        ("slack: {http: {path: slack}}", ("slack.http.path", "text_pattern")),
        ("store: {url: mysql://localhost/x}", ("store.url", "database_url")),
        ("store: {url: 'postgresql://u:p@h/x'}", ("store.url", "secret_in_store_url")),
        ("store: {url: 'postgresql://h/x?password=p'}", ("store.url", "secret_in_store_url")),
        ("store: {password: p}", ("store.password", "secret_in_file")),
        ("environment: xoxb-12345-abcdef", ("environment", "secret_value")),
        ("rules: {cpu: {}}", ("rules.cpu", "unknown_metric")),
        ("rules: {cpu_usage: {margin: -1}}", ("rules.cpu_usage.margin", "number_low")),
        ("kpis: {Queue Age: {target: '< 5', warning: '>= 5'}}", ('kpis["Queue Age"]', "metric_name")),
        ("kpis: {cpu_usag: {target: '< 5', warning: '>= 5'}}", ("kpis.cpu_usag", "unknown_metric")),
        ("infrastructure_kpis: {uptime: null}\nkpis: {uptime: null}", ("kpis.uptime", "metric_twice")),
    ],
)
def test_it_refuses(refused: Refusing, text: str, expected: tuple[str, str]) -> None:
    assert [(problem.path, problem.code) for problem in refused(text)] == [expected]


@pytest.mark.parametrize(
    ("target", "place", "code"),
    [
        ("http://a, intervl: 5", "intervl", "unknown_key"),
        ("'http://u:p@a'", "url", "url_credentials"),
        ("'http://'", "url", "url"),
        ("'http://a:99999'", "url", "url"),
        ("http://a, expect_status: 399-200", "expect_status", "statuses"),
        ("http://a, method: HEAD, expect_body: x", "", "head_without_body"),
        ("http://a, headers: {Authorization: x}", "headers.Authorization", "secret_header"),
        ("http://a, headers: {'a b': x}", 'headers["a b"]', "header_name"),
        ("http://a, secret_headers: {X: NOT_SET}", "secret_headers.X", "secret_header_missing"),
    ],
)
def test_it_refuses_a_web_address(refused: Refusing, target: str, place: str, code: str) -> None:
    problems = refused(f"probes: {{http: {{targets: [{{name: a, url: {target}}}]}}}}")
    path = "probes.http.targets[0]" + (f".{place}" if place else "")
    assert [(problem.path, problem.code) for problem in problems] == [(path, code)]


def test_two_web_addresses_need_two_names(refused: Refusing) -> None:
    text = """
probes:
  http:
    targets:
      - {name: shop, url: "http://a"}
      - {name: desk, url: "http://b"}
      - {name: " shop ", url: "http://c"}
"""
    problems = refused(text)
    assert places(problems) == [("probes.http.targets[2].name", 7, "name_twice")]
    assert problems[0].values["other"] == "probes.http.targets[0].name"


def test_something_must_be_watched(refused: Refusing, loaded: Loading) -> None:
    off = ", ".join(f"{name}: {{enabled: false}}" for name in HOST_PROBES)
    assert places(refused(f"probes: {{{off}}}")) == [("probes", 1, "nothing_watched")]
    web = "http: {targets: [{name: a, url: 'http://a'}]}"
    assert loaded(f"probes: {{{off}, {web}}}").probes.http.targets


@pytest.mark.parametrize(
    ("metric", "place", "code"),
    [
        ("cpu_usage: {critical: '>= 5%'}", "cpu_usage", "band_no_target"),
        ("uptime: {target: '> 5%', warnin: '<= 5%', error: '<= 5%'}", "uptime.warnin", "unknown_key"),
        ("cpu_usage: {target: 5, critical: '>= 5%'}", "cpu_usage.target", "band_not_text"),
        ("response_time: {target: '< 5%', critical: '>= 5ms'}", "response_time.target", "band_unit_foreign"),
        (
            "disk_usage: {target: '< 5%', critical: '>= 5%', targets: {/: {target: '< 5%'}}}",
            'disk_usage.targets["/"]',
            "band_no_level",
        ),
    ],
)
def test_it_refuses_bands(refused: Refusing, metric: str, place: str, code: str) -> None:
    problems = refused(f"infrastructure_kpis: {{{metric}}}")
    assert [(problem.path, problem.code) for problem in problems] == [(f"infrastructure_kpis.{place}", code)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\nlanguage: ko\nlanguage: en\n", ("language", 3, "yaml_duplicate")),
        ("language: [ko\n", ("", 2, "yaml_bracket")),
        ("language:\n\tko\n", ("", 2, "yaml_tab")),
        ("k:\n  critical: > 85%\n", ("", 2, "yaml_unquoted_sign")),
        ("language: !!python/object/apply:os.system [ls]\n", ("language", 1, "not_one_of")),
        ("language: !secret ko\n", ("language", 1, "yaml_tag")),
        ("language: ko\n---\nlanguage: en\n", ("", 2, "yaml_documents")),
        ('# control\nlanguage: "\x01"\n', ("", 2, "yaml_characters")),
        ("? [a]\n: b\n", ("", 1, "yaml_key")),
        ('name: "web\\ud800"\n', ("name", 1, "yaml_half_character")),
        ('rules:\n  "\\ud800": {}\n', ("rules", 2, "yaml_half_character")),
        ("language: &a [*a]\n", ("", 1, "yaml_too_much")),
        ("#\n" + "[" * 2000, ("", 2, "yaml_too_much")),
        ("#\na: '" + "x" * 300_000 + "'", ("", 2, "yaml_too_large")),
    ],
)
def test_it_refuses_bad_yaml(refused: Refusing, text: str, expected: tuple[str, int | None, str]) -> None:
    assert expected in places(refused(text))


def test_aliases_that_multiply_are_refused_before_they_do(refused: Refusing) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 20)]
    assert [problem.code for problem in refused("\n".join(lines))] == ["yaml_too_much"]


def test_anchors_and_merges_work(loaded: Loading) -> None:
    settings = loaded("""
probes:
  cpu: &slow {interval: 1m, timeout: 10s}
  memory: *slow
  load:
    <<: *slow
    interval: 2m
""")
    assert settings.probes.memory == settings.probes.cpu
    assert settings.probes.load.interval == timedelta(minutes=2)
    assert settings.probes.load.patience == timedelta(seconds=10)


def test_the_timeout_follows_a_short_interval(loaded: Loading) -> None:
    assert loaded("probes: {cpu: {interval: 1s}}").probes.cpu.patience == timedelta(seconds=1)


def test_what_yaml_1_1_would_turn_into_something_else_stays_as_it_is(loaded: Loading) -> None:
    assert loaded("environment: no").environment == "no"
    assert loaded("environment: 2025-08-20").environment == "2025-08-20"


def test_a_file_that_is_no_utf8_or_not_there(tmp_path: Path) -> None:
    path = tmp_path / "guardian.yaml"
    path.write_bytes(b"language: ko\nname: \xff\n")
    with pytest.raises(ConfigurationInvalid) as not_utf8:
        load(path, {})
    assert places(not_utf8.value.problems) == [("", 2, "file_not_utf8")]
    for place, code in ((tmp_path / "none.yaml", "file_missing"), (tmp_path, "file_unreadable")):
        with pytest.raises(ConfigurationInvalid) as invalid:
            load(place, {})
        assert [problem.code for problem in invalid.value.problems] == [code]


def test_the_environment_overrides_the_file(tmp_path: Path) -> None:
    path = tmp_path / "guardian.yaml"
    path.write_text("store: {url: sqlite:////srv/guardian.db}\nstate_directory: state\n", encoding="utf-8")
    settings = load(path, {})
    assert settings.store_url == "sqlite+aiosqlite:////srv/guardian.db"
    assert settings.state_directory == tmp_path / "state"
    assert settings.slack.api_url == "https://slack.com/api/"
    environment = {
        "DATABASE_URL": "postgres://guardian:geheim@db/guardian",
        "SLACK_API_URL": "http://127.0.0.1:9000/api",
    }
    settings = load(path, environment)
    assert settings.store_url == "postgresql+psycopg://guardian:geheim@db/guardian"
    assert settings.slack.api_url == "http://127.0.0.1:9000/api/"
    assert "geheim" not in repr(settings)
    assert "geheim" not in settings.model_dump_json()


def test_a_bad_environment_is_named_without_the_secret() -> None:
    environment = {"DATABASE_URL": "mysql://guardian:geheim@db/x", "SLACK_API_URL": "slack"}
    with pytest.raises(ConfigurationInvalid) as invalid:
        load(None, environment)
    assert places(invalid.value.problems) == [
        ("DATABASE_URL", None, "database_url"),
        ("SLACK_API_URL", None, "url"),
    ]
    assert "geheim" not in str(invalid.value.problems)


def test_the_state_directory_is_the_environments_unless_the_file_names_one(tmp_path: Path) -> None:
    assert load(None, {"GUARDIAN_STATE_DIRECTORY": str(tmp_path)}).state_directory == tmp_path
    settings = load(None, {"XDG_STATE_HOME": str(tmp_path)})
    assert settings.state_directory == tmp_path / "guardian"
    assert settings.store_url == f"sqlite+aiosqlite:///{tmp_path}/guardian/guardian.db"


def test_secrets_that_a_header_needs_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("Bearer abcdef\n")
    path = tmp_path / "guardian.yaml"
    path.write_text(
        "probes: {http: {targets: [{name: a, url: 'http://a', secret_headers: {Authorization: A}}]}}"
    )
    assert load(path, {"A_FILE": str(tmp_path / "token")}).probes.http.targets[0].secret_headers


def test_no_refusal_repeats_a_secret(refused: Refusing) -> None:
    problems = refused("""
slack: {bot_token: xoxb-geheim-1234}
store: {url: "postgresql://u:geheim@h/x"}
environment: xapp-geheim-1234
probes: {http: {targets: [{name: a, url: "ftp://u:geheim@h", headers: {Cookie: geheim}}]}}
""")
    assert "geheim" not in str(problems)


def test_the_language_is_known_even_when_the_rest_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "guardian.yaml"
    path.write_text("language: en\nnonsense: 1\n")
    assert language_of(path) == "en"
    assert language_of(tmp_path / "none.yaml") is None
    assert language_of(None) is None


def test_the_file_that_is_used_when_none_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_file({}) is None
    assert find_file({"GUARDIAN_CONFIG": "/etc/guardian.yaml"}) == Path("/etc/guardian.yaml")
    (tmp_path / "guardian.yaml").touch()
    assert find_file({"GUARDIAN_CONFIG": "/etc/guardian.yaml"}) == Path("guardian.yaml")


def test_settings_cannot_be_changed() -> None:
    settings = load(None, {})
    for field in Settings.model_fields:
        with pytest.raises(ValueError):
            setattr(settings, field, None)
