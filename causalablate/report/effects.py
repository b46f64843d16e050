"""Effects of any table as files, and what is said of how they were made."""

import math
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from causalablate.durable import write_durably
from causalablate.effects.control_distribution import ControlNames
from causalablate.report.arrange import ALL
from causalablate.report.figures import write_figures
from causalablate.report.figures.failures import failures_figure
from causalablate.report.figures.shrinkage import belief_figure, shrinkage_figure
from causalablate.report.figures.style import file_stem, save, styled
from causalablate.report.markup import md_table, md_text
from causalablate.report.tables import csv_table, markdown
from causalablate.report.views import Shown, significant, view_cells
from causalablate.report.words import FALLBACK_KIND, SIGN
from causalablate.table import Counterfactuals

POPULATION = "population"
FIGURES: Mapping[str, Callable[[pd.DataFrame, str], Figure | None]] = {
    "shrinkage": shrinkage_figure,
    "belief": belief_figure,
    "failures": failures_figure,
}
"""Views that have a figure per outcome, and how it is drawn."""
CORRECTIONS = {
    "holm": "Holm",
    "maxt": "Westfall–Young maxT",
    "bonferroni": "Bonferroni",
    "bh": "Benjamini–Hochberg",
    "by": "Benjamini–Yekutieli",
}
MOST_ROWS = 100
"""Rows of an outcome that Markdown holds."""
_KINDS = {
    "heads": "head", "head": "head", "mlp": "mlp", "edges": "edge", "passes": "pass", "scorers": "scorer",
    "opponent": "gate", "allocator": "allocator", "texture": "texture", "query": "query", "tokens": "tokens",
    "connector": "connector", "layers": "layer", "blocks": "layer",
}  # fmt: skip
"""Parts of an address that tell the kind of a component, the most telling first."""


def kind_of(lesion: str) -> str:
    """Kind of the components of a lesion as far as its name tells: `head` for `lm.layers.1.heads.2=mean`."""
    kinds = []
    for part in lesion.split(" & "):
        words = re.split(r"[.=]", part)
        kinds.append(next((kind for word, kind in _KINDS.items() if word in words), FALLBACK_KIND))
    return " + ".join(sorted(set(kinds)))


def methods(effects: pd.DataFrame) -> list[str]:
    """How intervals and p-values of average effects were made, by outcome, and what the verdicts stand on."""
    said = []
    for outcome, rows in effects[effects["group"] == ALL].groupby("outcome", sort=False):
        used = [
            " or ".join(dict.fromkeys(rows[c].astype(str))) for c in ("interval_method", "test_method") if c in rows
        ]
        sesoi = significant(float(effects.attrs["sesoi"][outcome]))
        said.append(f"{outcome}: intervals by {', tests by '.join(used)}; smallest effect of interest {sesoi}")
    alpha, correction = 1 - float(effects.attrs["level"]), str(effects.attrs.get("correction", "holm"))
    return [*said, f"verdicts: p below {alpha:.2g} after {CORRECTIONS.get(correction, correction)}, over all lesions"]


def write_effects(
    directory: Path,
    table: Counterfactuals,
    views: Mapping[str, Shown],
    *,
    title: str,
    kinds: Mapping[str, str],
    controls: ControlNames | None = None,
) -> list[Path]:
    """Write each view as CSV at full precision, all of them as Markdown, and the figures that there are of them.

    The same views give the same bytes; files of the same names are replaced.

    Args:
        directory: Where they go; made if needed.
        table: The counterfactuals, for individual effects and controls.
        views: Name to what it shows; `population` holds the average effects.
        title: Title of the Markdown.
        kinds: Lesion name to component kind.
        controls: By kind of control and lesion, the names of its controls in the table.
    Returns:
        The paths, figures last.
    Raises:
        LedgerError: The directory cannot be written.
    """
    written, text = [], [] if POPULATION in views else [f"# {md_text(title)}\n", f"Sign: **{SIGN}**.\n"]
    for name, shown in views.items():
        is_population = name == POPULATION
        csv = csv_table(shown.frame, kinds) if is_population else shown.frame.to_csv(index=False, lineterminator="\n")
        path = directory / ("effects.csv" if is_population else f"{name}.csv")
        written.append(write_durably(path, csv.encode(), flush=False))
        if is_population:
            level = float(shown.frame.attrs["level"])
            text.insert(0, markdown(shown.frame, kinds, title, ". ".join(methods(shown.frame)), level))
            continue
        text.append(f"Of outcomes with more rows, the first {MOST_ROWS}; all of them: `{path.name}`.\n")
        for cells in view_cells(shown, most=MOST_ROWS):
            rows = [list(map(md_text, row)) for row in cells.rows]
            text += [f"## {md_text(cells.title)}\n", md_table(list(map(md_text, cells.header)), rows, cells.right)]
    written.append(write_durably(directory / "effects.md", "\n".join(text).encode(), flush=False))
    return [*written, *_write_figures(directory / "figures", table, views, kinds, controls)]


def _write_figures(
    directory: Path,
    table: Counterfactuals,
    views: Mapping[str, Shown],
    kinds: Mapping[str, str],
    controls: ControlNames | None,
) -> list[Path]:
    written: list[Path] = []
    if POPULATION in views:
        effects = views[POPULATION].frame
        sesoi = {name: value for name, value in effects.attrs["sesoi"].items() if math.isfinite(value)}
        level = float(effects.attrs["level"])
        written += write_figures(directory, table, effects, kinds, sesoi=sesoi, level=level, controls=controls)
    with styled():
        for name, draw in FIGURES.items():
            for outcome in dict.fromkeys(views[name].frame["outcome"]) if name in views else ():
                if (figure := draw(views[name].frame, str(outcome))) is not None:
                    written += save(figure, directory / file_stem(name, str(outcome)))
    return written
