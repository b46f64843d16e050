"""How good a circuit is: faithfulness, completeness, minimality. Values in, tables out."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from causalablate.graph.circuits.search import Value, closeness
from causalablate.graph.shares import fieller


def curve(value: Value, nodes: Sequence[str], sets: np.ndarray, cluster: np.ndarray, level: float) -> pd.DataFrame:
    """Scores of sets of components, one row each, in their order.

    Args:
        value: Of sets.
        nodes: Names of the components.
        sets: Bool, shape (sets, components).
        cluster: Cluster codes of the examples, 0 .. G - 1.
        level: Two-sided coverage.
    Returns:
        `size`; `closeness`; `faithfulness` with `ci_low` and `ci_high`: what the set by itself keeps of the behaviour,
        as a share of what the whole model has beyond none of the components; `left`, `left_low`, `left_high`: the share
        that is left where just the set is off, 0 where it is complete; `method` of the intervals, or why there are
        none; `nodes`.
    """
    alone, without, whole, none = _values(value, sets)
    kept = fieller(alone - none, whole - none, cluster, level)
    left = fieller(without - none, whole - none, cluster, level)
    return pd.DataFrame(
        {
            "size": sets.sum(axis=1),
            "closeness": closeness(value, sets),
            "faithfulness": kept.value,
            "ci_low": kept.low,
            "ci_high": kept.high,
            "left": left.value,
            "left_low": left.low,
            "left_high": left.high,
            "method": kept.method,
            "nodes": [named(nodes, row) for row in sets],
        }
    )


def members(
    chosen: np.ndarray, value: Value, searched: Value, nodes: Sequence[str], cluster: np.ndarray, level: float
) -> pd.DataFrame:
    """What each member of a circuit is good for.

    Args:
        chosen: The circuit, bool, shape (components,).
        value: Of sets, on the examples that are reported.
        searched: Of sets, on other examples: there the companions are chosen.
        nodes: Names of the components.
        cluster: Cluster codes of the reported examples.
        level: Two-sided coverage.
    Returns:
        One row per member: `node`; `contribution`, `ci_low`, `ci_high`: the faithfulness that the circuit loses without
        it; `given`: the other member in whose absence that loss is largest, so that backups of each other show, and
        `given_contribution`, `given_low`, `given_high` then; `in_model`: what the whole model loses without it.
    """
    inside = np.flatnonzero(chosen).tolist()
    pairs = [(v, w) for v in inside for w in inside if v != w]
    lost = np.array([np.abs(_loss(searched, chosen, v, (w,)).mean()) for v, w in pairs])
    given = {v: max((at for at, pair in enumerate(pairs) if pair[0] == v), key=lambda at: lost[at], default=None)
             for v in inside}  # fmt: skip
    companion = {v: () if at is None else (pairs[at][1],) for v, at in given.items()}
    everything = np.ones_like(chosen)
    none, full = value(np.stack([~everything, everything]))
    parts = [[_loss(value, chosen, v, ()) for v in inside], [_loss(value, chosen, v, companion[v]) for v in inside]]
    parts.append([_loss(value, everything, v, ()) for v in inside])
    shares = [fieller(np.reshape(part, (len(inside), -1)), full - none, cluster, level) for part in parts]
    return pd.DataFrame(
        {
            "node": [nodes[v] for v in inside],
            "contribution": shares[0].value,
            "ci_low": shares[0].low,
            "ci_high": shares[0].high,
            "given": [", ".join(nodes[w] for w in companion[v]) for v in inside],
            "given_contribution": shares[1].value,
            "given_low": shares[1].low,
            "given_high": shares[1].high,
            "in_model": shares[2].value,
        }
    )


def named(nodes: Sequence[str], chosen: np.ndarray) -> tuple[str, ...]:
    """The members of a set by name."""
    return tuple(node for node, there in zip(nodes, chosen, strict=True) if there)


def _values(value: Value, sets: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    everything = np.ones((1, sets.shape[1]), bool)
    found = value(np.concatenate([sets, ~sets, everything, ~everything]))
    return found[: len(sets)], found[len(sets) : -2], found[-2], found[-1]


def _loss(value: Value, chosen: np.ndarray, v: int, without: tuple[int, ...]) -> np.ndarray:
    """What is lost with one component, where others are missing already, shape (examples,)."""
    before = chosen.copy()
    before[list(without)] = False
    after = before.copy()
    after[v] = False
    first, second = value(np.stack([before, after]))
    return np.asarray(first - second)
