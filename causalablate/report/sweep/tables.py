"""The results of a sweep as tables: accuracy with verdicts, other metrics beside it, and what was expected."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from causalablate.effects.label import EFFECT
from causalablate.report.format import NOTHING, decimals, interval, p_value, plain, signed
from causalablate.report.sweep.arms import ENDED
from causalablate.report.sweep.effects import BASELINE, SAME
from causalablate.report.sweep.words import metric_words
from causalablate.report.tables import Cells
from causalablate.training.sweep.results import SweepResults

PLACES = 2
"""Most decimals of percent and points."""
ROUNDING = 1e-9
"""A spread below this is rounding."""


def accuracy_cells(results: SweepResults, effects: pd.DataFrame, level: float = 0.95) -> Cells:
    """One row per arm: accuracy over seeds, change against the baseline, its interval, p and verdict, and status."""
    header = [
        "arm", "accuracy, %", "Δ, points", "interval", "p (seeds)", "p", "p (Holm)", "verdict", "estimate within ±0.5",
        "status",
    ]  # fmt: skip
    s, places = 100.0, _places(effects, 100.0)
    rows = []
    for _, r in effects.iterrows():
        name = str(r["arm"])
        rows.append(
            [
                name,
                mean_sd(s * r["mean"], s * r["sd"], places),
                signed(s * r["delta"], places),
                interval(s * r["ci_low"], s * r["ci_high"], places),
                p_value(r["p_seeds"]),
                p_value(r["p"]),
                p_value(r["p_holm"]),
                str(r["label"]) or NOTHING,
                str(r["below_sesoi"]) or NOTHING,
                str(r["status"]) + (f"; same runs as {r['same_as']}" if r["same_as"] else ""),
            ]
        )
    title = (
        f"Accuracy: mean ± sd over seeds; Δ = arm − {results.baseline}, paired by seed; {100 * level:g} % intervals; "
        "p (Holm) is corrected over arms"
    )
    right = [False] + [True] * 6 + [False, False, False]
    return Cells(title, header, rows, _kinds(results, effects["arm"]), right)


def metric_cells(results: SweepResults, effects: Sequence[tuple[str, pd.DataFrame]], title: str) -> Cells:
    """Several metrics side by side: mean ± sd over seeds, and the change against the baseline in brackets.

    A change is starred where its p, corrected over the arms of that metric, and its interval both tell it from zero.

    Args:
        results: The sweep.
        effects: Metric and its table of `arm_effects`.
        title: Of the table.
    """
    columns = []
    for metric, frame in effects:
        words = metric_words(metric)
        places = _places(frame, words.scale)
        columns.append([_value(r, words.scale, places) for _, r in frame.iterrows()])
    header = [f"{metric_words(m).phrase} ({metric_words(m).level_unit})" for m, _ in effects]
    arms = effects[0][1]["arm"]
    rows = [[str(name), *cells] for name, *cells in zip(arms, *columns, strict=True)]
    return Cells(title, ["arm", *header], rows, _kinds(results, arms), [False] + [True] * len(header))


def expectation_cells(results: SweepResults, effects: pd.DataFrame) -> Cells:
    """What each arm changes, what was expected of it, and what came: the reader judges."""
    places = _places(effects, 100.0)
    rows = []
    for arm, (_, r) in zip(results.arms, effects.iterrows(), strict=True):
        rows.append([arm.name, str(arm.priority), _changes(arm.set), arm.expect or NOTHING, _came(r, places)])
    return Cells(
        "What each arm changes, what was expected, and what came",
        ["arm", "priority", "changes", "expected", "came"],
        rows,
        _kinds(results, effects["arm"]),
        [False] * 5,
    )


def broken_cells(results: SweepResults) -> Cells:
    """Every run that did not come to its end, and why; runs of one arm with one reason share a row."""
    groups: dict[tuple[str, str, str], list[str]] = {}
    for run in results.runs:
        if run.status not in ENDED:
            groups.setdefault((run.arm, run.status.replace("_", " "), run.reason), []).append(str(run.seed))
    rows = [[arm, ", ".join(seeds), status, why or NOTHING] for (arm, status, why), seeds in groups.items()]
    header = ["arm", "seeds", "status", "reason"]
    return Cells("Runs that did not come to their end", header, rows, [""] * len(rows), [False] * 4)


def decision_cells(results: SweepResults) -> Cells:
    """Every rule that was evaluated, its numbers, and what it decided; columns as the sweep recorded them."""
    names = list(dict.fromkeys(name for decision in results.decisions for name in decision))
    rows = [[_text(decision.get(name)) for name in names] for decision in results.decisions]
    return Cells("Rules, their numbers, and what they decided", [n.replace("_", " ") for n in names], rows,
                 [""] * len(rows), [False] * len(names))  # fmt: skip


def mean_sd(mean: float, sd: float, places: int) -> str:
    """`76.2 ± 0.8`; without ± where one seed shows no spread."""
    return plain(mean, places) + (f" ± {plain(sd, places)}" if np.isfinite(sd) else "")


def _came(row: pd.Series, places: int) -> str:
    label = str(row["label"])
    if label == BASELINE:
        return f"{plain(100 * row['mean'], places)} %, the baseline"
    if label == SAME:
        return "the baseline's own runs"
    if not np.isfinite(row["delta"]):
        return "no run to compare"
    limits = interval(100 * row["ci_low"], 100 * row["ci_high"], places)
    return f"{signed(100 * row['delta'], places)} points {limits if limits != NOTHING else ''}".strip() + f": {label}"


def _value(row: pd.Series, scale: float, places: int) -> str:
    if not np.isfinite(row["mean"]):
        return NOTHING
    text = mean_sd(scale * row["mean"], scale * row["sd"], places)
    if not np.isfinite(row["delta"]):
        return text
    star = "*" if row["label"] == EFFECT else ""
    return f"{text} ({signed(scale * row['delta'], places)}{star})"


def _places(effects: pd.DataFrame, scale: float) -> int:
    """Decimals from the spread over seeds: intervals over three seeds are too wide to round by."""
    spread = scale * effects["sd"].to_numpy(dtype=float)
    found = decimals(spread[spread > ROUNDING])
    return min(max(found, 1), PLACES) if scale == 100 else min(found, 4)


def _kinds(results: SweepResults, arms: Sequence[str] | pd.Series) -> list[str]:
    return [BASELINE if name == results.baseline else "" for name in arms]


def _changes(changed: Mapping[str, object]) -> str:
    items = dict(changed)
    return ", ".join(f"{key}={_text(value)}" for key, value in items.items()) or "nothing"


def _text(value: object) -> str:
    if value is None or value == "":
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, Mapping):
        return _numbers(value) if {"mean", "seeds"} <= set(value) else _pairs(value)
    if isinstance(value, list | tuple):
        return ", ".join(map(_text, value)) or NOTHING
    return str(value)


def _pairs(held: Mapping[str, object]) -> str:
    return "; ".join(f"{key}: {_text(value)}" for key, value in held.items())


def _numbers(of_arm: Mapping[str, object]) -> str:
    """Mean of an arm over seeds with the seeds' own values, as rules record them: `0.702 (0.698, 0.7, 0.708)`."""
    seeds = of_arm["seeds"]
    values = ", ".join(map(_text, seeds.values() if isinstance(seeds, Mapping) else [seeds]))
    return f"{_text(of_arm['mean'])} ({values})"
