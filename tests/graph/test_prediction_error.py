import numpy as np
import pytest
from scipy import stats

from causalablate.errors import EffectError
from causalablate.graph.prediction_error import COLUMNS, interventional_error


@pytest.fixture
def observed():
    rng = np.random.default_rng(0)
    return {"a": rng.normal(size=40) - 1, "b": 0.1 * rng.normal(size=40)}


def test_by_hand(observed):
    found = interventional_error({"a": observed["a"] + 0.5, "b": np.zeros(40)}, observed).set_index("lesion")
    assert ("lesion", *found.columns) == COLUMNS and list(found.index) == ["a", "b", "all"]
    assert found.loc["a", "rmse"] == pytest.approx(0.5) and found.loc["b", "skill"] == 0
    assert found.loc["a", "skill"] == pytest.approx(1 - 0.25 / (observed["a"] ** 2).mean())
    assert found.loc["all", "mse"] == pytest.approx((0.25 + (observed["b"] ** 2).mean()) / 2)
    assert (found["n"] == 40).all()
    error = observed["b"] ** 2
    low, high = stats.t.interval(0.95, 39, error.mean(), stats.sem(error))
    assert found.loc["b", ["ci_low", "ci_high"]].tolist() == pytest.approx([max(low, 0), high])


def test_a_perfect_prediction(observed):
    found = interventional_error(observed, observed)
    assert (found["rmse"] == 0).all() and (found["skill"] == 1).all()


def test_clusters_widen_the_interval(observed):
    twice = {name: np.repeat(effect, 2) for name, effect in observed.items()}
    guess = {name: np.zeros(80) for name in twice}
    clusters = [str(i // 2) for i in range(80)]
    alone, shared = interventional_error(guess, twice), interventional_error(guess, twice, cluster=clusters)
    width, wider = (f["ci_high"] - f["ci_low"] for f in (alone, shared))
    assert (wider > 1.3 * width).all()


def test_nothing_changed_has_no_skill():
    found = interventional_error({"a": np.ones(5)}, {"a": np.zeros(5)})
    assert np.isnan(found["skill"]).all() and (found["rmse"] == 1).all()


@pytest.mark.parametrize(
    ("predicted", "message"),
    [
        ({"a": np.zeros(3)}, "the same lesions"),
        ({"a": np.zeros(3), "b": np.zeros(4)}, "one effect per example"),
        ({"a": np.full(3, np.nan), "b": np.zeros(3)}, "not finite"),
    ],
)
def test_what_is_refused(predicted, message):
    with pytest.raises(EffectError, match=message):
        interventional_error(predicted, {"a": np.zeros(3), "b": np.zeros(3)})


def test_clusters_must_fit():
    with pytest.raises(EffectError, match="2 clusters for 3 examples"):
        interventional_error({"a": np.zeros(3)}, {"a": np.zeros(3)}, cluster=["x", "y"])
