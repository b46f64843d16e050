import numpy as np
import pytest

import causalablate as ca
from causalablate.effects.kinds import Kind
from causalablate.errors import GraphError
from causalablate.graph import transfer
from causalablate.graph.edges import component_graph

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


@pytest.mark.parametrize("stack", [None, 1])
def test_a_sham_changes_nothing(planted, stack):
    model, examples = planted(WEIGHT, n=7)
    found = transfer(model, examples, "x*", off="zero", outcomes=["logit_difference"], stack=stack)
    assert found.sham.shape == (5, 7) and np.abs(found.sham).max() <= (0 if stack == 1 else 1e-5)
    assert found.kinds == (Kind.REAL,)


def test_direct_effects_alone(planted):
    model, examples = planted(WEIGHT, n=5)
    whole, part = (
        transfer(model, examples, "x*", off="zero", outcomes=["logit_difference"], totals=totals)
        for totals in (True, False)
    )
    np.testing.assert_array_equal(part.direct, whole.direct)
    assert np.isnan(part.total).all() and np.isfinite(whole.total).all()


def test_a_category_changes_or_not(model, examples, reference):
    found = transfer(model, examples[:6], ["lm.layers.*#2"], outcomes=["predicted_answer"], reference=reference)
    assert found.kinds == (Kind.CATEGORICAL,)
    assert set(np.unique([found.direct[:, -1], found.total[:, -1]])) <= {0.0, 1.0}


@pytest.mark.parametrize(
    ("nodes", "n", "edge"),
    [
        (["lm.layers.*.heads.*", "lm.layers.*.mlp"], 30, ("lm.layers.0.heads.1#2", "lm.layers.0.mlp#2")),
        (["vision.layers.*.heads.*", "vision.layers.*.mlp"], 30, ("vision.layers.0.mlp#1", "vision.layers.2.mlp#1")),
        (["tokens.*"], 6, ("tokens.image#1", "tokens.image#2")),
        (["lm.layers.*.resid@image"], 6, ("lm.layers.0.resid#1@image", "lm.layers.1.resid#1@image")),
        (["lm.layers.{0..1}.resid@image[0]", "lm.layers.1.resid@answer"], 6, None),
        (["passes.*", "lm.layers.*#2"], 5, ("passes.fine", "lm.layers.0#2")),
        (["tokens.image", "lm.layers.*.resid#2@answer"], 5, ("tokens.image#2", "lm.layers.0.resid#2@answer")),
    ],
)
def test_nodes_of_any_size(nodes, n, edge):
    found = transfer(
        ca.load("shipped"), ca.digits(6), nodes, off="mean", reference=ca.digits(16, split="validation"), totals=False
    )
    assert len(found.sources) == n
    graph = component_graph(found)
    assert graph.pairs <= found.graph.pairs
    assert edge is None or edge in graph.pairs


def test_token_groups_in_a_context(model, examples, reference):
    context = ca.do("lm.layers.0.resid@image", off="mean")
    nodes = ["lm.layers.*.resid@image", "lm.layers.1.resid@answer"]
    found = transfer(model, examples[:4], nodes, context=context, reference=reference)
    assert found.sources == tuple(f"lm.layers.1.resid#{k}@{group}" for k in (1, 2) for group in ("image", "answer"))


def test_offs_by_address(planted):
    model, examples = planted(WEIGHT, n=5)
    how = {"x*": "zero", "x1": {"kind": "scale", "factor": 1.0}}
    found = transfer(model, examples, "x*", off=how, outcomes=["logit_difference"])
    assert not found.total[1].any() and found.total[0].any() and found.total[2].any()


def test_a_context_that_leaves_nothing_is_refused(planted):
    model, examples = planted(WEIGHT, n=5)
    with pytest.raises(GraphError, match="no node is left"):
        transfer(model, examples, ["x1"], off="zero", context=ca.do("x1", off="zero"))
