"""`causalablate lesion`: one question, answered in the terminal."""

from pathlib import Path
from typing import Annotated

import typer

from causalablate.cli.options import (
    AsJson,
    Checkpoint,
    Device,
    Dtype,
    Examples,
    Labels,
    Number,
    Quiet,
    Seed,
    Stack,
    TrustRemoteCode,
)

Off = Annotated[str, typer.Option(help="How it is off, as in a study file: mean, zero, '{kind: noise, std: 3}', ...")]
Outcomes = Annotated[str, typer.Option(help="Outcomes to report, comma-separated.")]
ReferenceSet = Annotated[str, typer.Option(help="Where means, spreads and donors come from: `digits` or a directory.")]


def lesion(
    checkpoint: Checkpoint,
    components: Annotated[list[str], typer.Argument(help="Addresses or globs; all of them are off together.")],
    off: Off,
    outcomes: Outcomes = "correct,answer_logprob",
    examples: Examples = "digits",
    n: Number = 512,
    reference: ReferenceSet = "digits",
    seed: Seed = 0,
    device: Device = "cpu",
    dtype: Dtype = "float32",
    trust_remote_code: TrustRemoteCode = False,
    labels: Labels = "",
    stack: Stack = None,
    level: Annotated[float, typer.Option(help="Two-sided coverage of the interval.")] = 0.95,
    out: Annotated[
        Path | None, typer.Option(help="File for the table of counterfactuals: .csv, .csv.gz, .tsv or .parquet.")
    ] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Lesion one component (or several together) and print its effect, overall and by question type."""
    from causalablate.cli.console import print_cells, print_json
    from causalablate.cli.values import examples_from_text, labels_from_text, off_from_text
    from causalablate.counterfactual import counterfactuals
    from causalablate.effects import population_effects
    from causalablate.intervention import do
    from causalablate.models import load
    from causalablate.report.findings import findings
    from causalablate.report.tables import all_cells
    from causalablate.table_files import suffix_of, write_table

    if out is not None:
        suffix_of(out)  # Before the work, not after it
    asked = do(components[0], *components[1:], off=off_from_text(off))
    table = counterfactuals(
        load(
            checkpoint,
            dtype=dtype,
            device=device,
            trust_remote_code=trust_remote_code,
            labels=labels_from_text(labels),
        ),
        examples_from_text(examples, n=n, split="test", seed=seed),
        asked,
        outcomes=outcomes.split(","),
        reference=examples_from_text(reference, n=n, split="validation", seed=seed),
        seed=seed,
        stack=stack,
        quiet=quiet,
    )
    if out is not None:
        write_table(table, out)
    effects = population_effects(table, level=level, seed=seed)
    if as_json:
        print_json(effects.to_dict(orient="records"))
        return
    print(f"{asked} on {table.frame['example'].nunique():,} examples; effect = counterfactual - factual")
    for cells in all_cells(effects, {}):
        print_cells(cells)
    for sentence in findings(effects, {}):
        print(sentence)
