"""`causalablate compare`: the same lesions in two tables."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from causalablate.cli.options import AsJson

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("ate_{0}", "ate_{1}", "difference", "ci_low", "p_holm", "p_equivalence", "label", "ratio", "ratio_low")
"""Columns that the terminal shows, after the lesion; intervals by the name of their lower end."""


def compare(
    table: Annotated[Path, typer.Argument(help="CSV, TSV or Parquet file, or a results directory.")],
    other: Annotated[Path, typer.Argument(help="Another: difference = effect there - effect in the first.")],
    names: Annotated[str, typer.Option(help="What the two are called, comma-separated.")] = "a,b",
    outcome: Annotated[str, typer.Option(help="Outcomes to keep, comma-separated. Default: all that both have.")] = "",
    level: Annotated[float, typer.Option(help="Two-sided coverage of intervals.")] = 0.95,
    sesoi: Annotated[
        str, typer.Option(help="Smallest difference of interest: a number, or outcome=number,... Default: 0.005.")
    ] = "",
    samples: Annotated[
        bool, typer.Option("--samples", help="The tables are two samples, even where they share example ids.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Seed of permutations and resamples.")] = 0,
    out: Annotated[Path | None, typer.Option("--out", help="Directory for the tables as CSV.")] = None,
    as_json: AsJson = False,
) -> None:
    """Compare the effects of the same lesions in two tables: two models, two checkpoints, a lesion and retraining."""
    from causalablate.cli.console import print_json
    from causalablate.cli.lists import amounts_from_text, names_from_text
    from causalablate.cli.sources import read_source
    from causalablate.durable import write_durably
    from causalablate.effects.comparisons import compare_rankings, compare_tables
    from causalablate.errors import EffectError

    called = names_from_text(names)
    if len(called) != 2:
        raise EffectError(f"--names {names}: give two names with a comma between, such as before,after")
    both = (called[0], called[1])
    kept = names_from_text(outcome)
    a, b = (read_source(path).keep(kept, []).without_controls() for path in (table, other))
    wanted = amounts_from_text(sesoi, "--sesoi")
    frame = compare_tables(
        a,
        b,
        names=both,
        level=level,
        seed=seed,
        sesoi=0.005 if wanted is None else wanted,
        paired=False if samples else None,
    )
    ranks = compare_rankings(a, b, names=both, level=level, seed=seed)
    if out is not None:
        for name, rows in (("comparison", frame), ("rankings", ranks)):
            csv = rows.to_csv(index=False, lineterminator="\n")
            write_durably(out / f"{name}.csv", csv.encode(), flush=False)
    if as_json:
        print_json(
            {
                "sign": f"difference = effect in {both[1]} - effect in {both[0]}; effect = counterfactual - factual",
                "settings": frame.attrs,
                "rows": frame.to_dict(orient="records"),
                "rankings": ranks.to_dict(orient="records"),
            }
        )
        return
    print(f"{both[0]}: {table}; {both[1]}: {other}; {frame['design'].iloc[0]}")
    _print(frame, ranks, both)
    if out is not None:
        print(f"written to {out}: comparison.csv, rankings.csv")


def _print(frame: "pd.DataFrame", ranks: "pd.DataFrame", names: tuple[str, str]) -> None:
    from causalablate.cli.console import print_cells
    from causalablate.report.views import Shown, view_cells

    everyone = frame[frame["group"] == "all"].reset_index(drop=True)
    columns = [column.format(*names) for column in COLUMNS]
    title = f"difference = effect in {names[1]} − effect in {names[0]}; effect = counterfactual − factual"
    for cells in view_cells(Shown(title, everyone, columns)):
        print_cells(cells)
    if (ranks["n_lesions"] > 2).any():
        shown = ("n_lesions", "spearman", "spearman_low", "k", "overlap", "overlap_low")
        for cells in view_cells(Shown("do both rank the lesions alike?", ranks, shown)):
            print_cells(cells)
    for name in names:
        left = frame.attrs["left_out"][name]
        parts = [f"{len(left[what])} {what}" for what in ("outcomes", "lesions") if left[what]]
        parts += [f"{left['n_examples']:,} examples"] if left["n_examples"] else []
        if parts:
            print(f"only in {name}: {', '.join(parts)}")
    if len(frame) > len(everyone):
        print(f"and {len(frame) - len(everyone):,} rows of groups; --out writes all of them, --json prints them")
