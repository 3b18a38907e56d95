"""Matchers over labels: what they say, how they are written, and what cannot be read."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.levels import Level
from bot.domain.matcher_notation import (
    CONDITION_LIMIT,
    EXPRESSION_LIMIT,
    TEXT_LIMIT,
    MatcherFault,
    MatcherInvalid,
    parse,
    parse_leading,
)
from bot.domain.matchers import (
    Condition,
    Matcher,
    Operator,
    contradiction,
    exactly,
    matches_everything,
    matches_whole,
)

WEB = {"service": "shop", "target": "web-1", "metric": "cpu_usage"}


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("service=shop", True),
        ("service=Shop", False),
        ("service!=shop", False),
        ("service!=db", True),
        ("team=''", True),
        ('team!=""', False),
        ("team!=x", True),
        ('target=~"web-.*"', True),
        ('target=~"web"', False),
        ('target=~"eb-1"', False),
        ("target=~web-[0-9]", True),
        ("target!~db-.*", True),
        ("target!~web-.*", False),
        ("team=~.*", True),
        ("team=~.+", False),
        ("level>=critical", True),
        ("level>=emergency", False),
        ("level<=critical", True),
        ("level<=error", False),
        ("level=critical", True),
        ("level!=critical", False),
        ("level=~'crit.*|error'", True),
        ("level!~warning", True),
        ("service=shop, target=web-1, level>=error", True),
        ("service=shop, target=web-2", False),
        ("*", True),
    ],
)
def test_a_matcher_holds_when_all_its_conditions_do(text: str, matches: bool) -> None:
    assert parse(text).matches(WEB, Level.CRITICAL) is matches


def test_without_a_level_only_negations_hold_for_it() -> None:
    texts = ("level>=info", "level<=emergency", "level=info", "level=~.+", "level!=info", "level!~info")
    assert [parse(text).matches(WEB, None) for text in texts] == [False, False, False, False, True, True]


def test_a_label_named_level_is_not_the_level() -> None:
    assert not parse("level=info").matches({"level": "info"}, Level.CRITICAL)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("service=shop", "service=shop"),
        ("  service = shop  ,level >= CRITICAL ", "service=shop, level>=critical"),
        ("a=1 b=2,c=3", "a=1, b=2, c=3"),
        ("a='x y'", 'a="x y"'),
        ("a=“x”", "a=x"),
        ("a=‘x’", "a=x"),
        ('a="say \\"hi\\" \\\\ there"', 'a="say \\"hi\\" \\\\ there"'),
        ("a=~\\d+", 'a=~"\\\\d+"'),
        ('a=~"\\d+"', 'a=~"\\\\d+"'),
        ("a=http://x/?b=c", 'a="http://x/?b=c"'),
        ("a=가나", "a=가나"),
        ('a=""', 'a=""'),
        ("*", "*"),
    ],
)
def test_the_canonical_text(text: str, canonical: str) -> None:
    assert str(parse(text)) == canonical
    assert str(parse(canonical)) == canonical


@pytest.mark.parametrize(
    ("text", "fault", "position"),
    [
        ("", MatcherFault.EMPTY, 1),
        (" , ", MatcherFault.EMPTY, 1),
        ("shop", MatcherFault.NO_CONDITION, 1),
        ("a=b shop", MatcherFault.NO_CONDITION, 5),
        ("서비스=shop", MatcherFault.NO_CONDITION, 1),
        ("* a=b", MatcherFault.NO_CONDITION, 3),
        ("a==b", MatcherFault.OPERATOR, 2),
        ("a=b c<>d", MatcherFault.OPERATOR, 6),
        ("a~b", MatcherFault.OPERATOR, 2),
        ("a=", MatcherFault.NO_VALUE, 3),
        ("a=,b=c", MatcherFault.NO_VALUE, 3),
        ('a="b', MatcherFault.OPEN_QUOTE, 3),
        ('a="b\\"', MatcherFault.OPEN_QUOTE, 3),
        ("a=~(", MatcherFault.EXPRESSION, 4),
        ("a=~(b)\\1", MatcherFault.EXPRESSION, 4),
        ("a=~x{1001}", MatcherFault.EXPRESSION, 4),
        ("a=\x01", MatcherFault.CONTROL, 3),
        ("a=\ud800", MatcherFault.CONTROL, 3),
        ("level>=bad", MatcherFault.NO_LEVEL, 8),
        ("level=긴급", MatcherFault.NO_LEVEL, 7),
        ("team>=x", MatcherFault.ONLY_LEVEL, 7),
        ("a=b " * (CONDITION_LIMIT + 1), MatcherFault.TOO_MANY, 4 * CONDITION_LIMIT + 1),
        ("a=~" + "x" * (EXPRESSION_LIMIT + 1), MatcherFault.TOO_LONG, 4),
        ("a=" + "x" * TEXT_LIMIT, MatcherFault.TOO_LONG, TEXT_LIMIT + 1),
    ],
)
def test_what_cannot_be_read_says_where(text: str, fault: MatcherFault, position: int) -> None:
    with pytest.raises(MatcherInvalid) as caught:
        parse(text)
    assert (caught.value.fault, caught.value.position) == (fault, position)
    assert caught.value.values["position"] == position


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("service=shop for 2h why=not", "for 2h why=not"),
        ("a=b, c=d 2시간 배포", "2시간 배포"),
        ('a="for 2h" until 18:00', "until 18:00"),
        ("* 1h all", "1h all"),
        ("a=b", ""),
    ],
)
def test_what_stands_behind_a_matcher(text: str, rest: str) -> None:
    assert parse_leading(text)[1] == rest


@pytest.mark.parametrize(
    ("text", "everything"),
    [
        ("*", True),
        ("target=~.*", True),
        ('target=~"(.*)"', True),
        ("target=~.+", True),
        ("target=~'.|..+'", True),
        ("team=~.*", True),
        ("team=~.+", False),
        ("target=~web-.*", False),
        ("target!=''", True),
        ("team!=''", False),
        ("target!~''", True),
        ("target!~web-1", False),
        ("target!=web-1", False),
        ("level>=info", True),
        ("level<=emergency", True),
        ("level>=warning", False),
        ("level=~.*", True),
        ("level=~'[a-z]+'", True),
        ("level=~critical", False),
        ("level>=info, target=~.*", True),
        ("level>=info, service=shop", False),
    ],
)
def test_a_matcher_for_everything_is_known_as_one(text: str, everything: bool) -> None:
    assert matches_everything(parse(text)) is everything


@pytest.mark.parametrize(
    "expression",
    ["(a+)+b", "(a|a)*c", "(.*)*x", "(x+x+)+y", "((a{0,30}){0,30})b", "(a|aa)+$"],
)
def test_no_expression_runs_away(expression: str) -> None:
    """Python's own would need longer than the universe has: RE2's time grows with the text alone."""
    matcher = Matcher((Condition("a", Operator.LIKE, expression),))
    labels = {"a": "a" * 1000}
    matcher.matches(labels, None)  # the library is loaded, the expression compiled
    began = time.perf_counter()
    for _ in range(20):
        matcher.matches(labels, None)
    assert time.perf_counter() - began < 2


@pytest.mark.parametrize(
    ("text", "conflict"),
    [
        ("*", ""),
        ("service=a", ""),
        ("service=a, service=a", ""),
        ("service=a, target=b", ""),
        ("service!=a, service!=b", ""),
        ("service=a, service!=b, service=~a|b, service!~b", ""),
        ("service=~a, service=~b", ""),  # only an expression's author can tell
        ("level>=warning, level<=error, level!=warning", ""),
        ("service=a, service=b", "service=a, service=b"),
        ("target=x, service=a, level=info, service=b", "service=a, service=b"),
        ("service=a, service!=a", "service=a, service!=a"),
        ("service!=a, service=a", "service!=a, service=a"),
        ('service=a, service=""', 'service=a, service=""'),
        ("service=a, service=~b.*", 'service=a, service=~"b.*"'),
        ("service=a, service!~a|b", 'service=a, service!~"a|b"'),
        ("level=error, level=critical", "level=error, level=critical"),
        ("level>=critical, level<=error", "level>=critical, level<=error"),
        (
            "level>=error, level<=error, level!=error",
            "level>=error, level<=error, level!=error",
        ),
        ("level=~loud", 'level=~"loud"'),
    ],
)
def test_what_no_alert_can_match_is_known(text: str, conflict: str) -> None:
    assert ", ".join(map(str, contradiction(parse(text)))) == conflict


def test_the_matcher_for_some_labels_matches_just_those() -> None:
    matcher = exactly({"target": "disk:/x, y", "metric": 'a"b'})
    assert matcher.matches({"target": "disk:/x, y", "metric": 'a"b', "more": "1"}, None)
    assert not matcher.matches({"target": "disk:/x", "metric": 'a"b'}, None)
    assert parse(str(matcher)) == matcher


def test_an_expression_that_is_none_matches_nothing() -> None:
    assert not matches_whole("(", "(")
    assert matches_whole(".*", "\ud800\n")


LABELS = st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_]{0,20}", fullmatch=True).filter(lambda name: name != "level")
VALUES = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=40)
CONDITIONS = st.one_of(
    st.builds(Condition, LABELS, st.sampled_from([Operator.IS, Operator.IS_NOT]), VALUES),
    st.builds(
        Condition,
        LABELS,
        st.sampled_from([Operator.LIKE, Operator.UNLIKE]),
        st.sampled_from([".*", r"\d+", 'a"b\\\\', "[^,]{2}", "가|나", ""]),
    ),
    st.builds(
        Condition,
        st.just("level"),
        st.sampled_from([Operator.IS, Operator.AT_LEAST, Operator.AT_MOST]),
        st.sampled_from([level.word for level in Level]),
    ),
)


@given(st.builds(Matcher, st.lists(CONDITIONS, max_size=CONDITION_LIMIT).map(tuple)))
def test_what_is_written_is_read_as_the_same(matcher: Matcher) -> None:
    assert parse(str(matcher)) == matcher


@given(
    st.one_of(
        st.text(st.characters(codec=None), max_size=200),
        st.text(st.sampled_from(list("ab level=!~<>*,\"'“”‘’\\(){}[]+? \n\t\x00\ud800가")), max_size=200),
    )
)
def test_junk_is_refused_and_nothing_worse(text: str) -> None:
    try:
        matcher = parse(text)
    except MatcherInvalid as invalid:
        assert 1 <= invalid.position <= len(text) + 1
    else:
        assert parse(str(matcher)) == matcher
        matcher.matches(WEB, Level.ERROR)
        matches_everything(matcher)
