"""Interactions example by example: the one entry that chooses between exact and sampled, and the tidy table."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from causalablate.errors import EffectError
from causalablate.interactions.design import Design
from causalablate.interactions.estimate import (
    average,
    exact,
    from_kernel,
    from_neighbours,
    intact,
    sampling_error,
)
from causalablate.interactions.fractional import representatives, set_name, sets_up_to
from causalablate.interactions.indices import INDICES, index_of
from causalablate.interactions.responses import Responses, responses
from causalablate.table import GROUP, Counterfactuals

INTACT, INTACT_OFF, AVERAGE = "intact", "moebius-off", "average"
BY_RUNS = (INTACT, INTACT_OFF, AVERAGE)
"""Indices that need no full design."""
ALL_INDICES = (*BY_RUNS, *INDICES)


@dataclass(frozen=True, eq=False)
class Interactions:
    """An index of sets of factors, for every example.

    Attributes:
        index: Which.
        order: Largest order.
        sets: Members of each set, by number.
        names: What the sets are called.
        draws: Independent estimates with the estimate as their mean, shape (draws, sets, rows); one where it is exact.
        responses: What they were made from.
    """

    index: str
    order: int
    sets: tuple[tuple[int, ...], ...]
    names: tuple[str, ...]
    draws: np.ndarray
    responses: Responses

    @property
    def values(self) -> np.ndarray:
        """The index, outcome units, shape (sets, rows)."""
        return np.asarray(self.draws.mean(axis=0))

    @property
    def error(self) -> np.ndarray:
        """Its standard error from sampling, shape (sets, rows); 0 where it is exact."""
        return sampling_error(self.draws)


def interactions(
    table: Counterfactuals, design: Design, *, index: str = INTACT, order: int | Sequence[int] = 2
) -> list[Interactions]:
    """An interaction index of every example, exactly or from draws, whichever the design allows.

    With v(S) the outcome where the factors of S are on, and N all of them:

    - `intact`: sum over T within S of (-1)^|T| v(N without T), all others on; for a pair
      v(N) - v(N\\i) - v(N\\j) + v(N\\ij), which is the joint effect minus the sum of the two single ones.
    - `moebius-off`: (-1)^|S| times that: the Möbius coefficients of the outcome over the sets that are off.
    - `average`: that contrast averaged over the runs of a full or fractional design.
    - `moebius`, `SV`, `SII`, `STI`, `FSI`, `BII`: see `INDICES`. Exact from `full`; from `neighbours` all but `moebius`
      and `FSI`, from `drawn` only `FSI`, with their standard errors.

    Args:
        table: All runs of the design.
        design: What was run.
        index: One of `ALL_INDICES`.
        order: Sizes of sets; a number for that size alone. `STI` and `FSI` depend on the largest.
    Returns:
        One per outcome of the table.
    Raises:
        EffectError: The index or an order is unknown, the design does not allow it, or the table does not fit.
    """
    sizes = _sizes(index, order, len(design.factors))
    return [_of(found, index, sizes) for found in responses(table, design)]


def interaction_table(
    table: Counterfactuals, design: Design, *, index: str = INTACT, order: int | Sequence[int] = 2
) -> pd.DataFrame:
    """Interactions example by example, in tidy form.

    Args:
        table: All runs of the design.
        design: What was run.
        index: See `interactions`.
        order: See `interactions`.
    Returns:
        One row per outcome, set and example: `outcome`, `index`, `interaction`, `order`, `example`, `cluster`, `seed`,
        `value` in outcome units, its standard error from sampling `sampling_se` (0 where exact), and `group.<name>`.
    Raises:
        EffectError: As of `interactions`.
    """
    return pd.concat(
        [_frame(found) for found in interactions(table, design, index=index, order=order)], ignore_index=True
    )


def _of(found: Responses, index: str, sizes: tuple[int, ...]) -> Interactions:
    design, n, order = found.design, len(found.design.factors), max(sizes)
    sets = [s for s in sets_up_to(n, order) if len(s) in sizes]
    if index == AVERAGE:
        sets = representatives(design, sets)
        draws = average(design.off, found.values, sets)[None]
    elif index in BY_RUNS:
        sets = _measured(design, sets)
        sign = np.array([[(-1) ** len(s) if index == INTACT_OFF else 1] for s in sets])
        draws = (sign * intact(found.at, n, sets))[None]
    elif design.draws is None:
        draws = exact(found.at, n, index_of(index), sets, order)[None]
    else:
        draws = _sampled(found, index, sets, order)
    return Interactions(index, order, tuple(sets), tuple(set_name(design.factors, s) for s in sets), draws, found)


def _sampled(found: Responses, index: str, sets: Sequence[tuple[int, ...]], order: int) -> np.ndarray:
    design = found.design
    assert design.draws is not None
    if len(set(found.seed)) > 1:
        raise EffectError("a sampled design takes one seed at a time; select the rows of one")
    if design.order:
        if order > design.order:
            raise EffectError(
                f"the design has neighbours up to order {design.order}, not {order}; draw it with order={order}"
            )
        return from_neighbours(found.at, design.draws, index_of(index), sets, order)
    if index != "FSI":
        raise EffectError(f"drawn() serves FSI alone; for {index} draw with neighbours(), or run full()")
    every, draws = from_kernel(found.at, design.draws, order)
    return draws[:, [list(every).index(members) for members in sets]]


def _measured(design: Design, sets: Sequence[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """The sets that were off in a run, as were all of their subsets in another."""
    off = {tuple(int(i) for i in np.flatnonzero(row)) for row in design.off}
    kept = [s for s in sets if all(part in off for size in range(len(s) + 1) for part in combinations(s, size))]
    if not kept:
        raise EffectError(
            "the design has no set of that order together with all its subsets; run factorial(order=), screened() or "
            'full(), or ask for index="average" of a fraction'
        )
    return kept


def _sizes(index: str, order: int | Sequence[int], n: int) -> tuple[int, ...]:
    if index not in BY_RUNS and (only := index_of(index, BY_RUNS).order):
        return (only,)
    sizes = (order,) if isinstance(order, int) else tuple(order)
    if not sizes or not all(1 <= size <= n for size in sizes):
        raise EffectError(f"order is {order}; choose sizes from 1 to {n}, the number of factors")
    return tuple(sorted(set(sizes)))


def _frame(found: Interactions) -> pd.DataFrame:
    rows, (n_sets, n) = found.responses, found.values.shape
    return pd.DataFrame(
        {
            "outcome": rows.outcome,
            "index": found.index,
            "interaction": np.repeat(np.array(found.names, dtype=object), n),
            "order": np.repeat([len(s) for s in found.sets], n),
            "example": list(rows.example) * n_sets,
            "cluster": list(rows.cluster) * n_sets,
            "seed": list(rows.seed) * n_sets,
            "value": found.values.reshape(-1),
            "sampling_se": found.error.reshape(-1),
            **{GROUP + name: np.tile(labels, n_sets) for name, labels in rows.paired.groups.items()},
        }
    )
