"""Interaction indices: ways to average what factors do together over what the other factors do."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import comb

import numpy as np

from causalablate.errors import EffectError, nearest
from causalablate.interactions.moebius import code

Share = Callable[[int, int, int], float]
"""(size of S, size of T, order) -> which share of T's Möbius coefficient falls to its subset S."""

Chance = Callable[[int, int, int], float]
"""(size of S, t, n) -> chance of a context of t other factors, of those outside S."""


@dataclass(frozen=True)
class Index:
    """An interaction index, as a function of Möbius coefficients.

    Attributes:
        name: In tables and study files.
        title: For people, with what it says.
        share: Of the coefficient of T, the part of S within T.
        context: How likely each size of context is, where the index is a mean of discrete derivatives; else None.
        top_only: Whether that holds for sets of the largest order only, smaller ones standing for themselves.
        order: Its only order; 0 for any.
    """

    name: str
    title: str
    share: Share
    context: Chance | None = None
    top_only: bool = False
    order: int = 0


def _faith(s: int, t: int, order: int) -> float:
    if t == s:
        return 1.0
    if t <= order:
        return 0.0
    return (-1) ** (order - s) * s / (order + s) * comb(order, s) * comb(t - 1, order) / comb(t + order - 1, order + s)


def _taylor(s: int, t: int, order: int) -> float:
    return 1 / comb(t, order) if s == order else float(s == t)


def _taylor_context(s: int, t: int, n: int) -> float:
    return comb(n - t - 1, s - 1) / comb(n, s)


INDICES: Mapping[str, Index] = {
    index.name: index
    for index in (
        Index(
            "moebius", "Möbius coefficient: what the set gives beyond its parts, from nothing", lambda s, t, k: s == t
        ),
        Index(
            "SV",
            "Shapley value: what one factor adds, over all orders of adding",
            lambda s, t, k: 1 / t,
            lambda s, t, n: 1 / n,
            order=1,
        ),
        Index(
            "SII",
            "Shapley interaction index: the joint derivative, over all sizes of context alike",
            lambda s, t, k: 1 / (t - s + 1),
            lambda s, t, n: 1 / (n - s + 1),
        ),
        Index(
            "STI",
            "Shapley-Taylor index: sums to what all factors make together, the largest order taking all that is left",
            _taylor,
            _taylor_context,
            top_only=True,
        ),
        Index("FSI", "Faith-Shap: the best polynomial of that order, under the Shapley kernel", _faith),
        Index(
            "BII",
            "Banzhaf interaction index: the joint derivative, over all contexts alike",
            lambda s, t, k: 0.5 ** (t - s),
            lambda s, t, n: comb(n - s, t) / 2 ** (n - s),
        ),
    )
}
"""Every index that is a mean over all contexts.

Sources: Shapley (1953); Grabisch & Roubens (1999), Int. J. Game Theory 28 (SII, BII); Sundararajan, Dhamdhere & Agarwal
(2020), ICML (STI); Tsai, Yeh & Ravikumar (2023), J. Mach. Learn. Res. 24(94) (FSI); Fujimoto, Kojadinovic & Marichal
(2006), Games Econ. Behav. 55, for all of them by Möbius coefficients.
"""


def index_of(name: str, others: Sequence[str] = ()) -> Index:
    """The index of this name.

    Raises:
        EffectError: There is none.
    """
    if name not in INDICES:
        known = [*others, *INDICES]
        raise EffectError(f'no index "{name}"{nearest(name, known)}; there are {", ".join(known)}')
    return INDICES[name]


def from_moebius(coefficients: np.ndarray, index: Index, sets: Sequence[tuple[int, ...]], order: int) -> np.ndarray:
    """An index of some sets from all Möbius coefficients.

    Args:
        coefficients: In the order of `moebius`, shape (2^n, rows).
        index: Which.
        sets: Members by number; none larger than the order.
        order: Largest order of the index, which STI and FSI depend on.
    Returns:
        Shape (sets, rows).
    """
    codes = np.arange(len(coefficients))
    size = np.bitwise_count(codes).astype(int)
    found = np.empty((len(sets), *coefficients.shape[1:]))
    for row, members in zip(found, sets, strict=True):
        s, mask = len(members), code(members)
        share = np.array([index.share(s, t, order) if t >= s else 0.0 for t in range(size[-1] + 1)])
        within = np.flatnonzero((codes & mask == mask) & (share[size] != 0))
        row[...] = share[size[within]] @ coefficients[within]
    return found
