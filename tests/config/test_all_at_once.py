"""Everything that is wrong is said at once: also what only two values together make wrong."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from bot.config import ConfigProblem, ConfigurationInvalid, load

Refusing = Callable[[str], Sequence[ConfigProblem]]


def test_values_are_compared_beside_others_that_are_refused(refused: Refusing) -> None:
    problems = refused("""\
language: jp
probes:
  cpu: {interval: 5s, timeout: 6s}
  memory: {interval: soon, timeout: 6s}
  disk: {interval: 5s, timeout: 6s, paths: [1, 2]}
  load: 5
  http:
    interval: 5s
    timeout: 6s
    targets:
      - 7
      - {method: HEAD, expect_body: x}
      - {name: a, url: "ftp://a", interval: 1s, timeout: 2s, verify_tls: 1}
      - {name: b, url: "http://b", secret_headers: {X: NOT_SET}}
store: {url: "mysql://x"}
infrastructure_kpis:
  cpu_usage: {target: "< 70%", warning: "60-85%", critical: "> 850"}
rules: {cpu_usage: {confirm: 0}}
""")
    target = "probes.http.targets"
    assert sorted((problem.path, problem.code) for problem in problems) == sorted([
        ("language", "not_one_of"),
        ("probes.cpu", "timeout_over_interval"),
        ("probes.memory.interval", "duration"),
        ("probes.disk.paths[0]", "not_text"),
        ("probes.disk.paths[1]", "not_text"),
        ("probes.disk", "timeout_over_interval"),
        ("probes.load", "not_mapping"),
        (f"{target}[0]", "not_mapping"),
        (f"{target}[1].name", "missing"),
        (f"{target}[1].url", "missing"),
        (f"{target}[1]", "head_without_body"),
        (f"{target}[2].url", "url_scheme"),
        (f"{target}[2].verify_tls", "not_bool"),
        (f"{target}[2]", "timeout_over_interval"),
        (f"{target}[3].secret_headers.X", "secret_header_missing"),
        ("probes.http", "timeout_over_interval"),
        ("store.url", "database_url"),
        ("infrastructure_kpis.cpu_usage.warning", "band_overlap"),
        ("infrastructure_kpis.cpu_usage.critical", "band_unit_missing"),
        ("rules.cpu_usage.confirm", "number_low"),
    ])  # fmt: skip


def test_what_the_environment_says_is_judged_beside_a_file_that_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "guardian.yaml"
    path.write_text("nonsense: 1\n", encoding="utf-8")
    with pytest.raises(ConfigurationInvalid) as invalid:
        load(path, {"DATABASE_URL": "mysql://x", "SLACK_API_URL": "slack"})
    assert {problem.path for problem in invalid.value.problems} == {
        "nonsense",
        "DATABASE_URL",
        "SLACK_API_URL",
    }


@pytest.mark.parametrize(
    ("text", "line", "code"),
    [("# a list\n- language\n", 2, "not_mapping"), ("\n\njust words\n", 3, "not_mapping")],
)
def test_what_is_wrong_with_the_whole_has_its_line(
    refused: Refusing, text: str, line: int, code: str
) -> None:
    assert [(problem.path, problem.line, problem.code) for problem in refused(text)] == [("", line, code)]


@pytest.mark.parametrize(
    ("bands", "expected"),
    [
        ('{target: "< 0%", warning: ">= 0%"}', {"target": "band_unreachable"}),
        ('{target: "< 70%", warning: ">= 170%"}', {"warning": "band_gap"}),
        ('{target: "< 170%", warning: ">= 170%"}',
         {"target": "band_impossible", "warning": "band_impossible"}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("metric", ["cpu_usage", "uptime", "error_rate"])
def test_a_share_is_between_nothing_and_all(
    refused: Refusing, metric: str, bands: str, expected: Mapping[str, str]
) -> None:
    codes = {problem.path: problem.code for problem in refused(f"kpis: {{{metric}: {bands}}}")}
    assert codes == {f"kpis.{metric}.{key}": code for key, code in expected.items()}
