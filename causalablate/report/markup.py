"""Escape text for Markdown tables and LaTeX, and lay out both kinds of table."""

import textwrap
from collections.abc import Sequence

from causalablate.report.format import MINUS, NOTHING

_TEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    MINUS: "$-$",
    NOTHING: "--",
    "→": r"$\rightarrow$",
    "±": r"$\pm$",
    "\n": " ",
}
_MD = {c: "\\" + c for c in "\\`*_[]|<>#~"} | {"\n": " ", "\r": " "}


def tex_text(text: str) -> str:
    """Text that LaTeX prints as it is."""
    return "".join(_TEX.get(c, c) for c in text)


def tex_address(text: str) -> str:
    """A component address in typewriter, allowed to break after its dots and ampersands."""
    broken = tex_text(text).replace(".", r".\allowbreak{}")
    return rf"\texttt{{{broken}}}"


def tex_head(text: str) -> str:
    """A column head in as many lines as keep the column narrow."""
    lines = [tex_text(line) for line in textwrap.wrap(text.replace("→", "→ "), 10)]
    return lines[0] if len(lines) == 1 else r"\shortstack[r]{" + r" \\ ".join(lines) + "}"


def md_text(text: str) -> str:
    """Text that Markdown shows as it is, also inside a table cell."""
    return "".join(_MD.get(c, c) for c in text)


def md_table(header: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[bool]) -> str:
    """A Markdown table with columns padded to one width, so that it also reads well as plain text.

    Args:
        header: Column heads, already escaped.
        rows: Cells, already escaped, one row per line.
        right: Which columns are numbers, set flush right.
    """
    lines = [list(header), *(list(row) for row in rows)]
    widths = [max(3, *(len(line[i]) for line in lines)) for i in range(len(header))]

    def line(cells: Sequence[str]) -> str:
        padded = (c.rjust(w) if r else c.ljust(w) for c, w, r in zip(cells, widths, right, strict=True))
        return "| " + " | ".join(padded) + " |"

    rule = "|" + "|".join("-" * (w + 1) + (":" if r else "-") for w, r in zip(widths, right, strict=True)) + "|"
    return "\n".join([line(lines[0]), rule, *map(line, lines[1:])]) + "\n"


def tex_table(
    header: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[bool], caption: str, label: str
) -> str:
    """A booktabs `longtable`, which breaks across pages; the first column wraps.

    Args:
        header: Column heads, already escaped.
        rows: Cells, already escaped; a row of one cell is a heading over all columns.
        right: Which columns are numbers, set flush right.
        caption: Caption, already escaped.
        label: Label for references.
    """
    columns = r">{\raggedright\arraybackslash}p{0.27\linewidth}" + "".join("r" if r else "l" for r in right[1:])
    head = " & ".join(header) + r" \\"
    body = []
    for i, row in enumerate(rows):
        if len(row) == 1:
            body += [r"\addlinespace"] * (i > 0)
            body.append(rf"\multicolumn{{{len(header)}}}{{l}}{{\textit{{{row[0]}}}}} \\*")
        else:
            body.append(" & ".join(row) + r" \\")
    return "\n".join(
        [
            r"{\footnotesize\setlength{\tabcolsep}{3pt}",
            rf"\begin{{longtable}}{{{columns}}}",
            rf"\caption{{{caption}}}\label{{{label}}}\\",
            r"\toprule",
            head,
            r"\midrule",
            r"\endfirsthead",
            r"\toprule",
            head,
            r"\midrule",
            r"\endhead",
            r"\bottomrule",
            r"\endfoot",
            *body,
            r"\end{longtable}}",
            "",
        ]
    )
