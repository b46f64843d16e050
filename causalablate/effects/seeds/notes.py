"""What has to be said about a row of seeds: what it generalises to, and what is undefined and why."""

import numpy as np

from causalablate.effects.paired import Paired
from causalablate.effects.seeds.components import Components
from causalablate.effects.seeds.interquartile import TRIM
from causalablate.effects.seeds.scores import seed_means
from causalablate.effects.seeds.testing import ROUNDING, SeedTests

HOLDS_FOR = "holds_for"
BOTH = "new seeds and new examples"
EITHER = "new seeds or new examples, not both"
SEEDS = "new seeds, these examples"
EXAMPLES = "new examples, these seeds"
NEITHER = "neither"

FEW = 3
"""Seeds below which nothing is said about other seeds without a warning."""


def generality(tests: SeedTests, alpha: float) -> np.ndarray:
    """What a claim of an effect holds for, shape (lesions,), object; empty where no test is defined.

    Seed-level and example-level tests disagree wherever this is neither `BOTH` nor `NEITHER`.
    """
    both, seeds, examples = (p < alpha for p in (tests.both, tests.t, tests.examples))
    found = np.select(
        [both, seeds & examples, seeds, examples], [BOTH, EITHER, SEEDS, EXAMPLES], default=NEITHER
    ).astype(object)
    found[np.isnan(tests.both)] = ""
    return found


def notes(paired: Paired, scores: np.ndarray, components: Components, alpha: float) -> list[str]:
    """One text per lesion: warnings and reasons, joined by semicolons, empty where there is nothing to say.

    Args:
        paired: The outcomes.
        scores: Mean effects that interquartile means pool, shape (lesions, seeds, tasks).
        components: Variance components of the individual effects.
        alpha: 1 - level.
    """
    common, n_seeds = [], paired.n_seeds
    if n_seeds == 1:
        common.append("undefined: one seed shows nothing about other seeds; run at least three")
    elif n_seeds < FEW:
        common.append(f"{n_seeds} seeds are too few: intervals and tests over seeds are unreliable, run at least three")
    n_scores = n_seeds * scores.shape[2]
    if n_seeds > 1 and int(TRIM * n_scores) == 0:
        common.append(f"the interquartile mean of {n_scores} scores is their mean: nothing is trimmed")
    if n_seeds > 1 and not paired.kind.one_sided and 2.0 ** (1 - n_seeds) >= alpha:
        common.append(f"sign-flip and Wilcoxon p over {n_seeds} seeds cannot fall below {2.0 ** (1 - n_seeds):.3g}")
    if paired.kind.one_sided:
        common.append("undefined tests: effects of this outcome are never negative")
    if n_seeds > 1 and components.reason:
        common.append(f"variance shares and limits: {components.reason}")
    means = seed_means(paired)
    flat = means.std(axis=1) <= ROUNDING * np.abs(means).max(axis=1)
    texts = []
    for i in range(len(paired.lesions)):
        own = ["undefined t over seeds: all seeds show the same effect"] if n_seeds > 1 and flat[i] else []
        negative = (components.variance[:, i] < 0).any()
        own += ["a negative variance component counts as 0"] if negative else []
        texts.append("; ".join(common + own))
    return texts
