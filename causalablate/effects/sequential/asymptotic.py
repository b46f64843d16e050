"""Anytime-valid evidence about means of outcomes without bounds: asymptotic, from a running t statistic.

A Gaussian mixture over the standardised mean turns a t statistic into an e-value at every sample size at once. Its
guarantee is that of the central limit theorem: it gets better with every unit.
"""

import math

import numpy as np
from scipy.optimize import brentq
from scipy.special import log_ndtr

PRIOR_UNITS = 4.0
"""The standardised mean is weighted by a half-normal of SD 1/sqrt(4) = 0.5: a medium effect. Any value is valid; this
one makes the boundary tightest after some hundred units."""


def log_e_value(t: np.ndarray, df: float, n: float) -> np.ndarray:
    """Log e-value against "the mean is at most its null value", from its t statistic.

    E = sqrt(c / (n + c)) exp(z^2 r / 2) 2 Phi(z sqrt(r)), with c = `PRIOR_UNITS`, r = n / (n + c), and z the normal
    deviate that is as improbable as t (Wallace's approximation): heavy-tailed at few degrees of freedom, z = t at many.

    Args:
        t: (estimate - null) / standard error, any shape.
        df: Degrees of freedom of the standard error, at least 1.
        n: Units; without replacement from N, n / (1 - n / N): the information that the mean then holds. A mean of
            a finite set drawn in random order is a Brownian motion in that time.

    Source: Robbins (1970), Ann. Math. Stat. 41(5), mixture boundaries; Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas
        (2024), Ann. Stat. 52(6), time-uniform central limit theory; Wallace (1959), Ann. Math. Stat. 30(4).
    """
    weight = n / (n + PRIOR_UNITS)
    z = np.sign(t) * np.sqrt(df * np.log1p(np.square(t) / df)) * (8 * df + 1) / (8 * df + 3)
    return _log_mixture(z, n, weight)


def _log_mixture(z: np.ndarray, n: float, weight: float) -> np.ndarray:
    scaled = z * math.sqrt(weight)
    return -0.5 * math.log1p(n / PRIOR_UNITS) + 0.5 * np.square(scaled) + math.log(2) + log_ndtr(scaled)


def t_needed(log_e: float, df: float, n: float) -> float:
    """The t statistic whose log e-value is `log_e` (positive): half-widths of anytime-valid intervals in SEs."""
    weight = n / (n + PRIOR_UNITS)
    most = math.sqrt(2 * (log_e + math.log1p(n / PRIOR_UNITS) + 1) / weight)
    z = brentq(lambda x: float(_log_mixture(np.asarray(x), n, weight)) - log_e, 0.0, most)
    return math.sqrt(df * math.expm1((z * (8 * df + 3) / (8 * df + 1)) ** 2 / df))
