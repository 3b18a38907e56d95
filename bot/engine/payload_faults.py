"""What is wrong with a template over a payload."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Unfit(StrEnum):
    """What is wrong; the sentence is `config.template_UNFIT` in the phrases, when it is known beforehand."""

    SYNTAX = "syntax"
    """Jinja can't read it"""
    TOO_LONG = "too_long"
    TOO_DEEP = "too_deep"
    NOT_POSSIBLE = "not_possible"
    """a part of Jinja that is kept away from templates"""
    UNKNOWN_NAME = "unknown_name"
    NO_CALL = "no_call"
    NO_FILTER = "no_filter"
    NO_TEST = "no_test"
    FAILS = "fails"
    """it could be read, and there is no value"""
    IS_NULL = "is_null"
    NO_TEXT = "no_text"
    """a list or an object"""
    EMPTY = "empty"
    TEXT_TOO_LONG = "text_too_long"
    NO_PRODUCT = "no_product"
    """something is multiplied that is no number"""
    NO_REPLACEMENT = "no_replacement"
    NO_TRUTH = "no_truth"
    TEXT_AROUND = "text_around"
    """a list with text around it is no list"""
    NO_EVENT = "no_event"
    NO_LIST = "no_list"


class TemplateFault(Exception):
    """A template that can't be used, or not for this payload.

    `detail` says why in English: in Jinja's words, or Python's, or ours. `values` are what the sentence of
    `unfit` names: `line` where the template has more than one, `detail` where only Jinja or Python can tell.
    """

    def __init__(self, unfit: Unfit, said: str, line: int | None = None, **values: str | int) -> None:
        self.unfit = unfit
        self.detail = said if line is None else f"line {line}: {said}"
        self.values: Mapping[str, str | int] = values if line is None else {"line": line, **values}
        super().__init__(self.detail)


def in_others_words(unfit: Unfit, said: str, line: int | None = None) -> TemplateFault:
    """A fault that Jinja or Python has put into words."""
    said = said.rstrip(".")
    return TemplateFault(unfit, said, line, detail=said)
