"""Arguments that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

Checkpoint = Annotated[str, typer.Argument(help="Checkpoint directory, or `shipped` for the one that comes along.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Show no progress bar.")]
Out = Annotated[Path | None, typer.Option("--out", help="Results directory.")]
Device = Annotated[str, typer.Option(help="Where the model runs: cpu, cuda, cuda:1 ..., or auto: spread out.")]
TrustRemoteCode = Annotated[
    bool, typer.Option("--trust-remote-code", help="Run Python code that comes with the checkpoint. Read it first.")
]
Dtype = Annotated[str, typer.Option(help="Number format of the model's weights: float32, bfloat16 or float16.")]
Seed = Annotated[int, typer.Option(help="Seed of examples, donors, noise and permutations.")]
Examples = Annotated[
    str,
    typer.Option(help="digits, clips, stills, texts, or a directory of examples; DIRECTORY:SPLIT if it has splits."),
]
Number = Annotated[int, typer.Option("--n", min=1, help="Number of examples.")]
Stack = Annotated[
    int | None,
    typer.Option(min=1, help="Most lesions per forward pass; 1: bit for bit the lesioned model. Default: what suits."),
]
Labels = Annotated[
    str, typer.Option(help="Texts among which a model chooses that compares images with texts (CLIP), comma-separated.")
]
