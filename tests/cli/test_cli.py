"""Commands: what they print, where, and their exit codes."""

import json
import os
import subprocess
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from bot import __version__
from tests.cli.conftest import Result
from tests.deployments import deployed_to

Guardian = Callable[..., Result]


def test_the_version(guardian: Guardian) -> None:
    result = guardian("--version")
    assert (result.code, result.out) == (0, f"guardian {__version__}\n")


def test_without_anything_it_lists_its_commands(guardian: Guardian) -> None:
    result = guardian()
    assert result.code == 0
    for command in ("run", "check", "schema", "manifest", "probe", "doctor", "watchdog"):
        assert command in result.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["chek"], "check"),
        (["--language", "en", "doctr"], "Did you mean doctor?"),
        (["check", "--confg", "x"], "--config"),
        (["run", "--port", "many"], "--port"),
        (["--lang", "x"], "--language"),
        (["run", "--port", "99999"], "65535"),
        (["manifest", "--mode", "pigeon"], "pigeon"),
        (["manifest", "--request-url", "ftp://x"], "ftp://x"),
        (["--language", "jp", "check"], "jp"),
        (["check", "--language", "jp"], "jp"),
        (["check", "surplus"], "surplus"),
        (["probe", "netwrk"], "network"),
        (["probe", "response_time"], "probes.http.targets"),
        (["check", "--config", "absent.yaml"], "absent.yaml"),
        (["run"], "SLACK_BOT_TOKEN"),
        (["run", "--port", "8724"], "guardian run --trial --port 8724"),
        (["probe", ""], "cpu, memory, disk"),
        (["probe", " "], "점검 이름을 쓰세요"),
        (["probe", "Netwrk"], "network"),
        (["probe", "응답시간"], "probes.http.targets"),
    ],
)
def test_what_cannot_be_used_is_said_in_a_sentence(
    guardian: Guardian, arguments: list[str], said: str
) -> None:
    result = guardian(*arguments)
    assert result.code == 2
    assert result.out == ""
    assert said in result.err
    assert "Traceback" not in result.err


def test_the_watchdog_watches_the_leases_of_the_state_directory(tmp_path: Path) -> None:
    """And ends by itself when there are none. A process of its own: it becomes another program."""
    done = subprocess.run(
        [Path(sys.executable).with_name("guardian"), "watchdog", "--linger", "0"],
        env={"GUARDIAN_STATE_DIRECTORY": str(tmp_path / "state"), "PATH": os.environ["PATH"]},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    events = [json.loads(line) for line in done.stderr.splitlines()]
    assert done.returncode == 0
    assert [event["event"] for event in events] == ["begins", "ends"]
    assert Path(events[0]["folder"]) == (tmp_path / "state" / "leases").resolve()


def test_check_says_that_a_configuration_is_fine(guardian: Guardian) -> None:
    Path("guardian.yaml").write_text("language: en\n", encoding="utf-8")
    result = guardian("check")
    assert result.code == 0
    assert "guardian.yaml is fine." in result.out
    assert "SLACK_APP_TOKEN" in result.out


def test_check_names_bands_that_nothing_measures(guardian: Guardian) -> None:
    text = 'kpis: {queue_length: {target: "< 5", warning: ">= 5"}, swap_usage: null}'
    Path("guardian.yaml").write_text(text, encoding="utf-8")
    result = guardian("check")
    assert "queue_length" in result.out
    assert "swap_usage" not in result.out


@pytest.mark.parametrize(
    ("environment", "deployed", "korean", "english"),
    [
        ("production", ("production", "staging"), "", ""),
        ("prod", ("production",), "하나뿐인 배포 환경", "the only environment of shop"),
        ("prod", ("production", "staging"), "알림에 배포가 표시되지 않습니다", "no such alert"),
    ],
)
def test_check_says_how_alerts_and_deployments_are_put_together(
    guardian: Guardian, environment: str, deployed: tuple[str, ...], korean: str, english: str
) -> None:
    text = yaml.safe_dump({"environment": environment, "deploy": deployed_to(*deployed)})
    Path("guardian.yaml").write_text(text, encoding="utf-8")
    for language, said in (("ko", korean), ("en", english)):
        result = guardian("--language", language, "check")
        notes = [line for line in result.out.splitlines() if "shop" in line]
        assert result.code == 0
        assert len(notes) == bool(said)
        assert all(said in line and "production" in line for line in notes), notes


def test_check_prints_every_problem_with_path_and_line_in_the_configured_language(guardian: Guardian) -> None:
    Path("guardian.yaml").write_text(
        "language: en\nprobes:\n  cpuu: {}\nhealth: {port: 0}\n", encoding="utf-8"
    )
    result = guardian("check")
    assert result.code == 2
    assert result.err.splitlines() == [
        "guardian.yaml:3: probes.cpuu: There is no setting cpuu. Did you mean cpu?",
        "guardian.yaml:4: health.port: The number must be at least 1.",
        "2 problems in the configuration.",
    ]
    korean = guardian("--language", "ko", "check")
    assert "없는 설정입니다: cpuu" in korean.err


def test_check_refuses_a_token_of_the_wrong_kind_without_showing_it(
    guardian: Guardian, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxp-geheim")
    result = guardian("--language", "en", "check")
    assert result.code == 2
    assert "xoxb-" in result.err
    assert "geheim" not in result.err + result.out


def test_a_file_named_by_the_environment_is_used(guardian: Guardian, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("other.yaml").write_text("language: en\nnonsense: 1\n", encoding="utf-8")
    monkeypatch.setenv("GUARDIAN_CONFIG", "other.yaml")
    assert "other.yaml:2: nonsense: There is no setting nonsense." in guardian("check").err


def test_schema_is_json(guardian: Guardian) -> None:
    result = guardian("schema")
    assert result.code == 0
    assert json.loads(result.out)["properties"]["language"]["enum"] == ["ko", "en"]


def test_manifest_follows_the_configured_mode(guardian: Guardian) -> None:
    socket = yaml.safe_load(guardian("manifest").out)
    assert socket["settings"]["socket_mode_enabled"] is True
    Path("guardian.yaml").write_text("slack: {mode: http}\n", encoding="utf-8")
    http = yaml.safe_load(guardian("manifest", "--request-url", "https://g.example.com/slack").out)
    assert http["settings"]["socket_mode_enabled"] is False
    assert http["settings"]["event_subscriptions"]["request_url"] == "https://g.example.com/slack"


def test_probes_are_listed(guardian: Guardian) -> None:
    result = guardian("--language", "en", "probe")
    assert result.code == 0
    names = [line.split("\t")[0] for line in result.out.splitlines()]
    assert names == ["cpu", "memory", "disk", "network", "load", "processes"]


@pytest.mark.parametrize("name", ["cpu", "memory", "disk", "load", "processes"])
def test_a_probe_prints_a_reading(guardian: Guardian, name: str) -> None:
    result = guardian("--language", "en", "probe", name)
    assert result.code == 0, result.err
    metric, target, value, *_ = result.out.splitlines()[0].split("\t")
    assert metric
    assert target
    assert any(character.isdigit() for character in value)


def test_a_probe_that_cannot_measure_says_why_and_is_a_problem(guardian: Guardian) -> None:
    # Port 1 of this machine: nothing listens there.
    text = "language: en\nprobes: {http: {targets: [{name: nobody, url: 'http://127.0.0.1:1/'}]}}"
    Path("guardian.yaml").write_text(text, encoding="utf-8")
    for name in ("nobody", "response_time"):
        result = guardian("probe", name)
        assert result.code == 1
        assert "not measured: connection refused" in result.out.lower()


@pytest.mark.parametrize(
    "name",
    [
        "disk",
        "DISK",
        " Disk ",
        "디스크",
        unicodedata.normalize("NFD", "디스크"),
        "disk_usage",
        "디스크 사용률",
    ],
)
def test_a_probe_is_known_by_every_name_that_people_read(guardian: Guardian, name: str) -> None:
    result = guardian("probe", name)
    assert result.code == 0, result.err
    assert result.out.startswith("디스크 사용률\t")
    assert "남은 공간 " in result.out
    assert "free" not in result.out


def test_a_web_address_is_found_in_any_case(guardian: Guardian) -> None:
    targets = "[{name: Shop, url: 'http://127.0.0.1:1/'}]"
    Path("guardian.yaml").write_text(f"probes: {{http: {{targets: {targets}}}}}", encoding="utf-8")
    result = guardian("probe", "shop")
    assert {line.split("\t")[1] for line in result.out.splitlines()} == {"Shop"}


def test_a_probe_that_is_switched_off_can_be_asked(guardian: Guardian) -> None:
    Path("guardian.yaml").write_text("probes: {load: {enabled: false}}", encoding="utf-8")
    assert guardian("probe", "load").code == 0


def test_the_program_itself_ends_with_the_code_and_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "guardian.yaml").write_text("language: [\n", encoding="utf-8")
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", "import sys; from bot.cli import main; sys.exit(main())", "check"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 2
    assert "guardian.yaml:2" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp949"])
def test_a_terminal_that_cannot_show_korean_gets_the_rest(tmp_path: Path, encoding: str) -> None:
    root = Path(__file__).parents[2]
    for command, stream in ((["check"], "stdout"), (["chek"], "stderr"), (["probe", "disk"], "stdout")):
        done = subprocess.run(
            [sys.executable, "-c", "import sys; from bot.cli import main; sys.exit(main())", *command],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(root), "PYTHONIOENCODING": encoding},
            capture_output=True,
            check=False,
        )
        assert b"Traceback" not in done.stderr
        assert done.returncode in (0, 2)
        assert getattr(done, stream).strip()
