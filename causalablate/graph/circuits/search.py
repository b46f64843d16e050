"""Which sets of components to look at: greedy removal, greedy addition, all of them. Values in, sets out."""

from collections.abc import Callable
from itertools import combinations
from math import comb

import numpy as np

from causalablate.errors import GraphError

Value = Callable[[np.ndarray], np.ndarray]
"""Outcomes where only some components are on: bool (sets, components) -> float64 (sets, examples)."""

Search = Callable[[Value, int, float], np.ndarray]
"""(value, components, closeness to keep) -> the best set found of each size, bool (sets, components), small first."""

MOST = 20_000
"""Sets that an exact search may look at."""


def removal(value: Value, p: int, keep: float) -> np.ndarray:
    """From the whole model, again and again take away the component that is missed least: p (p + 1) / 2 sets.

    Source: Conmy et al. (2023), Towards Automated Circuit Discovery, NeurIPS, on components in place of edges; there
    each is visited once, here the least missed one goes first.
    """
    return _greedy(value, np.ones(p, bool))[::-1]


def addition(value: Value, p: int, keep: float) -> np.ndarray:
    """From nothing, again and again switch on the component that brings the outcomes closest to the model's.

    Of components that only work together, addition finds none before the others are there by chance.
    """
    return _greedy(value, np.zeros(p, bool))


def exact(value: Value, p: int, keep: float) -> np.ndarray:
    """All sets, by size, up to the first of which one is close enough: no smaller circuit exists on these examples.

    Raises:
        GraphError: There are too many.
    """
    best, seen = [], 0
    for size in range(p + 1):
        seen += comb(p, size)
        if seen > MOST:
            raise GraphError(
                f"an exact search over {p} components has looked at all sets of up to {size - 1}, none of which is "
                f"close enough, and would now look at {seen:,}, more than {MOST:,}; use search='removal', lower keep, "
                "or name fewer nodes"
            )
        sets = np.zeros((comb(p, size), p), bool)
        for row, members in zip(sets, combinations(range(p), size), strict=True):
            row[list(members)] = True
        close = closeness(value, sets)
        best.append(sets[close.argmax()])
        if close.max() >= keep:
            break
    if size < p:
        best.append(np.ones(p, bool))
    return np.stack(best)


SEARCHES: dict[str, Search] = {"removal": removal, "addition": addition, "exact": exact}


def closeness(value: Value, sets: np.ndarray) -> np.ndarray:
    """How close each set by itself comes to the whole model, example by example, shape (sets,).

    1 - mean |outcome - the model's| / mean |outcome of nothing - the model's|: 1 is the model, 0 no closer than nothing
    at all. Unlike a ratio of means, errors of opposite sign do not cancel.
    """
    p = sets.shape[1]
    none, full = value(np.stack([np.zeros(p, bool), np.ones(p, bool)]))
    scale = np.abs(none - full).mean()
    return 1 - np.abs(value(sets) - full).mean(axis=1) / scale


def smallest(close: np.ndarray, keep: float) -> int:
    """Row of the smallest set that is close enough; rows are in order of size, the last is the whole model."""
    return int(np.flatnonzero(close >= keep)[0])


def _greedy(value: Value, start: np.ndarray) -> np.ndarray:
    sets, on = [start], start[0]
    while len(left := np.flatnonzero(sets[-1] == on)):
        tried = np.repeat(sets[-1][None], len(left), axis=0)
        tried[np.arange(len(left)), left] = not on
        sets.append(tried[closeness(value, tried).argmax()])
    return np.stack(sets)
