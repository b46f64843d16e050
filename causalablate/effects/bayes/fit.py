"""From a table to posteriors: the checks and the settings that the tables of this package share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from causalablate.effects.bayes.estimates import Estimates, estimates_of
from causalablate.effects.bayes.posterior import Posterior, shrink
from causalablate.effects.bayes.prior import Prior, priors_of
from causalablate.effects.blocks import factual_sd, paired_blocks
from causalablate.effects.equivalence import smallest_effects
from causalablate.effects.kinds import Kind
from causalablate.effects.order import check_level
from causalablate.effects.paired import Paired
from causalablate.errors import EffectError, nearest
from causalablate.table import Counterfactuals

ONE_FAMILY = "all lesions"
NO_PRIOR = "undefined: the factual values do not vary, so the default prior has no scale; give a Prior"


@dataclass(frozen=True)
class Setup:
    """A checked request.

    Attributes:
        blocks: Outcome name to its paired blocks.
        kinds: Outcome name to kind.
        sesoi: Outcome name to smallest effect of interest, outcome units; NaN where it has no default.
        priors: Outcome name to prior; None where it has no default.
        families: Lesion name to family, for every lesion of the table.
        level: Two-sided coverage.
        seed: Of everything random.
    """

    blocks: Mapping[str, Sequence[Paired]]
    kinds: Mapping[str, Kind]
    sesoi: Mapping[str, float]
    priors: Mapping[str, Prior | None]
    families: Mapping[str, str]
    level: float
    seed: int

    @property
    def attrs(self) -> dict[str, object]:
        """What a frame records of its settings."""
        return {
            "level": self.level,
            "seed": self.seed,
            "kinds": {name: str(kind) for name, kind in self.kinds.items()},
            "sesoi": dict(self.sesoi),
            "prior": {name: None if prior is None else vars(prior) for name, prior in self.priors.items()},
        }


def setup_of(
    table: Counterfactuals,
    *,
    prior: Prior | Mapping[str, Prior] | None,
    families: Mapping[str, str] | None,
    sesoi: float | Mapping[str, float],
    level: float,
    seed: int,
) -> Setup:
    """Check a request.

    Raises:
        EffectError: The table cannot be paired, or an argument is invalid.
    """
    check_level(level)
    parts = paired_blocks(table)
    blocks: dict[str, list[Paired]] = {}
    for part in parts:
        blocks.setdefault(part.outcome, []).append(part)
    kinds, sd = {part.outcome: part.kind for part in parts}, factual_sd(parts)
    return Setup(
        blocks=blocks,
        kinds=kinds,
        sesoi=smallest_effects(sesoi, kinds, sd),
        priors=priors_of(prior, kinds, sd),
        families=_families(families, table.lesions),
        level=level,
        seed=seed,
    )


def _families(given: Mapping[str, str] | None, lesions: Sequence[str]) -> dict[str, str]:
    if given is None:
        return {name: ONE_FAMILY for name in lesions}
    missing = [name for name in lesions if name not in given]
    if missing:
        raise EffectError(
            f'{len(missing)} of {len(lesions)} lesions have no family, e.g. "{missing[0]}"{nearest(missing[0], given)}'
            "; name the family of every lesion, or pass families=None to take them all as one"
        )
    return {name: str(given[name]) for name in lesions}


@dataclass(frozen=True)
class Fit:
    """Estimates of one outcome on some rows, and their posterior.

    Attributes:
        estimates: Of all lesions, sorted by name.
        family: Family of each lesion, shape (lesions,).
        names: Families of the posterior, in the order of its codes.
        posterior: Of the lesions that are `estimates.known`; None without any, or without a prior.
        note: Why there is no posterior of a lesion, shape (lesions,); empty where there is.
    """

    estimates: Estimates
    family: np.ndarray
    names: tuple[str, ...]
    posterior: Posterior | None
    note: np.ndarray


def fit(blocks: Sequence[Paired], setup: Setup) -> Fit:
    """Shrink the effects of one outcome on the rows of these blocks.

    Lesions are put in the order of their names first, so nothing depends on their order in the table.
    """
    found = estimates_of(blocks, setup.level)
    prior, known = setup.priors[blocks[0].outcome], found.known
    family = np.array([setup.families[name] for name in found.lesions], dtype=object)
    names, codes = np.unique(family[known].astype(str), return_inverse=True)
    posterior = None
    if prior is not None and known.any():
        posterior = shrink(found.center[known], found.covariance, prior, codes, seed=setup.seed)
    note = np.where(known, NO_PRIOR if prior is None else "", found.method).astype(object)
    return Fit(found, family, tuple(names), posterior, note)
