"""Train the reference model from a config: encoder warm-up, answers, settling. Resumes where it was killed."""

import copy
import hashlib
import json
import time
from pathlib import Path
from typing import Any

import torch

from causalablate.errors import TrainingError
from causalablate.foveated.checkpoint import WEIGHTS
from causalablate.foveated.model import FoveatedVLM
from causalablate.foveated.sizes import small_config
from causalablate.models import SHIPPED
from causalablate.progress import progress_bar
from causalablate.training.config import TrainingConfig
from causalablate.training.curve import learning_curve
from causalablate.training.evaluate import evaluate
from causalablate.training.objectives import WarmupHeads, main_loss, warmup_loss
from causalablate.training.optimizer import learning_rate, make_optimizer, set_learning_rate
from causalablate.training.source import source_of
from causalablate.training.state import RunState, write


def train(
    config: TrainingConfig,
    out: Path,
    *,
    directory: Path = Path(),
    quiet: bool = False,
    stop_after: int | None = None,
) -> Path:
    """Train, or go on training, and write the checkpoint.

    Args:
        config: The run.
        out: Directory for `state.pt`, `checkpoint/` (the model, `training.json`, `log.jsonl`, `learning_curve.png`).
        directory: Where relative paths of the config start.
        quiet: Show no progress bar.
        stop_after: Stop after so many optimiser steps in all, state saved, as if killed.
    Returns:
        The directory of the checkpoint.
    Raises:
        TrainingError: `out` cannot be written, holds a run of another config, or the loss is not finite.
        ExampleError: The folder of examples is missing, empty or malformed.
        CheckpointError: The checkpoint to start from cannot be read.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TrainingError(
            f'cannot create "{out}" ({error.strerror}); choose a directory you can write to.'
        ) from error
    threads = torch.get_num_threads()
    torch.set_num_threads(config.threads)
    try:
        return _Run(config, out, directory).finish(quiet, stop_after)
    finally:
        torch.set_num_threads(threads)


STAGES = ("encoder_warmup", "main", "settle")


class _Run:
    """The objects of one run; `state.step` counts steps over all stages."""

    def __init__(self, config: TrainingConfig, out: Path, directory: Path) -> None:
        self.config, self.out = config, out
        self.source = source_of(config, directory)
        self.stages = (config.encoder_warmup, config.main, config.settle)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            self.model = FoveatedVLM(
                small_config(self.source.words, **{**config.model.switches(), **self.source.shape})
            )
            self.heads = WarmupHeads(self.model.config.vision_config.hidden_size)
        began = _take_over(self.model, config.start, directory) if config.start else ""
        self.average = copy.deepcopy(self.model).requires_grad_(False).eval()
        self.optimizer = make_optimizer(self.model, self.heads, config.optimizer)
        # Of the steps since the last evaluation.
        self.losses: list[float] = []
        self.gradient_norms: list[float] = []
        identity = config.model_dump_json() + self.source.hash + began
        self.state = RunState.load(out, identity) or RunState(identity)
        if self.state.tensors:
            self._restore()

    def finish(self, quiet: bool, stop_after: int | None) -> Path:
        total = sum(stage.steps for stage in self.stages)
        end = total if stop_after is None else min(total, stop_after)
        with progress_bar("train", total, done=self.state.step, quiet=quiet) as advance:
            note = ""
            while self.state.step < end:
                started = time.perf_counter()
                stage = STAGES[self._position()[0]]
                rates = self._step()
                if self.state.step % self.config.evaluation.every == 0 or self.state.step == total:
                    note = self._evaluate(stage, rates)
                self.state.seconds += time.perf_counter() - started
                if self.state.step % self.config.save_every == 0 or self.state.step == end:
                    self._save()
                advance(1, note)
        return self._write_checkpoint()

    def _step(self) -> dict[str, float]:
        """One optimiser step; returns the learning rate of each group."""
        stage, within = self._position()
        section = self.stages[stage]
        batch = self.source.batch(self.model.config, section.batch_size, self.config.seed, stage, within)
        if stage == 0:
            loss = warmup_loss(self.model, self.heads, batch)
        else:
            if stage == 1 and within == 0 and self.stages[0].steps:
                self.heads.hand_over(self.model)
            progress = within / section.steps if stage == 1 else None
            loss = main_loss(self.model, self.heads, batch, self.config.objective, progress)
        if not torch.isfinite(loss):
            raise TrainingError(f"the loss is {loss.item()} at step {self.state.step}; lower the learning rate.")
        rates = set_learning_rate(self.optimizer, self.config.optimizer, learning_rate(section, within))
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        parameters = [p for group in self.optimizer.param_groups for p in group["params"]]
        norm = torch.nn.utils.clip_grad_norm_(parameters, self.config.optimizer.clip)
        self.losses.append(loss.item())
        self.gradient_norms.append(norm.item())
        self.optimizer.step()
        self.state.step += 1
        self._update_average()
        return rates

    def _position(self) -> tuple[int, int]:
        """Stage, and step within it."""
        within = self.state.step
        for stage, section in enumerate(self.stages):
            if within < section.steps:
                return stage, within
            within -= section.steps
        raise AssertionError("the run is over")

    @torch.no_grad()
    def _update_average(self) -> None:
        # Early steps weigh less, so that the average does not remember the initial weights.
        decay = min(self.config.optimizer.ema_decay, (1 + self.state.step) / (10 + self.state.step))
        torch._foreach_lerp_(list(self.average.parameters()), list(self.model.parameters()), 1 - decay)

    def _evaluate(self, stage: str, rates: dict[str, float]) -> str:
        metrics = evaluate(self.average, self.source.validation, batch_size=self.config.evaluation.batch_size)
        row: dict[str, Any] = {"step": self.state.step, "stage": stage, **metrics}
        row["train_loss"] = sum(self.losses) / len(self.losses)
        row["grad_norm"] = sum(self.gradient_norms) / len(self.gradient_norms)
        row |= {f"learning_rate.{group}": rate for group, rate in rates.items()}
        self.losses.clear()
        self.gradient_norms.clear()
        self.state.log.append({name: round(v, 6) if isinstance(v, float) else v for name, v in row.items()})
        return f"accuracy {metrics['accuracy']:.3f}"

    def _save(self) -> None:
        self.state.tensors = {
            "model": self.model.state_dict(),
            "heads": self.heads.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "losses": self.losses,
            "gradient_norms": self.gradient_norms,
        }
        self.state.save(self.out)
        write(self.out / "log.jsonl", self._log_text().encode())

    def _restore(self) -> None:
        saved = self.state.tensors
        self.model.load_state_dict(saved["model"])
        self.heads.load_state_dict(saved["heads"])
        self.average.load_state_dict(saved["average"])
        self.optimizer.load_state_dict(saved["optimizer"])
        self.losses, self.gradient_norms = list(saved["losses"]), list(saved["gradient_norms"])

    def _log_text(self) -> str:
        return "".join(json.dumps(row) + "\n" for row in self.state.log)

    def _write_checkpoint(self) -> Path:
        folder = self.out / "checkpoint"
        self.average.save_pretrained(folder)
        cost = {"steps": self.state.step, "seconds": round(self.state.seconds, 1), "threads": self.config.threads}
        run = {"config": self.config.model_dump(mode="json"), "cost": cost}
        write(folder / "training.json", (json.dumps(run, indent=2) + "\n").encode())
        write(folder / "log.jsonl", self._log_text().encode())
        if self.state.log:
            learning_curve(self.state.log, folder / "learning_curve.png")
        return folder


@torch.no_grad()
def _take_over(model: FoveatedVLM, start: str, directory: Path) -> str:
    """Copy what fits from a checkpoint, the whole encoder at least; returns the hash of its weights."""
    folder = SHIPPED if start == "shipped" else directory / Path(start).expanduser()
    there, here = FoveatedVLM.from_pretrained(folder).state_dict(), model.state_dict()
    fits = [name for name, tensor in there.items() if name in here and here[name].shape == tensor.shape]
    other = next((name for name in here if name.startswith("vision.") and name not in fits), None)
    if other is not None:
        raise TrainingError(
            f'"{other}" has another shape in "{folder}", or is not there; give `model` the width, layers, image_size '
            "and patch_size of the checkpoint to start from."
        )
    for name in fits:
        here[name].copy_(there[name])
    return hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest()
