"""Which examples a lesion changes most, and how much of its whole effect they carry."""

import numpy as np
import pandas as pd

from causalablate.effects.blocks import paired_blocks
from causalablate.effects.kinds import Kind
from causalablate.effects.paired import Paired, totals
from causalablate.errors import EffectError
from causalablate.table import GROUP, Counterfactuals

DOWN, UP = "down", "up"


def largest_effects(
    table: Counterfactuals,
    *,
    k: int = 20,
    level: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """List the examples with the largest effects of every lesion on every outcome, in both directions.

    With several seeds an example's effect is its mean over them. These are examples to look at, not estimates: they are
    where effect and noise happen to point the same way.

    Args:
        table: Paired outcomes.
        k: Most examples per lesion, outcome and direction, at least 1.
        level: Not used: there are no intervals.
        seed: Not used: nothing is random.
    Returns:
        One row per outcome, lesion, direction (`down`, then `up`) and rank. `factual` and `counterfactual` are outcome
        values, or the names of categories where an outcome has them; `share` is |effect| in the sum of |effect| over
        all examples, `cumulative_share` the same of all ranks up to here in this direction. `n_tied` examples have
        the very effect of the row: among those, the order is that of the table. `gini` (0: all alike, towards 1: one
        carries all) and `n_changed` are of the lesion. Examples without effect are not listed, nor what rounding
        puts below zero in an outcome whose effects are never negative.
    Raises:
        EffectError: `k` is below 1, or the table cannot be paired.
    """
    if k < 1:
        raise EffectError(f"k is {k}; list at least 1 example")
    blocks = paired_blocks(table)
    outcomes, lesions = ({name: i for i, name in enumerate(names)} for names in (table.outcomes, table.lesions))
    parts = []
    for block in blocks:
        names = _names(table, block)
        for i, name in enumerate(block.lesions):
            parts.append((outcomes[block.outcome], lesions[name], _of_lesion(block, i, k, table, names)))
    frame = pd.concat([part for _, _, part in sorted(parts, key=lambda p: p[:2])], ignore_index=True)
    frame.attrs = {"k": k, "kinds": {block.outcome: str(block.kind) for block in blocks}}
    return frame


def gini(values: np.ndarray) -> float:
    """Gini coefficient of non-negative values, shape (n,): 0 where all are equal, (n - 1) / n where one holds all.

    NaN where all are zero.

    Source: Gini (1912), Variabilita e mutabilita.
    """
    total = values.sum()
    if total <= 0:
        return float("nan")
    ordered, n = np.sort(values), values.size
    return float((2 * (np.arange(1, n + 1) * ordered).sum() / total - (n + 1)) / n)


def _names(table: Counterfactuals, block: Paired) -> pd.DataFrame:
    """Example and cluster ids of the units of a block, in the order of their codes."""
    first = table.frame.drop_duplicates("example")[["example", "cluster"]]
    rows = table.frame[(table.frame["outcome"] == block.outcome) & (table.frame["lesion"] == block.lesions[0])]
    return first[first["example"].isin(rows["example"])].reset_index(drop=True)


def _of_lesion(block: Paired, lesion: int, k: int, table: Counterfactuals, names: pd.DataFrame) -> pd.DataFrame:
    counts = np.bincount(block.unit)
    effect = totals(block.effect[lesion : lesion + 1], block.unit)[0] / counts
    size, first = np.abs(effect), np.unique(block.unit, return_index=True)[1]
    downs, ups = np.argsort(effect, kind="stable"), np.argsort(-effect, kind="stable")
    chosen = [downs[(effect[downs] < 0) & (not block.kind.one_sided)][:k], ups[effect[ups] > 0][:k]]
    units, total = np.concatenate(chosen), size.sum()
    share = size[units] / total if total > 0 else np.zeros(0)
    worlds = _worlds(block, lesion, counts, table)
    return pd.DataFrame(
        {
            "outcome": block.outcome,
            "lesion": block.lesions[lesion],
            "direction": np.repeat([DOWN, UP], [c.size for c in chosen]).astype(object),
            "rank": np.concatenate([np.arange(1, c.size + 1) for c in chosen]),
            "example": names["example"].to_numpy()[units],
            "cluster": names["cluster"].to_numpy()[units],
            "n_seeds": counts[units],
            "factual": pd.Series(worlds[0][units], dtype=object),
            "counterfactual": pd.Series(worlds[1][units], dtype=object),
            "effect": effect[units],
            "n_tied": (effect[units, None] == effect[None, :]).sum(axis=1),
            "share": share,
            "cumulative_share": np.concatenate([np.cumsum(size[c]) for c in chosen]) / (total or 1.0),
            "gini": gini(size),
            "n_changed": int((effect != 0).sum()),
            "n_units": block.n_units,
            **{GROUP + name: labels[first][units] for name, labels in block.groups.items()},
        }
    )


def _worlds(block: Paired, lesion: int, counts: np.ndarray, table: Counterfactuals) -> tuple[np.ndarray, np.ndarray]:
    """Outcome of every unit in both worlds: the mean over seeds, or the categories that occurred, joined by ` / `."""
    both = block.factual[lesion], block.counterfactual[lesion]
    if block.kind is not Kind.CATEGORICAL:
        means = [totals(x[None], block.unit)[0] / counts for x in both]
        return means[0].astype(object), means[1].astype(object)
    names = np.array(list(table.labels[block.outcome]), dtype=object)
    texts = []
    for x in both:
        seen: list[dict[str, None]] = [{} for _ in counts]
        for unit, code in zip(block.unit, x.astype(int), strict=True):
            seen[unit][str(names[code])] = None
        texts.append(np.array([" / ".join(kinds) for kinds in seen], dtype=object))
    return texts[0], texts[1]
