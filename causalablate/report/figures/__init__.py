"""Figures of a report, each as PNG and SVG, the same bytes for the same numbers."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from causalablate.report.arrange import main_factor
from causalablate.report.figures.forest import forest
from causalablate.report.figures.groups import by_group
from causalablate.report.figures.heads import heads_map
from causalablate.report.figures.individual import individual
from causalablate.report.figures.style import save, styled
from causalablate.report.figures.windows import windows_figure
from causalablate.report.words import outcome_words, primary_outcome
from causalablate.table import Counterfactuals


def write_figures(
    directory: Path,
    table: Counterfactuals,
    effects: pd.DataFrame,
    kinds: Mapping[str, str],
    *,
    sesoi: Mapping[str, float],
    level: float,
) -> tuple[Path, ...]:
    """Draw everything the study supports.

    A forest plot per outcome; the leading outcome by group; the map of heads where single heads were lesioned; the
    line over windows of layers where there are any; the spread of individual effects on the first outcome that is not
    just right or wrong.

    Args:
        directory: Where the files go; made if needed.
        table: Counterfactuals, for individual effects.
        effects: Table of population effects.
        kinds: Lesion name to component kind.
        sesoi: Outcome to its smallest effect of interest, in the outcome's own unit; no band for those it lacks.
        level: Coverage of the intervals.
    Returns:
        The files, sorted by name.
    Raises:
        LedgerError: The directory cannot be written.
    """
    outcomes = [str(name) for name in dict.fromkeys(effects["outcome"])]
    first, factor = primary_outcome(outcomes), main_factor(effects)
    graded = next((name for name in outcomes if not outcome_words(name).is_share and name in table.outcomes), None)
    written: list[Path] = []
    with styled():
        for outcome in outcomes:
            figure = forest(effects, kinds, outcome, sesoi=sesoi.get(outcome), level=level)
            written += save(figure, directory / f"forest_{outcome}")
        if graded is not None:
            written += save(individual(table, effects, kinds, graded), directory / f"individual_{graded}")
        if factor is not None:
            written += save(by_group(effects, kinds, first, factor), directory / f"{first}_by_{factor}")
        if (heads := heads_map(effects, kinds, first)) is not None:
            written += save(heads, directory / f"heads_{first}")
        if (layers := windows_figure(effects, kinds, first)) is not None:
            written += save(layers, directory / f"windows_{first}")
    return tuple(sorted(written))
