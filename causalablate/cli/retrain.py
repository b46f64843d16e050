"""`causalablate retrain`: a sweep of training runs, what it found, and its report."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from causalablate.cli.options import AsJson, Out, Quiet

if TYPE_CHECKING:
    from causalablate.training.sweep.plan import SweepPlan
    from causalablate.training.sweep.results import SweepResults
    from causalablate.training.sweep.spec import SweepSpec

FAULT = 1
HOUR = 3600.0


def retrain(
    sweep: Annotated[Path, typer.Argument(help="A sweep in YAML: a base, arms that change named fields, seeds.")],
    out: Out = None,
    trained: Annotated[
        Path | None, typer.Option(help="Folder of run folders that sweeps share. Default: runs/ in the results.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Runs at a time. Default: as many as there are cores for.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be trained, and for how long.")
    ] = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Train every arm of a sweep with every seed, and report. The same command goes on where it stopped."""
    from causalablate.training.sweep import carry_out, check_owner, failures, plan_sweep, read_sweep, runs_folder

    spec = read_sweep(sweep)
    folder = out or Path("runs") / spec.name
    check_owner(spec.name, folder)
    plan = plan_sweep(spec, sweep.parent)
    if dry_run or not (as_json or quiet):
        _show_plan(plan, runs_folder(folder, trained), workers, as_json=dry_run and as_json)
    if dry_run:
        return
    results = carry_out(plan, folder, trained=trained, workers=workers, quiet=quiet)
    failed = failures(results)
    pages = _report(results, spec, sweep.parent, folder, quiet=quiet, shown=not as_json)
    if as_json:
        _print_json(results, pages, failed)
    else:
        _print_endings(results, pages)
    if failed:
        for line in failed:
            typer.echo(f"failed: {line}", err=True)
        raise typer.Exit(FAULT)


def _show_plan(plan: "SweepPlan", runs: Path, workers: int | None, *, as_json: bool) -> None:
    """Arms, seeds, steps, predicted hours, and what is there already."""
    from causalablate.cli.console import print_json, print_table
    from causalablate.training.sweep import default_workers, found_board

    board, budget = found_board(plan, runs)
    rows: list[dict[str, Any]] = []
    for arm in plan.arms.values():
        digests = list(arm.runs.values())
        left = [digest for digest in digests if digest not in board.over]
        rows.append(
            {
                "arm": arm.name,
                "priority": arm.section.priority,
                "changes": ", ".join(f"{key}={value}" for key, value in arm.section.set.items()),
                "seeds": len(digests),
                "steps": plan.runs[digests[0]].config.steps,
                "hours": 0.0 if arm.same_as else sum(budget.predict(digest) for digest in left) / HOUR,
                "there": f"same as {arm.same_as}" if arm.same_as else f"{len(digests) - len(left)} of {len(digests)}",
            }
        )
    hours = sum(budget.predict(digest) for digest in board.wanted()) / HOUR
    at_a_time = workers or default_workers(plan.spec.base.threads)
    if as_json:
        total = {"hours": hours, "workers": at_a_time, "budget": plan.spec.hours, "start": plan.backbone}
        print_json({"sweep": plan.spec.name, "arms": rows, **total})
        return
    cells = [[str(v) if not isinstance(v, float) else f"{v:.2f}" for v in row.values()] for row in rows]
    title = f"{plan.spec.name}: {len(board.wanted())} of {len(plan.runs)} runs to make"
    print_table(title, list(rows[0]), cells, [False, False, False, True, True, True, False])
    limit = "" if plan.spec.hours is None else f", of a budget of {plan.spec.hours:g} in all"
    print(f"about {hours:.2f} process hours{limit}; {hours / at_a_time:.2f} h with {at_a_time} runs at a time")


def _report(
    results: "SweepResults", spec: "SweepSpec", directory: Path, out: Path, *, quiet: bool, shown: bool
) -> dict[str, Path]:
    """Write the reports, and print their leading tables; returns the pages."""
    from causalablate.training.sweep import ENDED

    if not any(run.status in ENDED for run in results.runs):
        return {}
    from causalablate.cli.console import print_cells
    from causalablate.report.sweep import arm_effects, write_sweep_report
    from causalablate.report.sweep.tables import accuracy_cells

    pages = {"report": write_sweep_report(results, out / "report")[0]}
    if shown:
        print_cells(accuracy_cells(results, arm_effects(results, "accuracy")))
    if spec.compare is not None:
        from causalablate.report.retraining import write_retraining_report
        from causalablate.report.retraining.tables import all_cells
        from causalablate.training.retraining import compare_sweep

        found = compare_sweep(results, spec.compare.at(directory), out / "retraining", quiet=quiet)
        pages["lesion against retraining"] = write_retraining_report(found, out / "retraining" / "report").page
        for cells in all_cells(found)[: 1 if shown else 0]:
            print_cells(cells)
    return pages


def _print_endings(results: "SweepResults", pages: dict[str, Path]) -> None:
    for run in results.runs:
        if run.status != "finished" and not run.same_as:
            print(f"{run.status}: {run.arm}, seed {run.seed}" + (f" ({run.reason})" if run.reason else ""))
    for decision in results.decisions:
        skipped = f"; skipped {', '.join(decision['skipped'])}" if decision["skipped"] else ""
        print(f"rule {decision['rule']}: {decision['why']}{skipped}")
    print(f"results: {results.folder}")
    for name, page in pages.items():
        print(f"{name}: {page}")


def _print_json(results: "SweepResults", pages: dict[str, Path], failed: list[str]) -> None:
    from causalablate.cli.console import print_json

    print_json(
        {
            "sweep": results.name,
            "baseline": results.baseline,
            "runs": [
                {key: getattr(run, key) for key in ("arm", "seed", "status", "reason", "same_as", "metrics", "cost")}
                for run in results.runs
            ],
            "decisions": results.decisions,
            "failed": failed,
            "results": str(results.folder),
            "pages": {name: str(page) for name, page in pages.items()},
        }
    )
