"""The difference of two average effects, and how uncertain it is: on the same examples, or on two samples."""

from dataclasses import dataclass, replace

import numpy as np

from causalablate.effects.kinds import Kind
from causalablate.effects.paired import Paired, totals
from causalablate.effects.permutation import sign_flip_p
from causalablate.effects.spread import Spread
from causalablate.effects.uncertainty import NO_SPREAD, plain_spread, pseudo_rows, spread_of

ADJUSTED = {Kind.BINARY: ", Bonett-Price adjusted", Kind.CATEGORICAL: ", Bonett-Price adjusted"}
TWO_SAMPLES = {Kind.BINARY: ", Bonett-Price adjusted", Kind.CATEGORICAL: ", Agresti-Caffo adjusted"}
SIGN_FLIP = "sign flip of clusters"
T = "t"


@dataclass(frozen=True)
class Difference:
    """Second minus first.

    Attributes:
        effects: Average effects of the first and of the second table, shape (2, lesions).
        spread: Their difference, or None where one cluster leaves its variance unknown.
        flat: Where the differences per example, or the effects of both samples, are all equal, shape (lesions,), bool.
        replicates: Independent repetitions behind it: clusters, or seeds where several are fewer.
        variances: Of both averages and of their difference, without adjustment for rare flips, shape (3, lesions).
        df: The fewest degrees of freedom in it.
        method: Name of the interval.
        rows: Differences of effects as effects, by row or, where seeds do not correspond, by example; None for two
            samples.
        sign_flip: Whether flipping the signs of whole clusters is a valid test: the same examples, one seed.
    """

    effects: np.ndarray
    spread: Spread | None
    flat: np.ndarray
    replicates: int
    variances: np.ndarray
    df: float
    method: str
    rows: Paired | None = None
    sign_flip: bool = False


def paired_difference(a: Paired, b: Paired, *, same_seeds: bool) -> Difference:
    """Difference of differences on the same examples: the mean of what each example shows, b - a.

    One seed each: cluster-robust t over clusters. The same several seeds: two-way t, seeds paired by name. Other
    seeds: what examples and what the seeds of either table contribute are separate parts. Binary outcomes and shares
    get a cluster of differences +1 and one of -1 added.
    """
    adjusted = a.kind in ADJUSTED
    if same_seeds:
        rows = replace(a, kind=Kind.REAL, effect=b.effect - a.effect)
        added = pseudo_rows(rows) if adjusted else None
        spread, plain = (plain_spread(rows, pseudo) for pseudo in (added, None))
        name = "two-way t" if a.n_seeds > 1 else "paired t" if a.independent else "cluster-robust t"
        replicates = rows.replicates
    else:
        rows = _by_unit(a, b)
        added = pseudo_rows(rows) if adjusted else None
        spread, plain = (_with_seeds(plain_spread(rows, pseudo), a, b) for pseudo in (added, None))
        name = "t over examples and seeds of either table"
        replicates = min(n for n in (rows.n_clusters, a.n_seeds, b.n_seeds) if n > 1 or n == rows.n_clusters)
    each = [plain_spread(x) for x in (a, b)]
    return Difference(
        effects=np.stack([a.effect.mean(axis=1), b.effect.mean(axis=1)]),
        spread=spread,
        flat=_flat(rows.effect, spread),
        replicates=replicates,
        variances=_variances([*each, plain], len(a.lesions)),
        df=min(plain.df) if plain is not None else np.nan,
        method=name + ADJUSTED.get(a.kind, ""),
        rows=rows,
        sign_flip=rows.n_seeds == 1 and a.n_seeds == b.n_seeds == 1,
    )


def sample_difference(a: Paired, b: Paired) -> Difference:
    """Difference of the average effects of two samples: Welch's problem, over clusters, and over seeds if several.

    The parts' own t intervals are combined square-and-add, as everywhere here; flips are added on both sides.
    """
    spreads, plains = [_sample(x) for x in (a, b)], [plain_spread(x) for x in (a, b)]
    parts = "clusters and seeds" if max(a.n_seeds, b.n_seeds) > 1 else "clusters"
    independent = a.independent and b.independent
    joined = _minus(spreads[1], spreads[0])
    return Difference(
        effects=np.stack([a.effect.mean(axis=1), b.effect.mean(axis=1)]),
        spread=joined,
        flat=np.zeros(len(a.lesions), dtype=bool) if joined is None else ~(joined.se > 0),
        replicates=1,
        variances=_variances([*plains, _minus(plains[1], plains[0])], len(a.lesions)),
        df=min([df for plain in plains if plain is not None for df in plain.df], default=np.nan),
        method=("two-sample t" if independent else f"two-sample t over {parts}") + TWO_SAMPLES.get(a.kind, ""),
    )


def p_of(difference: Difference, *, n_permutations: int, seed: int) -> tuple[np.ndarray, str]:
    """p of no difference, and its name: sign flips of clusters where the examples are shared and there is one seed."""
    if difference.sign_flip and difference.rows is not None:
        sums = totals(difference.rows.effect, difference.rows.cluster)
        p = sign_flip_p(sums, n_permutations=n_permutations, seed=seed)
        return (p if difference.spread is not None else np.full(p.shape, np.nan)), SIGN_FLIP
    if difference.spread is None:
        return np.full(difference.flat.shape, np.nan), T
    differs = np.nan if difference.rows is None else 2.0 ** (1 - difference.replicates)
    sign_test = np.where(difference.spread.center != 0, differs, 1.0)
    return np.where(difference.flat, sign_test, difference.spread.p_two_sided()), T


def _by_unit(a: Paired, b: Paired) -> Paired:
    """The difference of mean effects over seeds, one row per example."""
    first = np.unique(a.unit, return_index=True)[1]
    means = [totals(x.effect, x.unit) / np.bincount(x.unit) for x in (a, b)]
    one = np.zeros(first.size, dtype=np.intp)
    return replace(
        a, kind=Kind.REAL, effect=means[1] - means[0], unit=a.unit[first], cluster=a.cluster[first], seed=one
    )


def _with_seeds(spread: Spread | None, a: Paired, b: Paired) -> Spread | None:
    """Add what the seeds of each table contribute."""
    if spread is None:
        return None
    variances, df = [*spread.variances], [*spread.df]
    for table in (a, b):
        own = plain_spread(table) if table.n_seeds > 1 else None
        if own is not None:
            variances.append(own.variances[0])
            df.append(own.df[0])
    return Spread(spread.center, np.stack(variances), tuple(df))


def _sample(paired: Paired) -> Spread | None:
    """One sample's mean. Shares get one changed and one unchanged example added: flips of 2 x - 1 up and down."""
    if paired.kind is not Kind.CATEGORICAL:
        return spread_of(paired)
    ends = plain_spread(replace(paired, effect=2 * paired.effect - 1), pseudo_rows(paired))
    return None if ends is None else Spread((ends.center + 1) / 2, ends.variances / 4, ends.df)


def _minus(spread: Spread | None, other: Spread | None) -> Spread | None:
    if spread is None or other is None:
        return None
    variances = np.concatenate([spread.variances, other.variances])
    return Spread(spread.center - other.center, variances, (*spread.df, *other.df))


def _flat(effect: np.ndarray, spread: Spread | None) -> np.ndarray:
    if spread is None:
        return np.zeros(len(effect), dtype=bool)
    return np.asarray(spread.se <= NO_SPREAD * np.abs(effect).max(axis=1))


def _variances(spreads: list[Spread | None], n: int) -> np.ndarray:
    return np.stack([np.full(n, np.nan) if s is None else s.variances.sum(axis=0) for s in spreads])
