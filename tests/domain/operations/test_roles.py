"""Who may what: each role, whoever has several, nobody assigned."""

from __future__ import annotations

import pytest

from bot.domain.audit import GUARDIAN
from bot.domain.operations.roles import Role, Roles

VIEWER, OPERATOR, APPROVER, ADMINISTRATOR = Role
ROLES = Roles(
    {
        OPERATOR: frozenset({"U1", "U9"}),
        APPROVER: frozenset({"U2", "U3"}),
        ADMINISTRATOR: frozenset({"U4", "U9"}),
    },
    assigned=True,
)


@pytest.mark.parametrize(
    ("user", "role"),
    [
        ("U0", VIEWER),
        ("U1", OPERATOR),
        ("U2", APPROVER),
        ("U4", ADMINISTRATOR),
        ("U9", ADMINISTRATOR),  # the higher one of two
        (GUARDIAN, ADMINISTRATOR),
        ("", VIEWER),
    ],
)
def test_everybody_has_their_highest_role_and_may_what_lower_ones_may(user: str, role: Role) -> None:
    assert ROLES.of(user) is role
    assert [needed for needed in Role if ROLES.may(user, needed)] == [each for each in Role if each <= role]


def test_without_any_assignment_everybody_may_everything() -> None:
    assert all(Roles().may("U0", needed) for needed in Role)


def test_roles_that_are_assigned_and_not_known_yet_let_nobody_do_anything() -> None:
    assert [needed for needed in Role if Roles(assigned=True).may("U1", needed)] == [VIEWER]


@pytest.mark.parametrize(
    ("needed", "besides", "could"),
    [
        (VIEWER, [], ("U1", "U2", "U3", "U4", "U9")),
        (OPERATOR, [], ("U1", "U2", "U3", "U4", "U9")),
        (APPROVER, [], ("U2", "U3", "U4", "U9")),
        (APPROVER, ["U2"], ("U3", "U4", "U9")),
        (ADMINISTRATOR, ["U4", "U9"], ()),
    ],
)
def test_a_refusal_says_who_could(needed: Role, besides: list[str], could: tuple[str, ...]) -> None:
    assert ROLES.who_could(needed, besides) == could


def test_words_are_those_of_the_configuration() -> None:
    assert [role.word for role in Role] == ["viewer", "operator", "approver", "administrator"]
