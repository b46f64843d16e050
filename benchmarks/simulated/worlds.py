"""Factual and counterfactual outcomes of one study after another, with what rows share, and the true estimands."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.stats import norm, t

MEAN, FACTUAL = -0.3, 2.0
"""Mean effect and mean factual outcome of real outcomes; factual outcomes have SD 1."""
SEED_SD = 0.2
"""SD between seeds of the mean effect of real outcomes."""
EXAMPLES = 200
"""Examples under each seed."""
ZEROS, HIT = 0.95, -1.0
"""Share of effects that are exactly zero, and the mean of the others, of SD 1, in `mostly_zero`."""
TAIL_DF = 3
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(101)
"""To average over a standard normal variable."""


@dataclass(frozen=True)
class Design:
    """What the rows of a study share.

    Attributes:
        name: Head of its column.
        n_groups: Clusters, or examples where none share a cluster.
        size: Rows of a cluster, or seeds of an example.
        n_seeds: Seeds; with several, rows come by seed.
    """

    name: str
    n_groups: int
    size: int = 1
    n_seeds: int = 1

    def rows(self, values: np.ndarray) -> np.ndarray:
        """Values of shape (repetitions, groups, size) as rows: by cluster, or by seed."""
        ordered = values.swapaxes(1, 2) if self.n_seeds > 1 else values
        return ordered.reshape(len(values), -1)


DESIGNS = (
    *(Design(f"n = {n:,}", n) for n in (50, 200, 1000)),
    *(Design(f"{g} clusters of {m}", g, m) for g, m in ((40, 5), (100, 10))),
    *(Design(f"{s} seeds", EXAMPLES, s, s) for s in (3, 5, 10)),
)

Worlds = Callable[[np.random.Generator, int, Design], tuple[np.ndarray, np.ndarray]]
"""Generator, repetitions, design to factual and counterfactual outcomes, each (repetitions, rows)."""


def binary(cells: tuple[float, float, float, float]) -> Worlds:
    """Right or wrong in both worlds; the chances of a cluster, or of an example under all seeds, correlate 0.5.

    Args:
        cells: Chances of right in both worlds, of a flip down, of a flip up, of wrong in both.
    """

    def draw(rng: np.random.Generator, repetitions: int, design: Design) -> tuple[np.ndarray, np.ndarray]:
        shape = (repetitions, design.n_groups, design.size)
        chances = np.array(cells) if design.size == 1 else rng.dirichlet(cells, size=shape[:2])[:, :, None]
        which = design.rows((rng.random((*shape, 1)) > chances.cumsum(axis=-1)[..., :3]).sum(axis=-1))
        return (which < 2).astype(float), (which % 2 == 0).astype(float) * (which < 3)

    return draw


def normal(rng: np.random.Generator, repetitions: int, design: Design) -> tuple[np.ndarray, np.ndarray]:
    """Normal effects of SD 1."""
    return _real(rng, repetitions, design, _latent(rng, repetitions, design))


def heavy(rng: np.random.Generator, repetitions: int, design: Design) -> tuple[np.ndarray, np.ndarray]:
    """Effects of Student's t with 3 degrees of freedom; rows of a cluster or example share its scale."""
    scale = np.sqrt(rng.chisquare(TAIL_DF, (repetitions, design.n_groups, 1)) / TAIL_DF)
    return _real(rng, repetitions, design, _latent(rng, repetitions, design) / scale)


def mostly_zero(rng: np.random.Generator, repetitions: int, design: Design) -> tuple[np.ndarray, np.ndarray]:
    """Effects exactly zero but for a few; which those are correlates as the outcomes do, whatever the seed."""
    hit = _latent(rng, repetitions, design) < norm.ppf(1 - ZEROS)
    factual = design.rows(FACTUAL + _latent(rng, repetitions, design))
    return factual, factual + design.rows(hit * (HIT + _latent(rng, repetitions, design)))


def _latent(rng: np.random.Generator, repetitions: int, design: Design) -> np.ndarray:
    """Standard normal, correlation 0.5 within a cluster or an example, shape (repetitions, groups, size)."""
    own = rng.normal(size=(repetitions, design.n_groups, design.size))
    if design.size == 1:
        return own
    return np.sqrt(0.5) * (own + rng.normal(size=(repetitions, design.n_groups, 1)))


def _real(
    rng: np.random.Generator, repetitions: int, design: Design, effect: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    of_seed = SEED_SD * rng.normal(size=(repetitions, 1, design.size)) if design.n_seeds > 1 else 0.0
    factual = design.rows(FACTUAL + _latent(rng, repetitions, design))
    return factual, factual + design.rows(MEAN + of_seed + effect)


Below = Callable[[float, float], float]
"""Value and SD to the share of effects at or below the value once an independent normal of that SD is added."""


@dataclass(frozen=True)
class Law:
    """The distribution of the effects of one row, apart from the seed.

    Attributes:
        mean: Mean effect.
        variance: Its variance.
        below: Its distribution function.
        seeded: Whether seeds add `SEED_SD`.
    """

    mean: float
    variance: float
    below: Below
    seeded: bool = True

    def total(self, design: Design) -> float:
        """Variance of the effect over rows and seeds."""
        return self.variance + self._of_seeds(design) ** 2

    def quantile(self, q: float, design: Design, extra: float = 0.0) -> float:
        """Quantile over rows and seeds of the effect plus an independent normal of SD `extra`."""
        sd = float(np.hypot(extra, self._of_seeds(design)))
        found = brentq(lambda x: self.below(x, sd) - q, -60.0, 60.0, xtol=1e-14, rtol=1e-14)
        return float(np.round(found, 12))

    def _of_seeds(self, design: Design) -> float:
        return SEED_SD if self.seeded and design.n_seeds > 1 else 0.0


def _heavy_below(x: float, sd: float) -> float:
    return float(WEIGHTS / WEIGHTS.sum() @ t(TAIL_DF).cdf(x - MEAN - sd * NODES))


def _mostly_zero_below(x: float, sd: float) -> float:
    at_zero = norm.cdf(x / sd) if sd > 0 else float(x >= 0)
    return float(ZEROS * at_zero + (1 - ZEROS) * norm.cdf((x - HIT) / np.hypot(1, sd)))


NORMAL = Law(MEAN, 1.0, lambda x, sd: float(norm.cdf((x - MEAN) / np.hypot(1, sd))))
HEAVY = Law(MEAN, TAIL_DF / (TAIL_DF - 2), _heavy_below)
MOSTLY_ZERO = Law(
    (1 - ZEROS) * HIT,
    (1 - ZEROS) * (1 + HIT**2) - ((1 - ZEROS) * HIT) ** 2,
    _mostly_zero_below,
    seeded=False,
)
