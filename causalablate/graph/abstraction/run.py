"""`abstraction`: predict, and score the predictions against the exact replay."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from causalablate.errors import GraphError
from causalablate.graph.abstraction.fitted import HoldOut, fitted
from causalablate.graph.abstraction.observed import observational
from causalablate.graph.abstraction.predict import additive, largest, log_odds, structural, total_from_direct
from causalablate.graph.abstraction.scores import scores
from causalablate.graph.abstraction.values import PairWorlds


@dataclass(frozen=True)
class Abstraction:
    """How well the graph predicts lesions that it has not seen, beside other ways to predict them.

    Attributes:
        scores: One row per method, of pairs; see `scores`.
        lesions: The same of single lesions, each held out in turn.
        pairs: One row per pair: `first`, `second`, `relation` (`dominated`: all paths of the first lead through the
            second; `connected`: some do; `apart`), mean effects `first_effect`, `second_effect`, `joint` and, by
            method, what was predicted for `joint`.
        predicted: Method to predicted effects of the pairs, shape (m, n).
        joint: Their true effects, shape (m, n).
        hold_out: What the fitted method had not seen: `pairs` or `lesions`.
    """

    scores: pd.DataFrame
    lesions: pd.DataFrame
    pairs: pd.DataFrame
    predicted: Mapping[str, np.ndarray]
    joint: np.ndarray
    hold_out: HoldOut


def abstraction(
    worlds: PairWorlds,
    *,
    hold_out: HoldOut = "pairs",
    folds: int = 5,
    observed: bool = True,
    level: float = 0.95,
    seed: int = 0,
) -> Abstraction:
    """Predict every pair of lesions, and every single one, without having run it.

    Methods for pairs: `additive` (the sum of the single effects), `largest` of the two, `log-odds` (additive in
    log-odds, for log-probabilities), `graph` (rule 3 of the do-calculus and what is undone; nothing fitted), `graph,
    fitted` (with a correction learned from other pairs on other examples), `gcm` (a structural model that saw the
    factual run alone). For single lesions: `none` (no effect), `direct` (the direct effect on the outcome), `graph`
    (direct effects on components times the effects of those), `gcm`.

    Args:
        worlds: From `measure_pairs`.
        hold_out: Fit on other `pairs`, or on pairs of other `lesions`.
        folds: Of the cross-validation.
        observed: Fit `gcm`, which takes most of the time.
        level: Two-sided coverage of the intervals.
        seed: Of halves, folds and draws.
    Raises:
        GraphError: Settings out of range, or too few clusters, pairs or lesions for the folds.
    """
    if hold_out not in ("pairs", "lesions"):
        raise GraphError(f'hold_out is "{hold_out}"; hold out pairs or lesions')
    if not 0.5 < level < 1:
        raise GraphError(f"level is {level}; it must lie between 0.5 and 1, e.g. 0.95")
    units = len(worlds.pairs) if hold_out == "pairs" else len(worlds.nodes)
    if not 2 <= folds <= units:
        raise GraphError(f"{folds} folds of {units} {hold_out}; take at least 2 and at most as many as there are")
    if len(set(worlds.found.cluster)) < 4:
        raise GraphError("to fit on half of the examples and predict the other takes at least 4 clusters of examples")
    predicted = {"additive": additive(worlds), "largest": largest(worlds)}
    if worlds.outcome == "answer_logprob":
        predicted["log-odds"] = log_odds(worlds)
    predicted["graph"] = structural(worlds)
    predicted["graph, fitted"] = fitted(worlds, folds, hold_out, seed)
    single = {
        "none": np.zeros_like(worlds.single),
        "direct": worlds.found.direct[:, len(worlds.nodes)].astype(float),
        "graph": total_from_direct(worlds),
    }
    if observed:
        single["gcm"], predicted["gcm"] = observational(worlds, seed)
    cluster = np.unique(worlds.found.cluster, return_inverse=True)[1]
    return Abstraction(
        scores(predicted, worlds.joint, cluster, "additive", level),
        scores(single, worlds.single, cluster, "none", level),
        _of_pairs(worlds, predicted),
        predicted,
        worlds.joint,
        hold_out,
    )


def _of_pairs(worlds: PairWorlds, predicted: Mapping[str, np.ndarray]) -> pd.DataFrame:
    i, j = worlds.pairs.T
    names = np.array(worlds.nodes)
    mean = worlds.single.mean(axis=1)
    relation = np.where(worlds.dominated, "dominated", np.where(worlds.connected, "connected", "apart"))
    table = {"first": names[i], "second": names[j], "relation": relation}
    table |= {"first_effect": mean[i], "second_effect": mean[j], "joint": worlds.joint.mean(axis=1)}
    return pd.DataFrame(table | {method: values.mean(axis=1) for method, values in predicted.items()})
