"""`causalablate screen`: which components are worth measuring, by gradients, and exact effects of some."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from causalablate.cli.lesion import Off, ReferenceSet
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
    TrustRemoteCode,
)

if TYPE_CHECKING:
    from causalablate.screening import Screening


def screen(
    checkpoint: Checkpoint,
    off: Off,
    components: Annotated[
        list[str] | None,
        typer.Argument(help="Addresses or globs, each component off alone. Default: all that admit it."),
    ] = None,
    outcome: Annotated[str, typer.Option(help="An outcome with a gradient, e.g. logit_difference.")] = "answer_logprob",
    confirm: Annotated[int, typer.Option(min=1, help="How many of the highest ranked to measure exactly.")] = 10,
    sample: Annotated[int, typer.Option(min=0, help="How many of the others to measure exactly, at random.")] = 10,
    rank_by: Annotated[
        str, typer.Option(help="magnitude: mean of |approximate effect| over examples; mean: |mean| of it.")
    ] = "magnitude",
    examples: Examples = "digits",
    n: Number = 512,
    reference: ReferenceSet = "digits",
    batch_size: Annotated[int, typer.Option(min=1, help="Examples per forward pass.")] = 64,
    seed: Seed = 0,
    device: Device = "cpu",
    dtype: Dtype = "float32",
    trust_remote_code: TrustRemoteCode = False,
    labels: Labels = "",
    out: Annotated[
        Path | None, typer.Option("--out", help="Directory for the table of all lesions and the figure.")
    ] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Rank components by gradients (approximate); measure exactly the highest and a random sample of the rest."""
    from causalablate.cli.values import examples_from_text, labels_from_text, off_from_text
    from causalablate.models import load
    from causalablate.screening import screen as screening_of

    found = screening_of(
        load(
            checkpoint,
            dtype=dtype,
            device=device,
            trust_remote_code=trust_remote_code,
            labels=labels_from_text(labels),
        ),
        examples_from_text(examples, n=n, split="test", seed=seed),
        components or "**",
        off=off_from_text(off),
        outcome=outcome,
        reference=examples_from_text(reference, n=n, split="validation", seed=seed),
        confirm=confirm,
        sample=sample,
        rank_by=rank_by,
        seed=seed,
        batch_size=batch_size,
        quiet=quiet,
    )
    _show(found, out, as_json)


def _show(found: "Screening", out: Path | None, as_json: bool) -> None:
    import dataclasses

    from causalablate.cli.console import print_cells, print_json
    from causalablate.report.screening import screening_cells, screening_findings, write_screening

    files = write_screening(out, found.frame, found.agreement, found.excluded) if out is not None else None
    if as_json:
        print_json(
            {
                "lesions": found.frame.to_dict(orient="records"),
                "agreement": dataclasses.asdict(found.agreement),
                "excluded": found.excluded,
                "files": [str(p) for p in (files.csv, files.markdown, *files.figures)] if files else [],
            }
        )
        return
    print_cells(screening_cells(found.frame))
    for sentence in screening_findings(found.frame, found.agreement, found.excluded):
        print(sentence)
    if files:
        print(f"all lesions: {files.csv}; figure: {files.figures[0]}")
