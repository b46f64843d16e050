"""What is left against what it costs: the lesions that no other beats in both."""

from dataclasses import replace

import numpy as np
import pandas as pd

from causalablate.effects.better import better_of
from causalablate.effects.blocks import paired_blocks
from causalablate.effects.bootstrap import bootstrap_means, resampling_of
from causalablate.effects.intervals import Intervals, mean_intervals
from causalablate.effects.kinds import Kind
from causalablate.effects.paired import Paired
from causalablate.errors import EffectError, nearest
from causalablate.table import Counterfactuals

INTACT = "nothing"
"""Name of the intact model among the points: the empty lesion's."""

COLUMNS = (
    "lesion",
    "cost_left",
    "cost_saved",
    "share_saved",
    "value",
    "value_low",
    "value_high",
    "interval_method",
    "on_front",
    "front_share",
    "beaten_by",
    "note",
)
"""Columns of the table of points. Their meaning is in docs/comparisons.md."""


def pareto(
    table: Counterfactuals,
    costs: pd.DataFrame,
    *,
    outcome: str = "correct",
    cost: str = "flops",
    level: float = 0.95,
    seed: int = 0,
    resamples: int = 2000,
    better: int | None = None,
) -> pd.DataFrame:
    """Place every lesion, and the intact model, by the cost that would be left and the mean outcome under it.

    A point is on the front if no other is at least as cheap and at least as good, and better in one of the two; equal
    points are on it together. How sure that is shows the share of bootstrap resamples of examples in which it is.

    Args:
        table: Paired outcomes.
        costs: One row per lesion: `lesion`, and in the column `cost` what its components cost; `attrs["total"][cost]`
            is what the whole model costs. As `component_costs` gives it.
        outcome: Which outcome.
        cost: Which column of `costs`.
        level: Two-sided coverage of the interval of the mean outcome.
        seed: Seeds the resamples.
        resamples: How many.
        better: 1 where more of the outcome is better, -1 where less is; None for outcomes that are known by name.
    Returns:
        One row per lesion and one for the intact model, `nothing`, with the columns `COLUMNS`, the cheapest first.
    Raises:
        EffectError: The outcome or a lesion's cost is missing, the outcome has no mean or no direction, or lesions were
            measured on different examples.
    """
    block = _block(table, outcome)
    direction = better_of({outcome: block.kind}, None if better is None else {outcome: better})[outcome]
    if direction == 0:
        raise EffectError(f'whether more or less of "{outcome}" is better is not known; say better=1 or better=-1')
    saved, total = _saved(block.lesions, costs, cost)
    values = np.vstack([block.counterfactual, block.factual[:1]])
    names, left = [*block.lesions, INTACT], np.append(total - saved, total)
    replicates = bootstrap_means(
        values, block.cluster, block.seed, method=resampling_of(block), resamples=resamples, seed=seed
    )
    replicates = replicates[np.isfinite(replicates).all(axis=1)]
    value = values.mean(axis=1)
    interval = value_intervals(block, values, level)
    known = np.isfinite(left)
    on = np.zeros(len(names), dtype=bool)
    share = np.full(len(names), np.nan)
    on[known] = front(left[known], direction * value[None, known])[0]
    share[known] = front(left[known], direction * replicates[:, known]).mean(axis=0)
    frame = pd.DataFrame(
        {
            "lesion": names,
            "cost_left": left,
            "cost_saved": total - left,
            "share_saved": (total - left) / total,
            "value": value,
            "value_low": interval.low,
            "value_high": interval.high,
            "interval_method": interval.method,
            "on_front": on,
            "front_share": share,
            "beaten_by": _beaten_by(names, left, direction * value),
            "note": np.where(known, "", "undefined: its cost is not known"),
        }
    )
    frame = frame.sort_values(
        ["cost_left", "value"], ascending=[True, direction < 0], kind="stable", na_position="last"
    )
    frame = frame.reset_index(drop=True)[list(COLUMNS)]
    frame.attrs = {"outcome": outcome, "cost": cost, "total": total, "level": level, "seed": seed, "better": direction}
    return frame


def front(cost: np.ndarray, value: np.ndarray) -> np.ndarray:
    """Which points no other beats: at least as cheap, at least as good, and better in one of the two.

    Args:
        cost: Shape (points,), finite; less is better.
        value: Shape (draws, points); more is better.
    Returns:
        Bool, shape (draws, points).
    """
    kinds, code = np.unique(cost, return_inverse=True)
    best = np.stack([value[:, code == i].max(axis=1) for i in range(kinds.size)], axis=1)
    so_far = np.maximum.accumulate(best, axis=1)
    cheaper = np.hstack([np.full((len(value), 1), -np.inf), so_far[:, :-1]])
    return np.asarray((value == best[:, code]) & (value > cheaper[:, code]))


def value_intervals(block: Paired, values: np.ndarray, level: float) -> Intervals:
    """Intervals of mean outcomes: those of a share for outcomes of 0 and 1, else t, over what the rows share.

    Resampled means are too short where answers are nearly all right, and at few clusters or seeds.

    Args:
        block: What the rows share.
        values: Outcomes, shape (points, rows).
        level: Two-sided coverage.
    """
    kind = Kind.CATEGORICAL if block.kind is Kind.BINARY else block.kind
    points = tuple(str(i) for i in range(len(values)))
    return mean_intervals(replace(block, kind=kind, lesions=points, effect=values), level)


def _block(table: Counterfactuals, outcome: str) -> Paired:
    blocks = paired_blocks(table.select(outcome=outcome))
    if len(blocks) > 1:
        raise EffectError(
            f'the lesions were measured on {len(blocks)} different sets of examples for "{outcome}", so their means '
            "cannot be placed in one plane; finish the study, or select lesions of one set"
        )
    if blocks[0].kind is Kind.CATEGORICAL:
        raise EffectError(f'"{outcome}" is categorical, and category indices have no mean; choose another outcome')
    if INTACT in blocks[0].lesions:
        raise EffectError(f'the table holds the empty lesion "{INTACT}", which is the intact model; drop it')
    return blocks[0]


def _saved(lesions: tuple[str, ...], costs: pd.DataFrame, cost: str) -> tuple[np.ndarray, float]:
    if cost not in costs.columns or "lesion" not in costs.columns:
        raise EffectError(
            f'costs have no column "{cost if "lesion" in costs.columns else "lesion"}"; they have '
            f"{', '.join(map(str, costs.columns))}"
        )
    if cost not in costs.attrs.get("total", {}):
        raise EffectError(f'costs.attrs["total"] does not say what the whole model costs in {cost}')
    if not costs.attrs["total"][cost] > 0:
        raise EffectError(
            f'the cost "{cost}" of the whole model is {costs.attrs["total"][cost]}: it was not measured; times need '
            "repetitions, on the command line --time 5"
        )
    by_lesion = dict(zip(costs["lesion"].astype(str), costs[cost].astype(float), strict=True))
    missing = [name for name in lesions if name not in by_lesion]
    if missing:
        raise EffectError(
            f'no cost for lesion "{missing[0]}"{nearest(missing[0], by_lesion)}; costs are known for '
            f"{', '.join(list(by_lesion)[:8])}"
        )
    return np.array([by_lesion[name] for name in lesions]), float(costs.attrs["total"][cost])


def _beaten_by(names: list[str], cost: np.ndarray, value: np.ndarray) -> list[str]:
    """For each point the best of those that beat it, the cheapest among equals; empty on the front."""
    found = []
    for i in range(len(names)):
        beats = (cost <= cost[i]) & (value >= value[i]) & ((cost < cost[i]) | (value > value[i]))
        best = np.lexsort((np.where(beats, cost, np.inf), np.where(beats, -value, np.inf)))[0]
        found.append(names[best] if beats.any() else "")
    return found
