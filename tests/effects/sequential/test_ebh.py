import numpy as np
import pytest

from causalablate.effects.sequential import e_bh


@pytest.mark.parametrize(
    ("e", "expected"),
    [
        ([79, 1, 1, 1], [False] * 4),
        ([80, 1, 1, 1], [True, False, False, False]),
        ([79, 40, 1, 1], [True, True, False, False]),
        ([20, 20, 20, 20], [True] * 4),
        ([1, 26, 39, 27], [False, False, False, False]),
        ([1, 27, 39, 27], [False, True, True, True]),
    ],
)
def test_the_r_largest_count_once_the_rth_is_large_enough(e, expected):
    assert list(e_bh(np.log(e), 0.05)) == expected


def test_certainty_and_refutation():
    assert list(e_bh(np.array([np.inf, -np.inf, 0.0]), 0.05)) == [True, False, False]


def test_a_larger_e_value_never_loses_a_discovery():
    rng = np.random.default_rng(0)
    for _ in range(50):
        log_e = rng.normal(2, 3, 12)
        before = e_bh(log_e, 0.1)
        log_e[rng.integers(12)] += 5
        assert (e_bh(log_e, 0.1) >= before).all()
