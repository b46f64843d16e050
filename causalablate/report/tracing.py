"""A causal trace as files: every example's numbers, their summary, and the heat map."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from causalablate.durable import write_durably
from causalablate.report.figures.style import save, styled
from causalablate.report.figures.tracing import SHARE, trace_map
from causalablate.report.format import decimals, interval, plain, signed
from causalablate.report.tables import Cells
from causalablate.report.words import outcome_words


@dataclass(frozen=True)
class TracePaths:
    """The files of a causal trace.

    Attributes:
        csv: One row per patch, outcome and example.
        summary: One row per patch and outcome.
        figures: PNG and SVG, per outcome.
    """

    csv: Path
    summary: Path
    figures: tuple[Path, ...]


def trace_cells(summary: pd.DataFrame, direction: str, outcome: str) -> Cells:
    """The table of one outcome, patches in the order in which they were asked for."""
    words, rows = outcome_words(outcome), summary[summary["outcome"] == outcome]
    places = decimals((rows["ci_high"] - rows["ci_low"]) / 2)
    return Cells(
        title=f"{words.title}: {SHARE[direction]} ({direction})",
        header=["site", "layer", "position", "share", "interval", f"effect, {words.unit}"],
        rows=[
            [
                row["site"],
                str(row["layer"]),
                row["position"],
                plain(row["share"], places),
                interval(row["ci_low"], row["ci_high"], places),
                signed(words.scale * row["effect"], 3),
            ]
            for row in rows.to_dict(orient="records")
        ],
        kinds=list(rows["site"]),
        right=[False, True, False, True, True, True],
    )


def write_trace(
    out_dir: Path, frame: pd.DataFrame, summary: pd.DataFrame, direction: str, corruption: str
) -> TracePaths:
    """Write `trace.csv`, `trace_summary.csv` and a heat map per outcome. The same arguments give the same bytes.

    Args:
        out_dir: Directory; made if needed, its files of the same names are replaced.
        frame: The frame of a `CausalTrace`.
        summary: Its summary.
        direction: `denoising` or `noising`.
        corruption: What was corrupted.
    Raises:
        LedgerError: The directory cannot be written.
    """
    figures: list[Path] = []
    with styled():
        for outcome in dict.fromkeys(summary["outcome"]):
            figure = trace_map(summary[summary["outcome"] == outcome], direction, corruption)
            figures += save(figure, out_dir / f"trace_{outcome}")
    files = {"trace": frame, "trace_summary": summary}
    csv, table = (
        write_durably(out_dir / f"{name}.csv", x.to_csv(index=False, lineterminator="\n").encode(), flush=False)
        for name, x in files.items()
    )
    return TracePaths(csv, table, tuple(figures))
