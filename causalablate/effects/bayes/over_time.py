"""Belief about which component matters most, as examples arrive."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from causalablate.effects.bayes.fit import Setup, fit, setup_of
from causalablate.effects.bayes.prior import Prior
from causalablate.effects.bayes.state import state_of
from causalablate.effects.paired import Paired
from causalablate.errors import EffectError
from causalablate.table import Counterfactuals

SUGGESTED = 3
"""Lesions named for the next batch; `next_batch` ranks all."""

BELIEF_COLUMNS = (
    "outcome",
    "n_units",
    "n_clusters",
    "leading",
    "p_leading",
    "entropy_top",
    "entropy_labels",
    "next_units",
    "expected_reduction_top",
    "expected_reduction_labels",
    "measure_next",
    "note",
)
"""Columns of the table, in order. Their meaning is in docs/shrinkage.md."""


def belief_over_time(
    table: Counterfactuals,
    *,
    batches: int = 10,
    prior: Prior | Mapping[str, Prior] | None = None,
    families: Mapping[str, str] | None = None,
    sesoi: float | Mapping[str, float] = 0.005,
    level: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """Entropy of the belief about which lesion has the largest effect in size, after each batch of examples.

    Clusters of examples arrive in the order of the table. Entropies are in bits: 0 is certainty, log2(k) is no idea
    among k lesions. The joint posterior is that of `shrunk_effects` over all examples so far.

    Args:
        table: Paired outcomes.
        batches: Batches of clusters, as even as possible; at most one per cluster.
        prior: As in `shrunk_effects`.
        families: As in `shrunk_effects`.
        sesoi: As in `shrunk_effects`.
        level: Level of the intervals that the likelihood matches, in (0.5, 1).
        seed: Seeds the draws; the same seed gives the same numbers in any order of lesions.
    Returns:
        One row per outcome and number of examples, with the columns `BELIEF_COLUMNS`; `note` says why numbers are NaN.
        `attrs` records level, seed, kinds, sesoi and prior.
    Raises:
        EffectError: As `shrunk_effects`, or `batches` is not a positive whole number.

    Source: Lindley (1956), Ann. Math. Stat. 27(4), for the value of data as an expected reduction of entropy.
    """
    if isinstance(batches, bool) or not isinstance(batches, int) or batches < 1:
        raise EffectError(f"batches is {batches!r}; it must be a whole number, at least 1, e.g. 10")
    setup = setup_of(table, prior=prior, families=families, sesoi=sesoi, level=level, seed=seed)
    rows = []
    for outcome, blocks in setup.blocks.items():
        steps = min(batches, max(block.n_clusters for block in blocks))
        for step in range(1, steps + 1):
            so_far = [_arrived(block, step / steps) for block in blocks]
            rows.append({"outcome": outcome, **_row(so_far, setup, 1 / step)})
    frame = pd.DataFrame(rows, columns=list(BELIEF_COLUMNS))
    frame.attrs = setup.attrs
    return frame


def _arrived(block: Paired, share: float) -> Paired:
    """The first clusters of a block, at least one."""
    return block.restrict(block.cluster < max(1, round(share * block.n_clusters)))


def _row(blocks: Sequence[Paired], setup: Setup, growth: float) -> dict[str, object]:
    found = fit(blocks, setup)
    state = state_of(found, setup.sesoi[blocks[0].outcome], growth, setup.seed)
    n_units, judged = max(block.n_units for block in blocks), np.isfinite(state.top)
    gain = np.nan_to_num(state.reduction_label)
    order = [i for i in np.argsort(-gain, kind="stable")[:SUGGESTED] if gain[i] > 0]
    leading = int(np.argmax(np.nan_to_num(state.top)))
    return {
        "n_units": n_units,
        "n_clusters": max(block.n_clusters for block in blocks),
        "leading": found.estimates.lesions[leading] if judged.any() else "",
        "p_leading": float(state.top[leading]),
        "entropy_top": state.entropy_top,
        "entropy_labels": _sum(state.entropy_label),
        "next_units": round(growth * n_units),
        "expected_reduction_top": state.reduction_top,
        "expected_reduction_labels": _sum(state.reduction_label),
        "measure_next": "; ".join(found.estimates.lesions[i] for i in order),
        "note": state.note,
    }


def _sum(bits: np.ndarray) -> float:
    """Sum over the lesions that are not left out; NaN if all are."""
    known = bits[np.isfinite(bits)]
    return float(known.sum()) if known.size else float("nan")
