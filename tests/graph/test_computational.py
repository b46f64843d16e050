import pytest

import causalablate as ca
from causalablate.errors import GraphError
from causalablate.graph import computational_graph


def test_planted_graphs_are_followed(planted):
    weight = [[0, 1, 0, 2], [0, 0, 3, 0], [0, 0, 0, 1], [0, 0, 0, 0]]
    model, examples = planted(weight)
    graph = computational_graph(model, examples, "x*")
    inner = {("x0", "x1"), ("x0", "x3"), ("x1", "x2"), ("x2", "x3")}
    assert graph.pairs == inner | {("x3", "outcome")}


def test_the_shipped_model(model, examples):
    graph = computational_graph(ca.load("shipped"), ca.digits(1))
    assert "lm.layers.0#1" in graph.order and "lm.layers.0#2" in graph.order
    assert graph.parents("allocator") == tuple(n for n in graph.order if n.startswith(("scorers.", "opponent.")))
    assert graph.parents("query.dynamic") == ("passes.coarse", "lm.layers.0#1", "lm.layers.1#1", "lm.layers.2#1")
    assert "query.dynamic" in graph.ancestors("passes.fine") and "outcome" in graph.descendants("query.dynamic")


def test_nodes_that_overlap_are_refused(model, examples):
    shipped = ca.load("shipped")
    for nodes in (["lm.layers.0", "lm.layers.0.mlp"], ["tokens.image", "tokens.image.first"]):
        with pytest.raises(GraphError, match="overlap"):
            computational_graph(shipped, ca.digits(1), nodes)


def test_what_never_runs_is_said(model):
    import torch
    from torch import nn

    class Half(nn.Module):
        def __init__(self):
            super().__init__()
            self.used, self.never = nn.Linear(2, 2), nn.Linear(2, 2)

        def forward(self, x):
            return self.used(x)

    half = ca.wrap(Half(), {"used": "used", "never": "never"}, answers=2)
    graph = computational_graph(half, ca.tensors(torch.ones(1, 2), [0]), ["used", "never"])
    assert graph.order == ("used", "never", "outcome") and "never comes by" in graph.notes["never"]
    assert graph.pairs == {("used", "outcome")}
