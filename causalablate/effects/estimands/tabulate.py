"""The table of estimates: one row per outcome, lesion, group and estimand."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from causalablate.effects.blocks import paired_blocks
from causalablate.effects.bootstrap import Limits, acceleration, bca, percentile, resampling_of
from causalablate.effects.bootstrap.intervals import BCA, PERCENTILE
from causalablate.effects.estimands.base import Estimand, jackknife, replicates, value
from causalablate.effects.estimands.family import DEFAULT, estimand
from causalablate.effects.groups import subgroups
from causalablate.effects.interval_methods import UNDEFINED_CLUSTER
from causalablate.effects.kinds import Kind
from causalablate.effects.order import check_level, in_order
from causalablate.effects.paired import Paired
from causalablate.errors import EffectError, nearest
from causalablate.table import Counterfactuals

COLUMNS = (
    "outcome",
    "lesion",
    "group",
    "estimand",
    "unit",
    "estimate",
    "ci_low",
    "ci_high",
    "interval_method",
    "n_units",
    "n_clusters",
    "n_seeds",
)
"""Columns of the table, in order. Their meaning is in docs/estimands.md."""

INTERVALS = ("auto", "percentile", "bca")
DRAWN = {"rows": "", "clusters": " of clusters", "hierarchical": " of seeds and clusters"}
NO_QUANTILE = "undefined: BCa needs a jackknife, and that of a quantile tells nothing; use percentile"
NO_SEEDS = "undefined: BCa has no jackknife over seeds and examples at once; use percentile"

BLOCK_VALUES = 2**22
"""Rows times lesions that are worked on at once (32 MiB a column)."""


def estimate(
    table: Counterfactuals,
    estimands: Sequence[Estimand | str] | None = None,
    *,
    interval: str = "auto",
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> pd.DataFrame:
    """Estimate any number of estimands for every lesion, over all examples and within every group.

    Effect = counterfactual - factual. An estimand has rows for the outcomes whose kind it is defined on. The rows of a
    group are conditional effects (CATE where the estimand is `ate`).

    Args:
        table: Paired outcomes.
        estimands: What to estimate: values or their text, e.g. `["ate", "quantile(0.9)"]`; None for `DEFAULT`.
        interval: `auto` for the default of each estimand, `percentile` or `bca` for the bootstrap throughout.
        level: Two-sided coverage of each interval, in (0.5, 1).
        resamples: Of the bootstrap.
        seed: Seeds the bootstrap.
    Returns:
        The columns `COLUMNS`. Undefined values are NaN, and `interval_method` says why. `attrs` records interval,
        level, resamples, seed, and the kind of each outcome.
    Raises:
        EffectError: The table is empty or cannot be paired, an argument is invalid, or an estimand that was asked for
            is defined on no outcome of the table.
    """
    _check(interval, level, resamples)
    parts = paired_blocks(table)
    kinds = {block.outcome: block.kind for block in parts}
    asked = [estimand(spec) for spec in (DEFAULT if estimands is None else estimands)]
    if estimands is not None:
        _check_defined(asked, kinds)
    rows = [
        _rows(sample, group, place, what, interval, level, resamples, seed)
        for block in parts
        for part in _lesions_at_a_time(block)
        for group, sample in subgroups(part)
        for place, what in enumerate(asked)
        if block.kind in what.kinds
    ]
    frame = pd.concat(rows, ignore_index=True)
    frame = frame.assign(_group=pd.factorize(frame["group"])[0]).sort_values(["_group", "_place"], kind="stable")
    frame = in_order(frame.reset_index(drop=True), table)[list(COLUMNS)]
    frame.attrs = {
        "interval": interval,
        "level": level,
        "resamples": resamples,
        "seed": seed,
        "kinds": {name: str(kind) for name, kind in kinds.items()},
    }
    return frame


def limits(what: Estimand, paired: Paired, *, interval: str, level: float, resamples: int, seed: int) -> Limits:
    """Interval of one estimand; NaN with a reason where the estimate has no value."""
    found = _limits(what, paired, interval, level, resamples, seed)
    known = ~np.isnan(value(what, paired))
    method = np.where(known, found.method, f"undefined: {what.missing}").astype(object)
    return Limits(np.where(known, found.low, np.nan), np.where(known, found.high, np.nan), method)


def _limits(what: Estimand, paired: Paired, interval: str, level: float, resamples: int, seed: int) -> Limits:
    if interval == "auto":
        found = what.interval(paired, level) if what.interval is not None else None
        if found is not None:
            return found
        interval = "percentile" if what.quantile is not None else "bca"
    nan, drawn = np.full(len(paired.lesions), np.nan), resampling_of(paired)
    if interval == "bca" and (what.quantile is not None or drawn == "hierarchical"):
        reason = NO_SEEDS if what.quantile is None else NO_QUANTILE
        return Limits(nan, nan, np.full(nan.shape, reason, dtype=object))
    if paired.n_clusters < 2:
        return Limits(nan, nan, np.full(nan.shape, UNDEFINED_CLUSTER, dtype=object))
    around = replicates(what, paired, resamples=resamples, seed=seed)
    if interval == "bca":
        found = bca(around, value(what, paired), acceleration(jackknife(what, paired)), level)
    else:
        found = percentile(around, level)
    named = [name + DRAWN[drawn] if name in (PERCENTILE, BCA) else name for name in found.method]
    return Limits(found.low, found.high, np.array(named, dtype=object))


def _rows(
    paired: Paired, group: str, place: int, what: Estimand, interval: str, level: float, resamples: int, seed: int
) -> pd.DataFrame:
    found = limits(what, paired, interval=interval, level=level, resamples=resamples, seed=seed)
    return pd.DataFrame(
        {
            "outcome": paired.outcome,
            "lesion": paired.lesions,
            "group": group,
            "estimand": what.name,
            "unit": what.unit,
            "estimate": value(what, paired),
            "ci_low": found.low,
            "ci_high": found.high,
            "interval_method": found.method,
            "n_units": paired.n_units,
            "n_clusters": paired.n_clusters,
            "n_seeds": paired.n_seeds,
            "_place": place,
        }
    )


def _lesions_at_a_time(paired: Paired) -> Iterator[Paired]:
    size = max(1, BLOCK_VALUES // paired.n_rows)
    for start in range(0, len(paired.lesions), size):
        some = slice(start, start + size)
        yield replace(
            paired,
            lesions=paired.lesions[some],
            factual=paired.factual[some],
            counterfactual=paired.counterfactual[some],
            effect=paired.effect[some],
            fired=paired.fired[some],
            change_norm=paired.change_norm[some],
        )


def _check(interval: str, level: float, resamples: int) -> None:
    if interval not in INTERVALS:
        raise EffectError(f'no interval "{interval}"{nearest(interval, INTERVALS)}; there are {", ".join(INTERVALS)}')
    check_level(level)
    if resamples * (1 - level) / 2 < 1:
        raise EffectError(
            f"{resamples} resamples do not reach the tails of a {level} interval; take at least {2 / (1 - level):.0f}, "
            "better 2000"
        )


def _check_defined(asked: Sequence[Estimand], kinds: Mapping[str, Kind]) -> None:
    if not asked:
        raise EffectError(f"no estimands were given; name some of {', '.join(DEFAULT)}, or pass None for all of them")
    for what in asked:
        if not set(what.kinds) & set(kinds.values()):
            has = ", ".join(f"{name} ({kind})" for name, kind in kinds.items())
            raise EffectError(
                f'"{what.name}" is defined on {" and ".join(what.kinds)} outcomes; this table has {has}. '
                "Choose another estimand or outcome."
            )
