"""When a measured change is more than none: floors from shams, and the tests of one node's incoming edges."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from causalablate.effects.intervals import mean_intervals
from causalablate.effects.kinds import Kind
from causalablate.effects.one_sided import p_above, p_below
from causalablate.effects.paired import Paired
from causalablate.errors import GraphError
from causalablate.graph.matrices import Transfer

ROUNDING = 1e-5
"""Share of a node's own full change up to which float32 arithmetic, which has seven digits and loses one or two in long
sums, moves what mathematics leaves where it is."""

IMPOSSIBLE = 1e-3
"""Share of a node's own full change that rounding does not reach."""


@dataclass(frozen=True)
class Incoming:
    """The possible edges into one node, in one context.

    Attributes:
        table: One row per edge: source, target, context, effect, weight, ci_low, ci_high, share, p.
        seen: Whether the change exceeds the floor, shape (edges, examples).
        above: Has a mean above zero where the effect is positive and larger than the smallest of interest, shape
            (edges, examples).
        below: The same for negative effects; NaN where changes have no sign.
    """

    table: pd.DataFrame
    seen: np.ndarray
    above: np.ndarray
    below: np.ndarray


def incoming(found: Transfer, target: str, sesoi: float, level: float) -> Incoming:
    """Sizes, intervals and unadjusted p of the possible edges into one node.

    Args:
        found: What was measured.
        target: The node.
        sesoi: Smallest edge of interest, as a share of the target's full change.
        level: Of the intervals.
    """
    j = found.targets.index(target)
    outcome, kind, scale = target in found.graph.outcomes, _kind(found, target), full_change(found)[j]
    sources = np.flatnonzero(possible(found)[:, j])
    change = found.direct[sources, j].astype(float)
    effect = change if outcome else change - sham_of(found)[j]
    bound = max(sesoi, ROUNDING) * scale
    weight, low, high = _weights(found, effect, np.ones_like(scale) if outcome else scale, kind, level)
    seen = np.abs(change) > floors(found)[j]
    table = pd.DataFrame(
        {
            "source": [found.sources[i] for i in sources],
            "target": target,
            "context": found.context,
            "effect": effect.mean(axis=1),
            "weight": weight,
            "ci_low": low if outcome else np.maximum(low, np.minimum(weight, 0.0)),
            "ci_high": high,
            "share": seen.mean(axis=1),
            "p": _p(found, effect, bound, kind, level, outcome=outcome),
        }
    )
    signed = outcome and not kind.one_sided
    return Incoming(table, seen, effect - bound, -effect - bound if signed else np.full_like(effect, np.nan))


def floors(found: Transfer) -> np.ndarray:
    """Changes up to which nothing is said to have happened, shape (targets,).

    The largest of: what the sham changed in any example, what lesions changed where data cannot go, and `ROUNDING` of
    the target's own full change.
    """
    nowhere = np.where(possible(found) | _own(found), 0.0, np.abs(found.direct).max(axis=2)).max(axis=0, initial=0.0)
    return np.maximum.reduce([np.abs(sham_of(found)).max(axis=1), nowhere, ROUNDING * full_change(found).mean(axis=1)])


def full_change(found: Transfer) -> np.ndarray:
    """What edges into a node are compared with, shape (targets, examples).

    The change of the node when it is itself switched off; where that changes nothing, the largest mean change that any
    other does to it; for outcomes the largest mean total effect in size.
    """
    own = np.abs(np.where(_own(found)[:, :, None], found.direct, 0.0)).sum(axis=0, dtype=float)
    total = np.where(np.isfinite(found.total), found.total, found.direct)
    signed = np.array([t in found.graph.outcomes for t in found.targets])
    sizes = np.abs(np.where(signed[None, :, None], total, found.direct).mean(axis=2)).max(axis=0, initial=0.0)
    return np.where(own.any(axis=1)[:, None], own, sizes[:, None])


def possible(found: Transfer) -> np.ndarray:
    """Whether data can go from source to target directly, bool, shape (sources, targets)."""
    pairs = found.graph.pairs
    return np.array([[(source, target) in pairs for target in found.targets] for source in found.sources])


def check_possible(found: Transfer) -> None:
    """Raise where something moved that data cannot reach.

    Raises:
        GraphError: That is so.
    """
    too_much = np.abs(found.direct).max(axis=2) > IMPOSSIBLE * full_change(found).mean(axis=1)
    wrong = np.argwhere(too_much & ~possible(found) & ~_own(found))
    if len(wrong):
        source, target = found.sources[wrong[0][0]], found.targets[wrong[0][1]]
        raise GraphError(
            f"switching {source} off moves {target}, although data cannot go there directly. In what transfer() "
            "measured that is a fault of the tool: please report it. Noisy measurements need exact=False"
        )


def silent(found: Transfer) -> tuple[str, ...]:
    """Nodes that switching off does not change in any example."""
    own = {target: floor for target, floor in zip(found.targets, floors(found), strict=True)}
    at = [(i, s, found.targets.index(s)) for i, s in enumerate(found.sources) if s in own]
    return tuple(s for i, s, j in at if not (found.direct[i, j] > own[s]).any())


def sham_of(found: Transfer) -> np.ndarray:
    """The sham, shape (targets, examples); zero where none was run."""
    return np.zeros(found.direct.shape[1:]) if found.sham is None else found.sham.astype(float)


def _weights(
    found: Transfer, effect: np.ndarray, unit: np.ndarray, kind: Kind, level: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ratios of the mean effect to the mean unit, and their limits: those of the mean of the ratio's linear part."""
    if not len(effect) or not unit.mean() > 0:
        return tuple(np.full(len(effect), np.nan) for _ in range(3))  # type: ignore[return-value]
    weight = effect.mean(axis=1) / unit.mean()
    linear = weight[:, None] + (effect - weight[:, None] * unit) / unit.mean()
    limits = mean_intervals(as_paired(linear, found.cluster, kind), level)
    return weight, limits.low, limits.high


def _p(
    found: Transfer, effect: np.ndarray, bound: np.ndarray, kind: Kind, level: float, *, outcome: bool
) -> np.ndarray:
    """p of a mean effect that is no larger than a bound, which is one number for outcomes and one per example else."""
    if not len(effect):
        return np.zeros(0)
    if not outcome:
        return p_above(as_paired(effect - bound, found.cluster, kind), 0.0, level)
    paired = as_paired(effect, found.cluster, kind)
    above = p_above(paired, bound[0], level)
    return above if kind.one_sided else np.minimum(2 * np.minimum(above, p_below(paired, -bound[0], level)), 1.0)


def as_paired(effect: np.ndarray, cluster: Sequence[str], kind: Kind) -> Paired:
    """Effects, shape (edges, examples), as what intervals and tests of `effects` take."""
    zero, n = np.zeros_like(effect), effect.shape[1]
    code = np.unique(cluster, return_inverse=True)[1]
    names = tuple(map(str, range(len(effect))))
    return Paired("", kind, names, zero, effect, effect, zero == 0, zero, np.arange(n), code, np.zeros(n, int))


def _own(found: Transfer) -> np.ndarray:
    return np.array([[source == target for target in found.targets] for source in found.sources])


def _kind(found: Transfer, target: str) -> Kind:
    outcomes = found.graph.outcomes
    return dict(zip(outcomes, found.kinds, strict=False)).get(target, Kind.REAL)
