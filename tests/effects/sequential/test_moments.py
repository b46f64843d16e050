import numpy as np
import pytest

from causalablate.effects.clustered import cluster_t
from causalablate.effects.sequential import Moments, Population
from causalablate.effects.sequential.asymptotic import log_e_value
from causalablate.effects.sequential.moments import LAST_UNITS, MIN_ROWS, PSEUDO_UNITS

ANY = Population(None)
RNG = np.random.default_rng(0)
EFFECTS = RNG.normal(size=(4, 90)) + np.arange(4)[:, None]


def moments_of(effects, population=ANY, sizes=None):
    sizes = np.ones(effects.shape[1], dtype=int) if sizes is None else sizes
    starts = np.cumsum(sizes) - sizes
    made = Moments(len(effects), population)
    made.observe(np.add.reduceat(effects, starts, axis=1), sizes)
    return made


@pytest.mark.parametrize("sizes", [None, np.tile([1, 2, 3, 4], 9)], ids=["examples", "clusters"])
def test_means_and_errors_are_those_of_the_cluster_robust_t(sizes):
    found = moments_of(EFFECTS, sizes=sizes)
    cluster = np.arange(90) if sizes is None else np.repeat(np.arange(36), sizes)
    expected = cluster_t(EFFECTS, cluster)
    np.testing.assert_allclose(found.means, expected.center)
    np.testing.assert_allclose(found.standard_errors(0.0), expected.se)


def test_pairs_are_compared_by_their_differences():
    found = moments_of(EFFECTS, Population(200))
    left, n = 110 / 200, 90
    for a, b, i, j in ((1, -1, 3, 1), (1, 1, 0, 2), (-1, -1, 1, 3)):
        difference = cluster_t((a * EFFECTS[i] + b * EFFECTS[j])[None], np.arange(n))
        se = np.sqrt(left * (difference.se[0] ** 2 + found.pseudo / (n * (n - 1))))
        expected = log_e_value((difference.center + 0.1) / se, n - 1, n / left)
        assert found.log_e_sums(a, b, -0.1)[i, j] == pytest.approx(expected[0])


def test_a_lesion_compared_with_its_twin_is_no_evidence():
    twins = np.stack([EFFECTS[0], EFFECTS[0]])
    assert (moments_of(twins).log_e_sums(1, -1, 0.0) < 0).all()
    assert (moments_of(np.zeros((2, 70))).log_e_sums(1, -1, 0.0) < 0).all()


def test_errors_shrink_with_what_is_left_of_a_finite_set():
    whole = moments_of(EFFECTS).standard_errors(0.0)
    np.testing.assert_allclose(moments_of(EFFECTS, Population(120)).standard_errors(0.0), whole * np.sqrt(30 / 120))


def test_pseudo_units_are_as_large_as_the_largest_yet_seen_even_of_lesions_that_left():
    found = moments_of(EFFECTS)
    largest = np.abs(EFFECTS).max()
    assert found.pseudo == pytest.approx(PSEUDO_UNITS * largest**2)
    small = int(np.abs(EFFECTS).max(axis=1).argmin())
    found.keep(np.array([small]))
    assert found.pseudo == pytest.approx(PSEUDO_UNITS * largest**2)
    assert found.largest == pytest.approx(np.abs(EFFECTS[small]).max())


def test_pseudo_units_do_not_vanish_with_the_last_examples():
    found = moments_of(np.zeros((1, 99)), Population(100)).standard_errors(1.0)
    assert found[0] == pytest.approx(np.sqrt(LAST_UNITS * 99 / 98) / 99)


def test_enough_counts_examples_and_units():
    assert not moments_of(EFFECTS[:, : MIN_ROWS - 1]).enough and moments_of(EFFECTS[:, :MIN_ROWS]).enough
    assert not moments_of(EFFECTS, sizes=np.full(5, 18)).enough, "five units say little about their spread"


def test_observing_in_parts_and_dropping_lesions():
    made = Moments(4, Population(None))
    made.observe(EFFECTS[:, :50], np.ones(50))
    made.keep(np.array([False, True, False, True]))
    made.observe(EFFECTS[[1, 3], 50:], np.ones(40))
    np.testing.assert_allclose(made.means, EFFECTS[[1, 3]].mean(axis=1))
    np.testing.assert_allclose(made.standard_errors(0.0), moments_of(EFFECTS).standard_errors(0.0)[[1, 3]])
