"""`causalablate runs`: what a table of past training runs says about settings."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from causalablate.cli.options import AsJson

if TYPE_CHECKING:
    import pandas as pd

    from causalablate.graph.identify import CausalGraph, SettingEffect


def runs(
    table: Annotated[Path, typer.Argument(help="CSV, TSV or Parquet file: one row per run, one column per setting.")],
    graph: Annotated[
        str,
        typer.Option(help='What acts on what, as "batch -> lr -> loss; batch -> loss; lr <-> data", or a file of it.'),
    ],
    outcome: Annotated[str, typer.Option(help="Outcomes, comma-separated.")],
    setting: Annotated[
        str, typer.Option(help="Settings, comma-separated. Default: all numbers that act on the outcome.")
    ] = "",
    cluster: Annotated[str | None, typer.Option(help="Column that says which runs belong together.")] = None,
    level: Annotated[float, typer.Option(min=0.5, max=0.999, help="Two-sided coverage of intervals.")] = 0.95,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the refutations.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Say which effects of settings a table of past runs identifies, estimate these, and try to refute them."""
    from causalablate.cli.console import print_json
    from causalablate.cli.lists import names_from_text
    from causalablate.errors import GraphError
    from causalablate.graph.identify import CausalGraph, independences, setting_effect
    from causalablate.table_files.files import read_frame

    frame = read_frame(table)
    file = Path(graph)
    known = CausalGraph.parse(file.read_text() if not set("<>") & set(graph) and file.is_file() else graph)
    outcomes = names_from_text(outcome)
    known.check(outcomes)
    pairs = [(x, y) for y in outcomes for x in names_from_text(setting) or _settings(frame, known, y) if x != y]
    if not pairs:
        raise GraphError(
            f"no setting of {table} acts on {outcome or 'an outcome'} in this graph; name some with --setting"
        )
    found = [setting_effect(frame, known, x, y, cluster=cluster, level=level, seed=seed) for x, y in pairs]
    implied = independences(frame, known)
    if as_json:
        print_json(
            {
                "graph": str(known),
                "level": level,
                "effects": [_record(one) for one in found],
                "independences": implied.to_dict(orient="records"),
            }
        )
        return
    _print(table, found, implied)


def _settings(frame: "pd.DataFrame", graph: "CausalGraph", outcome: str) -> list[str]:
    from pandas.api.types import is_numeric_dtype

    above = graph.ancestors({outcome}) - {outcome}
    return [n for n in graph.order if n in above and n in frame.columns and is_numeric_dtype(frame[n])]


def _record(found: "SettingEffect") -> dict[str, object]:
    return {
        **found.row(),
        "formula": str(found.identification),
        "refutations": found.refutations.to_dict(orient="records"),
        "benchmarks": found.benchmarks.to_dict(orient="records"),
    }


def _print(table: Path, found: "list[SettingEffect]", implied: "pd.DataFrame") -> None:
    from causalablate.cli.console import print_table

    rows = [
        [
            one.treatment, one.outcome, one.verdict, *(_number(v) for v in (one.effect, one.ci_low, one.ci_high)),
            _number(one.naive), _number(one.sensitivity.get("robustness_ci", float("nan"))), one.row()["failed"],
        ]
        for one in found
    ]  # fmt: skip
    heads = ["setting", "outcome", "verdict", "effect", "low", "high", "unadjusted", "robustness", "refuted by"]
    print_table(f"{table}: per unit of the setting", heads, rows, [False] * 3 + [True] * 5 + [False])
    for one in found:
        print(f"{one.treatment} on {one.outcome}: {one.reason}")
    for row in implied[implied["p_holm"] < 0.05].itertuples():
        given = f" given {row.given}" if row.given else ""
        pair = f"{row.x} and {row.y} should be independent{given}"
        print(f"against the graph: {pair}, and correlate at {row.correlation:.2f}")


def _number(value: float) -> str:
    return "" if value != value else f"{value:.4g}"
