import numpy as np
import pytest
import statsmodels.api as sm
from scipy.linalg import sqrtm
from scipy.stats import ttest_ind

from causalablate.effects import Kind
from causalablate.effects.heterogeneity.difference import difference_name, inside_minus_outside

RNG = np.random.default_rng(0)


def brute_force_cr2(y, inside, cluster):
    """CR2 variance and Bell-McCaffrey degrees of freedom of the slope, by matrices."""
    x = np.column_stack([np.ones(y.size), inside.astype(float)])
    bread = np.linalg.inv(x.T @ x)
    hat = x @ bread @ x.T
    residual = y - hat @ y
    variance, columns = 0.0, []
    for g in np.unique(cluster):
        at = np.flatnonzero(cluster == g)
        adjust = np.real(np.linalg.pinv(sqrtm(np.eye(at.size) - hat[np.ix_(at, at)])))
        weight = (x[at] @ bread)[:, 1] @ adjust
        variance += (weight @ residual[at]) ** 2
        columns.append(weight @ (np.eye(y.size) - hat)[at])
    gram = np.array(columns) @ np.array(columns).T
    return variance, np.trace(gram) ** 2 / (gram**2).sum()


def test_independent_rows_are_welchs_test(effects_of):
    y, inside = RNG.normal(size=40), np.arange(40) < 12
    spread = inside_minus_outside(effects_of(y), inside)
    welch = ttest_ind(y[inside], y[~inside], equal_var=False)
    assert spread.center[0] / spread.se[0] == pytest.approx(welch.statistic, abs=1e-10)
    # Welch's degrees of freedom if both variances were equal.
    assert spread.df[0] == pytest.approx((1 / 12 + 1 / 28) ** 2 / (1 / 12**2 / 11 + 1 / 28**2 / 27), rel=1e-12)


@pytest.mark.parametrize("crossing", [False, True])
def test_clusters_are_cr2_with_bell_mccaffrey(effects_of, crossing):
    cluster = np.repeat(np.arange(9), [1, 2, 3, 4, 5, 2, 3, 4, 6])
    inside = RNG.random(cluster.size) < 0.4 if crossing else np.isin(cluster, (1, 3, 4, 7))
    y = RNG.normal(size=cluster.size) + RNG.normal(size=9)[cluster]
    spread = inside_minus_outside(effects_of(y, cluster=cluster), inside)
    variance, df = brute_force_cr2(y, inside, cluster)
    assert spread.center[0] == pytest.approx(y[inside].mean() - y[~inside].mean(), abs=1e-12)
    assert spread.variances[0, 0] == pytest.approx(variance, rel=1e-9)
    assert spread.df[0] == pytest.approx(df, rel=1e-9)


def test_close_to_the_cluster_robust_regression_of_statsmodels(effects_of):
    cluster = np.repeat(np.arange(80), 3)
    inside = RNG.random(240) < 0.5
    y = RNG.normal(size=240) + RNG.normal(size=80)[cluster]
    spread = inside_minus_outside(effects_of(y, cluster=cluster), inside)
    fit = sm.OLS(y, sm.add_constant(inside.astype(float))).fit(cov_type="cluster", cov_kwds={"groups": cluster})
    assert spread.se[0] == pytest.approx(fit.bse[1], rel=0.02)


def test_lesions_do_not_disturb_each_other(effects_of):
    y, inside, cluster = RNG.normal(size=(3, 30)), np.arange(30) % 3 == 0, np.repeat(np.arange(10), 3)
    together = inside_minus_outside(effects_of(y, cluster=cluster), inside)
    alone = [inside_minus_outside(effects_of(row, cluster=cluster), inside) for row in y]
    assert together.se == pytest.approx([s.se[0] for s in alone], rel=1e-12)


@pytest.mark.parametrize("seeds", [1, 3])
def test_flips_are_added_to_every_lesion_as_its_own_clusters_show(effects_of, seeds):
    rng = np.random.default_rng(1)
    cluster, seed = np.tile(np.arange(200) // 10, seeds), np.repeat(np.arange(seeds), 200)
    chance = np.array([0.02, 0.3, 0.6])[:, None]
    y, inside = -(rng.random((3, cluster.size)) < chance).astype(float), np.tile(np.arange(200) % 10 < 4, seeds)
    rows = dict(kind=Kind.BINARY, cluster=cluster, seed=seed)
    together = inside_minus_outside(effects_of(y, **rows), inside)
    alone = [inside_minus_outside(effects_of(row, **rows), inside) for row in y]
    assert together.center == pytest.approx([s.center[0] for s in alone], rel=1e-12)
    assert together.se == pytest.approx([s.se[0] for s in alone], rel=1e-12)


def test_flips_that_all_agree_keep_an_interval(effects_of):
    inside = np.arange(40) < 10
    spread = inside_minus_outside(effects_of(np.where(inside, -1.0, 0.0), Kind.BINARY), inside)
    assert spread.center[0] == pytest.approx(-10 / 12)
    # Inside: 10 x -1, and one each of +1 and -1; outside: 30 x 0, +1 and -1.
    values = [np.r_[np.full(10, -1.0), 1, -1], np.r_[np.zeros(30), 1, -1]]
    assert spread.variances[0, 0] == pytest.approx(sum(v.var(ddof=1) / v.size for v in values), rel=1e-12)


def test_shares_get_one_changed_and_one_unchanged(effects_of):
    inside = np.arange(40) < 10
    paired = effects_of(inside.astype(float), Kind.CATEGORICAL)
    spread = inside_minus_outside(paired, inside)
    assert spread.center[0] == pytest.approx(11 / 12 - 1 / 32)
    assert difference_name(paired).endswith("Agresti-Caffo adjusted")


def test_one_cluster_on_a_side_is_not_known(effects_of):
    paired = effects_of(RNG.normal(size=6), cluster=[0, 0, 1, 1, 2, 2])
    assert inside_minus_outside(paired, np.array([True, True, False, False, False, False])) is None
    assert inside_minus_outside(paired, np.ones(6, dtype=bool)) is None


def test_seeds_that_differ_widen_the_interval(effects_of):
    n, seeds = 40, 4
    unit, seed = np.tile(np.arange(n), seeds), np.repeat(np.arange(seeds), n)
    inside = unit < 15
    noise = RNG.normal(size=n)[unit] + 0.1 * RNG.normal(size=n * seeds)
    shift = np.array([-1.0, 0, 0.5, 2])[seed] * inside
    alike, differing = (
        inside_minus_outside(effects_of(y, unit=unit, cluster=unit, seed=seed), inside) for y in (noise, noise + shift)
    )
    assert alike.variances[0, 0] < 0.01 * alike.variances[1, 0]
    # The shift is all in the seeds: its contribution is the variance of four numbers over four.
    expected = np.var([-1.0, 0, 0.5, 2], ddof=1) / 4
    assert differing.variances[0, 0] == pytest.approx(expected, rel=0.1)
    assert differing.df[0] == 3


def test_interval_covers_when_few_clusters_are_inside(effects_of):
    rng, hits, n = np.random.default_rng(1), 0, 400
    cluster = np.repeat(np.arange(30), 4)
    inside = cluster < 5
    y = rng.normal(size=(n, 120)) + rng.normal(size=(n, 30))[:, cluster]
    spread = inside_minus_outside(effects_of(y, cluster=cluster), inside)
    half = spread.half_width(0.95)
    hits = (np.abs(spread.center) < half).mean()
    assert 0.92 < hits < 0.98
