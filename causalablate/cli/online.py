"""`causalablate online`: what a randomised experiment between a model in service and lesioned ones says."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from causalablate.cli.options import AsJson

if TYPE_CHECKING:
    from causalablate.effects.online import OnlineExperiment

MISMATCH = 1
"""Exit code where the sample ratio is not as planned: a check found a fault."""


def online(
    log: Annotated[Path, typer.Argument(help="CSV or Parquet file, one row per event: unit, arm, outcomes.")],
    unit: Annotated[str, typer.Option(help="Column of what was randomised: a user, a session.")] = "unit",
    arm: Annotated[str, typer.Option(help="Column of the arm that the unit was assigned to.")] = "arm",
    control: Annotated[
        str | None, typer.Option(help="The arm without a lesion. Default: control, baseline or factual.")
    ] = None,
    outcomes: Annotated[str, typer.Option(help="Columns of outcomes, comma-separated. Default: all numbers.")] = "",
    allocation: Annotated[
        str, typer.Option(help="Planned shares, e.g. control=0.9,lesioned=0.1. Default: equal.")
    ] = "",
    time: Annotated[str | None, typer.Option(help="Column of times. Default: rows are in order of arrival.")] = None,
    cluster: Annotated[
        str | None, typer.Option(help="Column of what was randomised, if whole groups of units were.")
    ] = None,
    covariate: Annotated[
        str | None, typer.Option(help="Column of a number known before the experiment, to adjust for (CUPED).")
    ] = None,
    level: Annotated[float, typer.Option(help="Coverage of intervals.")] = 0.95,
    sesoi: Annotated[
        float, typer.Option(help="Smallest effect of interest: of 0/1 outcomes; 4 times so many SDs of others.")
    ] = 0.005,
    out: Annotated[Path | None, typer.Option("--out", help="Directory for tables, a summary and the figure.")] = None,
    as_json: AsJson = False,
) -> None:
    """Analyse the log of an A/B experiment: sample-ratio check, effects, and when it could have stopped."""
    from causalablate.cli.console import print_cells, print_json
    from causalablate.effects.online import online_experiment
    from causalablate.report.online import online_cells, online_findings, online_json
    from causalablate.table_files import read_frame

    found = online_experiment(
        read_frame(log, text=[name for name in (unit, arm, cluster) if name is not None]),
        unit=unit,
        arm=arm,
        control=control,
        outcomes=[name.strip() for name in outcomes.split(",") if name.strip()] or None,
        allocation=_allocation(allocation),
        time=time,
        cluster=cluster,
        covariate=covariate,
        level=level,
        sesoi=sesoi,
    )
    files = _write(out, found)
    if as_json:
        print_json({**online_json(found), "files": files})
    else:
        first, *rest = online_findings(found)
        print(first)
        print_cells(online_cells(found))
        for sentence in rest:
            print(sentence)
        if files:
            print(f"tables, summary and figure: {out}")
    if not found.ratio.ok:
        raise SystemExit(MISMATCH)


def _write(out: Path | None, found: "OnlineExperiment") -> list[str]:
    if out is None:
        return []
    from causalablate.report.online import write_online

    paths = write_online(out, found)
    return [str(path) for path in (*paths.tables, paths.markdown, *paths.figures)]


def _allocation(text: str) -> dict[str, float] | None:
    """From `control=0.9,lesioned=0.1`."""
    from causalablate.errors import EffectError

    if not text.strip():
        return None
    found = {}
    for part in text.split(","):
        name, _, share = part.rpartition("=")
        try:
            found[name.strip()] = float(share)
        except ValueError:
            name = ""
        if not name.strip():
            raise EffectError(f'cannot read "{part.strip()}" in --allocation; write control=0.9,lesioned=0.1')
    return found
