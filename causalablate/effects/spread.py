"""A mean and how uncertain it is, as values: intervals at any level and p values come from the same numbers."""

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr, stdtrit

BISECTIONS = 60
SMALLEST_LOG_P = -690.0
"""p values below exp(-690), about 1e-300, are reported as that."""


@dataclass(frozen=True)
class Spread:
    """Centre of an interval and the independent parts of its variance, each known with its own degrees of freedom.

    With one part this is the usual t interval (normal where the degrees of freedom are infinite). With several,
    the parts' own t intervals are combined square-and-add (Zou & Donner 2008): half-width^2 = sum of
    (t quantile)^2 x variance. Unlike one quantile at Welch-Satterthwaite degrees of freedom, that does not trust an
    accidentally small variance from three seeds.

    Attributes:
        center: Shape (lesions,). The mean, or the mean pulled towards zero by pseudo-observations.
        variances: Shape (parts, lesions), squared outcome units.
        df: Degrees of freedom of each part, length `parts`.

    Source: Zou & Donner (2008), Stat. Med. 27(10), square-and-add ("MOVER") intervals.
    """

    center: np.ndarray
    variances: np.ndarray
    df: tuple[float, ...]

    @property
    def se(self) -> np.ndarray:
        """Standard error, shape (lesions,)."""
        return np.sqrt(self.variances.sum(axis=0))

    def half_width(self, level: float) -> np.ndarray:
        """Half the width of the two-sided interval, shape (lesions,)."""
        return self._half(np.full(self.center.shape, (1 - level) / 2))

    def _half(self, tail: np.ndarray) -> np.ndarray:
        widths = [stdtrit(df, tail) * np.sqrt(v) for df, v in zip(self.df, self.variances, strict=True)]
        return np.hypot.reduce(widths)

    def p_two_sided(self, null: float = 0.0) -> np.ndarray:
        """p of the mean being `null`: 1 - the level at which the interval just reaches it. NaN without variance."""
        p, known = np.full(self.center.shape, np.nan), self.se > 0
        p[known] = Spread(self.center[known], self.variances[:, known], self.df)._p(null)
        return p

    def _p(self, null: float) -> np.ndarray:
        distance = np.abs(self.center - null)
        if len(self.df) == 1:
            return 2 * stdtr(self.df[0], -distance / self.se)
        low, high = np.full(distance.shape, SMALLEST_LOG_P), np.zeros(distance.shape)
        for _ in range(BISECTIONS):
            middle = (low + high) / 2
            wide = self._half(np.exp(middle) / 2) > distance
            low, high = np.where(wide, middle, low), np.where(wide, high, middle)
        return np.exp((low + high) / 2)

    def p_greater(self, null: float) -> np.ndarray:
        """One-sided p of the mean being at most `null`. NaN without variance."""
        half = self.p_two_sided(null) / 2
        return np.where(self.center > null, half, 1 - half)

    def p_less(self, null: float) -> np.ndarray:
        """One-sided p of the mean being at least `null`. NaN without variance."""
        half = self.p_two_sided(null) / 2
        return np.where(self.center < null, half, 1 - half)
