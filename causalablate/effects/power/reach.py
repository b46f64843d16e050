"""Power of the analysis that a planned study will get: the test follows from the outcome and from what rows share."""

from dataclasses import dataclass

import numpy as np

from causalablate.effects.kinds import Kind
from causalablate.effects.power.flips import margin_power, mcnemar_power
from causalablate.effects.power.means import Claim, mean_power
from causalablate.effects.power.pilot import Pilot, precision_of
from causalablate.effects.power.shares import effective_examples, effective_share_power, share_power

MCNEMAR = "McNemar, exact"
BONETT_PRICE = "Bonett-Price"
T_OF = ("paired t", "cluster-robust t", "two-way t")
"""Independent rows; shared clusters; several seeds."""
ADJUSTED = ", Bonett-Price adjusted"
BINOMIAL = "binomial, exact"
BINOMIAL_EFFECTIVE = "binomial at the effective sample size"


@dataclass(frozen=True)
class Aim:
    """What a study is to show, of every lesion; arrays of shape (lesions,).

    Attributes:
        claim: The claim.
        effect: True effect that is assumed, outcome units.
        margin: Smallest effect of interest, outcome units.
        alpha: Level of the test.
    """

    claim: Claim
    effect: np.ndarray
    margin: np.ndarray
    alpha: float


def power_of(pilot: Pilot, aim: Aim, clusters: float | np.ndarray, n_seeds: float | np.ndarray) -> np.ndarray:
    """Probability that a study of that size shows what is aimed at, shape (lesions,); NaN where the pilot cannot say.

    Args:
        pilot: Variances.
        aim: What is to be shown.
        clusters: Planned clusters of the pilot's mean size, shape (lesions,) or (); infinite for the limit.
        n_seeds: Planned seeds, shape (lesions,) or (); 1 if the pilot has one seed, else at least 2.
    """
    clusters, n_seeds = (np.broadcast_to(np.asarray(x, dtype=float), aim.effect.shape) for x in (clusters, n_seeds))
    if pilot.kind is Kind.CATEGORICAL:
        return _share(pilot, aim, clusters, n_seeds)
    if pilot.kind is Kind.BINARY and pilot.independent:
        return _flips(pilot, aim, clusters)
    precision = precision_of(pilot, aim.effect, clusters, n_seeds)
    known = np.isfinite(precision.variance) & (pilot.item + pilot.seed + pilot.cell > 0) & np.isfinite(aim.effect)
    power = mean_power(precision, aim.claim, aim.effect, aim.margin, aim.alpha, one_sided=pilot.kind.one_sided)
    power = np.where(precision.variance > 0, power, certain(aim, one_sided=pilot.kind.one_sided))
    return np.where(known, power, np.nan)


def certain(aim: Aim, *, one_sided: bool) -> np.ndarray:
    """Power when the mean is known without error: 1 where the claim is true, else alpha."""
    if aim.claim is Claim.EQUIVALENCE:
        true = np.abs(aim.effect) < aim.margin
    elif aim.claim is Claim.NON_INFERIORITY:
        true = aim.effect > -aim.margin
    else:
        true = aim.effect > aim.margin if one_sided else aim.effect != 0
    return np.where(true, 1.0, aim.alpha)


def name_of_test(pilot: Pilot, claim: Claim) -> str:
    """The test behind `power_of`, in words."""
    if pilot.kind is Kind.CATEGORICAL:
        return BINOMIAL if pilot.independent else BINOMIAL_EFFECTIVE
    binary = pilot.kind is Kind.BINARY
    if binary and pilot.independent:
        name = MCNEMAR if claim is Claim.EFFECT else BONETT_PRICE
    else:
        name = T_OF[2 if pilot.n_seeds > 1 else int(not pilot.independent)] + ADJUSTED * binary
    return name + {Claim.EQUIVALENCE: ", two one-sided", Claim.NON_INFERIORITY: ", one-sided"}.get(
        claim, ", one-sided" if pilot.kind.one_sided else ""
    )


def _flips(pilot: Pilot, aim: Aim, clusters: np.ndarray) -> np.ndarray:
    """Exact power; lesions with the same counts are worked out once."""
    discordance = np.maximum(pilot.discordance, np.abs(aim.effect))
    plans = np.stack([np.where(np.isfinite(clusters), clusters, 1.0), discordance, aim.effect, aim.margin], axis=1)
    distinct, which = np.unique(plans, axis=0, return_inverse=True)
    power = np.array([_one(plan, aim) for plan in distinct.tolist()])[which.ravel()]
    return np.where(np.isfinite(clusters) | np.isnan(power), power, certain(aim, one_sided=False))


def _one(plan: list[float], aim: Aim) -> float:
    n, discordance, effect, margin = plan
    if not np.isfinite(effect) or not 0 <= discordance <= 1:
        return np.nan
    if aim.claim is Claim.EFFECT:
        return mcnemar_power(n, discordance, effect, aim.alpha)
    return margin_power(n, discordance, effect, margin, aim.alpha, both=aim.claim is Claim.EQUIVALENCE)


def _share(pilot: Pilot, aim: Aim, clusters: np.ndarray, n_seeds: np.ndarray) -> np.ndarray:
    examples, made = clusters * pilot.per_cluster, share_power
    if not pilot.independent:
        made = effective_share_power
        precision = precision_of(pilot, aim.effect, clusters, n_seeds)
        examples = effective_examples(precision, aim.effect, clusters, pilot.per_cluster, aim.alpha)
    known = np.isfinite(examples) & (aim.effect >= 0) & (aim.effect <= 1) & np.isfinite(aim.margin)
    safe = np.where(known, examples, 1.0)
    power = made(safe, np.where(known, aim.effect, 0.5), np.where(known, aim.margin, 0.5), aim.alpha)
    return np.where(known, power, np.where(np.isposinf(examples), certain(aim, one_sided=True), np.nan))
