"""McNemar's test of paired binary outcomes: do as many examples flip down as up?"""

import numpy as np
import numpy.typing as npt
from scipy.stats import binom


def mcnemar_exact(down: npt.ArrayLike, up: npt.ArrayLike) -> np.ndarray:
    """Exact two-sided p: the flips are a fair coin. 1 where nothing flipped.

    For independent rows it equals the sign-flip permutation test with all sign patterns.

    Args:
        down: Rows that went 1 -> 0, any shape.
        up: Rows that went 0 -> 1, same shape.

    Source: McNemar (1947), Psychometrika 12(2).
    """
    down, up = np.asarray(down, float), np.asarray(up, float)
    return np.minimum(1.0, 2 * binom.cdf(np.minimum(down, up), down + up, 0.5))


def mcnemar_mid_p(down: npt.ArrayLike, up: npt.ArrayLike) -> np.ndarray:
    """Mid-p version: less conservative than the exact test, and close to its level without guaranteeing it.

    1 where nothing flipped.

    Args:
        down: Rows that went 1 -> 0, any shape.
        up: Rows that went 0 -> 1, same shape.

    Source: Fagerland, Lydersen & Laake (2013), BMC Med. Res. Methodol. 13:91.
    """
    down, up = np.asarray(down, float), np.asarray(up, float)
    fewer, n = np.minimum(down, up), down + up
    at = binom.pmf(fewer, n, 0.5)
    p = np.where(down == up, 1 - at / 2, 2 * binom.cdf(fewer, n, 0.5) - at)
    return np.where(n == 0, 1.0, p)
