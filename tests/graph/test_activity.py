import numpy as np
import pytest

import causalablate as ca
from causalablate.errors import GraphError
from causalablate.graph.activity import activity
from causalablate.graph.nodes import high_level

WEIGHT = [[0, 2.0, 0], [0, 0, -1.0], [0, 0, 0]]


@pytest.fixture
def linear(planted):
    return planted(WEIGHT, n=10)


def test_activities_of_a_linear_model(linear):
    model, examples = linear
    found = activity(model, examples, ["x*"], summary="mean", lesions=["x1"], off="zero", outcomes=["logit_difference"])
    assert list(found.columns) == ["x0", "x1", "x2", "logit_difference"]
    assert found.index.names == ["target", "example", "cluster"] and len(found) == 20
    here, there = found.loc[""], found.loc["x1"]
    assert (there["x1"] == 0).all() and (there["x0"] == here["x0"]).all()
    np.testing.assert_allclose(there["x2"] - here["x2"], here["x1"], atol=1e-6)
    effect = ca.counterfactuals(model, examples, ca.do("x1", off="zero"), outcomes=["logit_difference"]).frame
    np.testing.assert_allclose(there["logit_difference"], effect["counterfactual"], atol=1e-6)
    np.testing.assert_allclose(here["logit_difference"], effect["factual"], atol=1e-6)


def test_the_norm_of_a_number_is_its_size(linear):
    model, examples = linear
    mean, norm = (activity(model, examples, "x*", summary=s) for s in ("mean", "norm"))
    np.testing.assert_allclose(norm, mean.abs())
    assert (mean["x0"] < 0).any()


def test_the_shipped_model():
    model, examples = ca.load("shipped"), ca.digits(4)
    reference = ca.digits(8, split="validation")
    found = activity(model, examples, lesions=["connector"], reference=reference)
    assert tuple(found.columns) == high_level(model) and len(found) == 8 and np.isfinite(found.to_numpy()).all()
    before = [c for c in found if c.startswith("vision.")]
    changed = (found.loc[""] - found.loc["connector"]).abs()
    assert (changed["connector"] > 0).all() and (changed["lm.layers.2"] > 0).all() and before
    assert found.index.get_level_values("example").tolist() == [e.id for e in examples] * 2


def test_an_unknown_summary_is_refused(linear):
    with pytest.raises(GraphError, match=r'no summary "norms" \(did you mean norm'):
        activity(*linear, summary="norms")
