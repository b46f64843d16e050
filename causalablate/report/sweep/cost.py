"""What each arm cost: process time, memory, parameters, operations, and what an hour of it bought."""

import numpy as np
import pandas as pd

from causalablate.effects.seeds.testing import t_over_seeds
from causalablate.report.format import NOTHING, count, plain, signed
from causalablate.report.sweep.arms import ended_runs, record_value, status_text
from causalablate.report.tables import Cells
from causalablate.training.sweep.results import RunResult, SweepResults

HOUR = 3600.0
TITLE = "Cost of one run, mean over seeds"
READING = (
    "Gain per hour: Δ accuracy in points, divided by the process hours of a run. Gain per extra hour: Δ accuracy "
    "divided by the hours beyond the baseline's, where the paired interval of the extra hours lies above zero; a dash "
    "says that the arm did not measurably take longer. Time is that of the process, beside whatever else ran on the "
    "machine."
)


def cost_frame(results: SweepResults, effects: pd.DataFrame, *, level: float = 0.95) -> pd.DataFrame:
    """Cost of every arm, mean over the runs that ended.

    Args:
        results: The sweep.
        effects: Table of `arm_effects` on accuracy, for the gains.
        level: Of the interval that tells whether an arm takes longer than the baseline.
    Returns:
        One row per arm: `arm`, `status`, `hours`, `hours_sd`, `samples_per_second`, `peak_memory_mib`, `parameters`,
        `trainable`, `active`, `flops_per_sample`, `samples`, `visual_tokens_per_frame`, `delta_points`,
        `gain_per_hour`, `extra_hours`, `extra_low`, `extra_high`, `gain_per_extra_hour`. NaN where unknown. Time is
        that of the process, beside whatever else ran on the machine.
    """
    deltas = effects.set_index("arm")["delta"]
    base = _hours(ended_runs(results, results.baseline))
    rows = []
    for arm in (a.name for a in results.arms):
        runs = ended_runs(results, arm)
        hours = _hours(runs)
        spent = np.array(list(hours.values()))
        mean = spent.mean() if spent.size else np.nan
        points = 100 * float(deltas[arm])
        extra = np.array([] if arm == results.baseline else [hours[s] - base[s] for s in hours if s in base])
        low, high = (np.nan, np.nan) if extra.size < 2 else (float(x[0]) for x in t_over_seeds(extra[None], level)[1:])
        more = extra.mean() if extra.size else np.nan
        rows.append(
            {
                "arm": arm,
                "status": status_text(results, arm),
                "hours": mean,
                "hours_sd": spent.std(ddof=1) if spent.size > 1 else np.nan,
                "samples_per_second": _mean(runs, "samples_per_second"),
                "peak_memory_mib": _mean(runs, "peak_memory_mib"),
                **{name: record_value(results, arm, "parameters", name) for name in ("total", "trainable", "active")},
                "flops_per_sample": record_value(results, arm, "flops_per_sample"),
                "samples": _samples(runs),
                "visual_tokens_per_frame": record_value(results, arm, "visual_tokens_per_frame"),
                "delta_points": points,
                "gain_per_hour": points / mean if mean > 0 else np.nan,
                "extra_hours": more,
                "extra_low": low,
                "extra_high": high,
                "gain_per_extra_hour": points / more if low > 0 else np.nan,
            }
        )
    return pd.DataFrame(rows).rename(columns={"total": "parameters"})


def cost_cells(results: SweepResults, frame: pd.DataFrame) -> Cells:
    """The same to read: minutes, MiB, thousands of parameters, millions of operations."""
    header = [
        "arm", "minutes", "samples/s", "peak MiB", "parameters, k", "trainable, k", "active, k", "MFLOP/sample",
        "samples", "tokens/frame", "Δ accuracy (points)", "gain per hour", "extra minutes", "gain per extra hour",
    ]  # fmt: skip
    rows = []
    for _, r in frame.iterrows():
        rows.append(
            [
                str(r["arm"]),
                _with_sd(60 * r["hours"], 60 * r["hours_sd"]),
                plain(r["samples_per_second"], 1),
                count(r["peak_memory_mib"]),
                *(plain(r[name] / 1e3, 1) for name in ("parameters", "trainable", "active")),
                plain(r["flops_per_sample"] / 1e6, 2),
                f"{r['samples']:,.0f}" if np.isfinite(r["samples"]) else NOTHING,
                f"{r['visual_tokens_per_frame']:g}" if np.isfinite(r["visual_tokens_per_frame"]) else NOTHING,
                signed(r["delta_points"], 2),
                signed(r["gain_per_hour"], 1),
                signed(60 * r["extra_hours"], 2),
                signed(r["gain_per_extra_hour"], 1),
            ]
        )
    kinds = ["baseline" if name == results.baseline else "" for name in frame["arm"]]
    return Cells(TITLE, header, rows, kinds, [False] + [True] * (len(header) - 1))


def _hours(runs: list[RunResult]) -> dict[int, float]:
    found = {run.seed: float(run.cost.get("seconds", np.nan)) / HOUR for run in runs}
    return {seed: hours for seed, hours in found.items() if np.isfinite(hours)}


def _mean(runs: list[RunResult], name: str) -> float:
    values = [float(run.cost[name]) for run in runs if np.isfinite(run.cost.get(name, np.nan))]
    return float(np.mean(values)) if values else np.nan


def _samples(runs: list[RunResult]) -> float:
    """Samples that a run saw, mean over seeds: they differ where runs stop early."""
    seen = [float(run.record["samples"]) for run in runs if "samples" in run.record]
    return float(np.mean(seen)) if seen else np.nan


def _with_sd(mean: float, sd: float) -> str:
    return plain(mean, 1) + (f" ± {plain(sd, 1)}" if np.isfinite(sd) else "")
