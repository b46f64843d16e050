import numpy as np
import pytest
from scipy.stats import f_oneway
from statsmodels.stats.meta_analysis import combine_effects

from causalablate.effects.heterogeneity import factor_tests
from causalablate.effects.heterogeneity.factors import COLUMNS, FLAT, ONE_CLUSTER, ONE_LEVEL, SEVERAL_SEEDS, SHARED
from causalablate.errors import EffectError

RNG = np.random.default_rng(0)
LEVELS = np.array(["a", "b", "c"])[np.repeat([0, 1, 2], [20, 30, 40])]


def test_cochrans_q_is_that_of_a_meta_analysis_over_levels(table):
    y = RNG.normal(size=90) + 0.8 * (LEVELS == "b")
    found = factor_tests(table({"y": np.zeros(90)}, {"l": {"y": y}}, groups={"g": list(LEVELS)}))
    parts = [y.astype(np.float32)[name == LEVELS].astype(float) for name in "abc"]
    means, variances = [p.mean() for p in parts], [p.var(ddof=1) / p.size for p in parts]
    pooled = combine_effects(np.array(means), np.array(variances))
    row = found.iloc[0]
    assert tuple(found.columns) == COLUMNS
    assert row["q"] == pytest.approx(pooled.q, rel=1e-6) and row["q_df"] == 2
    assert row["i2"] == pytest.approx(max(0.0, pooled.i2), rel=1e-6)
    assert row["p_q"] == pytest.approx(pooled.test_homogeneity().pvalue, rel=1e-6)
    f = f_oneway(*parts)
    assert row["eta2"] == pytest.approx(f.statistic * 2 / (f.statistic * 2 + 87), rel=1e-4)
    assert row["p"] == pytest.approx(f.pvalue, abs=0.02)


def test_rows_by_outcome_lesion_factor_and_adjusted_within_outcome(table):
    values = {"y": RNG.normal(size=90), "z": RNG.normal(size=90)}
    made = table(
        {"y": np.zeros(90), "z": np.zeros(90)},
        {"l": values, "k": values},
        groups={"g": list(LEVELS), "h": ["x", "y"] * 45},
    )
    found = factor_tests(made, n_permutations=99)
    assert list(zip(found["outcome"], found["lesion"], found["factor"], strict=True)) == [
        (o, k, f) for o in "yz" for k in "lk" for f in "gh"
    ]
    assert (found["p_bh"] >= found["p"]).all()


def test_levels_that_share_clusters_have_no_p_of_q(table):
    clusters = [f"c{i // 3}" for i in range(90)]
    crossing = ["x", "y", "x"] * 30
    found = factor_tests(
        table({"y": np.zeros(90)}, {"l": {"y": RNG.normal(size=90)}}, cluster=clusters, groups={"g": crossing})
    )
    assert np.isnan(found["p_q"][0]) and found["note"][0] == SHARED
    assert found["q"][0] >= 0 and 0 < found["p"][0] <= 1


def test_what_is_undefined_says_so(table, recwarn):
    groups = {"alike": ["x"] * 40, "none": [None] * 40, "small": ["p", *["q"] * 39], "flat": ["u", "v"] * 20}
    y = np.where(np.arange(40) % 2, RNG.normal(size=40), 0.0)
    found = factor_tests(table({"y": np.zeros(40)}, {"l": {"y": y}}, groups=groups)).set_index("factor")
    assert found.loc["alike", "note"] == ONE_LEVEL and np.isnan(found.loc["alike", "p"])
    assert found.loc["none", "note"] == ONE_LEVEL and found.loc["none", "n_units"] == 0
    assert found.loc["small", "note"] == ONE_CLUSTER and 0 < found.loc["small", "p"] <= 1
    assert found.loc["flat", "note"] == FLAT and np.isnan(found.loc["flat", "q"])
    assert not recwarn.list


def test_seeds_are_taken_as_given(table, joined):
    tables = [
        table({"y": np.zeros(90)}, {"l": {"y": RNG.normal(size=90)}}, groups={"g": list(LEVELS)}, seed=s)
        for s in range(3)
    ]
    found = factor_tests(joined(*tables))
    assert found["note"][0] == SEVERAL_SEEDS and found["n_units"][0] == 90


def test_same_seed_same_numbers(table):
    made = table({"y": np.zeros(90)}, {"l": {"y": RNG.normal(size=90)}}, groups={"g": list(LEVELS)})
    assert factor_tests(made, seed=1).equals(factor_tests(made, seed=1))


def test_refused(table):
    made = table({"y": [0.0, 0.0]}, {"l": {"y": [1.0, 2.0]}})
    with pytest.raises(EffectError, match="no group columns"):
        factor_tests(made)
    with pytest.raises(EffectError, match="n_permutations is 0"):
        factor_tests(made, n_permutations=0)
