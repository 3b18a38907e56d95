"""Which processes are left alone, whatever happens: editors and their servers, sessions, Guardian itself.

The document says `절대 VSCode/CLI 프로세스 kill 금지`. Guardian sends no signals in a cleanup at all; what is
protected here is never restarted, and nothing that it holds is touched.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """Why a process is protected, the strongest reason first; words under `cleanup.kind`."""

    GUARDIAN = "guardian"
    """Guardian, what it was started by, and what it started"""
    EDITOR = "editor"
    EDITOR_SERVER = "editor_server"
    LANGUAGE_SERVER = "language_server"
    MULTIPLEXER = "multiplexer"
    SSH = "ssh"
    SHELL = "shell"
    NAMED = "named"
    """the configuration says so"""
    STARTED = "started"
    """one of the above started it"""
    TERMINAL = "terminal"
    """its session has a terminal"""
    HOLDS = "holds"
    """it holds files of an editor"""


ACTIVE = frozenset(
    {Kind.EDITOR, Kind.EDITOR_SERVER, Kind.LANGUAGE_SERVER, Kind.MULTIPLEXER, Kind.TERMINAL, Kind.NAMED}
)
"""Somebody is at work while one of these runs: a cleanup is partial then, and says so."""

_BEQUEATH = frozenset(
    {
        Kind.EDITOR,
        Kind.EDITOR_SERVER,
        Kind.LANGUAGE_SERVER,
        Kind.MULTIPLEXER,
        Kind.SSH,
        Kind.NAMED,
        Kind.GUARDIAN,
    }
)
"""What these started is protected too. Not so for shells: half of a machine's services began in one."""

_NAMES: Mapping[Kind, re.Pattern[str]] = {
    Kind.EDITOR: re.compile(
        r"code(-insiders|-oss)?|codium|vscodium|cursor|windsurf|zed(-editor)?|n?vim?|emacs(-\w+)?|nano|helix|hx"
        r"|idea|pycharm|goland|webstorm|clion|rider|rubymine|phpstorm|fleet|sublime_text|subl|kate|gedit"
    ),
    Kind.EDITOR_SERVER: re.compile(
        r"code-server|code-tunnel|openvscode-server|vscode-server|cursor-server|remote-dev-server|emacsclient"
    ),
    Kind.LANGUAGE_SERVER: re.compile(
        r".*lang(uage-?)?server.*|.*-?lsp(-server)?|gopls|rust-analyzer|clangd|ccls|pyright.*|basedpyright.*|pylsp|pyls"
        r"|jdtls|tsserver|solargraph|omnisharp|ruff-lsp|dmypy"
    ),
    Kind.MULTIPLEXER: re.compile(r"tmux(: (server|client))?|screen|byobu|zellij|mosh-server|abduco|dtach"),
    Kind.SSH: re.compile(r"sshd?(-session|-auth)?|sshd:.*|ssh-agent|scp|sftp(-server)?|mosh|autossh"),
    Kind.SHELL: re.compile(r"-?(ba|z|fi|da|k|mk|c|tc|a|nu|pw|xon)?sh|login|su|sudo"),
}
_SERVER_PATHS = re.compile(
    r"/\.?(vscode|cursor|windsurf|vscodium|vscode-insiders)(-server|-remote|-insiders)*/|/JetBrains/|/\.cache/JetBrains/"
)
"""directories that only editors and their servers use"""
_SERVER_WORDS = re.compile(
    r"(^|/)(tsserver|eslintServer|extensionHost|[\w.-]*lang(uage-?)?server[\w.-]*)(\.js|\.jar)?$"
)
_LOOKED_AT = 4
"""words of a command line: an interpreter, its options and what it runs"""


@dataclass(frozen=True, slots=True)
class ProcessFacts:
    """A process as it was seen."""

    pid: int
    parent: int
    name: str
    command: tuple[str, ...] = ()
    started: float = 0.0
    """seconds of the epoch: with the pid it tells one process from a later one"""
    session: int | None = None
    terminal: bool = False
    """whether it has a controlling terminal"""
    holds: tuple[str, ...] = ()
    """paths of files that it has open, as far as they could be seen"""
    zombie: bool = False


def protections(processes: Iterable[ProcessFacts], own: int, names: Sequence[str] = ()) -> Mapping[int, Kind]:
    """Why each protected process is so, by its pid. `own` is Guardian's pid, `names` are further ones."""
    known = {each.pid: each for each in processes}
    found: dict[int, Kind] = {}
    for pid in _ancestors(own, known):
        found[pid] = Kind.GUARDIAN
    for each in known.values():
        kind = _by_itself(each, names)
        if kind is not None:
            found.setdefault(each.pid, kind)
    for pid in _descendants(known, [pid for pid, kind in found.items() if _bequeaths(pid, kind, own)]):
        found.setdefault(pid, Kind.STARTED)
    sessions = {each.session for each in known.values() if each.terminal and each.session is not None}
    for each in known.values():
        if each.terminal or each.session in sessions:
            found.setdefault(each.pid, Kind.TERMINAL)
        elif any(_SERVER_PATHS.search(path) for path in each.holds):
            found.setdefault(each.pid, Kind.HOLDS)
    return found


def active(found: Mapping[int, Kind]) -> tuple[Kind, ...]:
    """The kinds for which a cleanup is partial, each once, in the order of Kind."""
    kinds = ACTIVE & set(found.values())
    return tuple(kind for kind in Kind if kind in kinds)


def _bequeaths(pid: int, kind: Kind, own: int) -> bool:
    # Guardian's ancestors are protected; their other children, on a small machine all of it, are not.
    return kind in _BEQUEATH and (kind is not Kind.GUARDIAN or pid == own)


def _by_itself(process: ProcessFacts, names: Sequence[str]) -> Kind | None:
    words = process.command[:_LOOKED_AT]
    called = {process.name, *(word.rsplit("/", 1)[-1] for word in words[:1])}
    if called & set(names):
        return Kind.NAMED
    if any(_SERVER_PATHS.search(word) for word in words):
        return Kind.EDITOR_SERVER
    if any(_SERVER_WORDS.search(word) for word in words):
        return Kind.LANGUAGE_SERVER
    for kind, pattern in _NAMES.items():
        if any(pattern.fullmatch(name) for name in called):
            return kind
    return None


def _ancestors(pid: int, known: Mapping[int, ProcessFacts]) -> Iterable[int]:
    seen: set[int] = set()
    while pid in known and pid not in seen:
        seen.add(pid)
        yield pid
        pid = known[pid].parent


def _descendants(known: Mapping[int, ProcessFacts], heads: Sequence[int]) -> Iterable[int]:
    children: defaultdict[int, list[int]] = defaultdict(list)
    for each in known.values():
        children[each.parent].append(each.pid)
    waiting, seen = list(heads), set(heads)
    while waiting:
        for child in children[waiting.pop()]:
            if child not in seen:
                seen.add(child)
                waiting.append(child)
                yield child
