"""The table of effects over seeds: would another training run, or another draw of the noise, show the same?"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from causalablate.effects.blocks import paired_blocks
from causalablate.effects.groups import subgroups
from causalablate.effects.intervals import mean_intervals
from causalablate.effects.order import check_level, in_order
from causalablate.effects.paired import Paired
from causalablate.effects.proportion import clopper_pearson
from causalablate.effects.seeds.interquartile import iqm, iqm_interval, iqm_replicates
from causalablate.effects.seeds.notes import HOLDS_FOR, generality, notes
from causalablate.effects.seeds.scores import seed_means, task_scores
from causalablate.effects.seeds.testing import seed_tests
from causalablate.effects.seeds.variance import components_of, shares
from causalablate.errors import EffectError, nearest
from causalablate.table import Counterfactuals


@dataclass(frozen=True)
class _Settings:
    level: float
    seed: int
    resamples: int
    tasks: str | None


def seed_effects(
    table: Counterfactuals, *, level: float = 0.95, seed: int = 0, resamples: int = 2000, tasks: str | None = None
) -> pd.DataFrame:
    """Effects as the seeds show them, for all examples and within every group.

    Args:
        table: Paired outcomes, of several seeds for most of this to be defined.
        level: Two-sided coverage of all intervals, in (0.5, 1); 1 - level is alpha of `holds_for`.
        seed: Seeds the bootstrap.
        resamples: Bootstrap resamples, at least 1.
        tasks: Group whose levels are the tasks over which interquartile means pool the seeds' scores, by default the
            table's first group; a table without groups is one task.
    Returns:
        One row per outcome, lesion and group; the columns are explained in docs/seeds.md. What is undefined is NaN,
        and `note` says why.
    Raises:
        EffectError: The table is empty or cannot be paired, or an argument is invalid.

    Source: Agarwal et al. (2021), NeurIPS, for interquartile means over seeds and tasks.
    """
    check_level(level)
    if resamples < 1:
        raise EffectError(f"resamples is {resamples}; it must be at least 1, e.g. 2000")
    if tasks is not None and tasks not in table.groups:
        raise EffectError(
            f'no group "{tasks}" to take tasks from{nearest(tasks, table.groups)}; '
            f"the table has {', '.join(table.groups) or 'no groups'}"
        )
    settings = _Settings(level, seed, resamples, tasks or next(iter(table.groups), None))
    parts = [_rows(rows, group, settings) for block in paired_blocks(table) for group, rows in subgroups(block)]
    found = in_order(pd.concat(parts, ignore_index=True), table)
    found.attrs = {"level": level, "seed": seed, "resamples": resamples, "tasks": settings.tasks}
    return found


def _rows(paired: Paired, group: str, settings: _Settings) -> pd.DataFrame:
    scores, interval = seed_means(paired), mean_intervals(paired, settings.level)
    several = paired.n_seeds > 1
    tests = seed_tests(paired, scores, level=settings.level, seed=settings.seed)
    components = components_of(paired, settings.level)
    share = shares(components.variance)
    holds = generality(tests, 1 - settings.level) if several else np.full(len(paired.lesions), "", dtype=object)
    in_tasks = task_scores(paired, None if settings.tasks is None else paired.groups[settings.tasks])
    nan = np.full(len(paired.lesions), np.nan)
    return pd.DataFrame(
        {
            "outcome": paired.outcome,
            "lesion": paired.lesions,
            "group": group,
            "n_units": paired.n_units,
            "n_clusters": paired.n_clusters,
            "n_seeds": paired.n_seeds,
            "ate": paired.effect.mean(axis=1),
            "ci_low": interval.low,
            "ci_high": interval.high,
            "interval_method": interval.method,
            "seed_mean": scores.mean(axis=1),
            "seed_sd": scores.std(axis=1, ddof=1) if several else nan,
            "seed_min": scores.min(axis=1),
            "seed_max": scores.max(axis=1),
            "seed_low": tests.low,
            "seed_high": tests.high,
            **_interquartile(in_tasks, settings),
            "iqm_tasks": in_tasks.shape[2],
            **_increase(scores, settings.level, several and not paired.kind.one_sided),
            "p_seeds_t": tests.t,
            "p_seeds_wilcoxon": tests.wilcoxon,
            "p_seeds_signflip": tests.signflip,
            "p_seeds_smallest": 2.0 ** (1 - paired.n_seeds) if several and not paired.kind.one_sided else np.nan,
            "p_examples": tests.examples,
            "p_both": tests.both,
            HOLDS_FOR: holds,
            "share_example": share[0],
            "share_seed": share[1],
            "share_rest": share[2],
            "note": notes(paired, in_tasks, components, 1 - settings.level),
        }
    )


def _interquartile(scores: np.ndarray, settings: _Settings) -> dict[str, np.ndarray]:
    """Interquartile mean of scores of shape (lesions, seeds, tasks), its t interval and the stratified bootstrap."""
    nan = np.full(scores.shape[0], np.nan)
    names = ("iqm", "iqm_low", "iqm_high", "iqm_stratified_low", "iqm_stratified_high")
    found = {**dict.fromkeys(names, nan), "iqm": iqm(scores.reshape(scores.shape[0], -1))}
    if scores.shape[1] > 1:
        found["iqm_low"], found["iqm_high"] = iqm_interval(scores, settings.level)
        drawn = iqm_replicates(scores, whole_seeds=False, resamples=settings.resamples, seed=settings.seed)
        tails = [(1 - settings.level) / 2, (1 + settings.level) / 2]
        found["iqm_stratified_low"], found["iqm_stratified_high"] = np.quantile(drawn, tails, axis=0)
    return found


def _increase(scores: np.ndarray, level: float, defined: bool) -> dict[str, np.ndarray]:
    found = share_of_increases(scores, level)
    return found if defined else {name: np.full(scores.shape[0], np.nan) for name in found}


def share_of_increases(scores: np.ndarray, level: float) -> dict[str, np.ndarray]:
    """Share of the seeds whose score is positive, ties counted half, with the Clopper-Pearson interval.

    Args:
        scores: Shape (lesions, seeds).
        level: Two-sided coverage, at least.
    Returns:
        The columns `prob_increase`, `prob_increase_low` and `prob_increase_high`, each of shape (lesions,).
    """
    n = scores.shape[1]
    ups = ((scores > 0) + 0.5 * (scores == 0)).sum(axis=1)
    low, high = clopper_pearson(ups, np.full(ups.shape, n), level)
    return dict(zip(("prob_increase", "prob_increase_low", "prob_increase_high"), (ups / n, low, high), strict=True))
