"""`causalablate report`: the report of a results directory, made again."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from causalablate.cli.options import AsJson

if TYPE_CHECKING:
    from causalablate.study import Results


def report(
    results: Annotated[Path, typer.Argument(help="Results directory of `causalablate run`.")],
    partial: Annotated[bool, typer.Option("--partial", help="Report what is finished of an unfinished study.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make the report of a study again from its ledger; the model is not needed."""
    from causalablate.study import read_results

    report_results(read_results(results, partial=partial), as_json=as_json)


def report_results(results: "Results", *, as_json: bool) -> None:
    """Write the report, and print what it opens with: accuracies, the leading outcome, and its groups."""
    from causalablate.cli.console import print_accuracies, print_cells, print_json
    from causalablate.report.graph.sections import sections_of
    from causalablate.report.study import accuracies, study_effects, write_study_report
    from causalablate.report.tables import all_cells

    effects, beside = study_effects(results), sections_of(results.out)
    paths = write_study_report(results, effects)
    found = accuracies(results)
    if as_json:
        print_json(
            {
                "report": str(paths.page),
                "accuracies": [vars(a) for a in found],
                "effects": effects.to_dict(orient="records"),
                "sections": {each.title: each.findings for each in beside},
            }
        )
        return
    print_accuracies(found, results.study.level)
    tables = all_cells(effects, results.kinds)
    for cells in tables[:2]:
        print_cells(cells)
    for section in beside:
        print(f"{section.title}:", *section.findings, sep="\n  ")
    print(f"report: {paths.page}" + (f" (with {len(tables) - 2} more tables)" if len(tables) > 2 else ""))
