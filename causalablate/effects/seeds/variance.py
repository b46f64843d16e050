"""The table of variance components: where the spread of individual effects comes from."""

import numpy as np
import pandas as pd

from causalablate.effects.blocks import paired_blocks
from causalablate.effects.groups import subgroups
from causalablate.effects.order import check_level, in_order
from causalablate.effects.paired import Paired
from causalablate.effects.seeds.components import COMPLETE, NAMES, Components, two_way_components
from causalablate.table import Counterfactuals

UNDEFINED = "undefined: "


def variance_components(table: Counterfactuals, *, level: float = 0.95, seed: int = 0) -> pd.DataFrame:
    """Split the variance of individual effects into example, seed, and interaction and noise.

    Args:
        table: Paired outcomes of several seeds.
        level: Two-sided coverage of the limits, in (0.5, 1).
        seed: Not used: nothing is drawn. All tables of effects take it.
    Returns:
        One row per outcome, lesion, group and component: `variance` (squared outcome units), `sd`, `share`, limits of
        the variance. NaN where undefined, with the reason in `interval_method` or `note`.
    Raises:
        EffectError: The table is empty or cannot be paired, or the level is invalid.

    Source: see `two_way_components`.
    """
    check_level(level)
    parts = [_rows(rows, group, level) for block in paired_blocks(table) for group, rows in subgroups(block)]
    found = in_order(pd.concat(parts, ignore_index=True), table)
    found.attrs = {"level": level}
    return found


def components_of(paired: Paired, level: float) -> Components:
    """Components of the individual effects; the item is the example."""
    return two_way_components(paired.effect, paired.unit, paired.seed, paired.cluster, level)


def shares(variance: np.ndarray) -> np.ndarray:
    """Parts of their sum, negative ones counted as zero; NaN where nothing varies. Shape (3, lesions)."""
    positive = np.maximum(variance, 0.0)
    total = positive.sum(axis=0)
    return np.where(total > 0, positive / np.where(total > 0, total, 1.0), np.nan)


def _rows(paired: Paired, group: str, level: float) -> pd.DataFrame:
    found = components_of(paired, level)
    n_lesions = len(paired.lesions)
    variance = np.maximum(found.variance, 0.0)
    return pd.DataFrame(
        {
            "outcome": paired.outcome,
            "lesion": np.repeat(np.array(paired.lesions, dtype=object), len(NAMES)),
            "group": group,
            "component": np.tile(np.array(NAMES, dtype=object), n_lesions),
            "n_units": paired.n_units,
            "n_clusters": paired.n_clusters,
            "n_seeds": paired.n_seeds,
            "variance": variance.T.ravel(),
            "sd": np.sqrt(variance).T.ravel(),
            "share": shares(found.variance).T.ravel(),
            "ci_low": found.low.T.ravel(),
            "ci_high": found.high.T.ravel(),
            "interval_method": UNDEFINED + found.reason if found.reason else COMPLETE,
            "note": [_note(value, paired.n_seeds) for value in found.variance.T.ravel()],
        }
    )


def _note(value: float, n_seeds: int) -> str:
    said = []
    if value < 0:
        said.append(f"the estimate is {value:.3g}: negative, so set to 0")
    if n_seeds == 2:
        said.append("two seeds say little about how seeds differ: use three or more")
    return "; ".join(said)
