"""One score per seed, or per seed and task: the mean effect over the rows of each."""

import numpy as np

from causalablate.effects.paired import Paired, renumber, totals


def seed_means(paired: Paired) -> np.ndarray:
    """Mean effect under every seed, shape (lesions, seeds), outcome units."""
    return totals(paired.effect, paired.seed) / np.bincount(paired.seed)


def task_scores(paired: Paired, task: np.ndarray | None) -> np.ndarray:
    """Mean effect under every seed within every task, shape (lesions, seeds, tasks).

    Only tasks that every seed has count; where there is none, or no task is named, all rows are one task.

    Args:
        paired: The outcomes.
        task: Task of every row, shape (rows,), None where the row belongs to none; or None for no tasks.
    """
    whole = seed_means(paired)[:, :, None]
    known = np.zeros(paired.n_rows, dtype=bool) if task is None else np.array([label is not None for label in task])
    if task is None or not known.any():
        return whole
    code = renumber(np.array([str(label) for label in task[known]]))
    n_tasks = int(code.max()) + 1
    cell = paired.seed[known] * n_tasks + code
    sizes = np.bincount(cell, minlength=paired.n_seeds * n_tasks)
    complete = (sizes.reshape(paired.n_seeds, n_tasks) > 0).all(axis=0)
    if not complete.any():
        return whole
    sums = np.zeros((len(paired.lesions), sizes.size))
    sums[:, sizes > 0] = totals(paired.effect[:, known], renumber(cell))
    means = sums / np.maximum(sizes, 1)
    return means.reshape(len(paired.lesions), paired.n_seeds, n_tasks)[:, :, complete]
