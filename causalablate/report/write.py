"""Write everything a study's report consists of."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from causalablate.durable import write_durably
from causalablate.effects.control_distribution import ControlNames, control_distribution, mean_effects
from causalablate.report.accuracy import Accuracy
from causalablate.report.arrange import check_effects
from causalablate.report.figures import write_figures
from causalablate.report.gallery import Gallery
from causalablate.report.html import page
from causalablate.report.section import Section
from causalablate.report.tables import csv_table, latex, markdown
from causalablate.table import Counterfactuals


@dataclass(frozen=True)
class ReportPaths:
    """Where the parts of a report are.

    Attributes:
        page: The page, `index.html`; it needs no other file.
        csv: All effects at full precision.
        markdown: Tables to read.
        latex: Tables for a paper.
        figures: PNG and SVG files, sorted by name.
    """

    page: Path
    csv: Path
    markdown: Path
    latex: Path
    figures: tuple[Path, ...]


def finite(sesoi: Mapping[str, float]) -> dict[str, float]:
    """The smallest effects of interest that are defined."""
    return {name: float(value) for name, value in sesoi.items() if math.isfinite(value)}


def write_report(
    out_dir: Path,
    *,
    title: str,
    question: str,
    facts: Mapping[str, str],
    accuracies: Sequence[Accuracy],
    table: Counterfactuals,
    effects: pd.DataFrame,
    gallery: Gallery,
    kinds: Mapping[str, str],
    controls: ControlNames | None = None,
    sections: Sequence[Section] = (),
    sesoi: Mapping[str, float] | None = None,
    level: float | None = None,
) -> ReportPaths:
    """Write page, tables and figures. The same arguments give the same bytes.

    Args:
        out_dir: Directory of the report; made if needed, its files of the same names are replaced.
        title: Title of the study.
        question: What was asked, in words.
        facts: What identifies the results, shown as given: model hash, examples, reference, seed, versions ...
        accuracies: Accuracies of the intact model and of baselines, in the order to show.
        table: Counterfactuals of the study: the individual effects.
        effects: What `population_effects` returned for that table.
        gallery: Single examples to browse; an empty gallery leaves the browser out.
        kinds: Lesion name to component kind; a lesion it does not hold is shown as `other`.
        controls: By kind of control and lesion, the names of its controls in `table`: they get a table and figures.
        sections: What was measured beside the study, each a section of the page.
        sesoi: Outcome to the smallest effect of interest that `effects` was labelled with, drawn as a band; None
            takes what `population_effects` recorded in `effects.attrs`.
        level: Coverage of the intervals in `effects`; None takes what was recorded, else 0.95.
    Returns:
        The paths written.
    Raises:
        EffectError: `effects` is empty or not a table of population effects.
        LedgerError: The directory cannot be written.
    """
    check_effects(effects)
    out_dir = Path(out_dir)
    level = float(effects.attrs.get("level", 0.95)) if level is None else level
    sesoi = finite(effects.attrs.get("sesoi", {}) if sesoi is None else sesoi)
    csv = _write(out_dir / "effects.csv", csv_table(effects, kinds))
    figures = write_figures(out_dir / "figures", table, effects, kinds, sesoi=sesoi, level=level, controls=controls)
    beside = [_write(out_dir / "controls.csv", _beside(table, effects, controls, level))] if controls else []
    md = _write(out_dir / "effects.md", markdown(effects, kinds, title, question, level))
    tex = _write(out_dir / "effects.tex", latex(effects, kinds, title, level))
    html = page(
        title=title,
        question=question,
        facts=facts,
        accuracies=accuracies,
        table=table,
        effects=effects,
        gallery=gallery,
        kinds=kinds,
        files=[path.relative_to(out_dir).as_posix() for path in (csv, md, tex, *beside, *figures)],
        sections=sections,
        sesoi=sesoi,
        level=level,
    )
    return ReportPaths(_write(out_dir / "index.html", html), csv, md, tex, figures)


def _beside(table: Counterfactuals, effects: pd.DataFrame, controls: ControlNames, level: float) -> str:
    """Each effect of the report beside its controls, as CSV at full precision."""
    found = control_distribution(mean_effects(table), controls, level=level)
    return found[found["lesion"].isin(effects["lesion"])].to_csv(index=False, lineterminator="\n")


def _write(path: Path, text: str) -> Path:
    return write_durably(path, text.encode("utf-8"), flush=False)
