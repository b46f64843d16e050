"""The effects of a table as they would have looked on the way, and when one could have stopped."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd

from causalablate.effects.blocks import paired_blocks
from causalablate.effects.equivalence import smallest_effects
from causalablate.effects.kinds import Kind
from causalablate.effects.order import in_order
from causalablate.effects.paired import Paired, totals
from causalablate.effects.sequential.confidence import check_level, confidence_sequence
from causalablate.effects.sequential.population import Bounds, Population
from causalablate.effects.sequential.stopping import NEVER, StopRule, first_stop, sequential_labels
from causalablate.errors import EffectError, nearest
from causalablate.table import Counterfactuals

FIRST_LOOK = 16
"""Units before the first look, if looks are not given."""
Target = Literal["population", "examples"]


@dataclass(frozen=True)
class Assumptions:
    """What is known of outcomes and how much is claimed at once.

    Attributes:
        level: Two-sided coverage at all looks together, in (0.5, 1).
        sesoi: Smallest effect of interest, as in `population_effects`.
        bounds: Outcome name to the limits of single effects that you vouch for. Outcomes of 0 and 1 and categories have
            theirs already.
        sub_gaussian: Outcome name to the sub-Gaussian scale that you vouch for.
        simultaneous: Whether intervals hold for all lesions of an outcome together (Bonferroni), or each alone.
    """

    level: float = 0.95
    sesoi: float | Mapping[str, float] = 0.005
    bounds: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    sub_gaussian: Mapping[str, float] = field(default_factory=dict)
    simultaneous: bool = True

    def __post_init__(self) -> None:
        check_level(self.level)


def effect_sequence(
    table: Counterfactuals,
    *,
    level: float = 0.95,
    seed: int = 0,
    looks: int | Sequence[int] = 20,
    target: Target = "population",
    stop: StopRule | None = None,
    sesoi: float | Mapping[str, float] = 0.005,
    bounds: Mapping[str, tuple[float, float]] | None = None,
    sub_gaussian: Mapping[str, float] | None = None,
    simultaneous: bool = True,
) -> pd.DataFrame:
    """Confidence sequences of all effects of a table, over its units in a random order.

    A unit is a cluster, with all its examples and seeds; without clusters, an example. Seeds are taken as given.

    Args:
        table: Paired outcomes.
        level: Two-sided coverage at all looks together, in (0.5, 1).
        seed: Seeds the order of units.
        looks: How many looks, evenly spaced in the logarithm of the number of units, or the numbers of units.
        target: `population`: the units are independent draws, and claims are about what they are drawn from.
            `examples`: claims are about the mean over this very table; they sharpen as it is used up, and on all of it
            the mean is known.
        stop: When a lesion's collection could have ended; by default at `effect` or `within noise`.
        sesoi: Smallest effect of interest, as in `population_effects`.
        bounds: Outcome name to limits (low, high) of single effects that you vouch for.
        sub_gaussian: Outcome name to the sub-Gaussian scale that you vouch for; `target="population"` only.
        simultaneous: Whether intervals hold for all lesions of an outcome together (Bonferroni), or each alone.
    Returns:
        One row per outcome, lesion and look: `outcome`, `lesion`, `n_units` and `n_rows` so far, `ate`, `ci_low`,
        `ci_high`, `interval_method`, `label`, and the same on every row of a lesion: `stopped_at` (units; NaN if never)
        and `stopped_as` (label then, or empty). `attrs` records the settings.
    Raises:
        EffectError: The table cannot be paired, or an argument is invalid.
    """
    if target not in ("population", "examples"):
        raise EffectError(f'no target "{target}"{nearest(str(target), ["population", "examples"])}; use one of these')
    assumed = Assumptions(level, sesoi, bounds or {}, sub_gaussian or {}, simultaneous)
    blocks, rule = paired_blocks(table), stop or StopRule()
    smallest = smallest_of(blocks, assumed)
    parts = []
    for block in blocks:
        order = np.random.default_rng(seed).permutation(block.n_clusters)
        at = looks_of(looks, block.n_clusters)
        parts.append(block_sequence(block, order, at, target, assumed, smallest[block.outcome], rule))
    frame = in_order(pd.concat(parts, ignore_index=True), table)
    frame.attrs = attributes(blocks, smallest, assumed) | {"seed": seed, "target": target}
    return frame


def block_sequence(
    block: Paired,
    order: np.ndarray,
    looks: np.ndarray,
    target: Target,
    assumed: Assumptions,
    sesoi: float,
    rule: StopRule,
) -> pd.DataFrame:
    """Rows of one outcome; `order` lists its cluster codes as they come, `looks` numbers of clusters."""
    sizes = np.bincount(block.cluster).astype(float)
    n_lesions = len(block.lesions)
    found = confidence_sequence(
        totals(block.effect, block.cluster)[:, order],
        rows=sizes[order],
        looks=looks,
        bounds=_bounds(block, assumed),
        sub_gaussian=assumed.sub_gaussian.get(block.outcome),
        level=1 - (1 - assumed.level) / (n_lesions if assumed.simultaneous else 1),
        population=Population(block.n_clusters if target == "examples" else None, int(sizes.max())),
    )
    null = sesoi if block.kind.one_sided else 0.0
    labels = sequential_labels(found.low, found.high, null=null, sesoi=sesoi, level=assumed.level)
    at = first_stop(labels, rule)
    stopped = np.where(at == NEVER, np.nan, looks[at])
    verdict = np.where(at == NEVER, "", labels[np.arange(n_lesions), at])
    return pd.DataFrame(
        {
            "outcome": block.outcome,
            "lesion": np.repeat(block.lesions, len(looks)),
            "n_units": np.tile(looks, n_lesions),
            "n_rows": np.tile(found.n_rows.astype(int), n_lesions),
            "ate": found.mean.ravel(),
            "ci_low": found.low.ravel(),
            "ci_high": found.high.ravel(),
            "interval_method": found.method.ravel(),
            "label": labels.ravel(),
            "stopped_at": np.repeat(stopped, len(looks)),
            "stopped_as": np.repeat(verdict, len(looks)),
        }
    )


def smallest_of(blocks: Sequence[Paired], assumed: Assumptions) -> dict[str, float]:
    """Smallest effect of interest of every outcome; refuses names of outcomes that the table does not have."""
    largest: dict[str, Paired] = {}
    for block in blocks:
        if block.outcome not in largest or block.n_rows > largest[block.outcome].n_rows:
            largest[block.outcome] = block
    for given, what in ((assumed.bounds, "bounds"), (assumed.sub_gaussian, "a sub-Gaussian scale")):
        for name in given:
            if name not in largest:
                raise EffectError(
                    f'no outcome "{name}" to give {what}{nearest(name, largest)}; the table has {", ".join(largest)}'
                )
    sd = {name: float(b.factual[0].std(ddof=1)) if b.n_rows > 1 else 0.0 for name, b in largest.items()}
    return smallest_effects(assumed.sesoi, {name: b.kind for name, b in largest.items()}, sd)


def looks_of(looks: int | Sequence[int], n: int) -> np.ndarray:
    """Numbers of units to look at, of n; those beyond n are left out."""
    if isinstance(looks, int):
        if looks < 1:
            raise EffectError(f"looks is {looks}; ask for at least one look, or give numbers of units")
        spaced = np.geomspace(n if looks == 1 else min(FIRST_LOOK, n), n, looks)
        return np.unique(np.round(spaced).astype(int))
    within = np.unique([look for look in looks if look <= n])
    if not within.size:
        raise EffectError(f"looks start at {min(looks, default=0)} units, but there are only {n}; look earlier")
    return within


def attributes(blocks: Sequence[Paired], smallest: Mapping[str, float], assumed: Assumptions) -> dict[str, object]:
    """Settings to go with a frame."""
    return {
        "level": assumed.level,
        "simultaneous": assumed.simultaneous,
        "kinds": {block.outcome: str(block.kind) for block in blocks},
        "sesoi": dict(smallest),
    }


def _bounds(block: Paired, assumed: Assumptions) -> Bounds | None:
    """Bounds of one row's effect: those declared, else those that follow from what the outcome is."""
    if block.outcome in assumed.sub_gaussian:
        if block.outcome in assumed.bounds:
            raise EffectError(f'"{block.outcome}" has bounds and a sub-Gaussian scale; give the one that you vouch for')
        return None
    if block.outcome in assumed.bounds:
        return Bounds(*assumed.bounds[block.outcome])
    known = {Kind.BINARY: Bounds(-1.0, 1.0), Kind.CATEGORICAL: Bounds(0.0, 1.0), Kind.DISTANCE: Bounds(low=0.0)}
    return known.get(block.kind)
