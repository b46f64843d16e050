"""Mean attributions over examples, with intervals that know of clusters and of what was drawn."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from causalablate.attribution.methods import sampling_error
from causalablate.effects import Kind, Paired, mean_intervals
from causalablate.effects.groups import subgroups
from causalablate.table import Units


def population_attributions(
    players: Sequence[str],
    draws: np.ndarray,
    single: np.ndarray,
    units: Units,
    *,
    outcome: str,
    level: float,
) -> pd.DataFrame:
    """Mean attribution of every player, over all examples and within every group.

    Draws and examples are crossed samples: every permutation is used on every example. Where anything is drawn the
    interval is the two-way one of `causalablate.effects`, with draws in the place of seeds.

    Args:
        players: Names.
        draws: float64, shape (draws, players, examples).
        single: v(all) - v(all but the player), shape (players, examples).
        units: The examples.
        outcome: Its name.
        level: Two-sided coverage.
    Returns:
        The columns of `Attribution.population` from `player` on without `kind` and `precision`.
    """
    alone = _paired(players, single[None], units, outcome)
    frames = []
    for (group, all_draws), (_, lesions) in zip(
        subgroups(_paired(players, draws, units, outcome)), subgroups(alone), strict=True
    ):
        interval = mean_intervals(all_draws, level)
        of_draw = all_draws.effect.reshape(len(players), len(draws), -1).mean(axis=2).T
        frame = pd.DataFrame(
            {
                "player": list(players),
                "group": group,
                "outcome": outcome,
                "n_units": all_draws.n_units,
                "n_clusters": all_draws.n_clusters,
                "attribution": all_draws.effect.mean(axis=1),
                "se": interval.se,
                "ci_low": interval.low,
                "ci_high": interval.high,
                "interval_method": interval.method,
                "sampling_se": sampling_error(of_draw),
                "single_lesion": lesions.effect.mean(axis=1),
                "single_lesion_se": mean_intervals(lesions, level).se,
            }
        )
        frames.append(frame.iloc[np.argsort(-frame["attribution"].abs().to_numpy(), kind="stable")])
    return pd.concat(frames, ignore_index=True)


def _paired(players: Sequence[str], draws: np.ndarray, units: Units, outcome: str) -> Paired:
    """Attributions as differences: rows are examples under one draw after the other."""
    n_draws, n_players, n = draws.shape
    effect = draws.transpose(1, 0, 2).reshape(n_players, n_draws * n)
    unit, cluster = (
        np.tile(pd.factorize(np.asarray(ids, dtype=object))[0], n_draws) for ids in (units.example, units.cluster)
    )
    return Paired(
        outcome=outcome,
        kind=Kind.REAL,
        lesions=tuple(players),
        factual=np.zeros_like(effect),
        counterfactual=effect,
        effect=effect,
        fired=np.ones(effect.shape, dtype=bool),
        change_norm=np.zeros_like(effect),
        unit=unit,
        cluster=cluster,
        seed=np.repeat(np.arange(n_draws), n),
        groups={name: np.tile(np.asarray(labels, dtype=object), n_draws) for name, labels in units.groups.items()},
    )
