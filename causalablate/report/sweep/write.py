"""Write everything a sweep's report consists of."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pandas as pd

from causalablate.durable import write_durably
from causalablate.report.sweep.arms import check_arms, metrics_known
from causalablate.report.sweep.cost import READING as COST_READING
from causalablate.report.sweep.cost import cost_cells, cost_frame
from causalablate.report.sweep.documents import latex, markdown, metrics_csv
from causalablate.report.sweep.effects import ACCURACY, arm_effects
from causalablate.report.sweep.figures import default_figures, write_sweep_figures
from causalablate.report.sweep.findings import sweep_findings
from causalablate.report.sweep.page import sweep_page
from causalablate.report.sweep.tables import (
    accuracy_cells,
    broken_cells,
    decision_cells,
    expectation_cells,
    metric_cells,
)
from causalablate.report.sweep.words import INTERNAL, KIND, MODE, TYPE
from causalablate.report.tables import Cells
from causalablate.training.sweep.figures import FigureSection
from causalablate.training.sweep.results import SweepResults

READING = (
    "Verdicts: “within noise” where an equivalence test shows the change to be smaller than ±0.5 points; “effect” "
    "where the p, corrected by Holm over arms, and the interval both tell the change from zero; “undecided” where "
    "neither could be shown.",
    "The column “estimate within ±0.5” only says whether the point estimate is below half a point. That is no evidence "
    "of no effect: an undecided arm stays undecided.",
    "p (seeds) is a paired t test over seeds alone. p is the one that verdicts stand on: over seeds and examples where "
    "the runs kept their answers (new seeds and new examples), else p (seeds) again. Metrics other than accuracy are "
    "compared over seeds; a star marks an effect, corrected over the arms of that metric, not over metrics.",
)


def write_sweep_report(
    results: SweepResults, out: Path | str, figures: Sequence[FigureSection] = (), *, level: float = 0.95
) -> list[Path]:
    """Write page, tables and figures of a sweep, from its values only.

    The same results give the same bytes, but for what shows measured cost: `costs.*`, and its table on the page.

    Args:
        results: The sweep.
        out: Directory of the report; made if needed, its files of the same names are replaced.
        figures: What to draw; by default what the sweep's file asks for, and where it names none, all that apply. What
            cannot be drawn is named on the page.
        level: Two-sided coverage of intervals, in (0.5, 1); 1 - level is alpha of tests and verdicts.
    Returns:
        The files, the page first.
    Raises:
        EffectError: The sweep has no arms.
        LedgerError: The directory cannot be written.
    """
    out = Path(out)
    check_arms(results)

    @cache
    def effects(metric: str) -> pd.DataFrame:
        return arm_effects(results, metric, level=level)

    accuracy = effects(ACCURACY)
    findings = sweep_findings(results, accuracy, level=level)
    every = {metric: effects(metric) for metric in dict.fromkeys([ACCURACY, *metrics_known(results)])}
    tables = result_tables(results, every, level)
    cost = cost_frame(results, accuracy, level=level)
    costs = cost_cells(results, cost)
    title = f"Sweep {results.name}"
    beside = [
        _write(out / "arms.csv", metrics_csv(every, results.baseline)),
        _write(out / "arms.md", markdown(title, findings, tables, READING)),
        _write(out / "arms.tex", latex(title, tables, f"{results.name}-arms")),
        _write(out / "costs.csv", cost.to_csv(index=False, lineterminator="\n")),
        _write(out / "costs.md", markdown(f"Cost of sweep {results.name}", (), [costs], (COST_READING,))),
        _write(out / "costs.tex", latex(title, [costs], f"{results.name}-costs")),
    ]
    chosen = figures or results.figures or default_figures(results)
    drawn, left_out = write_sweep_figures(results, chosen, out / "figures", effects, level=level)
    pictures = [path for _, path in drawn]
    page = sweep_page(
        title=title,
        question=results.description,
        findings=findings,
        reading=(*READING, COST_READING),
        tables=[*tables, costs],
        images=drawn,
        left_out=left_out,
        facts=_facts(results),
        files=[path.relative_to(out).as_posix() for path in (*beside, *pictures)],
    )
    return [_write(out / "index.html", page), *beside, *pictures]


def result_tables(results: SweepResults, effects: dict[str, pd.DataFrame], level: float = 0.95) -> list[Cells]:
    """Tables of a report in their order: accuracy, other metrics, modes, question types, what came, broken runs, rules.

    Args:
        results: The sweep.
        effects: Metric to its table of `arm_effects`; accuracy must be there.
        level: Of its intervals.
    """
    tables = [accuracy_cells(results, effects[ACCURACY], level)]
    modes = [m for m in effects if m.startswith(MODE)]
    kinds = [m for m in effects if m.startswith(KIND)]
    types = [m for m in effects if m.startswith(TYPE) and m not in (*modes, *kinds)]
    spread = f"mean ± sd over seeds (change against {results.baseline})"
    for names, said in (
        ([m for m in INTERNAL if m in effects], f"Losses and what the passes do: {spread}"),
        (modes, f"Accuracy by mode: {spread}"),
        (kinds, f"Accuracy by kind of example: {spread}"),
        *((part, f"Accuracy by question type{of}: {spread}") for of, part in _by_kind(types).items()),
    ):
        if names:
            tables.append(metric_cells(results, [(m, effects[m]) for m in names], said))
    tables.append(expectation_cells(results, effects[ACCURACY]))
    others = [broken_cells(results), decision_cells(results)]
    return tables + [cells for cells in others if cells.rows]


def _by_kind(types: list[str]) -> dict[str, list[str]]:
    """Question types by the kind of example that asks them, where their names say it: `accuracy.video.count`."""
    found: dict[str, list[str]] = {}
    for name in types:
        kind, dot, _ = name.removeprefix(TYPE).partition(".")
        found.setdefault(f", {kind}" if dot else "", []).append(name)
    return found


def _facts(results: SweepResults) -> dict[str, str]:
    return {
        "arms": str(len(results.arms)),
        "seeds": ", ".join(map(str, results.seeds)),
        "baseline": results.baseline,
        "runs": f"{len({run.folder for run in results.runs if run.folder})} trained, {len(results.runs)} named",
    }


def _write(path: Path, text: str) -> Path:
    return write_durably(path, text.encode("utf-8"), flush=False)
