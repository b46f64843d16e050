"""The Möbius transform of set functions: what a set adds beyond all of its parts."""

import numpy as np


def moebius(values: np.ndarray) -> np.ndarray:
    """Möbius coefficients (Harsanyi dividends) of set functions, in O(n 2^n).

    m(S) = sum over T within S of (-1)^(s - t) v(T), with s and t the sizes of S and T, so that v(S) is the sum of
    m(T) over T within S. Of the outcome over the sets that are *on*, m says what the members of S give together from
    nothing; over the sets that are *off*, what their absence does beyond the absence of fewer: (-1)^s times the
    interaction with all else intact.

    Args:
        values: Shape (2^n, ...); entry b is the value of the set with member i where bit i of b is 1.
    Returns:
        The same shape and order, float64.

    Source: Rota (1964), Z. Wahrscheinlichkeitstheorie 2; Harsanyi (1963), Int. Econ. Rev. 4(2).
    """
    found = np.array(values, dtype=np.float64)
    for i in range(found.shape[0].bit_length() - 1):
        halves = found.reshape(-1, 2, 2**i, *found.shape[1:])
        halves[:, 1] -= halves[:, 0]
    return found


def every_set(n: int) -> np.ndarray:
    """All sets in the order of `moebius`: bool, shape (2^n, n)."""
    return (np.arange(2**n)[:, None] >> np.arange(n) & 1).astype(bool)


def code(members: tuple[int, ...]) -> int:
    """Where a set stands in that order."""
    return sum(1 << i for i in members)
