"""Errors with Slack's names."""

from __future__ import annotations

from pydantic import JsonValue


class SlackError(Exception):
    """A refusal in Slack's words.

    `code` is Slack's error name. `details` are further keys of the answer, such as `needed`; `messages` go
    into `response_metadata.messages`. `retry_after` (seconds) makes it an HTTP 429.
    """

    def __init__(
        self,
        code: str,
        *,
        messages: list[str] | None = None,
        retry_after: int | None = None,
        **details: JsonValue,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.messages = messages or []
        self.retry_after = retry_after
        self.details = details


class WorkspaceError(Exception):
    """The workspace can't be started; the text is a sentence for the person who starts it.

    `code` says the same to the program that starts it (docs/local-workspace.md), and `details` has what it
    is about.
    """

    def __init__(self, sentence: str, code: str = "cannot_start", **details: JsonValue) -> None:
        super().__init__(sentence)
        self.code = code
        self.details = details
