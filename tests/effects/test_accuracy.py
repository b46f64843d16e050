import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint

from causalablate.effects import accuracy_interval, paired_accuracy, proportion_interval
from causalablate.errors import EffectError


def test_proportion_is_wilson():
    got = proportion_interval(81, 100)
    assert (got.value, got.n, got.method) == (0.81, 100, "Agresti-Coull")
    assert (got.low, got.high) == pytest.approx(proportion_confint(81, 100, 0.05, "agresti_coull"))


@pytest.mark.parametrize(("successes", "n"), [(0, 0), (-1, 5), (6, 5)])
def test_not_a_proportion(successes, n):
    with pytest.raises(EffectError, match="not a proportion"):
        proportion_interval(successes, n)


def test_accuracy_of_independent_examples_is_the_proportion():
    correct = np.array([1] * 81 + [0] * 19)
    assert accuracy_interval(correct) == proportion_interval(81, 100)
    assert accuracy_interval(correct.astype(bool)) == proportion_interval(81, 100)


def test_accuracy_of_shared_images_is_less_certain():
    correct = np.repeat(np.random.default_rng(0).random(30) < 0.8, 4)
    shared = accuracy_interval(correct, cluster=np.repeat([f"image{i}" for i in range(30)], 4))
    alone = accuracy_interval(correct)
    assert shared.value == alone.value
    assert shared.high - shared.low > 1.5 * (alone.high - alone.low)


def test_difference_of_two_accuracies():
    first, second = np.array([1] * 65 + [0] * 96), np.array([1] * 59 + [0] * 6 + [1] * 16 + [0] * 80)
    got = paired_accuracy(first, second)
    assert got.difference == pytest.approx(10 / 161)
    assert (got.low, got.high) == (pytest.approx(0.0032, abs=5e-5), pytest.approx(0.1195, abs=5e-5))
    assert got.p_mcnemar == pytest.approx(0.052479, abs=5e-7)
    assert (got.first.value, got.second.value) == (65 / 161, 75 / 161)


def test_difference_with_shared_images():
    first, second = np.ones(40), np.repeat([0, 1, 1, 1], 10)
    got = paired_accuracy(first, second, cluster=np.repeat(np.arange(20), 2).tolist())
    assert "cluster-robust" in got.method
    assert np.isnan(got.p_mcnemar)
    assert got.low < -0.25 < got.high


@pytest.mark.parametrize(
    ("first", "second", "cluster", "message"),
    [
        ([], [], None, "non-empty"),
        ([1, 0], [1], None, "cannot be paired"),
        ([1, 0.5], [1, 1], None, "got 0.5"),
        ([1, np.nan], [1, 1], None, "got nan"),
        ([1, 0], [1, 1], ["a"], "1 clusters were given for 2"),
    ],
)
def test_bad_answers(first, second, cluster, message):
    with pytest.raises(EffectError, match=message):
        paired_accuracy(first, second, cluster=cluster)
