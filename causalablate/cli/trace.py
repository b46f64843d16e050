"""`causalablate trace`: where in the model is what a corruption of the input destroys?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from causalablate.cli.lesion import ReferenceSet
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

if TYPE_CHECKING:
    from causalablate.patching import CausalTrace


def trace(
    checkpoint: Checkpoint,
    corrupt: Annotated[
        list[str] | None, typer.Argument(help="Addresses of what is corrupted, together. Default: tokens.image.")
    ] = None,
    off: Annotated[
        str, typer.Option(help="How it is corrupted, as in a study file: '{kind: noise, std: 3}', resample, ...")
    ] = "{kind: noise, std: 3}",
    sites: Annotated[
        str, typer.Option(help="Comma-separated: resid, attention, mlp, layer, or a part such as heads.3.")
    ] = "resid,attention,mlp",
    positions: Annotated[
        str | None,
        typer.Option(help="Comma-separated: image, question, answer, image[3], -1, all; or `each` single position."),
    ] = None,
    direction: Annotated[str, typer.Option(help="denoising (what restores) or noising (what breaks).")] = "denoising",
    width: Annotated[int, typer.Option(min=1, help="Layers patched together, for all sites but resid.")] = 1,
    tower: Annotated[str, typer.Option(help="lm or vision.")] = "lm",
    outcomes: Annotated[str, typer.Option(help="Outcomes, comma-separated.")] = "answer_logprob",
    examples: Examples = "digits",
    n: Number = 128,
    reference: ReferenceSet = "digits",
    batch_size: Annotated[int, typer.Option(min=1, help="Examples per forward pass.")] = 64,
    seed: Seed = 0,
    device: Device = "cpu",
    dtype: Dtype = "float32",
    trust_remote_code: TrustRemoteCode = False,
    labels: Labels = "",
    stack: Stack = None,
    out: Annotated[Path | None, typer.Option("--out", help="Directory for the tables and the heat map.")] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Causal tracing: corrupt the input, patch clean activations back in (or the reverse), site by site."""
    from causalablate.cli.values import examples_from_text, labels_from_text, off_from_text
    from causalablate.intervention import do
    from causalablate.models import load
    from causalablate.patching import causal_trace, every_position

    model = load(
        checkpoint, dtype=dtype, device=device, trust_remote_code=trust_remote_code, labels=labels_from_text(labels)
    )
    asked = examples_from_text(examples, n=n, split="test", seed=seed)
    at = every_position(model, asked) if positions == "each" else positions.split(",") if positions else None
    found = causal_trace(
        model,
        asked,
        do(*(corrupt or ["tokens.image"]), off=off_from_text(off)),
        sites=sites.split(","),
        positions=at,
        width=width,
        direction=direction,  # type: ignore[arg-type]  # checked there
        tower=tower,
        outcomes=outcomes.split(","),
        reference=examples_from_text(reference, n=n, split="validation", seed=seed),
        seed=seed,
        batch_size=batch_size,
        stack=stack,
        quiet=quiet,
    )
    _show(found, out, as_json)


def _show(found: "CausalTrace", out: Path | None, as_json: bool) -> None:
    from causalablate.cli.console import print_cells, print_json
    from causalablate.report.tracing import trace_cells, write_trace

    summary = found.summary()
    files = write_trace(out, found.frame, summary, found.direction, found.corruption) if out is not None else None
    if as_json:
        paths = [str(path) for path in (files.csv, files.summary, *files.figures)] if files else []
        print_json(
            {
                "direction": found.direction,
                "corruption": found.corruption,
                "patches": summary.to_dict(orient="records"),
                "files": paths,
            }
        )
        return
    print(f"corrupted: {found.corruption}; {found.frame['example'].nunique():,} examples")
    for outcome in dict.fromkeys(summary["outcome"]):
        print_cells(trace_cells(summary, found.direction, outcome))
    if files:
        print(f"all examples: {files.csv}; figure: {files.figures[0]}")
