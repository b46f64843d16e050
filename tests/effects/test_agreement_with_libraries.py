"""Every number that scipy or statsmodels also computes, to 1e-10: ours is vectorised over lesions, theirs is not."""

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.weightstats import DescrStatsW, ttost_paired

from causalablate.effects import Kind, mean_intervals, tost
from causalablate.effects.corrections import ADJUSTED
from causalablate.effects.equivalence import noninferiority
from causalablate.effects.one_sided import p_equivalent, p_noninferior
from causalablate.effects.significance import effect_tests
from causalablate.effects.tests_by_name import Settings
from causalablate.effects.wilcoxon import wilcoxon_p

SETTINGS = Settings(sesoi=0.1, level=0.95, n_permutations=999, seed=0)
SAME = dict(rtol=1e-10, atol=1e-12)
CLUSTER = np.repeat(np.arange(30), [1, 2, 3] * 10)


def real(rng, n, lesions=4):
    factual = rng.normal(size=(lesions, n))
    return factual, factual + rng.normal([[0.0], [0.1], [0.3], [1.0]], 1, (lesions, n))


def flips(rng, n, lesions=4):
    factual = (rng.random((lesions, n)) < 0.7).astype(float)
    turned = rng.random((lesions, n)) < np.array([[0.02], [0.1], [0.3], [0.8]])
    return factual, np.where(turned, 1 - factual, factual)


def table_of(factual, counterfactual):
    return [[np.sum((factual == a) & (counterfactual == b)) for b in (1, 0)] for a in (1, 0)]


def cluster_fit(effect):
    return sm.OLS(effect, np.ones(effect.size)).fit(cov_type="cluster", cov_kwds={"groups": CLUSTER}, use_t=True)


def p_of(name):
    return lambda data: effect_tests(data, SETTINGS, name).primary


def limits_of(name, level=0.9):
    def ours(data):
        found = mean_intervals(data, level, name)
        return np.stack([found.low, found.high], axis=1)

    return ours


def changed(effect):
    return int(effect.sum()), effect.size


# name: (draw, kind, clusters, ours on all lesions at once, theirs on factual and counterfactual of one lesion)
COMPARED = {
    "paired t test": (real, Kind.REAL, None, p_of("paired-t"), lambda f, c: stats.ttest_rel(c, f).pvalue),
    "paired t test of flips": (
        flips,
        Kind.BINARY,
        None,
        p_of("paired-t"),
        lambda f, c: stats.ttest_rel(c, f).pvalue,
    ),
    "paired t interval": (
        real,
        Kind.REAL,
        None,
        limits_of("paired-t"),
        lambda f, c: tuple(stats.ttest_rel(c, f).confidence_interval(0.9)),
    ),
    "cluster t test": (real, Kind.REAL, CLUSTER, p_of("cluster-t"), lambda f, c: cluster_fit(c - f).pvalues[0]),
    "cluster t interval": (
        real,
        Kind.REAL,
        CLUSTER,
        limits_of("cluster-t"),
        lambda f, c: cluster_fit(c - f).conf_int(0.1)[0],
    ),
    "cluster t standard error": (
        real,
        Kind.REAL,
        CLUSTER,
        lambda data: mean_intervals(data, 0.95, "cluster-t").se,
        lambda f, c: cluster_fit(c - f).bse[0],
    ),
    "exact McNemar": (
        flips,
        Kind.BINARY,
        None,
        p_of("mcnemar"),
        lambda f, c: mcnemar(table_of(f, c), exact=True).pvalue,
    ),
    "Wilcoxon, many effects": (
        real,
        Kind.REAL,
        None,
        p_of("wilcoxon"),
        lambda f, c: stats.wilcoxon(c - f, zero_method="pratt").pvalue,
    ),
    # The first two lesions flip so few that ours counts all patterns, where scipy approximates.
    "Wilcoxon of flips": (
        flips,
        Kind.BINARY,
        None,
        lambda data: p_of("wilcoxon")(data)[2:],
        lambda f, c: stats.wilcoxon(c - f, zero_method="pratt").pvalue,
    ),
    "equivalence": (
        real,
        Kind.REAL,
        None,
        lambda data: p_equivalent(data, 0.2, 0.95),
        lambda f, c: ttost_paired(c, f, -0.2, 0.2)[0],
    ),
    "equivalence over clusters": (
        real,
        Kind.REAL,
        CLUSTER,
        lambda data: p_equivalent(data, 0.2, 0.95),
        lambda f, c: max(
            stats.t.sf((np.mean(c - f) + 0.2) / cluster_fit(c - f).bse[0], 29),
            stats.t.cdf((np.mean(c - f) - 0.2) / cluster_fit(c - f).bse[0], 29),
        ),
    ),
    "non-inferiority, more is better": (
        real,
        Kind.REAL,
        None,
        lambda data: p_noninferior(data, 0.2, 1, 0.95),
        lambda f, c: DescrStatsW(c - f).ttest_mean(-0.2, alternative="larger")[1],
    ),
    "non-inferiority, less is better": (
        real,
        Kind.REAL,
        None,
        lambda data: p_noninferior(data, 0.2, -1, 0.95),
        lambda f, c: DescrStatsW(c - f).ttest_mean(0.2, alternative="smaller")[1],
    ),
    "Wilson": (
        flips,
        Kind.CATEGORICAL,
        None,
        limits_of("wilson"),
        lambda f, c: proportion_confint(*changed(c != f), 0.1, "wilson"),
    ),
    "Agresti-Coull": (
        flips,
        Kind.CATEGORICAL,
        None,
        limits_of("agresti-coull"),
        lambda f, c: proportion_confint(*changed(c != f), 0.1, "agresti_coull"),
    ),
    "binomial test of shares": (
        flips,
        Kind.CATEGORICAL,
        None,
        p_of("binomial"),
        lambda f, c: stats.binomtest(*changed(c != f), 0.1, "greater").pvalue,
    ),
    "binomial equivalence of shares": (
        flips,
        Kind.CATEGORICAL,
        None,
        lambda data: p_equivalent(data, 0.1, 0.95),
        lambda f, c: stats.binomtest(*changed(c != f), 0.1, "less").pvalue,
    ),
}


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("name", list(COMPARED))
def test_agreement(paired, name, seed):
    draw, kind, cluster, ours, theirs = COMPARED[name]
    factual, counterfactual = draw(np.random.default_rng(seed), CLUSTER.size)
    found = ours(paired(factual, counterfactual, kind, cluster=cluster))
    expected = [theirs(f, c) for f, c in zip(factual, counterfactual, strict=True)][-len(found) :]
    np.testing.assert_allclose(found, expected, **SAME)


@pytest.mark.parametrize("n", [1, 2, 8, 13, 14, 40, 50, 51, 300])
def test_wilcoxon_without_ties(n):
    effect = np.random.default_rng(n).normal(0.2, 1, (5, n))
    expected = [stats.wilcoxon(row, zero_method="pratt").pvalue for row in effect]
    np.testing.assert_allclose(wilcoxon_p(effect), expected, **SAME)


@pytest.mark.parametrize("n", [3, 8, 11])
def test_wilcoxon_with_ties_and_zeros_counts_all_patterns(n):
    effect = np.random.default_rng(n).integers(-2, 4, (5, n)).astype(float)
    effect[:, 0] = 1
    expected = [stats.wilcoxon(row, zero_method="pratt").pvalue for row in effect]
    np.testing.assert_allclose(wilcoxon_p(effect), expected, **SAME)


@pytest.mark.parametrize("n", [60, 400])
def test_wilcoxon_with_ties_and_zeros(n):
    effect = np.round(np.random.default_rng(n).normal(0.2, 1, (5, n)))
    expected = [stats.wilcoxon(row, zero_method="pratt").pvalue for row in effect]
    np.testing.assert_allclose(wilcoxon_p(effect), expected, **SAME)


@pytest.mark.parametrize("n", [1, 2, 7, 300])
@pytest.mark.parametrize(
    ("column", "method"),
    [("p_bonferroni", "bonferroni"), ("p_holm", "holm"), ("p_bh", "fdr_bh"), ("p_by", "fdr_by")],
)
def test_corrections(column, method, n):
    p = np.random.default_rng(n).random(n) ** 4
    p[: n // 3] = p[0]
    np.testing.assert_allclose(ADJUSTED[column](p), multipletests(p, method=method)[1], **SAME)


def test_functions_of_estimate_and_standard_error():
    effect = np.random.default_rng(2).normal(0.1, 1, 200)
    mean, se = np.array([effect.mean()]), np.array([effect.std(ddof=1) / np.sqrt(200)])
    assert tost(mean, se, 199, 0.2)[0] == pytest.approx(ttost_paired(effect, 0 * effect, -0.2, 0.2)[0], rel=1e-10)
    for better, bound, side in ((1, -0.2, "larger"), (-1, 0.2, "smaller")):
        expected = DescrStatsW(effect).ttest_mean(bound, alternative=side)[1]
        assert noninferiority(mean, se, 199, 0.2, better)[0] == pytest.approx(expected, rel=1e-10)
