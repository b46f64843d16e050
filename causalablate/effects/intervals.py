"""Which interval a mean effect gets: chosen from the kind of outcome and from what the rows share, or by name."""

from causalablate.effects.interval_methods import INTERVALS, Intervals, nowhere
from causalablate.effects.kinds import Kind
from causalablate.effects.methods import AUTO, UNDEFINED, refusal
from causalablate.effects.paired import Paired
from causalablate.effects.skewness import of_sparse_effects
from causalablate.effects.structure import Structure, structure_of
from causalablate.effects.uncertainty import NO_SPREAD, effective_size, is_flat, pseudo_rows, spread_of

__all__ = [
    "INTERVALS",
    "NO_SPREAD",
    "RESAMPLES",
    "T_OF",
    "Intervals",
    "automatic",
    "effective_size",
    "is_flat",
    "mean_intervals",
    "pseudo_rows",
    "spread_of",
]

RESAMPLES = 2_000

T_OF = {Structure.INDEPENDENT: "paired-t", Structure.CLUSTERS: "cluster-t", Structure.SEEDS: "two-way-t"}
"""The t method that fits a structure."""


def mean_intervals(
    paired: Paired, level: float, method: str = AUTO, *, resamples: int = RESAMPLES, seed: int = 0
) -> Intervals:
    """Intervals of the mean effect of every lesion.

    By default:

    - binary, independent rows: Bonett-Price; shared clusters or several seeds: the t below with its adjustment;
    - categorical: Agresti-Coull, at the effective sample size where rows are dependent;
    - otherwise: paired t, cluster-robust t with G - 1 degrees of freedom, or two-way t with several seeds;
    - where most effects of a real outcome are exactly zero, limits are moved outwards for skewness;
    - effects that are all equal show no variance to build a t interval on. The sign interval of the median holds
      then: the common value itself once 2^(1 - replicates) <= 1 - level, else undefined.

    Args:
        paired: The outcomes.
        level: Two-sided coverage, in (0, 1).
        method: `auto` or a key of `INTERVALS`. One that is not valid for these outcomes gives NaN and says why.
        resamples: Of the bootstrap methods.
        seed: Of the bootstrap methods.
    """
    name = automatic(paired) if method == AUTO else method
    reason = refusal(name, INTERVALS[name], paired)
    if reason:
        return nowhere(paired, UNDEFINED + reason)
    found = INTERVALS[name].run(paired, level, resamples, seed)
    return of_sparse_effects(paired, found, level) if method == AUTO else found


def automatic(paired: Paired) -> str:
    """Key of the method that `auto` stands for."""
    if paired.kind is Kind.CATEGORICAL:
        return "agresti-coull"
    return "bonett-price" if paired.kind is Kind.BINARY else T_OF[structure_of(paired)]
