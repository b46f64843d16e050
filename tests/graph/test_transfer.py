import numpy as np
import pytest

import causalablate as ca
from causalablate.graph import transfer

WEIGHT = np.array([[0, 1.5, 0, 2], [0, 0, -3, 0], [0, 0, 0, 1], [0, 0, 0, 0]])


@pytest.mark.parametrize("stack", [None, 1])
def test_direct_and_total_effects_of_a_linear_model(planted, stack):
    model, examples = planted(WEIGHT, n=7)
    found = transfer(model, examples, "x*", off="zero", outcomes=["logit_difference"], stack=stack)
    assert found.sources == ("x0", "x1", "x2", "x3") and found.targets == (*found.sources, "logit_difference")
    noise = np.stack([next(iter(e.inputs.values())) for e in examples])
    reach = np.linalg.inv(np.eye(4) - WEIGHT)
    values = noise @ reach
    direct = np.abs((WEIGHT + np.eye(4))[:, :, None] * values.T[:, None, :])
    np.testing.assert_allclose(found.direct[:, :4], direct, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(
        found.total[:, :4], np.abs(reach[:, :, None] * values.T[:, None, :]), rtol=1e-4, atol=1e-5
    )
    last = -reach[:, 3][:, None] * values.T
    np.testing.assert_allclose(found.total[:, 4], last, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found.direct[:3, 4], 0)
    if stack == 1:
        assert not found.direct[:, :4][(WEIGHT + np.eye(4)) == 0].any()


def test_no_edge_where_data_cannot_go():
    model, examples = ca.load("shipped"), ca.digits(16)
    found = transfer(model, examples, off="resample", reference=ca.digits(32, split="validation"))
    acts = {
        (i, j)
        for a, i in enumerate(found.sources)
        for b, j in enumerate(found.targets)
        if i != j and np.abs(found.direct[a, b]).max() > 1e-3
    }
    assert acts <= found.graph.pairs and ("query.dynamic", "scorers.participatory") in acts


def test_in_the_context_of_another_lesion(planted):
    model, examples = planted(WEIGHT, n=5)
    found = transfer(model, examples, "x*", off="zero", context=ca.do("x1", off="zero"), outcomes=["logit_difference"])
    assert found.sources == ("x0", "x2", "x3") and found.context == "x1=zero"
    assert not found.total[0, 1].any() and found.total[0, 2].any()
