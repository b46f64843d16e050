import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.stats import chi2, f

from causalablate.effects.seeds import two_way_components
from causalablate.effects.seeds.components import effective_df, mls_limits

N, S = 12, 4
ITEM, SEED = np.tile(np.arange(N), S), np.repeat(np.arange(S), N)


def crossed(rng, repeats, n=N, n_seeds=S, item=1.0, seed=0.5, cell=1.0):
    values = (
        np.sqrt(item) * rng.normal(size=(repeats, 1, n))
        + np.sqrt(seed) * rng.normal(size=(repeats, n_seeds, 1))
        + np.sqrt(cell) * rng.normal(size=(repeats, n_seeds, n))
    )
    return values.reshape(repeats, -1)


def test_on_complete_tables_it_is_the_analysis_of_variance():
    values = crossed(np.random.default_rng(0), 3)
    found = two_way_components(values, ITEM, SEED, ITEM, 0.95).variance
    for lesion in range(3):
        cells = values[lesion].reshape(S, N)
        grand, by_seed, by_item = cells.mean(), cells.mean(axis=1), cells.mean(axis=0)
        ms_seed = N * ((by_seed - grand) ** 2).sum() / (S - 1)
        ms_item = S * ((by_item - grand) ** 2).sum() / (N - 1)
        ms_cell = ((cells - by_seed[:, None] - by_item + grand) ** 2).sum() / ((S - 1) * (N - 1))
        assert found[:, lesion] == pytest.approx([(ms_item - ms_cell) / S, (ms_seed - ms_cell) / N, ms_cell])


def test_the_three_parts_add_up_to_the_variance_of_a_single_effect():
    """The exact identity of the analysis of variance: the sums of squares of items, seeds and rest are the total."""
    values = crossed(np.random.default_rng(1), 1)
    item, seed, cell = two_way_components(values, ITEM, SEED, ITEM, 0.95).variance[:, 0]
    squares = (N - 1) * (S * item + cell) + (S - 1) * (N * seed + cell) + (N - 1) * (S - 1) * cell
    assert squares == pytest.approx(((values - values.mean()) ** 2).sum())


def test_it_agrees_with_crossed_mixed_models():
    values = crossed(np.random.default_rng(2), 1)[0]
    frame = pd.DataFrame({"y": values, "item": ITEM, "seed": SEED, "all": 0})
    model = sm.MixedLM.from_formula(
        "y ~ 1", frame, groups="all", re_formula="0", vc_formula={"item": "0 + C(item)", "seed": "0 + C(seed)"}
    )
    fit = model.fit(reml=True)
    by_name = dict(zip(model.exog_vc.names, fit.vcomp, strict=True))
    expected = [by_name["item"], by_name["seed"], fit.scale]
    assert min(expected) > 0.05
    found = two_way_components(values[None], ITEM, SEED, ITEM, 0.95).variance[:, 0]
    assert found == pytest.approx(expected, rel=1e-3)


def test_missing_cells_leave_it_unbiased_but_without_limits():
    rng = np.random.default_rng(3)
    kept = rng.random(N * S) < 0.7
    item, seed = ITEM[kept], SEED[kept]
    values = crossed(rng, 6_000)[:, kept]
    found = two_way_components(values, item, seed, item, 0.95)
    assert found.variance.mean(axis=1) == pytest.approx([1.0, 0.5, 1.0], abs=0.04)
    assert np.isnan(found.low).all() and "lack some seeds" in found.reason


def test_limits_cover():
    """Nominal 0.9, normal components; also with no variance between seeds, where only the upper limit can fail."""
    rng = np.random.default_rng(4)
    for seed in (0.5, 0.0):
        found = two_way_components(crossed(rng, 4_000, seed=seed), ITEM, SEED, ITEM, 0.9)
        truth = np.array([1.0, seed, 1.0])[:, None]
        cover = ((found.low <= truth) & (truth <= found.high)).mean(axis=1)
        assert (cover > 0.88).all() and (cover[[0, 2]] < 0.94).all()


def test_clusters_and_rare_flips_widen_the_limits_of_examples():
    rng = np.random.default_rng(5)
    n, s = 200, 3
    item, seed = np.tile(np.arange(n), s), np.repeat(np.arange(s), n)
    rare = (rng.random((200, n)) < 0.02).astype(float)
    values = np.tile(rare, s) + 0.01 * rng.normal(size=(200, n * s))
    found = two_way_components(values, item, seed, item, 0.95)
    truth = 0.02 * 0.98
    assert ((found.low[0] <= truth) & (truth <= found.high[0])).mean() > 0.85
    normal = chi2.ppf([0.025, 0.975], n - 1)
    # Under normality the limits would be 20 % around the estimate, and miss most of the time.
    assert (found.high[0] - found.low[0] > 1.5 * found.variance[0] * (n - 1) * (1 / normal[0] - 1 / normal[1])).all()
    clusters = two_way_components(values, item, seed, item // 20, 0.95)
    assert (clusters.high[0] != found.high[0]).all()


def test_effective_degrees_of_freedom():
    normal = np.random.default_rng(6).normal(size=(50, 20_000)) ** 2
    assert effective_df(normal, 1e9).mean() == pytest.approx(20_000, rel=0.05)
    assert effective_df(normal, 100.0) == pytest.approx(100)
    assert effective_df(np.ones((1, 5)), 4.0) == pytest.approx(4)
    assert effective_df(np.ones((1, 1)), 4.0) == pytest.approx(1)


def test_limits_of_one_mean_square_are_those_of_chi_square():
    low, high = mls_limits(np.array([2.0]), np.zeros(1), np.array([5.0]), np.array([8.0]), 0.05, 1)
    assert low[0] == pytest.approx(2 * 5 / chi2.isf(0.05, 5)) and high[0] == pytest.approx(2 * 5 / chi2.ppf(0.05, 5))


def test_the_lower_limit_is_zero_where_the_f_test_just_fails():
    """Ting's interval and the F test agree on whether there is any variance at all."""
    critical = f.isf(0.05, 5, 8)
    low, _ = mls_limits(np.array([critical]), np.ones(1), np.array([5.0]), np.array([8.0]), 0.05, 1)
    assert low[0] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    ("item", "seed", "said"),
    [
        ([0, 1, 2], [0, 0, 0], "one seed"),
        ([0, 0], [0, 1], "one example"),
        ([0, 1, 2, 3], [0, 0, 1, 1], "several seeds"),
    ],
)
def test_designs_that_cannot_tell(item, seed, said):
    item, seed = np.array(item), np.array(seed)
    found = two_way_components(np.random.default_rng(0).normal(size=(2, item.size)), item, seed, item, 0.95)
    assert np.isnan(found.variance).all() and said in found.reason


def test_equal_effects_have_no_variance():
    found = two_way_components(np.full((1, N * S), 0.1), ITEM, SEED, ITEM, 0.95)
    assert (found.variance == 0).all() and (found.low == 0).all() and (found.high == 0).all()
