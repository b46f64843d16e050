import numpy as np
import pytest
from scipy.stats import chi2_contingency, chisquare

from causalablate.effects.online.allocation import assign, shares_of
from causalablate.errors import EffectError

ARMS = ("control", "lesioned")
USERS = [f"user-{i}" for i in range(20_000)]


def test_assignment_is_sticky():
    """Written down, so that it stays what it is between versions: an experiment may run for weeks."""
    assert [assign(f"user-{i}", ARMS, salt="exp-1") for i in range(8)] == [
        "control", "control", "control", "control", "control", "lesioned", "control", "lesioned",
    ]  # fmt: skip
    assert assign("user-0", ARMS, salt="exp-1") == assign("user-0", list(ARMS), salt="exp-1")


@pytest.mark.parametrize(
    "allocation", [None, {"control": 9, "lesioned": 1}, {"lesioned": 0.3, "control": 0.7}], ids=str
)
def test_arms_get_their_shares(allocation):
    got = [assign(user, ARMS, allocation=allocation, salt="exp-1") for user in USERS]
    counts = [got.count(arm) for arm in ARMS]
    assert chisquare(counts, shares_of(ARMS, allocation) * len(USERS)).pvalue > 0.01


def test_three_arms():
    got = [assign(user, ("a", "b", "c"), salt="three") for user in USERS]
    assert chisquare([got.count(arm) for arm in "abc"]).pvalue > 0.01


def test_salts_assign_independently():
    first, second = ([assign(user, ARMS, salt=salt) for user in USERS] for salt in ("exp-1", "exp-2"))
    table = [[sum(a == x and b == y for a, b in zip(first, second, strict=True)) for x in ARMS] for y in ARMS]
    assert chi2_contingency(table).pvalue > 0.01


def test_salt_and_unit_do_not_run_into_each_other():
    pairs = [(assign("1" + unit, ARMS, salt="x"), assign(unit, ARMS, salt="x1")) for unit in USERS[:200]]
    assert 60 < sum(a == b for a, b in pairs) < 140


def test_shares():
    np.testing.assert_allclose(shares_of(("a", "b", "c"), None), 1 / 3)
    np.testing.assert_allclose(shares_of(("a", "b"), {"b": 1, "a": 3}), [0.75, 0.25])


@pytest.mark.parametrize(
    ("arms", "arguments", "message"),
    [
        (("control",), {}, "two different arms"),
        (("a", "a"), {}, "two different arms"),
        (ARMS, {"salt": ""}, "salt is empty"),
        (ARMS, {"allocation": {"control": 1, "lesionned": 1}}, "did you mean lesioned"),
        (ARMS, {"allocation": {"control": 1}}, 'leaves out the arm "lesioned"'),
        (ARMS, {"allocation": {"control": 1, "lesioned": 0}}, "positive share"),
        (ARMS, {"allocation": {"control": 1, "lesioned": True}}, "positive share"),
    ],
)
def test_bad_input_is_one_clear_error(arms, arguments, message):
    with pytest.raises(EffectError, match=message):
        assign("u", arms, **{"salt": "s", **arguments})
