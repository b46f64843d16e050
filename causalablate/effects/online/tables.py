"""The tables of an experiment: effects, quantiles, and what one would have seen on the way."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from causalablate.effects.corrections import benjamini_hochberg, holm
from causalablate.effects.equivalence import within
from causalablate.effects.kinds import Kind
from causalablate.effects.label import verdicts
from causalablate.effects.online.adjustment import adjusted
from causalablate.effects.online.difference import difference, ratio_of_means
from causalablate.effects.online.log import Log
from causalablate.effects.online.peeking import asymptotic_limits, betting_limits, means_at
from causalablate.effects.online.quantiles import quantile_difference
from causalablate.effects.sequential.stopping import NEVER, StopRule, first_stop, sequential_labels

CUPED = ", CUPED"
"""Added to the name of a method that worked on adjusted outcomes."""


def effects_table(log: Log, level: float, sesoi: Mapping[str, float]) -> pd.DataFrame:
    """One row per outcome and arm; the corrections are over all of them."""
    frame = pd.DataFrame([_effect(log, name, a, level, sesoi[name]) for name, a in _pairs(log)])
    p = frame["p"].to_numpy()
    frame.insert(frame.columns.get_loc("p") + 2, "p_holm", holm(p))
    frame.insert(frame.columns.get_loc("p_holm") + 1, "p_bh", benjamini_hochberg(p))
    low, high = frame["ci_low"].to_numpy(), frame["ci_high"].to_numpy()
    equivalent = frame.pop("equivalent").to_numpy(dtype=bool)
    frame["label"] = verdicts(
        frame["p_holm"].to_numpy(), low, high, null=np.zeros(len(frame)), equivalent=equivalent, level=level
    )
    return frame


def _effect(log: Log, name: str, arm: int, level: float, sesoi: float) -> dict[str, object]:
    values, binary = log.outcomes[name], log.kinds[name] is Kind.BINARY
    raw = log.sample(values, arm), log.sample(values, 0)
    plain = difference(*raw, level=level, binary=binary)
    found, inner, explained = plain, difference(*raw, level=2 * level - 1, binary=binary), np.nan
    if log.covariate is not None:
        better = adjusted(values, log.covariate, log.unit, log.arm[log.unit])
        pair = log.sample(better, arm), log.sample(better, 0)
        found, inner = (difference(*pair, level=at, binary=False) for at in (level, 2 * level - 1))
        unadjusted = difference(*raw, level=level, binary=False)
        explained = 1 - (found.se / unadjusted.se) ** 2 if unadjusted.se > 0 else np.nan
    note = CUPED if log.covariate is not None and np.isfinite(found.se) else ""
    top, bottom = (float(s.values.mean()) for s in raw)
    ratio, ratio_low, ratio_high = ratio_of_means(*raw, level=level, binary=binary)
    return {
        "outcome": name,
        "arm": log.arms[arm],
        "n_units": raw[0].n_units,
        "n_units_control": raw[1].n_units,
        "n_events": raw[0].values.size,
        "n_events_control": raw[1].values.size,
        "mean": top,
        "control_mean": bottom,
        "ate": found.ate,
        "se": found.se,
        "ci_low": found.low,
        "ci_high": found.high,
        "interval_method": found.method + note,
        "relative_change": found.ate / abs(bottom) if bottom else np.nan,
        "ratio": ratio,
        "ratio_low": ratio_low,
        "ratio_high": ratio_high,
        "ate_unadjusted": plain.ate,
        "variance_explained": explained,
        "p": found.p,
        "test_method": found.test + note,
        "equivalent": within(np.array(inner.low), np.array(inner.high), sesoi),
    }


def quantiles_table(log: Log, quantiles: Sequence[float], level: float) -> pd.DataFrame:
    """One row per outcome that is not just 0 or 1, arm and quantile."""
    columns = ("outcome", "arm", "quantile", "value", "control_value", "ate", "ci_low", "ci_high", "interval_method")
    rows = []
    for name, a in _pairs(log):
        if log.kinds[name] is Kind.BINARY:
            continue
        arm, control = log.sample(log.outcomes[name], a), log.sample(log.outcomes[name], 0)
        for q in quantiles:
            top, base, low, high, method = quantile_difference(arm, control, q, level=level)
            rows.append((name, log.arms[a], q, top, base, top - base, low, high, method))
    return pd.DataFrame(rows, columns=list(columns))


def sequence_table(
    log: Log,
    looks: np.ndarray,
    level: float,
    sesoi: Mapping[str, float],
    bounds: Mapping[str, tuple[float, float]],
    shares: np.ndarray,
) -> pd.DataFrame:
    """One row per outcome, arm and look; limits hold at all looks for all of them together (Bonferroni).

    By betting where an outcome has bounds, units have one event and nothing is adjusted for; else asymptotic.
    """
    pairs = _pairs(log)
    each = 1 - (1 - level) / len(pairs)
    parts = []
    for name, a in pairs:
        if name in bounds and log.one_event and log.covariate is None:
            low, high, method = betting_limits(log, name, a, looks, level=each, bounds=bounds[name], shares=shares)
        else:
            low, high, method = asymptotic_limits(log, name, a, looks, level=each)
        labels = sequential_labels(low, high, null=0.0, sesoi=sesoi[name], level=level)
        at = int(first_stop(labels[None], StopRule())[0])
        parts.append(
            pd.DataFrame(
                {
                    "outcome": name,
                    "arm": log.arms[a],
                    "n_units": looks,
                    "time": log.arrival[looks - 1] if log.arrival is not None else np.nan,
                    "ate": means_at(log, name, a, looks),
                    "ci_low": low,
                    "ci_high": high,
                    "interval_method": method,
                    "label": labels,
                    "stopped_at": np.nan if at == NEVER else float(looks[at]),
                    "stopped_as": "" if at == NEVER else labels[at],
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def _pairs(log: Log) -> list[tuple[str, int]]:
    """Outcomes and arms to compare with the control."""
    return [(name, a) for name in log.outcomes for a in range(1, len(log.arms))]
