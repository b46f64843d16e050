"""Figures of a report, each as PNG and SVG, the same bytes for the same numbers."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from causalablate.report.arrange import main_factor
from causalablate.report.figures.controls import write_controls
from causalablate.report.figures.dose import dose_response
from causalablate.report.figures.ecdf import ecdf
from causalablate.report.figures.forest import forest
from causalablate.report.figures.groups import by_group
from causalablate.report.figures.individual import individual
from causalablate.report.figures.layers_heads import layers_heads
from causalablate.report.figures.style import file_stem, save, styled
from causalablate.report.figures.volcano import volcano
from causalablate.report.figures.windows import windows_figure
from causalablate.report.words import outcome_words, primary_outcome
from causalablate.table import Counterfactuals

FEW = 5
"""Lesions below which a volcano plot says no more than the forest plot."""


def write_figures(
    directory: Path,
    table: Counterfactuals,
    effects: pd.DataFrame,
    kinds: Mapping[str, str],
    *,
    sesoi: Mapping[str, float],
    level: float,
    controls: Mapping[str, Mapping[str, Sequence[str]]] | None = None,
) -> tuple[Path, ...]:
    """Draw everything the study supports.

    A forest plot per outcome, and a volcano plot where there are several lesions; the leading outcome by group; the
    map of layers where single heads, attentions or MLPs were lesioned; the line over windows of layers, and that over
    the doses of graded offs, where there are any; the spread and the distribution of individual effects on the first
    outcome that is not just right or wrong.

    Args:
        directory: Where the files go; made if needed.
        table: Counterfactuals, for individual effects.
        effects: Table of population effects.
        kinds: Lesion name to component kind.
        sesoi: Outcome to its smallest effect of interest, in the outcome's own unit; no band for those it lacks.
        level: Coverage of the intervals.
        controls: By kind of control and lesion, the names of its controls in `table`.
    Returns:
        The files, sorted by name.
    Raises:
        LedgerError: The directory cannot be written.
    """
    outcomes = [str(name) for name in dict.fromkeys(effects["outcome"])]
    first, factor = primary_outcome(outcomes), main_factor(effects)
    graded = next((name for name in outcomes if _is_graded(name, effects) and name in table.outcomes), None)
    written: list[Path] = []
    with styled():
        for outcome in outcomes:
            figure = forest(effects, kinds, outcome, sesoi=sesoi.get(outcome), level=level)
            written += save(figure, directory / file_stem("forest", outcome))
        if graded is not None:
            written += save(individual(table, effects, kinds, graded), directory / file_stem("individual", graded))
            written += save(ecdf(table, effects, graded), directory / file_stem("ecdf", graded))
        if factor is not None:
            written += save(by_group(effects, kinds, first, factor), directory / file_stem(first, "by", factor))
        if (parts := layers_heads(effects, kinds, first)) is not None:
            written += save(parts, directory / file_stem("layers_heads", first))
        if (layers := windows_figure(effects, kinds, first)) is not None:
            written += save(layers, directory / file_stem("windows", first))
        if (graded_offs := dose_response(effects, first)) is not None:
            written += save(graded_offs, directory / file_stem("dose", first))
        for outcome in outcomes:
            if effects["lesion"].nunique() >= FEW and (
                points := volcano(effects, kinds, outcome, sesoi=sesoi.get(outcome))
            ):
                written += save(points, directory / file_stem("volcano", outcome))
        if controls:
            written += write_controls(directory, table, effects, controls, kinds, level=level)
    return tuple(sorted(written))


def _is_graded(outcome: str, effects: pd.DataFrame) -> bool:
    """Whether individual effects are more than right or wrong, changed or not."""
    kind = effects.attrs.get("kinds", {}).get(outcome)
    return not outcome_words(outcome).is_share and kind not in ("binary", "categorical")
