"""What is wrong with a configuration, as values: the sentences are in `messages/*/phrases/config.yaml`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

Steps = tuple[str | int, ...]
"""Where in the document: keys and list positions from the top."""


@dataclass(frozen=True, slots=True)
class ConfigProblem:
    """One thing that is wrong.

    `path` is the place as people write it (`probes.http.targets[0].url`), or the environment variable's
    name; `line` counts from 1 and is None outside the file. `code` is the key of the sentence under
    `config.`, `values` what the sentence names. Neither ever holds a secret.
    """

    path: str
    line: int | None
    code: str
    values: Mapping[str, str | int | float] = field(default_factory=dict)


class ConfigurationInvalid(Exception):
    """The configuration can't be used. `problems` has everything that is wrong, in the file's order."""

    def __init__(self, problems: Iterable[ConfigProblem], source: str | None = None) -> None:
        self.problems = tuple(problems)
        self.source = source
        """the file's path as it was given; None without a file"""
        super().__init__("; ".join(f"{problem.path}: {problem.code}" for problem in self.problems))


def path_text(steps: Steps) -> str:
    """`("probes", "http", "targets", 0)` as `probes.http.targets[0]`; odd keys get quotes."""
    text = ""
    for step in steps:
        if isinstance(step, int):
            text += f"[{step}]"
        elif step.replace("_", "").replace("-", "").isalnum():
            text += f".{step}" if text else step
        else:
            text += f'["{step}"]'
    return text
