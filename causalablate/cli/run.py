"""`causalablate run`: a study, from a file to a report."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from causalablate.cli.options import AsJson, Out, Quiet, Stack, TrustRemoteCode

if TYPE_CHECKING:
    from causalablate.study import Study

StudyFile = Annotated[str, typer.Argument(help="A study in YAML, or the name of one that comes along, e.g. `scorers`.")]


def run(
    study: StudyFile,
    model: Annotated[
        str | None, typer.Option(help="Checkpoint directory, instead of the one that the study names.")
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(help="Where the model runs, instead of where the study says: cpu, cuda, cuda:1 ..., auto."),
    ] = None,
    dtype: Annotated[
        str | None, typer.Option(help="Number format of the weights: float32, bfloat16 or float16, instead of its own.")
    ] = None,
    trust_remote_code: TrustRemoteCode = False,
    stack: Stack = None,
    out: Out = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan and its cost, and stop.")] = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Run a study into a results directory, and write its report. The same command goes on where it stopped."""
    from causalablate.study import find_study

    asked = find_study(study, model=model, device=device, dtype=dtype, stack=stack)
    directory = out or Path("runs") / Path(study).stem
    if dry_run:
        _print_plan(asked, directory, as_json, trust_remote_code)
    else:
        run_study(asked, directory, as_json=as_json, quiet=quiet, trust_remote_code=trust_remote_code)


def run_study(asked: "Study", out: Path, *, as_json: bool, quiet: bool, trust_remote_code: bool = False) -> None:
    """Run, report and print."""
    from causalablate.cli.report import report_results
    from causalablate.study import open_study, run

    plan, replay = open_study(asked, trust_remote_code=trust_remote_code)
    report_results(run(plan, replay, out, quiet=quiet), as_json=as_json)


def _print_plan(asked: "Study", out: Path, as_json: bool, trust_remote_code: bool) -> None:
    import dataclasses

    from causalablate.cli.console import print_json, print_table
    from causalablate.study import open_study, preview

    plan, replay = open_study(asked, trust_remote_code=trust_remote_code)
    seen = preview(plan, replay, out)
    if as_json:
        print_json({**dataclasses.asdict(seen), "lesions": [p.name for p in plan.lesions if not p.control]})
        return
    print_table(
        f"plan of {asked.name}",
        ["", ""],
        [
            ["lesions", f"{seen.n_lesions:,} and {seen.n_controls:,} random controls"],
            ["examples", f"{seen.n_examples:,}"],
            ["units of work", f"{seen.n_units:,}, of which {seen.n_done:,} are done in {out}"],
            ["forward passes", f"{seen.n_forwards:,}, of which {seen.n_forwards_left:,} are left"],
            ["estimated time left", f"{seen.seconds_left:,.0f} s on this machine"],
        ],
    )
    for planned in plan.lesions:
        if not planned.control:
            print(f"  {planned.name}")
