import warnings

import numpy as np
import pytest

from causalablate.effects.online.log import Sample
from causalablate.effects.online.quantiles import TOO_FEW, WOODRUFF, quantile_difference


def single(values):
    return Sample(np.asarray(values, dtype=float), np.arange(len(values)))


def test_quantiles_and_woodruffs_limits_by_hand():
    a, b = np.arange(101.0), np.arange(0.0, 202.0, 2.0)
    top, base, low, high, method = quantile_difference(single(a), single(b), 0.5, level=0.95)
    assert (top, base, method) == (50.0, 100.0, WOODRUFF)
    share = np.mean(a <= 50)
    half = 1.98397 * np.sqrt(max(share * (1 - share) / 100, 0.25 / 101))
    error = 100 * half  # of a; twice that of b
    assert low == pytest.approx(-50 - error * 5**0.5, rel=1e-4) and high == pytest.approx(
        -50 + error * 5**0.5, rel=1e-4
    )


def test_degenerate_samples_are_answered_without_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        few = quantile_difference(single([1.0, 2.0, 3.0]), single(np.arange(99.0)), 0.9, level=0.95)
        assert np.isnan(few[2]) and few[4] == TOO_FEW
        one = quantile_difference(single([1.0]), single([2.0]), 0.5, level=0.95)
        assert one[:2] == (1.0, 2.0) and one[4] == TOO_FEW
        same = quantile_difference(single(np.ones(50)), single(np.ones(50)), 0.5, level=0.95)
        assert same[2] == same[3] == 0.0


@pytest.mark.parametrize("events", [1, 5])
def test_coverage(events):
    rng, held = np.random.default_rng(0), 0
    for _ in range(300):
        samples = []
        for _ in range(2):
            level = np.repeat(rng.normal(size=80), events)
            samples.append(Sample(level + rng.normal(size=level.size), np.repeat(np.arange(80), events)))
        _, _, low, high, _ = quantile_difference(*samples, 0.8, level=0.9)
        held += low <= 0 <= high
    assert 0.86 <= held / 300 <= 0.96
