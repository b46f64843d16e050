"""Mean interactions over examples, with intervals, tests and a verdict."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from causalablate.effects import Kind, mean_intervals, smallest_effects
from causalablate.effects.better import better_of
from causalablate.effects.corrections import ADJUSTED, adjust_families
from causalablate.effects.groups import subgroups
from causalablate.effects.interval_methods import ADJUSTED as ADJUSTED_BY
from causalablate.effects.interval_methods import CLUSTER_T, TWO_WAY_T, from_spread
from causalablate.effects.one_sided import p_equivalent
from causalablate.effects.paired import Paired
from causalablate.effects.permutation import permutations_for
from causalablate.effects.significance import effect_tests
from causalablate.effects.tests_by_name import Settings
from causalablate.effects.uncertainty import plain_spread, pseudo_rows
from causalablate.errors import EffectError, nearest
from causalablate.interactions.design import Design
from causalablate.interactions.estimate import sampling_error
from causalablate.interactions.fractional import aliases, set_name
from causalablate.interactions.label import interaction_labels
from causalablate.interactions.result import AVERAGE, INTACT, Interactions, interactions
from causalablate.table import Counterfactuals

CORRECTIONS = tuple(name.removeprefix("p_") for name in ADJUSTED)

COLUMNS = (
    "outcome",
    "index",
    "interaction",
    "order",
    "group",
    "n_units",
    "n_clusters",
    "n_seeds",
    "value",
    "se",
    "ci_low",
    "ci_high",
    "interval_method",
    "sampling_se",
    "p",
    "test_method",
    *ADJUSTED,
    "p_equivalence",
    "label",
    "aliases",
)
"""Columns of the table, in order. Their meaning is in docs/interactions.md."""


def interaction_effects(
    table: Counterfactuals,
    design: Design,
    *,
    index: str = INTACT,
    order: int | Sequence[int] = 2,
    level: float = 0.95,
    correction: str = "holm",
    sesoi: float | Mapping[str, float] = 0.005,
    better: Mapping[str, int] | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Average the interactions of a design over examples, test them and say what they are.

    Negative: the two back each other up (redundancy); positive: both are needed together (synergy); the other way round
    for outcomes of which less is better.

    Args:
        table: All runs of the design.
        design: What was run.
        index: `intact` by default: with all else on; see `interactions`.
        order: Sizes of sets; a number for that size alone.
        level: Two-sided coverage of the intervals, in (0.5, 1); 1 - level is alpha of tests and labels.
        correction: The adjusted p that labels stand on, one of `CORRECTIONS`; a family is the interactions of one
            outcome, group and order.
        sesoi: Smallest interaction of interest, given as for `population_effects`.
        better: Outcome name to 1 (more is better) or -1 (less is), for outcomes whose name does not say which.
        seed: Seeds the permutations.
    Returns:
        One row per outcome, set and group with the columns `COLUMNS`. Undefined values are NaN, and
        `interval_method` or `test_method` says why. `attrs` records the arguments.
    Raises:
        EffectError: As of `interactions`, or an argument is invalid.
    """
    if not 0.5 < level < 1:
        raise EffectError(f"level is {level}; it must lie between 0.5 and 1, e.g. 0.95")
    if correction not in CORRECTIONS:
        raise EffectError(
            f'no correction "{correction}"{nearest(correction, CORRECTIONS)}; there are {", ".join(CORRECTIONS)}'
        )
    found = interactions(table, design, index=index, order=order)
    kinds = {each.responses.outcome: each.responses.paired.kind for each in found}
    smallest = smallest_effects(
        sesoi, kinds, {each.responses.outcome: _factual_sd(each) for each in found}, "smallest interaction of interest"
    )
    direction = better_of(kinds, better)
    rows = [_rows(each, smallest[each.responses.outcome], level, seed) for each in found]
    effects = pd.concat(rows, ignore_index=True)
    families = [effects["outcome"], effects["group"], effects["order"]]
    effects = pd.concat([effects, adjust_families(effects["p"], families)], axis=1)
    effects["label"] = interaction_labels(
        effects, effects[f"p_{correction}"].to_numpy(), effects["outcome"].map(direction).to_numpy(), level
    )
    effects = effects[list(COLUMNS)]
    effects.attrs = {
        "index": index,
        "level": level,
        "correction": correction,
        "seed": seed,
        "factors": list(design.factors),
        "base": design.base.name if design.base.parts else "",
        "kinds": {name: str(kind) for name, kind in kinds.items()},
        "sesoi": dict(smallest),
        "better": dict(direction),
    }
    return effects


def _rows(found: Interactions, sesoi: float, level: float, seed: int) -> pd.DataFrame:
    rows, design = found.responses, found.responses.design
    sizes = [len(s) for s in found.sets]
    permutations = permutations_for(len(found.sets), level)
    confounded = [_aliases(design, members) if found.index == AVERAGE else "" for members in found.sets]
    parts = []
    for group, paired in subgroups(rows.as_paired(found.names, found.draws)):
        tests = effect_tests(paired, Settings(sesoi, level, permutations, seed))
        n_draws = len(found.draws)
        by_draw = paired.effect.reshape(len(sizes), n_draws, -1).mean(axis=2).T
        parts.append(
            pd.DataFrame(
                {
                    "outcome": rows.outcome,
                    "index": found.index,
                    "interaction": found.names,
                    "order": sizes,
                    "group": group,
                    "n_units": paired.n_units,
                    "n_clusters": paired.n_clusters,
                    "n_seeds": len(set(rows.seed)),
                    "value": paired.effect.mean(axis=1),
                    **_interval(paired, rows.paired.kind, sesoi, level),
                    "sampling_se": sampling_error(by_draw),
                    "p": tests.primary,
                    "test_method": tests.method,
                    "aliases": confounded,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def _interval(paired: Paired, kind: Kind, sesoi: float, level: float) -> dict[str, object]:
    """Interval and equivalence test. Outcomes of 0 and 1 get a flip in each direction, as single lesions do.

    Where interactions are rare their variance is not to be had from them, and a t interval collapses.
    """
    if kind is not Kind.BINARY:
        found, p = mean_intervals(paired, level), p_equivalent(paired, sesoi, level)
    else:
        spread = plain_spread(paired, pseudo_rows(paired))
        found = from_spread(paired, spread, (TWO_WAY_T if paired.n_seeds > 1 else CLUSTER_T) + ADJUSTED_BY, level)
        p = (
            np.full(len(paired.lesions), np.nan)
            if spread is None
            else np.maximum(spread.p_greater(-sesoi), spread.p_less(sesoi))
        )
    return {
        "se": found.se,
        "ci_low": found.low,
        "ci_high": found.high,
        "interval_method": found.method,
        "p_equivalence": p,
    }


def _factual_sd(found: Interactions) -> float:
    factual = found.responses.paired.factual[0]
    return float(factual.std(ddof=1)) if factual.size > 1 else 0.0


def _aliases(design: Design, members: Sequence[int]) -> str:
    """What else the contrast contains, in the smallest order that there is of it."""
    others = aliases(design, members)
    return " + ".join(set_name(design.factors, o) for o in others if len(o) == len(others[0]))
