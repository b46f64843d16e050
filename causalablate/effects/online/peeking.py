"""The experiment as it looked while units arrived: limits that hold at every look, and when it could have stopped."""

import math

import numpy as np

from causalablate.effects.online.adjustment import adjusted
from causalablate.effects.online.difference import spread_of, welch
from causalablate.effects.online.log import Log, Sample
from causalablate.effects.sequential.asymptotic import t_needed
from causalablate.effects.sequential.bets_over_time import betting_sequence
from causalablate.effects.sequential.intervals import ASYMPTOTIC, BETTING, TOO_FEW
from causalablate.effects.sequential.moments import MIN_ROWS, PSEUDO_UNITS
from causalablate.effects.sequential.population import Bounds, Population
from causalablate.effects.spread import Spread

MOST_PER_BLOCK = 20
"""Most units of the larger arm in a block."""


def asymptotic_limits(
    log: Log, outcome: str, arm: int, looks: np.ndarray, *, level: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Limits of arm - control after the first `looks` units, from Welch's t at every look, and their methods.

    A unit counts with all its events, in the order in which units arrived. As in `Moments`, standard errors are those
    of arms that also held two units as far from the mean as the farthest yet seen; nothing is said below 64 units per
    arm.

    Source: Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas (2024), Ann. Stat. 52(6); Robbins (1970).
    """
    low, high = np.full(len(looks), np.nan), np.full(len(looks), np.nan)
    log_e = math.log(2 / (1 - level))
    for i, look in enumerate(looks):
        samples = _samples(log, outcome, arm, int(look))
        if min(s.n_units for s in samples) < MIN_ROWS:
            continue
        spread = welch(*(_padded(s) for s in samples))
        n, m = (s.n_units for s in samples)
        half = t_needed(log_e, max(spread.df[0], 1.0), n * m / (n + m)) * float(spread.se[0])
        low[i], high[i] = spread.center[0] - half, spread.center[0] + half
    return low, high, np.where(np.isnan(low), TOO_FEW, ASYMPTOTIC).astype(object)


def betting_limits(
    log: Log,
    outcome: str,
    arm: int,
    looks: np.ndarray,
    *,
    level: float,
    bounds: tuple[float, float],
    shares: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The same for bounded outcomes of one event per unit: exact, by betting on blocks of units.

    The first units of the arm are set against the first of the control, the next against the next: as many of each as
    the plan allots, at least one. Differences between the means of a block are independent and bounded whatever the
    arms, so the betting interval of their mean holds at every number of blocks.

    Args:
        log: The log.
        outcome: Name of the outcome.
        arm: Its arm.
        looks: Numbers of units of all arms, rising.
        level: Two-sided coverage, at all looks together.
        bounds: What no outcome can exceed.
        shares: Planned shares of the arms.
    """
    ratio = shares[arm] / shares[0]
    per = [min(max(round(r), 1), MOST_PER_BLOCK) for r in (ratio, 1 / ratio)]
    samples = [log.sample(log.outcomes[outcome], a) for a in (arm, 0)]
    whole = min(s.n_units // k for s, k in zip(samples, per, strict=True))
    means = [s.values[: whole * k].reshape(whole, k).mean(axis=1) for s, k in zip(samples, per, strict=True)]
    seen = [np.append(0, np.cumsum(log.arm == a))[looks] // k for a, k in zip((arm, 0), per, strict=True)]
    blocks = np.minimum(*seen)
    low, high = np.full(len(looks), np.nan), np.full(len(looks), np.nan)
    at, where = np.unique(blocks[blocks > 0], return_inverse=True)
    if at.size:
        width = bounds[1] - bounds[0]
        limits = betting_sequence(
            (means[0] - means[1])[None],
            np.ones(whole),
            at,
            level=level,
            bounds=Bounds(-width, width),
            population=Population(),
        )
        low[blocks > 0], high[blocks > 0] = (limit[0][where] for limit in limits)
    return low, high, np.where(np.isnan(low), TOO_FEW, BETTING).astype(object)


def means_at(log: Log, outcome: str, arm: int, looks: np.ndarray) -> np.ndarray:
    """arm - control after the first `looks` units, shape (looks,); NaN until both have one."""
    found = np.full(len(looks), np.nan)
    for i, look in enumerate(looks):
        samples = _samples(log, outcome, arm, int(look))
        if min(s.n_units for s in samples):
            found[i] = samples[0].values.mean() - samples[1].values.mean()
    return found


def _samples(log: Log, outcome: str, arm: int, look: int) -> tuple[Sample, Sample]:
    """Arm and control as they were then, adjusted by what was known then."""
    values = log.outcomes[outcome]
    if log.covariate is not None:
        end = int(np.searchsorted(log.unit, look))
        unit = log.unit[:end]
        values = adjusted(values[:end], log.covariate[:end], unit, log.arm[unit])
    return log.sample(values, arm, look), log.sample(values, 0, look)


def _padded(sample: Sample) -> Spread:
    spread = spread_of(sample, False)
    sums = np.bincount(sample.unit, sample.values - spread.center[0])
    n = sample.n_units
    added = PSEUDO_UNITS * float(np.abs(sums).max()) ** 2 / sample.values.size**2 * n / (n - 1)
    return Spread(spread.center, spread.variances + added, spread.df)
