"""A screening as people read it: a table that says which numbers are approximate, sentences, and files."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from causalablate.durable import write_durably
from causalablate.effects.agreement import Agreement, Missed
from causalablate.report.figures.screening import screening_figure
from causalablate.report.figures.style import save, styled
from causalablate.report.format import NOTHING, decimals, percent, plain, signed
from causalablate.report.markup import md_table, md_text
from causalablate.report.tables import Cells
from causalablate.report.words import SIGN, OutcomeWords, outcome_words

MOST_NAMES = 3
"""Lesions that a sentence names before it counts the rest."""


@dataclass(frozen=True)
class ScreeningPaths:
    """The files of a screening.

    Attributes:
        csv: Every lesion at full precision.
        markdown: What was measured, to read.
        figures: PNG and SVG of screening against exact effects.
    """

    csv: Path
    markdown: Path
    figures: tuple[Path, ...]


def screening_cells(frame: pd.DataFrame) -> Cells:
    """The lesions that were measured exactly, the highest ranked first.

    Args:
        frame: The frame of a `Screening`, of one outcome.
    """
    words, rows = _words(frame), frame[frame["confirmed"] != ""]
    columns = [
        ("approximate effect", _signed(rows["approximate_effect"], rows["approximate_se"], words)),
        ("approximate magnitude", _plain(rows["approximate_magnitude"], rows["approximate_se"], words)),
        ("exact effect", _signed(rows["exact_effect"], rows["exact_se"], words)),
        ("exact s.e.", _plain(rows["exact_se"], rows["exact_se"], words)),
    ]
    return Cells(
        title=f"{words.title}: {SIGN}, in {words.unit}; “approximate” is by gradients, first-order",
        header=["lesion", "rank", *(head for head, _ in columns), "measured as"],
        rows=[
            list(row)
            for row in zip(
                rows["lesion"], map(str, rows["rank"]), *(cells for _, cells in columns), rows["confirmed"], strict=True
            )
        ],
        kinds=list(rows["kind"]),
        right=[False, True, *(True for _ in columns), False],
    )


def _words(frame: pd.DataFrame) -> OutcomeWords:
    return outcome_words(str(frame["outcome"].iloc[0]))


def _signed(values: pd.Series, errors: pd.Series, words: OutcomeWords) -> list[str]:
    return [signed(words.scale * x, decimals(words.scale * errors)) for x in values]


def _plain(values: pd.Series, errors: pd.Series, words: OutcomeWords) -> list[str]:
    return [plain(words.scale * x, decimals(words.scale * errors)) for x in values]


def screening_findings(frame: pd.DataFrame, found: Agreement, excluded: Mapping[str, str]) -> list[str]:
    """What a screening says about itself, in sentences.

    Args:
        frame: The frame of a `Screening`.
        found: Its agreement with exact effects.
        excluded: Address to reason, of components that were left out.
    """
    words = _words(frame)
    measured = found.n_top + found.n_sample
    random = f", {_correlation(found.rank_correlation_sample)} over the random ones" if found.n_sample else ""
    drawn = f", and {found.n_sample:,} drawn at random from the other {found.n_others:,}" if found.n_sample else ""
    which = f": the {found.n_top:,} ranked highest{drawn}" if found.n_others else ""
    sentences = [
        f"{len(frame):,} lesions were screened by gradients, {measured:,} measured exactly{which}.",
        f"Rank correlation of the screening with |exact effect| (Spearman): {_correlation(found.rank_correlation)} "
        f"over all measured{random}; "
        f"{percent(found.same_sign, 0)} of the approximate effects have the sign of the exact one.",
    ]
    if found.n_others and found.n_sample:
        sentences += [
            _missed(found.weakest, "weakest", found, words, frame),
            _missed(found.median, "median", found, words, frame),
        ]
    elif found.n_others:
        sentences.append("None of the others was measured, so what the screening missed is not known.")
    unreached = list(frame["lesion"][~frame["reached"]])
    if unreached:
        sentences.append(f"No gradient came to {_names(unreached)}: an approximate effect of 0 is no evidence there.")
    if excluded:
        sentences.append(f"Left out: {_names(list(excluded))}, since {next(iter(excluded.values()))}.")
    return sentences


def _missed(missed: Missed, which: str, found: Agreement, words: OutcomeWords, frame: pd.DataFrame) -> str:
    n, places = len(missed.drawn), decimals(words.scale * frame["exact_se"])
    bar = f"{plain(words.scale * missed.bar, places)} {words.unit}"
    names = f" ({_names(missed.drawn)})" if n else ""
    if found.n_sample == found.n_others:
        have = f"{n or 'none'} {'have' if n > 1 else 'has'}"
        return (
            f"Of the {found.n_others:,} others, {have} a larger exact effect than the {which} of the top, {bar}{names}."
        )
    return (
        f"Of the {found.n_sample:,} drawn at random, {n or 'none'} {'have' if n > 1 else 'has'} a larger exact effect "
        f"than the {which} of the top, {bar}{names}: at most {missed.at_most:,} of all {found.n_others:,} others do "
        f"({100 * found.level:g} % confidence)."
    )


def _names(names: list[str] | tuple[str, ...]) -> str:
    more = len(names) - MOST_NAMES
    return ", ".join(names[:MOST_NAMES]) + (f" and {more:,} more" if more > 0 else "")


def _correlation(value: float) -> str:
    return plain(value, 2) if math.isfinite(value) else NOTHING


def screening_markdown(frame: pd.DataFrame, found: Agreement, excluded: Mapping[str, str]) -> str:
    """Table, sentences and figure as one Markdown document."""
    cells = screening_cells(frame)
    table = md_table(list(map(md_text, cells.header)), [list(map(md_text, row)) for row in cells.rows], cells.right)
    parts = [f"# {md_text('Gradient screening (approximate) and exact effects')}\n"]
    parts += [f"{md_text(sentence)}\n" for sentence in screening_findings(frame, found, excluded)]
    parts += [f"## {md_text(cells.title)}\n", table, "![screening against exact effects](screening.png)\n"]
    return "\n".join(parts)


def write_screening(
    out_dir: Path, frame: pd.DataFrame, found: Agreement, excluded: Mapping[str, str]
) -> ScreeningPaths:
    """Write `screening.csv`, `.md`, `.png` and `.svg`. The same arguments give the same bytes.

    Args:
        out_dir: Directory; made if needed, its files of the same names are replaced.
        frame: The frame of a `Screening`.
        found: Its agreement with exact effects.
        excluded: Address to reason, of components that were left out.
    Raises:
        LedgerError: The directory cannot be written.
    """
    csv = frame.assign(effect_is="counterfactual - factual").to_csv(index=False, lineterminator="\n")
    with styled():
        figures = save(screening_figure(frame, found), out_dir / "screening")
    return ScreeningPaths(
        write_durably(out_dir / "screening.csv", csv.encode(), flush=False),
        write_durably(out_dir / "screening.md", screening_markdown(frame, found, excluded).encode(), flush=False),
        figures,
    )
