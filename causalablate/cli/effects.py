"""`causalablate effects`: the effects in any table of counterfactuals, ours or another tool's."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from causalablate.cli.options import AsJson

if TYPE_CHECKING:
    from causalablate.cli.sources import Source
    from causalablate.cli.views import View
    from causalablate.report.tables import Cells
    from causalablate.report.views import Shown

SHOWN_ROWS = 40
"""Rows of one table that the terminal shows."""


def effects(
    table: Annotated[Path, typer.Argument(help="CSV, TSV or Parquet file, or a results directory.")],
    view: Annotated[
        list[str] | None,
        typer.Option(
            help="What to show, repeatable: population (the default), estimands, shrinkage, belief, seeds, power, "
            "failures, examples, sequence."
        ),
    ] = None,
    outcome: Annotated[str, typer.Option(help="Outcomes to keep, comma-separated. Default: all.")] = "",
    group: Annotated[
        str, typer.Option(help="Groups to break effects down by, comma-separated, or `none`. Default: all.")
    ] = "",
    level: Annotated[float | None, typer.Option(help="Two-sided coverage of intervals. Default: 0.95.")] = None,
    sesoi: Annotated[
        str, typer.Option(help="Smallest effect of interest: a number, or outcome=number,... Default: 0.005.")
    ] = "",
    interval: Annotated[
        str | None, typer.Option(help="Method of the intervals, instead of the one that suits.")
    ] = None,
    test: Annotated[str | None, typer.Option(help="Test, instead of the one that suits.")] = None,
    correction: Annotated[
        str | None, typer.Option(help="What verdicts stand on: holm (the default), maxt, bonferroni, bh or by.")
    ] = None,
    controls: Annotated[
        Path | None, typer.Option(help="YAML file: for each lesion, a list of lesions that are its controls.")
    ] = None,
    columns: Annotated[str, typer.Option(help="Columns that have other names in the file: theirs=ours,...")] = "",
    resamples: Annotated[int | None, typer.Option(min=1, help="Bootstrap resamples.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed of permutations and resamples. Default: 0.")] = None,
    partial: Annotated[bool, typer.Option("--partial", help="Of an unfinished study, what is finished.")] = False,
    out: Annotated[Path | None, typer.Option("--out", help="Directory for CSV, Markdown and figures.")] = None,
    as_json: AsJson = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing; with --out.")] = False,
) -> None:
    """Estimate the effects in a table of counterfactuals: CSV or Parquet of any tool, or the results of a study."""
    from causalablate.cli.lists import amounts_from_text, names_from_text, pairs_from_text
    from causalablate.cli.sources import read_source
    from causalablate.cli.views import check_used, chosen_views
    from causalablate.report.effects import write_effects

    views = chosen_views(view or [])
    asked: dict[str, Any] = {"sesoi": amounts_from_text(sesoi, "--sesoi"), "interval": interval, "test": test}
    asked |= {"correction": correction, "controls": controls, "resamples": resamples}
    asked = {name: value for name, value in asked.items() if value is not None}
    check_used(asked, views)
    source = read_source(table, columns=pairs_from_text(columns, "--columns"), controls=controls, partial=partial)
    source = source.keep(names_from_text(outcome), names_from_text(group))
    source = replace(source, level=source.level if level is None else level, seed=source.seed if seed is None else seed)
    shown = {name: _compute(source, one, asked) for name, one in views.items()}
    files: Sequence[Path] = []
    if out is not None:
        files = write_effects(out, source.table, shown, title=table.name, kinds=source.kinds, controls=source.controls)
    if as_json:
        _print_json(shown, files)
    elif not quiet:
        _print(source, shown)
        if out is not None:
            print(f"written to {out}: {len(files)} files")


def _compute(source: "Source", view: "View", asked: Mapping[str, Any]) -> "Shown":
    """The numbers of one view; controls stand beside average effects, and are left out elsewhere."""
    from causalablate.effects.controls import compare_with_controls
    from causalablate.report.views import Shown

    known = {"sesoi": source.sesoi, **asked, "controls": source.every_control}
    arguments = {name: value for name, value in known.items() if name in view.takes and value}
    if not arguments.get("controls"):
        frame = view(source.without_controls(), level=source.level, seed=source.seed, **arguments)
        return Shown(view.title, frame, view.columns)
    frame = view(source.table, level=source.level, seed=source.seed, **arguments)
    beside = compare_with_controls(frame, source.controls.get("components", {}))
    frame[list(beside)] = beside
    return Shown(view.title, frame[frame["lesion"].isin(list(source.asked))].reset_index(drop=True), view.columns)


def _print_json(shown: Mapping[str, "Shown"], files: Sequence[Path]) -> None:
    from causalablate.cli.console import print_json

    views = {
        name: {"settings": one.frame.attrs, "rows": one.frame.to_dict(orient="records")} for name, one in shown.items()
    }
    print_json({"sign": "effect = counterfactual - factual", "views": views, "files": list(map(str, files))})


def _print(source: "Source", shown: Mapping[str, "Shown"]) -> None:
    from causalablate.cli.views import POPULATION
    from causalablate.report.effects import methods
    from causalablate.report.findings import findings, headline
    from causalablate.report.tables import all_cells
    from causalablate.report.views import view_cells

    frame = source.table.frame
    counts = {"example": frame["example"].nunique(), "lesion": len(source.asked), "seed": frame["seed"].nunique()}
    said = ", ".join(f"{n:,} {name}{'s' * (n != 1)}" for name, n in counts.items())
    print(f"{said}; effect = counterfactual - factual")
    for name, one in shown.items():
        if name != POPULATION:
            sizes = one.frame.groupby("outcome", sort=False).size()
            if one.frame.empty:
                print(f"{one.title}: there is nothing to show")
            for cells, n in zip(view_cells(one, most=SHOWN_ROWS), sizes, strict=True):
                _print_some(cells, int(n))
            continue
        for cells in all_cells(one.frame, source.kinds):
            _print_some(replace(cells, rows=cells.rows[:SHOWN_ROWS]), len(cells.rows))
        for sentence in (headline(one.frame, source.kinds, source.level), *findings(one.frame, source.kinds)):
            print(sentence)
        for line in methods(one.frame):
            print(line)


def _print_some(cells: "Cells", n: int) -> None:
    from causalablate.cli.console import print_cells

    print_cells(cells)
    if n > len(cells.rows):
        print(f"and {n - len(cells.rows):,} more rows; --out writes all of them, --json prints them")
