"""An effect in parts: outcomes in several worlds, what lies between them, and what share of the whole that is."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from causalablate.effects.blocks import paired_blocks
from causalablate.effects.groups import subgroups
from causalablate.effects.population import population_effects
from causalablate.graph.shares import fieller
from causalablate.intervention import Lesion
from causalablate.table import Counterfactuals, Units, rows

KEPT = ("ate", "se", "ci_low", "ci_high", "interval_method", "p", "change_norm", "n_units", "n_clusters")
"""What the summary keeps of the table of population effects."""
SHARES = ("share", "share_low", "share_high", "share_method")


@dataclass(frozen=True)
class Worlds:
    """Outcomes of the same examples in many worlds.

    Attributes:
        units: The examples.
        outcomes: Names, length k.
        factual: Shape (k, examples), float64.
        values: By lesion, the same.
        change_norm: By lesion, L2 norm of the change at its sites, shape (examples,).
        changes: By lesion and component of it, the same.
        model: Content hash of the model.
        precision: Number formats that it computed in.
        seed: Of donors, noise and permutations.
    """

    units: Units
    outcomes: tuple[str, ...]
    factual: np.ndarray
    values: Mapping[Lesion, np.ndarray]
    change_norm: Mapping[Lesion, np.ndarray]
    changes: Mapping[Lesion, Mapping[str, np.ndarray]]
    model: str
    precision: str
    seed: int


def contrast(worlds: Worlds, name: str, start: np.ndarray, end: np.ndarray, change_norm: np.ndarray) -> pd.DataFrame:
    """Rows of a table of counterfactuals for what lies between two worlds, or sums of worlds.

    Args:
        worlds: Whose outcomes.
        name: Of the effect, in the column `lesion`.
        start: Outcomes before, shape (k, examples).
        end: Outcomes after.
        change_norm: Shape (examples,).
    """
    frame = rows(
        worlds.units,
        study="",
        model=worlds.model,
        precision=worlds.precision,
        seed=worlds.seed,
        lesion=name,
        factual=dict(zip(worlds.outcomes, start, strict=True)),
        counterfactual=dict(zip(worlds.outcomes, end, strict=True)),
        fired=np.ones(len(worlds.units), bool),
        change_norm=change_norm,
    )
    # In float64, in which sums and differences of float32 outcomes are exact, so that the parts sum to the whole.
    exact = {"factual": start.ravel(), "counterfactual": end.ravel(), "effect": (end - start).ravel()}
    return frame.assign(**exact)


def summarised(
    frame: pd.DataFrame, keys: Collection[str], *, whole: str, sums: Collection[str], level: float
) -> pd.DataFrame:
    """Population effects of the parts, and what share of the whole they are.

    Args:
        frame: Rows of `contrast`, with further columns that say which part they are.
        keys: Those columns.
        whole: The effect that the others are parts of, as in the column `lesion`.
        sums: Effects that lie between sums of worlds: not those of a single one, so that no binary outcome is binary.
        level: Two-sided coverage of the intervals.
    Raises:
        EffectError: The level is impossible.
    """
    summed = frame["lesion"].isin(list(sums))
    effects = [population_effects(_table(part), level=level) for part in (frame[~summed], frame[summed]) if len(part)]
    names = frame[["lesion", *keys]].drop_duplicates("lesion").assign(place=lambda part: range(len(part)))
    on = ["outcome", "lesion", "group"]
    found = pd.concat([part[[*on, *KEPT]] for part in effects]).merge(names, on="lesion")
    found = found.merge(_shares(_table(frame), whole, level), on=on)
    by = {name: i for i, name in enumerate(frame["outcome"].unique())}
    found = found.assign(rank=found["outcome"].map(by)).sort_values(["rank", "place"], kind="stable")
    return found[["outcome", "group", *keys, *KEPT[:6], *SHARES, *KEPT[6:]]].reset_index(drop=True)


def _table(frame: pd.DataFrame) -> Counterfactuals:
    return Counterfactuals(frame.reset_index(drop=True))


def _shares(table: Counterfactuals, whole: str, level: float) -> pd.DataFrame:
    found = []
    for block in paired_blocks(table):
        for group, sample in subgroups(block):
            ratio = fieller(sample.effect, sample.effect[sample.lesions.index(whole)], sample.cluster, level)
            columns = dict(zip(SHARES, (ratio.value, ratio.low, ratio.high, ratio.method), strict=True))
            found.append(pd.DataFrame({"outcome": block.outcome, "lesion": sample.lesions, "group": group, **columns}))
    return pd.concat(found, ignore_index=True)
