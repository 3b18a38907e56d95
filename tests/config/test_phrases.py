"""Refusals have sentences in both languages."""

import re
from pathlib import Path

import pytest

from bot.config import ConfigProblem, ConfigurationInvalid, Secrets, load
from bot.domain.band_notation import BandFault
from bot.engine.payload_faults import Unfit
from messages.catalog import load as load_catalog
from messages.render import Voice


@pytest.mark.parametrize("language", ["ko", "en"])
def test_every_fault_of_bands_has_a_sentence(language: str) -> None:
    assert {f"config.{fault}" for fault in BandFault} <= set(load_catalog(language))


WRONG = """
languag: ko
language: jp
language: ko
timezone: Asia/Seol
name: ""
infrastructure_kpis:
  cpu_usage: {target: "< 70%", warning: "75-80%", critical: "> 85%", errr: "1"}
  memory_usage: {target: "< 70%", warning: "60-80%", critical: "< 5%"}
  disk_usage: {target: "< 70%", warning: "80-70%", critical: "> 85"}
  response_time: {target: "< 70%", warning: 5, critical: "> 85 pigs"}
  inode_usage: {target: "< 70%", warning: "> 70%", critical: "70-71%"}
  swap_usage: {target: "< 70%", warning: "> 70%"}
  uptime: {target: "5-70%", warning: "> 70%"}
  load_average: {target: "< 5"}
  zombie_count: {warning: "< 5"}
  network_drops: {target: "< 5 /s", warning: "5-6 /s"}
  cpu: {}
kpis:
  a: {target: "< 5 ms", warning: "> 5%"}
  cpu_usage: null
probes:
  cpu: {enabled: 1, interval: soon, timeout: 1h}
  memory: {interval: 1s, timeout: 2s}
  disk: {paths: x}
  load: 5
  http:
    targets:
      - {url: "ftp://a", method: PUT, expect_status: 1000, headers: {"a b": x, Cookie: x}, verify_tls: 1}
      - {name: a, url: "http://u:p@a", secret_headers: {A: "1"}, expect_body: ""}
slack: {bot_token: x, mode: sock, alerts_channel: A B, http: {path: x, port: 0}}
store: {url: "mysql://x"}
health: {port: 1.5, host: 5}
rules: {cpu_usage: {margin: x, confirm: 1000}}
"""


@pytest.mark.parametrize("language", ["ko", "en"])
def test_each_sentence_gets_the_values_it_names(language: str, tmp_path: Path) -> None:
    voice = Voice(language)
    path = tmp_path / "guardian.yaml"
    path.write_text(WRONG, encoding="utf-8")
    problems: list[ConfigProblem] = []
    for attempt in (lambda: load(path, {}), lambda: Secrets.from_environment({"SLACK_APP_TOKEN": "xoxb-1"})):
        with pytest.raises(ConfigurationInvalid) as invalid:
            attempt()
        problems += invalid.value.problems
    assert len({problem.code for problem in problems}) > 35
    for problem in problems:
        sentence = voice.phrase(f"config.{problem.code}", **problem.values)
        assert "{" not in sentence
        assert sentence != f"config.{problem.code}"
        assert sentence.strip().endswith((".", "?", '"', "!")) or language == "ko"


WRONG_TEMPLATES = """
webhooks:
  sources:
    shop:
      mapping:
        each: "x {{ payload }}"
        key: "{% if payload.id %}x"
        title: "{{ payload.text | shout }}"
        firing: "yes"
        target: "{{ 1 / 0 }}"
        level: "{{ none }}"
        metric: "a\\nb {{ payload.host"
        labels: {a: "{{ pay }}", b: "{{ range(9) }}", c: "{{ 'x' is nice }}", d: "{{ ('x' * 9) }}"}
        facts: {a: "{{ [] }}", b: " ", c: "{% set x = 1 %}", d: "{{ 'x' | replace('', 'y') }}"}
"""


@pytest.mark.parametrize("language", ["ko", "en"])
def test_every_fault_of_templates_has_a_sentence(language: str) -> None:
    assert {f"config.template_{unfit}" for unfit in Unfit} <= set(load_catalog(language))


def test_faults_of_templates_are_said_in_the_language_of_the_reader(tmp_path: Path) -> None:
    path = tmp_path / "guardian.yaml"
    path.write_text(WRONG_TEMPLATES, encoding="utf-8")
    with pytest.raises(ConfigurationInvalid) as invalid:
        load(path, {})
    assert len({problem.code for problem in invalid.value.problems}) == 14
    korean, english = Voice("ko"), Voice("en")
    for problem in invalid.value.problems:
        said = korean.phrase(f"config.{problem.code}", **problem.values)
        assert ".." not in said + english.phrase(f"config.{problem.code}", **problem.values)
        # What only Jinja or Python can tell stands behind a colon, at the end.
        own = said.partition(": ")[0] if "detail" in problem.values else said
        assert re.search("[가-힣]", own) and not re.search(r"[A-Za-z]+ [a-z]+ [a-z]+", own), said
