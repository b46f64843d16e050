"""The files of a run directory, each written whole."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from causalablate.foveated.model import FoveatedVLM
from causalablate.training.config import TrainingConfig
from causalablate.training.curve import learning_curve
from causalablate.training.maps import as_npz, stacked
from causalablate.training.record import as_json, record
from causalablate.training.state import RunState, write

CHECKPOINT, RECORD, LOG, MAPS, OUTCOMES = "checkpoint", "record.json", "log.jsonl", "maps.npz", "outcomes.npz"


def lines(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Rows as JSON lines."""
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def write_progress(out: Path, state: RunState) -> None:
    """What was logged so far: `log.jsonl`, `maps.npz`, `cost.jsonl`.

    Raises:
        TrainingError: A file cannot be written.
    """
    write(out / LOG, lines(state.log))
    write(out / "cost.jsonl", lines(state.cost))
    if state.log:
        maps = stacked(state.tensors["maps"])
        steps = np.array([row["step"] for row in state.log])
        write(out / MAPS, as_npz({**maps, "steps": steps, "ids": np.array(state.begun["map_examples"])}))


def write_checkpoint(out: Path, model: FoveatedVLM, config: TrainingConfig, state: RunState) -> Path:
    """The model with its config, log and learning curve.

    Raises:
        TrainingError: A file cannot be written.
        CheckpointError: The model cannot be written.
    """
    folder = out / CHECKPOINT
    model.save_pretrained(folder)
    cost = {"steps": state.step, "threads": config.threads}
    write(folder / "training.json", as_json({"config": config.model_dump(mode="json"), "cost": cost}))
    write(folder / LOG, lines(state.log))
    if state.log:
        learning_curve(state.log, folder / "learning_curve.png")
    return folder


def write_end(out: Path, config: TrainingConfig, state: RunState, samples: int) -> None:
    """What a run that is over leaves beside its checkpoint; `record.json`, the last, says that it is over.

    Raises:
        TrainingError: A file cannot be written.
    """
    write_progress(out, state)
    if "ids" in state.final:
        ids = np.array(state.final["ids"])
        values = {name: state.final[name].numpy() for name in ("correct", "answer_logprob")}
        write(out / OUTCOMES, as_npz({"ids": ids, **values}))
    spent = state.cost[-1] if state.cost else {}
    write(
        out / "cost.json",
        as_json(
            {
                "seconds": round(state.seconds, 1),
                "samples_per_second": round(samples / state.seconds, 1) if state.seconds else None,
                "peak_memory_mib": spent.get("peak_memory_mib"),
                "threads": config.threads,
                "processes": state.begun["processes"],
            }
        ),
    )
    write(out / RECORD, as_json(record(config, state, samples)), flush=True)
