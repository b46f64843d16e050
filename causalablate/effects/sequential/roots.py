"""Where falling functions cross a level, many at once."""

from collections.abc import Callable

import numpy as np

STEEPEST = 0.2
"""How far a guess is moved towards the middle, relative to the square of the bracket: any positive number serves."""


def last_above(
    function: Callable[[np.ndarray], np.ndarray], low: float, high: float, shape: tuple[int, ...], *, within: float
) -> np.ndarray:
    """The largest argument at which each of many falling functions is still at least zero, from below.

    The two ends are not evaluated: `low` is the answer where a function is negative everywhere. The ITP method guesses
    by the secant, yet never takes more than one step more than bisection would.

    Args:
        function: From arguments of that shape to values of that shape, each falling in its own argument; may be
            infinite.
        low: Lower end of all brackets.
        high: Upper end.
        shape: Shape of the answer.
        within: The answers are too small by at most this.

    Source: Oliveira & Takahashi (2020), ACM Trans. Math. Softw. 47(1).
    """
    a, b = np.full(shape, low), np.full(shape, high)
    at_a, at_b = np.full(shape, np.inf), np.full(shape, -np.inf)
    slack = within * 2.0 ** np.ceil(np.log2((high - low) / within))  # twice the bracket, or a little more
    while ((b - a) > within).any():
        middle, width = (a + b) / 2, b - a
        with np.errstate(invalid="ignore"):
            secant = (at_b * a - at_a * b) / (at_b - at_a)
        secant = np.where(np.isfinite(secant), secant, middle)
        side = np.sign(middle - secant)
        moved = np.minimum(STEEPEST / (high - low) * np.square(width), np.abs(middle - secant))
        room = np.maximum(slack - width / 2, 0.0)
        guess = np.clip(secant + side * moved, middle - room, middle + room)
        value = function(guess)
        wide = width > within  # those that are found stay as they are, whatever the others need
        up, down = wide & (value >= 0), wide & (value < 0)
        a, at_a = np.where(up, guess, a), np.where(up, value, at_a)
        b, at_b = np.where(down, guess, b), np.where(down, value, at_b)
        slack /= 2
    return a
