"""Interactions as people read them: a table, sentences, a heat map of pairs, and files."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from causalablate.durable import write_durably
from causalablate.interactions.fractional import set_name
from causalablate.interactions.label import INDEPENDENCE, REDUNDANCY, SYNERGY
from causalablate.report.arrange import ALL
from causalablate.report.figures.grid import Grid, colour_bar, draw_grid
from causalablate.report.figures.style import SMALL, canvas, diverging, file_stem, save, styled, text_inches, titled
from causalablate.report.format import decimals, interval, p_value, signed
from causalablate.report.tables import Cells
from causalablate.report.words import outcome_words

CELL, TOP, BOTTOM = (0.62, 0.36), 0.7, 0.95
"""Inches: width and height of a cell, above and below the map."""
LETTERS = {SYNERGY: "S", REDUNDANCY: "R", INDEPENDENCE: "="}
MEANING = "S synergy: both are needed; R redundancy: each makes up for the other; = independent; no letter: undecided"


@dataclass(frozen=True)
class InteractionPaths:
    """The files of an analysis of interactions.

    Attributes:
        csv: All rows at full precision.
        figures: PNG and SVG, per outcome, where there are pairs.
    """

    csv: Path
    figures: tuple[Path, ...]


def interaction_cells(effects: pd.DataFrame, outcome: str, group: str = ALL) -> Cells:
    """The interactions of one outcome and group, the largest first.

    Args:
        effects: Table of `interaction_effects`.
        outcome: Which.
        group: Which.
    """
    words = outcome_words(outcome)
    rows = effects[(effects["outcome"] == outcome) & (effects["group"] == group)]
    rows = rows.reindex(rows["value"].abs().sort_values(ascending=False, kind="stable").index)
    s, places = words.scale, decimals(words.scale * (rows["ci_high"] - rows["ci_low"]) / 2)
    # Two columns that few designs have anything to say in.
    extra = [
        (head, [show(v) for v in rows[column]])
        for column, head, show in (
            ("sampling_se", "s.e. of sampling", lambda v: signed(s * v, places).lstrip("+")),
            ("aliases", "cannot be told apart from", str),
        )
        if (rows[column].astype(bool) & rows[column].notna()).any()
    ]
    p = f"p_{effects.attrs.get('correction', 'holm')}"
    columns: list[tuple[str, list[str]]] = [
        ("interaction", [str(name) for name in rows["interaction"]]),
        (f"value ({words.unit})", [signed(s * v, places) for v in rows["value"]]),
        ("interval", [interval(s * a, s * b, places) for a, b in zip(rows["ci_low"], rows["ci_high"], strict=True)]),
        (f"p ({p.removeprefix('p_').capitalize()})", [p_value(v) for v in rows[p]]),
        ("label", [str(label) for label in rows["label"]]),
        *extra,
    ]
    return Cells(
        title=f"{words.title}: interactions ({', '.join(dict.fromkeys(rows['index']))}), in {words.unit}; "
        f"n = {int(rows['n_units'].iloc[0]):,}",
        header=[head for head, _ in columns],
        rows=[list(row) for row in zip(*(cells for _, cells in columns), strict=True)],
        kinds=[f"{k} factors" for k in rows["order"]],
        right=[head not in ("interaction", "label", "cannot be told apart from") for head, _ in columns],
    )


def interaction_findings(effects: pd.DataFrame, outcome: str) -> list[str]:
    """How many of what, and the strongest, in sentences."""
    words = outcome_words(outcome)
    rows = effects[(effects["outcome"] == outcome) & (effects["group"] == ALL) & (effects["order"] > 1)]
    if rows.empty:
        return []
    counts = rows["label"].value_counts()
    found = [f"On {words.phrase}, {len(rows):,} interactions: "
             + ", ".join(f"{n:,} {label}" for label, n in counts.items()) + "."]  # fmt: skip
    for label, said in ((SYNERGY, "Strongest synergy"), (REDUNDANCY, "Strongest redundancy")):
        of = rows[rows["label"] == label]
        if len(of):
            top = of.loc[of["value"].abs().idxmax()]
            places = decimals([words.scale * (top["ci_high"] - top["ci_low"]) / 2])
            value, low, high = (words.scale * top[c] for c in ("value", "ci_low", "ci_high"))
            found.append(
                f"{said}: {top['interaction']}, {signed(value, places)} {words.unit} {interval(low, high, places)}."
            )
    return found


def interaction_map(effects: pd.DataFrame, outcome: str, factors: Sequence[str]) -> Figure | None:
    """Draw the interactions of all pairs of factors; None where the table holds no pairs.

    Args:
        effects: Table of `interaction_effects`.
        outcome: Which.
        factors: Of the design, in their order.
    """
    words = outcome_words(outcome)
    rows = effects[(effects["outcome"] == outcome) & (effects["group"] == ALL) & (effects["order"] == 2)]
    rows = rows.set_index("interaction")
    pairs = {set_name(factors, (i, j)): (i, j) for i, j in combinations(range(len(factors)), 2)}
    there = {name: pair for name, pair in pairs.items() if name in rows.index}
    if not there:
        return None
    n, places = len(factors), decimals(words.scale * (rows["ci_high"] - rows["ci_low"]) / 2)
    tint, bold, text = np.full((n, n), np.nan), np.zeros((n, n), bool), [[""] * n for _ in factors]
    for name, pair in there.items():
        row = rows.loc[name]
        for i, j in (pair, pair[::-1]):
            tint[i, j] = words.scale * row["value"]
            bold[i, j] = row["label"] in (SYNERGY, REDUNDANCY)
            letter = LETTERS.get(row["label"], "")
            text[i][j] = "\n".join(filter(None, [signed(tint[i, j], places), letter]))
    limit = float(f"{np.nanmax(np.abs(tint)) or 1.0:.2g}")
    title = f"{words.title}: interactions of pairs"
    left = 0.2 + max(text_inches(f, SMALL) for f in factors)
    above = 0.1 + max(text_inches(f, SMALL) for f in factors)
    width = max(left + n * CELL[0] + 0.3, 0.3 + text_inches(title, 11, bold=True), 0.3 + text_inches(MEANING, SMALL))
    height = TOP + above + n * CELL[1] + BOTTOM
    figure = canvas(width, height)
    box = (left / width, 1 - (TOP + above + n * CELL[1]) / height, n * CELL[0] / width, n * CELL[1] / height)
    axes = figure.add_axes(box)
    draw_grid(axes, Grid(tint, text, bold), diverging(1), limit, [i + 0.5 for i in range(n)], 1.0)
    axes.set(xlim=(-0.02, n + 0.02), ylim=(n + 0.02, -0.02))  # Room for the outer lines
    axes.xaxis.tick_top()
    axes.set_xticks([i + 0.5 for i in range(n)], list(factors), rotation=90, parse_math=False)
    axes.set_yticks([i + 0.5 for i in range(n)], list(factors), parse_math=False)
    axes.tick_params(length=0, labelsize=SMALL, pad=2)
    axes.spines[:].set_visible(False)
    titled(figure, title, MEANING)
    said = f"joint effect − sum of the single effects, {words.unit}"
    colour_bar(figure, (left / width, 0.3 / height, 2.2 / width, 0.09 / height), diverging(1), limit, said)
    return figure


def write_interactions(out_dir: Path | str, effects: pd.DataFrame) -> InteractionPaths:
    """Write `interactions.csv`, and a heat map of the pairs per outcome. The same arguments give the same bytes.

    Args:
        out_dir: Directory; made if needed, its files of the same names are replaced.
        effects: Table of `interaction_effects`.
    Raises:
        LedgerError: The directory cannot be written.
    """
    out_dir = Path(out_dir)
    maps = write_maps(out_dir, effects)
    text = table_of(effects).to_csv(index=False, lineterminator="\n").encode()
    csv = write_durably(out_dir / "interactions.csv", text, flush=False)
    return InteractionPaths(csv, tuple(path for pair in maps.values() for path in pair))


def table_of(effects: pd.DataFrame) -> pd.DataFrame:
    """The table as files hold it: with a column that names the correction on which labels stand."""
    return effects.assign(correction=effects.attrs.get("correction", "holm"))


def write_maps(directory: Path, effects: pd.DataFrame) -> dict[str, tuple[Path, Path]]:
    """Write a heat map per outcome of which there are pairs: PNG and SVG, by outcome."""
    written = {}
    with styled():
        for outcome in dict.fromkeys(effects["outcome"]):
            if (figure := interaction_map(effects, outcome, effects.attrs["factors"])) is not None:
                written[str(outcome)] = save(figure, directory / file_stem("interactions", str(outcome)))
    return written
