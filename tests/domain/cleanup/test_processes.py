"""Who is left alone: `절대 VSCode/CLI 프로세스 kill 금지`."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.cleanup.processes import Kind, ProcessFacts, active, protections

INIT = ProcessFacts(1, 0, "systemd", ("/sbin/init",))
SERVICE = ProcessFacts(50, 1, "nginx", ("nginx", "-g", "daemon off;"), session=50)
GUARDIAN = ProcessFacts(
    90, 1, "guardian", ("/srv/.venv/bin/python", "/srv/.venv/bin/guardian", "run"), session=90
)


def kind_of(process: ProcessFacts, *others: ProcessFacts, names: tuple[str, ...] = ()) -> Kind | None:
    return protections([INIT, SERVICE, GUARDIAN, process, *others], GUARDIAN.pid, names).get(process.pid)


@pytest.mark.parametrize(
    ("name", "command", "kind"),
    [
        ("code", ("/usr/share/code/code", "--type=renderer"), Kind.EDITOR),
        ("cursor", ("cursor",), Kind.EDITOR),
        ("nvim", ("nvim", "notes"), Kind.EDITOR),
        ("node", ("/home/kim/.vscode-server/bin/abc/node", "server-main.js"), Kind.EDITOR_SERVER),
        ("sh", ("sh", "/home/kim/.vscode-server/bin/abc/bin/code-server"), Kind.EDITOR_SERVER),
        ("node", ("/home/kim/.cursor-server/node", "x.js"), Kind.EDITOR_SERVER),
        ("code-server", ("code-server",), Kind.EDITOR_SERVER),
        ("gopls", ("gopls", "serve"), Kind.LANGUAGE_SERVER),
        ("node", ("node", "/usr/lib/node_modules/pyright/pyright-langserver"), Kind.LANGUAGE_SERVER),
        ("pyright-langser", ("pyright-langserver", "--stdio"), Kind.LANGUAGE_SERVER),
        ("node", ("node", "/opt/lib/tsserver.js"), Kind.LANGUAGE_SERVER),
        ("rust-analyzer", ("rust-analyzer",), Kind.LANGUAGE_SERVER),
        ("typescript-lang", ("/opt/typescript-language-server", "--stdio"), Kind.LANGUAGE_SERVER),
        ("tmux: server", ("tmux",), Kind.MULTIPLEXER),
        ("screen", ("SCREEN",), Kind.MULTIPLEXER),
        ("sshd", ("sshd: kim@pts/0",), Kind.SSH),
        ("sshd-session", ("sshd-session: kim",), Kind.SSH),
        ("ssh", ("ssh", "web-2"), Kind.SSH),
        ("bash", ("-bash",), Kind.SHELL),
        ("zsh", ("zsh",), Kind.SHELL),
        ("nginx", ("nginx: worker",), None),
        ("python3", ("python3", "/srv/shop/manage.py"), None),
        ("shop", ("shop",), None),
        ("decode", ("decode",), None),
    ],
)
def test_a_process_is_known_by_its_name_and_command(
    name: str, command: tuple[str, ...], kind: Kind | None
) -> None:
    assert kind_of(ProcessFacts(100, 1, name, command)) is kind


def test_what_an_editor_or_a_session_started_is_protected_however_deep() -> None:
    server = ProcessFacts(100, 1, "node", ("/home/kim/.vscode-server/node",))
    middle = ProcessFacts(101, 100, "make")
    deep = ProcessFacts(102, 101, "python3", ("python3", "train.py"))
    found = protections([INIT, GUARDIAN, server, middle, deep], GUARDIAN.pid)
    assert found[middle.pid] is Kind.STARTED
    assert found[deep.pid] is Kind.STARTED


def test_a_service_that_a_script_started_is_no_session() -> None:
    script = ProcessFacts(100, 1, "sh", ("sh", "/entrypoint.sh"))
    assert kind_of(ProcessFacts(101, 100, "shop"), script) is None


def test_guardian_its_ancestors_and_what_it_started_are_protected_and_no_neighbours() -> None:
    above = ProcessFacts(80, 1, "supervisord")
    own = replace(GUARDIAN, parent=80)
    worker = ProcessFacts(91, 90, "python", ("python", "-m", "bot.tools.chart_worker"))
    neighbour = ProcessFacts(81, 80, "shop")
    found = protections([INIT, above, own, worker, neighbour], own.pid)
    assert {pid: found.get(pid) for pid in (1, 80, 90, 91, 81)} == {
        1: Kind.GUARDIAN,
        80: Kind.GUARDIAN,
        90: Kind.GUARDIAN,
        91: Kind.STARTED,
        81: None,
    }


def test_all_of_a_session_with_a_terminal_is_protected() -> None:
    leader = ProcessFacts(100, 1, "htop", session=100, terminal=True)
    detached = ProcessFacts(101, 1, "train", session=100)
    assert kind_of(leader, detached) is Kind.TERMINAL
    assert kind_of(detached, leader) is Kind.TERMINAL
    assert kind_of(ProcessFacts(102, 1, "train", session=102), leader) is None


def test_what_holds_an_editors_files_is_protected() -> None:
    holds = ProcessFacts(100, 1, "node", holds=("/home/kim/.vscode-server/data/logs/1.log",))
    assert kind_of(holds) is Kind.HOLDS


def test_the_configuration_names_more() -> None:
    assert kind_of(ProcessFacts(100, 1, "jupyter-lab"), names=("jupyter-lab",)) is Kind.NAMED


def test_circles_of_parents_end() -> None:
    one, other = ProcessFacts(90, 91, "a"), ProcessFacts(91, 90, "b")
    assert protections([one, other], 90) == {90: Kind.GUARDIAN, 91: Kind.GUARDIAN}


def test_a_cleanup_is_partial_while_somebody_is_at_work_and_not_because_of_services() -> None:
    sshd = ProcessFacts(60, 1, "sshd")
    editor = ProcessFacts(100, 1, "code")
    assert active(protections([INIT, GUARDIAN, sshd, SERVICE], GUARDIAN.pid)) == ()
    assert active(protections([INIT, GUARDIAN, sshd, editor], GUARDIAN.pid)) == (Kind.EDITOR,)
