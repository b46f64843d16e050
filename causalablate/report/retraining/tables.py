"""Lesion beside retraining as tables: CSV at full precision for machines, Markdown and LaTeX for people."""

import math
from collections.abc import Sequence

import pandas as pd

from causalablate.report.format import NOTHING, count, interval, p_value, percent, signed
from causalablate.report.markup import md_table, md_text, tex_address, tex_head, tex_table, tex_text
from causalablate.report.retraining.findings import retraining_findings
from causalablate.report.retraining.rows import SIGN, component_rows, places
from causalablate.report.tables import Cells
from causalablate.report.words import outcome_words, primary_outcome
from causalablate.training.retraining.result import CAPACITIES, RetrainingComparison

INTERVAL = "interval"
"""Head of the columns that belong to the value before them."""


def outcomes(found: RetrainingComparison) -> list[str]:
    """Outcomes of a comparison, the leading one first."""
    names = list(dict.fromkeys(map(str, found.frame["outcome"])))
    first = primary_outcome(names)
    return [first, *(name for name in names if name != first)]


def component_cells(found: RetrainingComparison, outcome: str) -> Cells:
    """One row per component and capacity control: both effects, their difference, and what that says."""
    words = outcome_words(outcome)
    rows = component_rows(found, outcome)
    s, d = words.scale, places(rows, words)

    def effect(row: pd.Series, value: str, end: str) -> list[str]:
        return [signed(s * row[value], d), interval(s * row[f"ci_low{end}"], s * row[f"ci_high{end}"], d)]

    cells = [
        [
            str(row["lesion"]),
            *effect(row, "ate_lesion", "_lesion"),
            *effect(row, "ate_retraining", "_retraining"),
            *effect(row, "compensation", ""),
            percent(float(row["ratio"]), 0) if math.isfinite(row["ratio_low"]) else NOTHING,
            p_value(float(row["p_holm"])),
            count(float(row["n_seeds_retraining"])),
            str(row["reading"]),
        ]
        for _, row in rows.iterrows()
    ]
    unit = f"({words.unit})"
    header = ["without", f"lesion {unit}", INTERVAL, f"retraining {unit}", INTERVAL, f"compensation {unit}"]
    header += [INTERVAL, "left after retraining", "p (Holm)", "seeds", "reading"]
    n = int(rows["n_units_retraining"].max())
    return Cells(
        title=f"{words.title}: {SIGN}, in {words.unit}; n = {n:,} examples",
        header=header,
        rows=cells,
        kinds=["capacity control" if control else "component" for control in rows["control"]],
        right=[False, *[True] * 9, False],
    )


def ranking_cells(found: RetrainingComparison) -> Cells:
    """How alike lesions and retraining rank the components, one row per outcome."""
    rows = [
        [
            outcome_words(str(row["outcome"])).title,
            count(float(row["n_lesions"])),
            signed(float(row["spearman"]), 2),
            interval(float(row["spearman_low"]), float(row["spearman_high"]), 2),
            interval(float(row["seed_lowest"]), float(row["seed_highest"]), 2),
            f"{round(float(row['overlap']) * int(row['k']))} of {int(row['k'])}",
        ]
        for _, row in found.ranking.iterrows()
    ]
    header = ["outcome", "components", "rank correlation", "interval over examples", "range over seeds"]
    header.append("largest in common")
    title = "Agreement of the two rankings of components by average effect"
    return Cells(title, header, rows, [""] * len(rows), [False, *[True] * 5])


def capacity_cells(found: RetrainingComparison, outcome: str) -> Cells | None:
    """What the parameters alone do: retraining with them re-spent beside retraining without them; None without any."""
    if found.capacity.empty:
        return None
    words, frame = outcome_words(outcome), found.capacity
    rows = frame[(frame["outcome"] == outcome) & (frame["group"] == "all")]
    s, d = words.scale, places(component_rows(found, outcome), words)
    cells = [
        [
            str(row["lesion"]),
            *(signed(s * row[f"ate_{name}"], d) for name in CAPACITIES),
            signed(s * row["difference"], d),
            interval(s * row["ci_low"], s * row["ci_high"], d),
            p_value(float(row["p_holm"])),
            str(row["label"]),
        ]
        for _, row in rows.iterrows()
    ]
    header = ["without", "retraining, smaller", "retraining, same size", "difference", INTERVAL, "p (Holm)", "label"]
    title = f"{words.title}: what the parameters of the component do elsewhere, in {words.unit}"
    return Cells(title, header, cells, [""] * len(cells), [False, *[True] * 5, False])


def all_cells(found: RetrainingComparison) -> list[Cells]:
    """Every table: components by outcome, the parameters alone, and the agreement of rankings."""
    names = outcomes(found)
    capacity = capacity_cells(found, names[0])
    return [
        *(component_cells(found, name) for name in names),
        *([capacity] if capacity is not None else []),
        ranking_cells(found),
    ]


def csv_table(found: RetrainingComparison) -> str:
    """Everything at full precision, with the sign convention as a column."""
    frame = found.frame.copy()
    frame.insert(frame.columns.get_loc("ate_lesion"), "effect_is", "counterfactual - factual")
    return frame.to_csv(index=False, lineterminator="\n")


def markdown(found: RetrainingComparison) -> str:
    """All tables and sentences as one Markdown document."""
    parts = [f"# {md_text(title_of(found))}\n"]
    parts += [f"{md_text(line)}\n" for line in retraining_findings(found)]
    parts.append(f"Intervals: {100 * found.facts.level:g} %. Full precision: `retraining.csv`.\n")
    for cells in all_cells(found):
        header = list(map(md_text, cells.header))
        parts += [f"## {md_text(cells.title)}\n", md_table(header, _escaped(cells), cells.right)]
    remarks = said(found)
    if remarks:
        parts += ["## Notes\n", *(f"- {md_text(line)}\n" for line in remarks)]
    return "\n".join(parts)


def latex(found: RetrainingComparison) -> str:
    """All tables as LaTeX, to be read by `\\input`."""
    parts = ["% needs \\usepackage{array,booktabs,longtable} and \\usepackage[T1]{fontenc}\n"]
    for number, cells in enumerate(all_cells(found)):
        caption = f"{title_of(found)}. {cells.title}. Intervals: {100 * found.facts.level:g} %."
        kept = [i for i, head in enumerate(cells.header) if head != INTERVAL]
        head = [tex_head(cells.header[i].replace("compensation", "compen- sation")) for i in kept]
        rows = [_stacked(row, kept) for row in cells.rows]
        right = [cells.right[i] for i in kept]
        parts.append(tex_table(head, rows, right, tex_text(caption), f"tab:retraining-{number}"))
    return "\n".join(parts)


def _stacked(row: Sequence[str], kept: Sequence[int]) -> list[str]:
    """Cells of one row for LaTeX, an interval below its value: side by side they would be wider than a page."""
    found = [tex_address(row[0])]
    for i, after in zip(kept[1:], [*kept[2:], len(row)], strict=True):
        lines = [tex_text(cell) for cell in row[i:after]]
        # Braces: a bracket after a line break would be read as its length
        found.append(lines[0] if len(lines) == 1 else rf"\shortstack[r]{{{lines[0]} \\ {{{lines[1]}}}}}")
    return found


def title_of(found: RetrainingComparison) -> str:
    """Title of the report."""
    return f"Lesion against retraining: {found.facts.title}"


def said(found: RetrainingComparison) -> list[str]:
    """What has to be known beside the numbers: notes, and what is not compared and why."""
    return [*found.notes, *(f"Not compared: {name} ({why})." for name, why in found.left_out.items())]


def _escaped(cells: Cells) -> Sequence[Sequence[str]]:
    return [[cell if cell == NOTHING else md_text(cell) for cell in row] for row in cells.rows]
