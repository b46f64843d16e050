import numpy as np
import pytest

from causalablate.effects.seeds import two_way_components, variance_components
from causalablate.effects.seeds.components import NAMES


def test_a_row_per_component(study):
    rng = np.random.default_rng(0)
    effect = rng.normal(size=(2, 4, 25)) + 2 * rng.normal(size=(2, 1, 25)) + rng.normal(size=(2, 4, 1))
    found = variance_components(study(effect), level=0.9)
    assert found["component"].tolist() == list(NAMES) * 2 and found["lesion"].tolist() == ["l0"] * 3 + ["l1"] * 3
    unit = np.tile(np.arange(25), 4)
    expected = two_way_components(effect.reshape(2, -1), unit, np.repeat(np.arange(4), 25), unit, 0.9)
    assert found["variance"].to_numpy() == pytest.approx(expected.variance.T.ravel(), rel=1e-5)
    assert found["ci_high"].to_numpy() == pytest.approx(expected.high.T.ravel(), rel=1e-5)
    assert found["sd"].to_numpy() == pytest.approx(np.sqrt(expected.variance.T.ravel()), rel=1e-5)
    assert found.groupby("lesion")["share"].sum().tolist() == pytest.approx([1, 1])
    assert (found["interval_method"] == "modified large sample").all() and (found["note"] == "").all()


def test_negative_estimates_are_zero_and_said(study):
    noise = np.random.default_rng(1).normal(size=(1, 3, 30))
    noise += np.array([0.1, 0.0, -0.1])[None, :, None] - noise.mean(axis=2, keepdims=True)
    found = variance_components(study(noise)).set_index("component").loc["seed"]
    assert found["variance"] == found["share"] == found["sd"] == 0
    assert "negative, so set to 0" in found["note"] and found["ci_low"] == 0 < found["ci_high"]


@pytest.mark.parametrize(("seeds", "n", "said"), [(1, 9, "one seed"), (3, 1, "one example")])
def test_undefined_says_why(study, seeds, n, said):
    found = variance_components(study(np.random.default_rng(0).normal(size=(1, seeds, n))))
    assert found[["variance", "share", "ci_low"]].isna().all(axis=None)
    assert found["interval_method"].str.startswith(f"undefined: {said}").all()


def test_two_seeds_come_with_a_warning(study):
    found = variance_components(study(np.random.default_rng(0).normal(size=(1, 2, 9))))
    assert found["note"].str.contains("two seeds").all()


def test_nothing_varies(study):
    found = variance_components(study(np.ones((1, 3, 5))))
    assert (found["variance"] == 0).all() and found["share"].isna().all()
