"""A measured graph small enough to check by hand, and wide ones."""

import numpy as np
import pandas as pd
import pytest

from causalablate.effects.kinds import Kind
from causalablate.graph import ComponentGraph, Edge, Transfer

NODES = ("vision.a#1", "idle", "lm.b#1", "vision.a#2", "lm.b#2")
WAYS = [
    ("vision.a#1", "lm.b#1"),
    ("idle", "lm.b#1"),
    ("lm.b#1", "vision.a#2"),
    ("vision.a#2", "lm.b#2"),
    ("lm.b#1", "answer_logprob"),
    ("lm.b#2", "answer_logprob"),
]


@pytest.fixture(scope="session")
def possible():
    return ComponentGraph.of_pairs((*NODES, "answer_logprob"), WAYS, ["answer_logprob"])


@pytest.fixture(scope="session")
def graph():
    edges = (
        Edge("vision.a#1", "lm.b#1", "direct", 0.5, 0.4, 0.6, 0.001, 1.0),
        Edge("lm.b#1", "vision.a#2", "direct", 1.5, 1.4, 1.6, 0.0001, 1.0),
        Edge("lm.b#1", "answer_logprob", "dormant", -0.25, -0.5, 0.0, 0.2, 0.75, "lm.b#2=mean"),
        Edge("lm.b#2", "answer_logprob", "direct", -2.0, -2.5, -1.5, 0.0002, 1.0),
    )
    notes = {"idle": "never fires: nothing moves"}
    return ComponentGraph((*NODES, "answer_logprob"), edges, ("answer_logprob",), notes)


@pytest.fixture(scope="session")
def found(possible):
    """Direct effects 1, 2, ... in row-major order along the ways, own changes 4; totals twice that; six examples."""
    targets = (*NODES, "answer_logprob")
    direct = np.zeros((5, 6, 6))
    for k, (source, target) in enumerate(WAYS, start=1):
        sign = -1 if target == "answer_logprob" else 1
        direct[NODES.index(source), targets.index(target)] = sign * k * np.array([0.5, 1.5, 1, 1, 0.5, 1.5])
    for i, node in enumerate(NODES):
        if node != "idle":
            direct[i, i] = 4
    return Transfer(possible, NODES, targets, direct, 2 * direct, tuple("uvwxyz"), tuple("uvwxyz"), kinds=(Kind.REAL,))


@pytest.fixture(scope="session")
def interactions():
    """A table as `interaction_effects` gives it, of three factors."""
    rows = [("a x b", 1.0, "synergy"), ("a x c", -2.0, "redundancy"), ("b x c", 0.001, "independence")]
    frame = pd.DataFrame(
        {
            "outcome": "correct",
            "index": "intact",
            "interaction": [name for name, _, _ in rows],
            "order": 2,
            "group": "all",
            "n_units": 40,
            "value": [value / 100 for _, value, _ in rows],
            "ci_low": [value / 100 - 0.004 for _, value, _ in rows],
            "ci_high": [value / 100 + 0.004 for _, value, _ in rows],
            "sampling_se": 0.0,
            "p_holm": [0.01, 0.0001, 0.8],
            "label": [label for _, _, label in rows],
            "aliases": "",
        }
    )
    frame.attrs = {"factors": ["a", "b", "c"], "correction": "holm"}
    return frame


def layered(layers, heads, seed=0, share=0.3):
    """Heads of layers, each acting on some later ones and the outcome."""
    rng = np.random.default_rng(seed)
    order = [f"lm.layers.{layer}.heads.{head}" for layer in range(layers) for head in range(heads)]
    pairs = [(a, b) for i, a in enumerate(order) for b in order[(i // heads + 1) * heads :] if rng.random() < share]
    return ComponentGraph.of_pairs([*order, "y"], [*pairs, *((a, "y") for a in order[-heads:])], ["y"])


@pytest.fixture(scope="session", params=[(6, 5), (10, 8)], ids=["31 nodes", "81 nodes"])
def wide(request):
    return layered(*request.param)
