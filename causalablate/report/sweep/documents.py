"""Tables as Markdown and LaTeX documents, the baseline in bold, and all metrics as CSV at full precision."""

from collections.abc import Mapping, Sequence

import pandas as pd

from causalablate.report.markup import md_table, md_text, tex_head, tex_table, tex_text
from causalablate.report.sweep.effects import BASELINE
from causalablate.report.tables import Cells

PACKAGES = "% needs \\usepackage{array,booktabs,longtable} and \\usepackage[T1]{fontenc}\n"
WRAP = 24
"""Characters from which a column of text is wrapped in LaTeX."""
TEX_MORE = {"Δ": r"$\Delta$"}


def markdown(title: str, text: Sequence[str], tables: Sequence[Cells], notes: Sequence[str] = ()) -> str:
    """A document: sentences, tables, notes.

    Args:
        title: Heading.
        text: Sentences above the tables, as a list.
        tables: In this order.
        notes: Paragraphs below.
    """
    parts = [f"# {md_text(title)}\n"]
    if text:
        parts.append("".join(f"- {md_text(sentence)}\n" for sentence in text))
    for cells in tables:
        parts += [f"## {md_text(cells.title)}\n", _md(cells)]
    return "\n".join([*parts, *(f"{md_text(note)}\n" for note in notes)])


def latex(title: str, tables: Sequence[Cells], stem: str) -> str:
    """The tables to be read by `\\input`, labelled `tab:STEM-0`, `tab:STEM-1`, ..."""
    parts = [PACKAGES]
    for i, cells in enumerate(tables):
        head = [_tex(h) if len(h) < 11 else _tex_raw(tex_head(h)) for h in cells.header]
        body = [
            [rf"\textbf{{{_tex(c)}}}" if kind == BASELINE else _tex(c) for c in row]
            for kind, row in zip(cells.kinds, cells.rows, strict=True)
        ]
        table = tex_table(head, body, cells.right, _tex(f"{title}. {cells.title}."), f"tab:{stem}-{i}")
        begin, _, rest = table.partition("\n\\caption")
        parts.append(f"{begin[: begin.index('{longtable}') + 11]}{{{_columns(cells)}}}\n\\caption{rest}")
    return "\n".join(parts)


def _columns(cells: Cells) -> str:
    """Column types: arms narrow, text that is long wrapped, so that a table stays on its page."""
    wide = [not r and any(len(row[i]) > WRAP for row in cells.rows) for i, r in enumerate(cells.right)]
    share = 0.7 / max(sum(wide[1:]), 2)
    kinds = [_wrapped(share) if w else "r" if r else "l" for w, r in zip(wide[1:], cells.right[1:], strict=True)]
    return _wrapped(0.16) + "".join(kinds)


def _wrapped(share: float) -> str:
    return rf">{{\raggedright\arraybackslash}}p{{{share:.2f}\linewidth}}"


def metrics_csv(effects: Mapping[str, pd.DataFrame], baseline: str) -> str:
    """Every metric and arm at full precision, one row each.

    Args:
        effects: Metric to its table of `arm_effects`.
        baseline: Name of the baseline, for the column that states the sign.
    """
    frames = [frame.assign(metric=metric) for metric, frame in effects.items()]
    whole = pd.concat(frames, ignore_index=True)
    whole.insert(0, "metric", whole.pop("metric"))
    whole.insert(whole.columns.get_loc("delta"), "delta_is", f"arm - {baseline}")
    return whole.to_csv(index=False, lineterminator="\n")


def _md(cells: Cells) -> str:
    rows = [
        [f"**{md_text(c)}**" if kind == BASELINE and c.strip() else md_text(c) for c in row]
        for kind, row in zip(cells.kinds, cells.rows, strict=True)
    ]
    return md_table([md_text(h) for h in cells.header], rows, cells.right)


def _tex(text: str) -> str:
    return _tex_raw(tex_text(text))


def _tex_raw(text: str) -> str:
    for character, command in TEX_MORE.items():
        text = text.replace(character, command)
    return text
