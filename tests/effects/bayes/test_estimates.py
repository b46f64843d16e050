"""The likelihood of the estimates: intervals as in the table of effects, and the covariance between lesions."""

from dataclasses import replace

import numpy as np
import pytest

from causalablate.effects import Kind, mean_intervals
from causalablate.effects.bayes.correlation import shrunk_correlation
from causalablate.effects.bayes.estimates import estimates_of
from causalablate.effects.proportion import z_value

RNG = np.random.default_rng(0)
SHARED = RNG.normal(size=60)
REAL = np.stack([SHARED + RNG.normal(size=60), -SHARED + RNG.normal(size=60), RNG.normal(size=60) + 1])
FLIPS = RNG.choice([-1.0, 0.0, 1.0], p=[0.3, 0.6, 0.1], size=(3, 60))
SHARES = (RNG.random((3, 60)) < 0.3).astype(float)
CLUSTERS, SEEDS = np.arange(60) // 3, np.arange(60) % 3
STRUCTURES = [
    (REAL, Kind.REAL, {}),
    (REAL, Kind.REAL, {"cluster": CLUSTERS}),
    (REAL, Kind.REAL, {"cluster": CLUSTERS, "seed": SEEDS, "unit": CLUSTERS}),
    (FLIPS, Kind.BINARY, {}),
    (FLIPS, Kind.BINARY, {"cluster": CLUSTERS}),
    (FLIPS, Kind.BINARY, {"cluster": CLUSTERS, "seed": SEEDS, "unit": CLUSTERS}),
    (SHARES, Kind.CATEGORICAL, {}),
    (SHARES, Kind.CATEGORICAL, {"cluster": CLUSTERS}),
]


@pytest.mark.parametrize(("effect", "kind", "rows"), STRUCTURES)
@pytest.mark.parametrize("level", [0.9, 0.95])
def test_the_likelihood_is_as_wide_as_the_interval_of_the_table_of_effects(effects_of, effect, kind, rows, level):
    paired = effects_of(effect, kind, **rows)
    found, interval = estimates_of([paired], level), mean_intervals(paired, level)
    np.testing.assert_allclose(2 * z_value(level) * found.se, interval.high - interval.low, atol=1e-12)
    middle = (interval.low + interval.high) / 2
    np.testing.assert_allclose(found.center, middle if kind is Kind.CATEGORICAL else found.ate, atol=1e-12)
    np.testing.assert_array_equal(found.low, interval.low)
    np.testing.assert_allclose(np.diag(found.covariance), found.se**2, rtol=1e-12)
    assert np.linalg.eigvalsh(found.covariance).min() > -1e-12
    assert np.linalg.eigvalsh(found.from_seeds).min() > -1e-12
    assert (np.diag(found.from_examples) >= 0).all()


def test_lesions_measured_on_the_same_examples_share_their_noise(effects_of):
    found = estimates_of([effects_of(REAL)], 0.95)
    sd = np.sqrt(np.diag(found.covariance))
    shrunk, raw = found.covariance / np.outer(sd, sd), np.corrcoef(REAL)
    off = ~np.eye(3, dtype=bool)
    ratio = shrunk[off] / raw[off]
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-9)
    assert 0.6 < ratio[0] < 1


def test_clusters_correlate_by_their_totals(effects_of):
    totals = REAL.reshape(3, 20, 3).sum(axis=2)
    found = estimates_of([effects_of(REAL, cluster=CLUSTERS)], 0.95)
    sd = np.sqrt(np.diag(found.covariance))
    expected = shrunk_correlation(totals - totals.mean(axis=1, keepdims=True))
    np.testing.assert_allclose(found.covariance / np.outer(sd, sd), expected, atol=1e-12)


def test_more_examples_do_not_shrink_what_seeds_add(effects_of):
    shift = np.array([-2.0, 0.0, 2.0])[SEEDS]
    rows = {"cluster": CLUSTERS, "seed": SEEDS, "unit": CLUSTERS}
    found = estimates_of([effects_of(REAL + shift, **rows)], 0.95)
    assert (np.diag(found.from_seeds) > 20 * np.diag(found.from_examples)).all()
    assert (found.from_seeds[0, 1:] > 0).all()
    assert not estimates_of([effects_of(REAL)], 0.95).from_seeds.any()


def test_a_lesion_without_flips_is_neither_certain_nor_tied_to_others(effects_of):
    flips = np.vstack([np.zeros(60), np.zeros(60), FLIPS[0]])
    found = estimates_of([effects_of(flips, Kind.BINARY)], 0.95)
    assert (found.se > 0).all() and found.se[0] < found.se[2]
    assert found.covariance[0, 1] == found.covariance[0, 2] == 0


def test_rare_flips_on_the_same_example_do_not_make_two_lesions_one(effects_of):
    flips = np.zeros((2, 60))
    flips[:, 0] = -1
    few = estimates_of([effects_of(flips, Kind.BINARY)], 0.95).covariance
    many = estimates_of([effects_of(np.vstack([FLIPS[0], FLIPS[0]]), Kind.BINARY)], 0.95).covariance
    assert 0 <= few[0, 1] / few[0, 0] < 0.5
    assert many[0, 1] / many[0, 0] > 0.9


def test_equal_effects_are_known_exactly_or_not_at_all(effects_of):
    many = estimates_of([effects_of(np.vstack([np.full(60, 0.25), REAL[0]]))], 0.95)
    assert many.se[0] == 0 and many.center[0] == 0.25 and many.covariance.shape == (1, 1)
    few = estimates_of([effects_of(np.full((1, 3), 0.25))], 0.95)
    assert np.isnan(few.se[0]) and str(few.method[0]).startswith("undefined") and few.covariance.shape == (0, 0)


def test_one_example(effects_of):
    real = estimates_of([effects_of([[0.3]])], 0.95)
    assert np.isnan(real.se[0]) and str(real.method[0]).startswith("undefined: one cluster")
    binary = estimates_of([effects_of([[-1.0]], Kind.BINARY)], 0.95)
    assert binary.se[0] > 0.4


def test_lesions_are_sorted_and_blocks_share_no_covariance(effects_of):
    first = replace(effects_of(REAL[:2]), lesions=("z", "a"))
    second = replace(effects_of(REAL[2:, :30]), lesions=("m",))
    found = estimates_of([first, second], 0.95)
    assert found.lesions == ("a", "m", "z")
    np.testing.assert_allclose(found.ate, [REAL[1].mean(), REAL[2, :30].mean(), REAL[0].mean()])
    np.testing.assert_array_equal(found.n_units, [60, 30, 60])
    assert found.covariance[0, 1] == found.covariance[1, 2] == 0 != found.covariance[0, 2]
