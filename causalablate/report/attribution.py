"""An attribution as people read it: a table, sentences that say what it rests on, and files."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from causalablate.durable import write_durably
from causalablate.effects.rankings import Estimated, RankAgreement
from causalablate.report.arrange import ALL
from causalablate.report.figures.attribution import Picture, attribution_figure, region_figure
from causalablate.report.figures.style import save, styled
from causalablate.report.format import NOTHING, decimals, interval, plain, signed
from causalablate.report.markup import md_table, md_text
from causalablate.report.tables import Cells
from causalablate.report.words import OutcomeWords, group_label, outcome_words


@dataclass(frozen=True)
class AttributionPaths:
    """The files of an attribution.

    Attributes:
        examples: CSV of every example and player.
        population: CSV of mean attributions.
        games: CSV of what each example had to share out.
        markdown: Table and sentences, to read.
        figures: PNG and SVG of each figure.
    """

    examples: Path
    population: Path
    games: Path
    markdown: Path
    figures: tuple[Path, ...]


def attribution_cells(population: pd.DataFrame, group: str = ALL) -> Cells:
    """Mean attributions of one group of examples, the largest first.

    Args:
        population: The population frame of an attribution.
        group: `all`, or a `name=value` group.
    """
    rows, words = population[population["group"] == group], _words(population)
    places = decimals(words.scale * (rows["ci_high"] - rows["ci_low"]) / 2)
    cells = [
        [
            str(r.player),
            signed(words.scale * r.attribution, places),
            interval(words.scale * r.ci_low, words.scale * r.ci_high, places),
            plain(words.scale * r.sampling_se, places) if r.sampling_se else NOTHING,
            signed(words.scale * r.single_lesion, places),
        ]
        for r in rows.itertuples()
    ]
    where = "" if group == ALL else f", {group_label(group)}"
    return Cells(
        title=f"{words.title}{where}: what each player adds, in {words.unit}; n = {int(rows['n_units'].iloc[0]):,}",
        header=["player", "attribution", "interval", "s.e. of sampling", "−effect of single lesion"],
        rows=cells,
        kinds=list(rows["kind"]),
        right=[False, True, True, True, True],
    )


def attribution_findings(
    population: pd.DataFrame, games: pd.DataFrame, found: RankAgreement | None, how: str
) -> list[str]:
    """What an attribution rests on, in sentences.

    Args:
        population: The population frame of an attribution.
        games: Its frame of games.
        found: Its agreement with single lesions; None where it is those.
        how: The method in words.
    """
    words = _words(population)
    everything, nothing, total, gap = (
        words.scale * games[column] for column in ("value_all", "value_none", "attributed", "gap")
    )
    there = (everything - nothing).mean()
    places = decimals([abs(there)])
    sentences = [
        f"{how}, on {len(games):,} examples.",
        f"With all players present {words.phrase} is {plain(everything.mean(), places)} {words.level_unit} on average, "
        f"with none {plain(nothing.mean(), places)}: {signed(there, places)} to share out.",
    ]
    if found is None:
        return [
            *sentences,
            f"Single lesions sum to {signed(total.mean(), places)} on average: what differs is interaction "
            f"(gap of an example: {plain(gap.abs().mean(), places)} on average, "
            f"{plain(gap.abs().max(), places)} at most).",
        ]
    return [
        *sentences,
        f"The attributions of every example add up to that: the largest gap is {gap.abs().max():.1e} {words.unit}.",
        f"Against exact single lesions: rank correlation of the means (Spearman) {_with(found.spearman, found.level)}, "
        f"within examples {_with(found.within, found.level)}; of the {found.k} largest they share "
        f"{round(found.overlap.value * found.k)} ({_with(found.overlap, found.level)}); intervals from resampling "
        f"{found.n_clusters:,} clusters of examples.",
    ]


def _with(estimated: Estimated, level: float) -> str:
    if not math.isfinite(estimated.value):
        return NOTHING
    if not math.isfinite(estimated.low):
        return plain(estimated.value, 2)
    return f"{plain(estimated.value, 2)} [{plain(estimated.low, 2)}, {plain(estimated.high, 2)}]"


def _words(population: pd.DataFrame) -> OutcomeWords:
    return outcome_words(str(population["outcome"].iloc[0]))


def attribution_markdown(
    population: pd.DataFrame, games: pd.DataFrame, found: RankAgreement | None, how: str, figures: Sequence[str]
) -> str:
    """Tables, sentences and figures as one Markdown document."""
    parts = [f"# {md_text('Attribution to players of a coalition game')}\n"]
    parts += [f"{md_text(sentence)}\n" for sentence in attribution_findings(population, games, found, how)]
    for group in dict.fromkeys(population["group"]):
        cells = attribution_cells(population, str(group))
        table = md_table(list(map(md_text, cells.header)), [list(map(md_text, row)) for row in cells.rows], cells.right)
        parts += [f"## {md_text(cells.title)}\n", table]
    return "\n".join([*parts, *(f"![{name}]({name}.png)\n" for name in figures)])


def write_attribution(
    out_dir: Path,
    frame: pd.DataFrame,
    population: pd.DataFrame,
    games: pd.DataFrame,
    found: RankAgreement | None,
    how: str,
    *,
    level: float = 0.95,
    grid: tuple[int, int] | None = None,
    pictures: Sequence[Picture] = (),
) -> AttributionPaths:
    """Write `attributions.csv`, `population.csv`, `games.csv`, `attribution.md`, and figures as PNG and SVG.

    The same arguments give the same bytes.

    Args:
        out_dir: Directory; made if needed, its files of the same names are replaced.
        frame: One row per example and player.
        population: Mean attributions.
        games: One row per example.
        found: Agreement with single lesions.
        how: The method in words.
        level: Coverage of the intervals.
        grid: Rows and columns, where players are regions.
        pictures: Examples over whose images regions are drawn.
    Raises:
        LedgerError: The directory cannot be written.
    """
    rows = population[population["group"] == ALL]
    with styled():
        figures = {"attribution": attribution_figure(rows, how, level)}
        if grid is not None:
            figures["regions"] = region_figure(rows, frame, grid, pictures, how)
        paths = [path for name, figure in figures.items() for path in save(figure, out_dir / name)]
    examples, means, of_games = (
        write_durably(out_dir / name, table.to_csv(index=False, lineterminator="\n").encode(), flush=False)
        for name, table in (("attributions.csv", frame), ("population.csv", population), ("games.csv", games))
    )
    text = attribution_markdown(population, games, found, how, list(figures)).encode()
    markdown = write_durably(out_dir / "attribution.md", text, flush=False)
    return AttributionPaths(examples, means, of_games, markdown, tuple(paths))
