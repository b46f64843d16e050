import pytest

from causalablate.graph.activity import activity
from causalablate.graph.network import ComponentGraph

WEIGHT = [
    # x0 -> x2 <- x1, x1 -> x4, x2 -> x3
    [0, 0, 1.0, 0, 0],
    [0, 0, -0.8, 0, 0.9],
    [0, 0, 0, 0.9, 0],
    [0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0],
]


@pytest.fixture(scope="session")
def truth():
    order = ("x0", "x1", "x2", "x3", "x4")
    pairs = [(a, b) for a, row in zip(order, WEIGHT, strict=True) for b, w in zip(order, row, strict=True) if w]
    return ComponentGraph.of_pairs(order, pairs)


@pytest.fixture(scope="session")
def table(planted, truth):
    """Activities of a planted model: 400 examples in the factual run, and with each node held at 2."""
    model, examples = planted(WEIGHT, n=400)
    off = {"kind": "value", "value": 2.0}
    return activity(model, examples, truth.order, summary="mean", lesions=truth.order, off=off)


@pytest.fixture(scope="session")
def targets(table):
    return list(table.index.get_level_values("target"))
