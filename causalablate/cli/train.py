"""`causalablate train`: train the reference model from a config."""

from pathlib import Path
from typing import Annotated

import typer

from causalablate.cli.options import AsJson, Out, Quiet


def train(
    config: Annotated[Path, typer.Argument(help="A training run in YAML, e.g. experiments/train_digits.yaml.")],
    out: Out = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Train the reference model into a directory. The same command goes on where it stopped, to the same bytes."""
    import json

    from causalablate.cli.console import print_json, print_table
    from causalablate.declarative import read
    from causalablate.training.config import TrainingConfig
    from causalablate.training.trainer import train as run_training

    run = read(config, TrainingConfig)
    folder = run_training(run, out or Path("runs") / run.name, directory=config.parent, quiet=quiet)
    log = (folder / "log.jsonl").read_text(encoding="utf-8").splitlines()
    last = json.loads(log[-1]) if log else {}
    if as_json:
        print_json({"checkpoint": str(folder), "validation": last})
        return
    rows = [[name, f"{value:.4f}"] for name, value in last.items() if isinstance(value, float)]
    print_table("last evaluation, validation split", ["metric", "value"], rows, [False, True])
    print(f"checkpoint: {folder}")
