"""The effects as files: CSV at full precision for machines, Markdown and LaTeX for people."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pandas as pd

from causalablate.report.arrange import ALL, arrange, group_factors, main_factor
from causalablate.report.format import count, decimals, interval, p_value, plain, signed
from causalablate.report.markup import md_table, md_text, tex_address, tex_head, tex_table, tex_text
from causalablate.report.words import (
    FALLBACK_KIND,
    SIGN,
    OutcomeWords,
    group_label,
    kind_title,
    outcome_words,
    primary_outcome,
)

CONSTANT = {"factual_mean": "; intact model {value} {unit}", "n_units": "; n = {value}"}
"""Columns that are told in the title where they are the same in every row, and how."""


@dataclass(frozen=True)
class Cells:
    """A table of formatted cells, ready to be escaped.

    Attributes:
        title: What the table shows, with unit and sign convention.
        header: Column heads; the first column holds lesions.
        rows: One row of cells per lesion.
        kinds: Component kind of each row.
        right: Which columns are numbers.
    """

    title: str
    header: list[str]
    rows: list[list[str]]
    kinds: list[str]
    right: list[bool]


def csv_table(effects: pd.DataFrame, kinds: Mapping[str, str]) -> str:
    """All effects at full precision, with the component kind and the sign convention as columns."""
    frame = effects.copy()
    frame.insert(frame.columns.get_loc("lesion") + 1, "kind", [kinds.get(n, FALLBACK_KIND) for n in frame["lesion"]])
    frame.insert(frame.columns.get_loc("ate"), "effect_is", "counterfactual - factual")
    return frame.to_csv(index=False, lineterminator="\n")


def column_decimals(rows: pd.DataFrame, words: OutcomeWords) -> int:
    """Decimals for effects of one outcome, from their intervals."""
    return decimals(words.scale * (rows["ci_high"] - rows["ci_low"]) / 2)


def effect_cells(effects: pd.DataFrame, kinds: Mapping[str, str], outcome: str, group: str = ALL) -> Cells:
    """Effects of one outcome on one group of examples.

    What is the same in every row, such as the number of examples, stands in the title; columns that hold nothing for
    this outcome are left out.
    """
    words = outcome_words(outcome)
    rows = arrange(effects, kinds, outcome, group)
    s, d = words.scale, column_decimals(rows, words)
    title, columns = f"{words.title}: {SIGN}, in {words.unit}", []
    for column, head, show in _columns(words, d, str(effects.attrs.get("correction", "holm"))):
        known = rows[column].dropna().unique() if column in rows else []
        if column in CONSTANT and len(known) == 1:
            title += CONSTANT[column].format(value=show(float(known[0])), unit=words.level_unit)
        elif len(known):
            columns.append((head, [show(float(value)) for value in rows[column]]))
    intervals = [interval(s * low, s * high, d) for low, high in zip(rows["ci_low"], rows["ci_high"], strict=True)]
    at = [head for head, _ in columns].index(f"effect ({words.unit})") + 1 if columns else 0
    columns.insert(at, ("interval", intervals))
    columns.append(("label", [str(label) for label in rows["label"]]))
    return Cells(
        title=title,
        header=["lesion", *(head for head, _ in columns)],
        rows=[list(row) for row in zip(map(str, rows["lesion"]), *(cells for _, cells in columns), strict=True)],
        kinds=list(rows["kind"]),
        right=[False, *(head != "label" for head, _ in columns)],
    )


def _columns(words: OutcomeWords, places: int, correction: str) -> list[tuple[str, str, Callable[[float], str]]]:
    """Numeric columns in their order: name in the effects, head, how a value is shown.

    The p that verdicts stand on comes beside Holm's where it is another one.
    """
    chosen = [] if correction == "holm" else [(f"p_{correction}", f"p ({correction})", p_value)]
    return [
        ("ate", f"effect ({words.unit})", lambda x: signed(words.scale * x, places)),
        ("factual_mean", f"factual ({words.level_unit})", lambda x: plain(words.scale * x, places)),
        ("counterfactual_mean", f"lesioned ({words.level_unit})", lambda x: plain(words.scale * x, places)),
        ("p_holm", "p (Holm)", p_value),
        *chosen,
        ("p_control", "p (controls)", p_value),
        ("n_flips_down", "right→wrong", count),
        ("n_flips_up", "wrong→right", count),
        ("n_units", "n", count),
    ]


def group_cells(effects: pd.DataFrame, kinds: Mapping[str, str], outcome: str, factor: str) -> Cells:
    """Effects of one outcome by group: lesions down, the groups of one factor across."""
    words = outcome_words(outcome)
    chosen = effects[effects["outcome"] == outcome]
    order = arrange(effects, kinds, outcome)
    keys = [key for key in group_factors(effects)[factor] if (chosen["group"] == key).any()]
    d = max(column_decimals(chosen, words) - 1, 0) if words.is_share else column_decimals(chosen, words)
    values = chosen.pivot(index="lesion", columns="group", values="ate")
    rows = [
        [str(name), *(signed(words.scale * float(values.loc[name, key]), d) for key in (ALL, *keys))]
        for name in order["lesion"]
    ]
    return Cells(
        title=f"{words.title} by {factor.replace('_', ' ')}: {SIGN}, in {words.unit}",
        header=["lesion", ALL, *map(group_label, keys)],
        rows=rows,
        kinds=list(order["kind"]),
        right=[False] + [True] * (1 + len(keys)),
    )


def all_cells(effects: pd.DataFrame, kinds: Mapping[str, str]) -> list[Cells]:
    """The tables of a report: the leading outcome, the same by group, then every other outcome."""
    outcomes = list(dict.fromkeys(effects["outcome"]))
    first = primary_outcome(outcomes)
    tables = [effect_cells(effects, kinds, first)]
    if (factor := main_factor(effects)) is not None:
        tables.append(group_cells(effects, kinds, first, factor))
    return tables + [effect_cells(effects, kinds, name) for name in outcomes if name != first]


def markdown(effects: pd.DataFrame, kinds: Mapping[str, str], title: str, question: str, level: float = 0.95) -> str:
    """All tables as one Markdown document."""
    parts = [f"# {md_text(title)}\n", f"{md_text(question)}\n"]
    parts.append(f"Sign: **{SIGN}**. Intervals: {100 * level:g} %. Full precision: `effects.csv`.\n")
    for cells in all_cells(effects, kinds):
        rows = [[md_text(name), *numbers] for name, *numbers in cells.rows]
        parts += [
            f"## {md_text(cells.title)}\n",
            md_table(
                ["kind", *map(md_text, cells.header)],
                [[md_text(kind_title(kind)), *row] for kind, row in zip(cells.kinds, rows, strict=True)],
                [False, *cells.right],
            ),
        ]
    return "\n".join(parts)


def latex(effects: pd.DataFrame, kinds: Mapping[str, str], title: str, level: float = 0.95) -> str:
    """All tables as LaTeX, to be read by `\\input`."""
    parts = ["% needs \\usepackage{array,booktabs,longtable} and \\usepackage[T1]{fontenc}\n"]
    for i, cells in enumerate(all_cells(effects, kinds)):
        rows: list[list[str]] = []
        for kind, row in zip(cells.kinds, cells.rows, strict=True):
            if [tex_text(kind_title(kind))] not in rows:
                rows.append([tex_text(kind_title(kind))])
            rows.append([tex_address(row[0]), *map(tex_text, row[1:])])
        caption = f"{title}. {cells.title}. Intervals: {100 * level:g} %."
        parts.append(tex_table(list(map(tex_head, cells.header)), rows, cells.right, tex_text(caption), f"tab:{i}"))
    return "\n".join(parts)
