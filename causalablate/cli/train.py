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
    """Train the reference model into a directory. The same command goes on where it stopped, to the same bytes.

    Several processes share a run: accelerate launch -m causalablate train RUN.yaml
    """
    import json

    from causalablate.cli.console import print_json, print_table
    from causalablate.declarative import read
    from causalablate.training.config import TrainingConfig
    from causalablate.training.files import LOG, RECORD
    from causalablate.training.processes import is_first
    from causalablate.training.trainer import train as run_training

    run = read(config, TrainingConfig)
    place = out or Path("runs") / run.name
    folder = run_training(run, place, directory=config.parent, quiet=quiet)
    if not is_first():
        return
    log = (folder / LOG).read_text(encoding="utf-8").splitlines()
    last = json.loads(log[-1]) if log else {}
    record = json.loads((place / RECORD).read_text(encoding="utf-8"))
    metrics = record["metrics"] or last
    if as_json:
        status = {name: record[name] for name in ("status", "reason", "step", "checkpoint_step")}
        print_json({"checkpoint": str(folder), **status, "validation": last, "metrics": metrics})
        return
    rows = [[name, f"{value:.4f}"] for name, value in metrics.items() if isinstance(value, float)]
    title = f"the checkpoint, step {record['checkpoint_step']}, validation split"
    print_table(title, ["metric", "value"], rows, [False, True])
    ended = f"{record['status'].replace('_', ' ')} at step {record['step']}"
    print(f"{ended}: {record['reason']}" if record["reason"] else ended)
    print(f"checkpoint: {folder}")
    print(f"record, log, maps, costs: {place}")
    print(f"watch: tensorboard --logdir {place / 'tensorboard'}")
