import numpy as np
import pytest

import causalablate as ca
from causalablate.errors import EffectError
from causalablate.interactions import alias_table, factorial, fractional, full, interaction_effects, resolution
from causalablate.interactions.fractional import sets_up_to

LETTERS = {name: ca.do(name, off="zero") for name in "abcdefg"}


def some(names):
    return {name: LETTERS[name] for name in names}


def by_columns(design, order):
    """Aliases as the runs themselves show them: contrasts whose columns are the same up to sign."""
    level = 1 - 2 * design.off.astype(int)
    columns = {s: level[:, list(s)].prod(axis=1) for s in sets_up_to(len(design.factors), order)}
    names = {s: " x ".join(design.factors[i] for i in s) for s in columns}
    told = {}
    for s, column in columns.items():
        same = [names[o] for o, other in columns.items() if o != s and abs(column @ other) == len(column)]
        assert all(abs(column @ other) in (0, len(column)) for other in columns.values())
        told[names[s]] = set(same) | ({"mean"} if abs(column.sum()) == len(column) else set())
    return told


@pytest.mark.parametrize(
    ("names", "generators", "foldover", "expected"),
    [
        ("abcd", {"d": "abc"}, False, 4),
        ("abc", {"c": "ab"}, False, 3),
        ("abcde", {"d": "ab", "e": "ac"}, False, 3),
        ("abcde", {"d": "ab", "e": "ac"}, True, 4),
        ("abcde", {"e": "abcd"}, False, 5),
        ("abcdefg", {"d": "ab", "e": "ac", "f": "bc", "g": "abc"}, False, 3),
    ],
)
def test_resolution_and_aliases_are_those_of_the_runs(names, generators, foldover, expected):
    design = fractional(some(names), {k: list(v) for k, v in generators.items()}, foldover=foldover)
    assert resolution(design) == expected
    table = alias_table(design, order=3)
    told = {row.interaction: set(filter(None, row.aliases.split(" + "))) for row in table.itertuples()}
    assert told == by_columns(design, 3)
    assert (table["clear"] == (table["aliases"] == "")).all()


def test_pairs_of_resolution_iv_are_confounded_in_twos():
    table = alias_table(fractional(some("abcd"), {"d": ["a", "b", "c"]})).set_index("interaction")
    assert table.loc["a x b", "aliases"] == "c x d" and table.loc["a", "clear"]
    assert not table.loc["b x c", "clear"]


def test_a_full_design_confounds_nothing():
    assert resolution(full(some("abc"))) == np.inf and alias_table(full(some("abc")))["clear"].all()
    with pytest.raises(EffectError, match="not balanced"):
        resolution(factorial(some("abc")))


def test_a_fraction_measures_the_sum_of_what_it_confounds(polynomial):
    sets = np.array([[1, 0, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1]], bool)
    model, examples, lesions = polynomial(sets, np.tile([[1.0, 3.0, 5.0]], (8, 1)))
    fraction = fractional(lesions, {"p3": ["p0", "p1", "p2"]})
    table = ca.counterfactuals(model, examples, fraction.lesions, outcomes=["logit_difference"])
    found = interaction_effects(table, fraction, index="average", order=(1, 2)).set_index("interaction")
    assert found.loc["p0 x p1", "value"] == pytest.approx(8) and found.loc["p0 x p1", "aliases"] == "p2 x p3"
    assert found.loc["p0 x p2", "value"] == pytest.approx(0) and found.loc["p0 x p2", "aliases"] == "p1 x p3"
    assert "p2 x p3" not in found.index
    assert found.loc["p0", "value"] == pytest.approx(1 + 3 / 2) and found.loc["p2", "value"] == pytest.approx(5 / 2)
    everything = full(lesions)
    table = ca.counterfactuals(model, examples, everything.lesions, outcomes=["logit_difference"])
    average, banzhaf = (interaction_effects(table, everything, index=index) for index in ("average", "BII"))
    np.testing.assert_allclose(average["value"], banzhaf["value"], atol=1e-6)
    assert set(average["aliases"]) == {""}
