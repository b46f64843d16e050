import numpy as np
import pytest
from scipy import stats

from causalablate.effects import Kind, mcnemar_exact, mcnemar_mid_p, sign_flip_p
from causalablate.effects.significance import effect_tests
from causalablate.effects.tests_by_name import ABOVE, TESTS, Settings

SHARED = dict(cluster=[0, 0, 1, 1, 2, 2])
SEEDS = dict(cluster=[0, 1, 2, 0, 1, 2], seed=[0, 0, 0, 1, 1, 1])


def p_values(paired, sesoi=0.005, level=0.95, test="auto"):
    return effect_tests(paired, Settings(sesoi, level, n_permutations=999, seed=0), test)


@pytest.mark.parametrize(
    ("kind", "rows", "method"),
    [
        (Kind.BINARY, {}, "McNemar, exact"),
        (Kind.BINARY, SHARED, "sign flip of clusters"),
        (Kind.BINARY, SEEDS, "two-way t, Bonett-Price adjusted"),
        (Kind.REAL, {}, "sign flip"),
        (Kind.REAL, SHARED, "sign flip of clusters"),
        (Kind.REAL, SEEDS, "two-way t"),
        (Kind.DISTANCE, {}, "paired t" + ABOVE),
        (Kind.DISTANCE, SHARED, "cluster-robust t" + ABOVE),
        (Kind.DISTANCE, SEEDS, "two-way t" + ABOVE),
        (Kind.CATEGORICAL, {}, "binomial, exact" + ABOVE),
        (Kind.CATEGORICAL, SHARED, "binomial, exact" + ABOVE),
    ],
)
def test_method_follows_kind_and_dependence(effects_of, kind, rows, method):
    got = p_values(effects_of([[1, 0, 0, 1, 1, 1]], kind, **rows))
    assert got.method[0] == method
    assert 0 < got.primary[0] <= 1


@pytest.mark.parametrize(
    ("test", "kind", "rows", "why"),
    [
        ("mcnemar", Kind.REAL, {}, "mcnemar is for binary outcomes"),
        ("mcnemar", Kind.BINARY, SHARED, "mcnemar is for independent examples"),
        ("sign-flip", Kind.DISTANCE, {}, "sign-flip is for binary or real outcomes"),
        ("sign-flip", Kind.REAL, SEEDS, "sign-flip is for independent examples or examples that share clusters"),
        ("wilcoxon", Kind.REAL, SHARED, "wilcoxon is for independent examples"),
        ("two-way-t", Kind.REAL, {}, "two-way-t is for several seeds"),
    ],
)
def test_a_test_that_does_not_fit_is_undefined(effects_of, test, kind, rows, why):
    got = p_values(effects_of([[1, 0, 0, 1, 1, 0]], kind, **rows), test=test)
    assert got.method[0] == "undefined: " + why
    assert np.isnan(got.primary[0])


def test_a_test_by_name_leaves_the_others_beside_it(paired):
    data = paired([1] * 9 + [0], [0] * 8 + [1, 1], Kind.BINARY)
    got = p_values(data, test="mcnemar-mid-p")
    assert got.primary[0] == mcnemar_mid_p(8, 1)
    assert got.mcnemar[0] == got.signflip[0] == mcnemar_exact(8, 1)
    assert p_values(data, test="sign-flip").primary[0] == got.signflip[0]


def test_t_tests_of_one_sided_outcomes_are_one_sided(effects_of):
    changed = (np.arange(40) < 9).astype(float)
    got = p_values(effects_of(changed, Kind.CATEGORICAL), sesoi=0.1, test="paired-t")
    assert got.primary[0] == pytest.approx(stats.ttest_1samp(changed, 0.1, alternative="greater").pvalue)


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("test", list(TESTS))
@pytest.mark.parametrize("rows", [{}, dict(cluster=[0]), dict(cluster=[0, 0, 0]), SHARED, SEEDS], ids=str)
def test_every_test_takes_every_degenerate_table(effects_of, test, kind, rows):
    n = len(rows.get("cluster", [0] * 6))
    for value in (0, 1):
        got = p_values(effects_of(np.full((2, n), float(value)), kind, **rows), test=test)
        undefined = np.array([str(m).startswith("undefined: ") for m in got.method])
        np.testing.assert_array_equal(np.isnan(got.primary), undefined)
        assert value == 1 or got.primary[~undefined] == pytest.approx(1)


def test_independent_binary_is_exact_mcnemar(paired):
    got = p_values(paired([1] * 9 + [0], [0] * 8 + [1, 1], Kind.BINARY))
    assert got.primary[0] == got.mcnemar[0] == got.signflip[0] == pytest.approx(mcnemar_exact(8, 1))


def test_sign_flip_of_independent_binary_effects_is_mcnemar(paired):
    data = paired([1] * 9 + [0], [0] * 8 + [1, 1], Kind.BINARY)
    assert sign_flip_p(data.effect, n_permutations=10_000, seed=0)[0] == pytest.approx(p_values(data).mcnemar[0])


def test_shared_clusters_flip_together(paired):
    data = paired([1] * 10, [0] * 10, Kind.BINARY, cluster=np.repeat(np.arange(5), 2))
    got = p_values(data)
    assert got.primary[0] == got.signflip[0] == 2 / 2**5
    assert np.isnan(got.mcnemar[0])


def test_real_effects_have_no_mcnemar(effects_of):
    got = p_values(effects_of([[1.0, 2.0, 3.0]]))
    assert got.primary[0] == got.signflip[0] == 0.25
    assert np.isnan(got.mcnemar[0])


def test_seeds_use_the_two_way_t(effects_of):
    rng = np.random.default_rng(0)
    cluster, seed = np.tile(np.arange(30), 4), np.repeat(np.arange(4), 30)
    got = p_values(effects_of(rng.normal(5, 1, (1, 120)), cluster=cluster, seed=seed))
    assert np.isnan([got.mcnemar[0], got.signflip[0]]).all()
    assert got.primary[0] < 0.001


def test_shares_are_tested_against_the_smallest_effect(effects_of):
    changed = np.zeros((1, 200))
    changed[0, :4] = 1
    got = p_values(effects_of(changed, Kind.CATEGORICAL), sesoi=0.01)
    assert got.primary[0] == pytest.approx(stats.binomtest(4, 200, 0.01, "greater").pvalue)
    assert np.isnan([got.mcnemar[0], got.signflip[0]]).all()


def test_distances_are_tested_against_the_smallest_effect(effects_of):
    values = np.random.default_rng(1).exponential(1.0, (1, 100))
    got = p_values(effects_of(values, Kind.DISTANCE), sesoi=0.9)
    assert got.primary[0] == pytest.approx(stats.ttest_1samp(values[0], 0.9, alternative="greater").pvalue)


def test_inert_lesions_are_never_significant(effects_of):
    for kind in Kind:
        assert p_values(effects_of(np.zeros((1, 50)), kind)).primary[0] == 1
    cluster, seed = np.tile(np.arange(10), 5), np.repeat(np.arange(5), 10)
    assert p_values(effects_of(np.zeros((1, 50)), cluster=cluster, seed=seed)).primary[0] == 1


def test_equal_distances_above_the_smallest_effect(effects_of):
    assert p_values(effects_of(np.full((1, 6), 0.3), Kind.DISTANCE)).primary[0] == 2.0**-6


@pytest.mark.parametrize("kind", [Kind.DISTANCE, Kind.CATEGORICAL])
def test_one_cluster_tests_nothing(effects_of, kind):
    assert np.isnan(p_values(effects_of([[0, 1, 1]], kind, cluster=[0, 0, 0])).primary[0])


def test_level_under_the_null_with_clusters_and_seeds(effects_of):
    rng = np.random.default_rng(2)
    cluster = np.repeat(np.arange(40), 5)
    shared = rng.normal(size=(2000, 40))[:, cluster] + rng.normal(size=(2000, 200))
    assert 0.035 <= np.mean(p_values(effects_of(shared, cluster=cluster)).primary < 0.05) <= 0.065
    by_seed = 0.3 * rng.normal(size=(2000, 5, 1)) + rng.normal(size=(2000, 1, 40)) + rng.normal(size=(2000, 5, 40))
    items, seeds = np.tile(np.arange(40), 5), np.repeat(np.arange(5), 40)
    data = effects_of(by_seed.reshape(2000, -1), cluster=items, seed=seeds)
    assert np.mean(p_values(data).primary < 0.05) <= 0.065
