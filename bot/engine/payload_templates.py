"""Jinja templates that pick values out of somebody else's JSON. What they may do is listed, all else refused.

A sandbox keeps a template away from Python, not from eternity: `{% for %}` over `range` runs for ever in it,
and `"x" * 10**9` fills the memory. So there are no loops, no calls but a few methods, no filter that can
make much of little, and every text has a limit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError, nodes
from jinja2.environment import TemplateExpression
from jinja2.filters import FILTERS
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.tests import TESTS
from pydantic import JsonValue

from bot.engine.payload_faults import TemplateFault, Unfit, in_others_words

LONGEST_TEMPLATE = 2000
LONGEST_TEXT = 20_000
"""characters that a template may make"""
LONGEST_INPUT = 10_000
"""characters of one text in a payload that templates see"""

NAMES = ("payload", "event")
"""the whole payload, and the one of its events that is looked at"""

_METHODS = frozenset(
    "get items keys values lower upper strip split startswith endswith removeprefix removesuffix".split()
)
_FILTERS = (
    "abs capitalize count default d dictsort first float int items last length list lower map max min reject"
    " rejectattr round select selectattr sort title trim truncate unique upper"
).split()
_TESTS = (
    "boolean defined eq equalto false float ge gt greaterthan in integer iterable le lessthan lower lt"
    " mapping ne none number sameas sequence string true undefined upper == != < <= > >="
).split()
_NODES = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Const, nodes.Name, nodes.Getattr, nodes.Getitem,
    nodes.Slice, nodes.Filter, nodes.Test, nodes.CondExpr, nodes.If, nodes.Compare, nodes.Operand, nodes.And,
    nodes.Or, nodes.Not, nodes.Neg, nodes.Pos, nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv,
    nodes.Concat, nodes.List, nodes.Tuple, nodes.Dict, nodes.Pair, nodes.Keyword, nodes.Call,
)  # fmt: skip
_NAMED_BY = {
    "map": ("filter", 0),
    "select": ("test", 0),
    "reject": ("test", 0),
    "selectattr": ("test", 1),
    "rejectattr": ("test", 1),
}
"""filters that are told by a word, their nth argument, which filter or test to use"""
_FAILURES = (
    TemplateError,
    TypeError,
    ValueError,
    ArithmeticError,
    LookupError,
    AttributeError,
    RecursionError,
)
"""what a template may raise over a payload that it does not fit"""


class _Environment(ImmutableSandboxedEnvironment):
    """A sandbox in which `payload.items` is the payload's key and not Python's method."""

    intercepted_binops = frozenset({"*"})

    def getattr(self, obj: object, attribute: str) -> object:
        """The key of that name, else what the sandbox allows."""
        if isinstance(obj, dict) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)

    def call_binop(self, context: object, operator: str, left: object, right: object) -> object:
        """Numbers are multiplied; a text times a million is not a text."""
        if isinstance(left, int | float) and isinstance(right, int | float):
            return left * right
        raise TemplateFault(Unfit.NO_PRODUCT, "only numbers can be multiplied")


def _printed(value: object) -> object:
    """What `{{ … }}` prints."""
    if value is None:
        raise TemplateFault(Unfit.IS_NULL, "the value is null")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list | tuple):
        raise TemplateFault(Unfit.NO_TEXT, "the value is a list or an object, not a text")
    return value


def _joined(values: Iterable[object], between: object = "") -> str:
    parts: list[str] = []
    length = 0
    for value in values:
        part = str(_printed(value))
        length += len(part) + len(str(between))
        if length > LONGEST_TEXT:
            raise _too_long(LONGEST_TEXT)
        parts.append(part)
    return str(between).join(parts)


def _replaced(text: object, old: str, new: str) -> str:
    whole = str(_printed(text))
    if not old:
        raise TemplateFault(Unfit.NO_REPLACEMENT, "nothing to replace")
    if len(whole) + whole.count(old) * len(new) > LONGEST_TEXT:
        raise _too_long(LONGEST_TEXT)
    return whole.replace(old, new)


def _too_long(limit: int) -> TemplateFault:
    return TemplateFault(Unfit.TEXT_TOO_LONG, f"longer than {limit} characters", limit=limit)


def _environment() -> _Environment:
    made = _Environment(undefined=StrictUndefined, autoescape=False, finalize=_printed)
    made.filters = {name: FILTERS[name] for name in _FILTERS} | {"join": _joined, "replace": _replaced}
    made.tests = {name: TESTS[name] for name in _TESTS}
    made.globals = {}
    return made


_JINJA = _environment()


class PayloadTemplate:
    """One template. `{{ … }}` alone gives the value itself; anything around it makes a text of it."""

    def __init__(self, source: str) -> None:
        """Raises TemplateFault for a template with a mistake, or with something that is not possible here."""
        if len(source) > LONGEST_TEMPLATE:
            said = f"longer than {LONGEST_TEMPLATE} characters"
            raise TemplateFault(Unfit.TOO_LONG, said, limit=LONGEST_TEMPLATE)
        many_lines = "\n" in source
        try:
            tree = _JINJA.parse(source)
            _look_through(tree, many_lines)
            self.asks_for = frozenset(name.name for name in tree.find_all(nodes.Name))
            """which of NAMES it asks for; one that asks for none is always the same"""
            self._expression = _only_expression(tree)
            self._template = _JINJA.from_string(tree)
        except TemplateSyntaxError as error:
            line = error.lineno if many_lines else None
            raise in_others_words(Unfit.SYNTAX, error.message or type(error).__name__, line) from None
        except RecursionError:
            raise TemplateFault(Unfit.TOO_DEEP, "nested too deeply") from None

    @property
    def is_value(self) -> bool:
        """Whether it is nothing but `{{ … }}`, and so may give other things than texts."""
        return self._expression is not None

    def value(self, names: Mapping[str, JsonValue]) -> object:
        """What it gives for these names: a value, or a text. Raises TemplateFault."""
        try:
            if self._expression is not None:
                found = self._expression(names)
                if isinstance(found, StrictUndefined):
                    str(found)  # says which name is undefined, by raising
                return found
            return self._text(names)
        except _FAILURES as error:
            raise in_others_words(Unfit.FAILS, str(error)[:300] or type(error).__name__) from None

    def text(self, names: Mapping[str, JsonValue], limit: int) -> str:
        """Its text, trimmed, of at most `limit` characters. Raises TemplateFault, also for an empty one."""
        text = str(_printed(self.value(names))).strip()
        if not text:
            raise TemplateFault(Unfit.EMPTY, "the text is empty")
        if len(text) > limit:
            raise _too_long(limit)
        return text

    def _text(self, names: Mapping[str, JsonValue]) -> str:
        parts: list[str] = []
        length = 0
        for part in self._template.generate(names):
            length += len(part)
            if length > LONGEST_TEXT:
                raise _too_long(LONGEST_TEXT)
            parts.append(part)
        return "".join(parts)


def truth_of(value: object) -> bool | None:
    """Whether a value that a template gave is true, as JSON or as a text; None if it is neither true nor
    false."""
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.strip())
    return value if isinstance(value, bool) else None


def check_text(source: str) -> None:
    """Raises TemplateFault for a template that can't give a text, whatever the payload."""
    template = PayloadTemplate(source)
    if not template.asks_for:
        template.text({}, LONGEST_TEXT)


def check_truth(source: str) -> None:
    """Raises TemplateFault for a template that can't be true or false, whatever the payload."""
    template = PayloadTemplate(source)
    if not template.asks_for and truth_of(template.value({})) is None:
        raise TemplateFault(Unfit.NO_TRUTH, "it is always the same, and neither true nor false")


def check_events(source: str) -> None:
    """Raises TemplateFault for a template that can't give the list of a payload's events."""
    template = PayloadTemplate(source)
    if not template.is_value:
        raise TemplateFault(Unfit.TEXT_AROUND, "what stands around {{ … }} makes a text of the list")
    if "event" in template.asks_for:
        raise TemplateFault(Unfit.NO_EVENT, "there is no event yet: it is one of this list")
    if not template.asks_for and not isinstance(template.value({}), list):
        raise TemplateFault(Unfit.NO_LIST, "it is always the same, and no list")


@dataclass(frozen=True, slots=True)
class MappingTexts:
    """The templates of one source as the configuration has them. None or empty: the default applies."""

    key: str
    title: str
    firing: str
    target: str
    each: str | None = None
    level: str | None = None
    metric: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)


def shortened(value: JsonValue) -> JsonValue:
    """The payload as templates see it: no text in it is longer than LONGEST_INPUT."""
    if isinstance(value, str):
        return value[:LONGEST_INPUT]
    if isinstance(value, list):
        return [shortened(each) for each in value]
    if isinstance(value, dict):
        return {key: shortened(each) for key, each in value.items()}
    return value


def _look_through(tree: nodes.Template, many_lines: bool) -> None:
    """Raises TemplateFault for the first thing in the tree that is not on the lists."""
    for node in (tree, *tree.find_all(nodes.Node)):
        line = node.lineno if many_lines else None
        if not isinstance(node, _NODES):
            name = type(node).__name__.lower()
            raise TemplateFault(Unfit.NOT_POSSIBLE, f"not possible here: {name}", line, name=name)
        if isinstance(node, nodes.Name) and node.name not in NAMES:
            known = ", ".join(NAMES)
            said = f"unknown name {node.name!r}; there are {known}"
            raise TemplateFault(Unfit.UNKNOWN_NAME, said, line, name=node.name[:80], known=known)
        if isinstance(node, nodes.Filter | nodes.Test):
            _look_at_names(node, line)
        if isinstance(node, nodes.Call):
            method = node.node.attr if isinstance(node.node, nodes.Getattr) else ""
            if method not in _METHODS:
                said = f"cannot be called here: {method or 'a value'}"
                raise TemplateFault(Unfit.NO_CALL, said, line, name=method[:80])


def _look_at_names(node: nodes.Filter | nodes.Test, line: int | None) -> None:
    """Raises TemplateFault for a filter or test that there is not. Jinja says so itself, but within a
    condition and for those that other filters use not before a payload gets there."""
    named = [(isinstance(node, nodes.Test), node.name)]
    kind, place = _NAMED_BY.get(node.name, ("", 0)) if isinstance(node, nodes.Filter) else ("", 0)
    if kind and len(node.args) > place:
        word = node.args[place]
        if isinstance(word, nodes.Const):
            named.append((kind == "test", str(word.value)))
    for is_test, name in named:
        if is_test and name not in _JINJA.tests:
            raise TemplateFault(Unfit.NO_TEST, f"No test named {name!r}", line, name=name[:80])
        if not is_test and name not in _JINJA.filters:
            raise TemplateFault(Unfit.NO_FILTER, f"No filter named {name!r}", line, name=name[:80])


def _only_expression(tree: nodes.Template) -> TemplateExpression | None:
    """The expression of a template that is nothing else."""
    match tree.body:
        case [nodes.Output(nodes=[expression])] if not isinstance(expression, nodes.TemplateData):
            target = nodes.Name("result", "store", lineno=1)
            body: list[nodes.Node] = [nodes.Assign(target, expression, lineno=1)]
            return TemplateExpression(_JINJA.from_string(nodes.Template(body, lineno=1)), False)
    return None
