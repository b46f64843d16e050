"""One run: its steps, its evaluations, and what is kept of it. Goes on where it was killed, to the same bytes."""

import copy
import math
import time
from pathlib import Path
from typing import Any

import torch
from accelerate.utils import broadcast_object_list
from torch import Tensor

from causalablate.errors import TrainingError
from causalablate.foveated.model import FoveatedVLM
from causalablate.training import sharded
from causalablate.training.average import Average
from causalablate.training.build import build
from causalablate.training.config import TrainingConfig
from causalablate.training.evaluate import evaluate, measure
from causalablate.training.files import write_checkpoint, write_end, write_progress
from causalablate.training.maps import N_EXAMPLES, look
from causalablate.training.memory import peak_memory_mib
from causalablate.training.objectives import Task, answers_task, warmup_task
from causalablate.training.optimizer import learning_rate, make_optimizer, set_learning_rate
from causalablate.training.processes import SHARDED, make_accelerator, shares
from causalablate.training.profile import profile_of
from causalablate.training.record import begun
from causalablate.training.sinks import open_sinks
from causalablate.training.state import RunState


class DivergedError(TrainingError):
    """A loss, a gradient or a measurement is not finite."""


class Run:
    """The objects of one run; `state.step` counts steps over all stages."""

    def __init__(self, config: TrainingConfig, out: Path, directory: Path) -> None:
        self.config, self.out = config, out
        self.accelerator = make_accelerator(config)
        self.parts = parts = build(config, directory)
        self.stages = list(config.stages.items())
        self.watched = parts.source.validation[:N_EXAMPLES]
        # Of the steps since the last evaluation.
        self.losses: list[float] = []
        self.gradient_norms: list[float] = []
        self.since = 0.0
        self.state = RunState.load(out, parts.identity) or RunState(parts.identity, self._begun())
        self.average = Average(parts.model, config.optimizer.ema_decay)
        fused = self.accelerator.distributed_type not in SHARDED
        optimizer = make_optimizer(parts.model, parts.heads, config.optimizer, fused=fused)
        self.objective, self.optimizer = self.accelerator.prepare(parts.objective, optimizer)
        self.average.follow(self.objective, self.accelerator)
        # Accelerate knows the parameters of a sharded module by their own order.
        own = self.objective.parameters() if self.average.sharded else None
        self.trained = list(own or (p for group in self.optimizer.param_groups for p in group["params"]))
        if self.state.tensors:
            self._restore()
        self.sinks = open_sinks(config, out, self.state.begun, self.state.step) if self._writes else []

    @property
    def _writes(self) -> bool:
        return bool(self.accelerator.is_main_process)

    @property
    def _shards(self) -> sharded.Sharded:
        return sharded.Sharded(self.accelerator, self.objective, self.optimizer)

    @property
    def samples(self) -> int:
        """Examples trained on so far."""
        left, n = self.state.step, 0
        for _, section in self.stages:
            n += min(left, section.steps) * section.batch_size
            left -= min(left, section.steps)
        return n

    def advance(self) -> str:
        """One optimiser step, and whatever is due after it; returns a note on what was measured.

        Raises:
            DivergedError: A number is not finite.
        """
        started = time.perf_counter()
        stage = self.stages[self._position()[0]][0]
        rates = self._step()
        done = self.state.step == self.config.steps
        due = self.state.step % self.config.evaluation.every == 0 or done
        note = self._evaluate(stage, rates, started) if due else ""
        if done and not self.state.status:
            self.state.status = "finished"
        seconds = time.perf_counter() - started
        self.state.seconds += seconds
        self.since += seconds
        return note

    def _position(self) -> tuple[int, int]:
        """Stage, and step within it."""
        within = self.state.step
        for stage, (_, section) in enumerate(self.stages):
            if within < section.steps:
                return stage, within
            within -= section.steps
        raise AssertionError("the run is over")

    def _step(self) -> dict[str, float]:
        """One optimiser step; returns the learning rate of each group."""
        stage, within = self._position()
        section, optimizer = self.stages[stage][1], self.config.optimizer
        if stage == 1 and within == 0 and self.stages[0][1].steps:
            self.parts.heads.hand_over(self.parts.model)
        task = self._task(stage, within)
        rates = set_learning_rate(self.optimizer, optimizer, learning_rate(section, within))
        self.optimizer.zero_grad()
        process, n_processes = self.accelerator.process_index, self.accelerator.num_processes
        total, norm = torch.zeros((), device=self.accelerator.device), torch.zeros(())
        for share in shares(len(task), process, n_processes, optimizer.accumulate):
            with self.accelerator.accumulate(self.objective):
                part = task.rows(share.rows, self.accelerator.device)
                keys = [f"{stage}.{within}.{row}" for row in range(share.rows.start, share.rows.stop)]
                loss = self.objective(part, keys)
                self.accelerator.backward(loss * share.weight)
                total += loss.detach().float() * (share.weight / optimizer.accumulate)
                if self.accelerator.sync_gradients:
                    norm = self.accelerator.clip_grad_norm_(self.trained, optimizer.clip)
                    self._check(total, norm)
                self.optimizer.step()
        self.state.step += 1
        self.average.update(self.state.step)
        if self.state.step == self.config.steps == self.stages[0][1].steps:
            # The run ends with its warm-up, to be the start of others: they need the queries it has learned.
            for model in (self.parts.model, self.average.whole):
                self.parts.heads.hand_over(model)
        return rates

    def _task(self, stage: int, within: int) -> Task:
        config, section = self.parts.model.config, self.stages[stage][1]
        batch = self.parts.source.batch(config, section.batch_size, self.config.samples_seed, stage, within)
        if stage == 0:
            return warmup_task(config, batch)
        progress = within / section.steps if stage == 1 else None
        return answers_task(config, batch, self.config.objective, progress, self.parts.without.addresses)

    def _check(self, loss: Tensor, norm: Tensor | float | None) -> None:
        """Note the loss of the step and the norm of its gradient, and refuse what is not finite."""
        mean = self.accelerator.reduce(loss, "mean").item()
        size = float(norm if norm is not None else math.nan)
        # In fp16 a gradient that overflows is scaled down and its step left out.
        scaled = self.accelerator.scaler is not None or norm is None
        for what, value in (("loss", mean), ("gradient", 0.0 if scaled else size)):
            if not math.isfinite(value):
                raise DivergedError(f"the {what} is {value} at step {self.state.step}")
        self.losses.append(mean)
        self.gradient_norms.append(size)

    def _evaluate(self, stage: str, rates: dict[str, float], started: float) -> str:
        model = self.average.model(self.objective, self.accelerator)
        shared: list[Any] = [None, None]
        if self._writes:
            size = self.config.evaluation.batch_size
            examples, without = self.parts.source.validation, self.parts.without
            shared[0] = evaluate(model, examples, batch_size=size, without=without)
            shared[1] = look(model, self.watched, without)
            without.check()
        metrics, maps = broadcast_object_list(shared) if self.accelerator.num_processes > 1 else shared
        if not math.isfinite(metrics["val_loss"]):
            raise DivergedError(f"the validation loss is {metrics['val_loss']} at step {self.state.step}")
        row: dict[str, Any] = {"step": self.state.step, "stage": stage, "samples": self.samples, **metrics}
        row["train_loss"] = sum(self.losses) / len(self.losses)
        row["grad_norm"] = sum(self.gradient_norms) / len(self.gradient_norms)
        row |= {f"learning_rate.{group}": rate for group, rate in rates.items()}
        before = self.state.log[-1]["samples"] if self.state.log else 0
        seconds = self.since + time.perf_counter() - started
        self.losses.clear()
        self.gradient_norms.clear()
        self.since = 0.0
        self.state.log.append({name: round(v, 6) if isinstance(v, float) else v for name, v in row.items()})
        self.state.cost.append(
            {
                "step": self.state.step,
                "seconds": round(self.state.seconds + seconds, 3),
                "samples_per_second": round((self.samples - before) / seconds, 2),
                "peak_memory_mib": peak_memory_mib(self.accelerator.device),
            }
        )
        self.state.tensors.setdefault("maps", []).append(maps)
        self._keep(stage, metrics["val_loss"], model)
        for sink in self.sinks:
            sink.write({**self.state.log[-1], **self.state.cost[-1]}, maps)
        return f"accuracy {metrics['accuracy']:.3f}"

    def _keep(self, stage: str, val_loss: float, model: FoveatedVLM) -> None:
        """Keep these weights if they are the checkpoint so far, and stop if they have not become better for long."""
        stopping, state = self.config.stopping, self.state
        if stopping is not None and stage != "encoder_warmup":
            if state.best is not None and val_loss >= state.best - stopping.min_delta:
                state.stale += 1
                if state.stale >= stopping.patience:
                    state.status = "stopped_early"
                    state.reason = f"no better val_loss than {state.best:.6f} for {state.stale} evaluations"
                return
            state.best, state.stale = val_loss, 0
        state.kept = state.step
        if self._writes:
            state.tensors["kept"] = {name: x.detach().cpu().clone() for name, x in model.state_dict().items()}

    def agreed(self, asked: bool) -> bool:
        """Whether any process was asked to stop; then all do, at the same step."""
        if self.accelerator.num_processes == 1:
            return asked
        votes = torch.tensor(float(asked), device=self.accelerator.device)
        return bool(self.accelerator.reduce(votes, "sum") > 0)

    def save(self) -> None:
        """Save everything, so that the run can go on from here."""
        self.state.tensors |= {"losses": list(self.losses), "gradient_norms": list(self.gradient_norms)}
        if self.average.sharded:
            sharded.save(self._shards, self.out, self.state.step, self.average.tensors)
        else:
            self.state.tensors |= {
                "model": self.parts.model.state_dict(),
                "heads": self.parts.heads.state_dict(),
                "average": self.average.tensors,
                "optimizer": self.optimizer.state_dict(),
            }
            if self.accelerator.scaler is not None:
                self.state.tensors["scaler"] = self.accelerator.scaler.state_dict()
        if self._writes:
            self.state.save(self.out)
            write_progress(self.out, self.state)
        if self.average.sharded:
            sharded.remove_older(self.accelerator, self.out, self.state.step)

    def _restore(self) -> None:
        saved = self.state.tensors
        self.losses, self.gradient_norms = list(saved["losses"]), list(saved["gradient_norms"])
        if self.average.sharded:
            self.average.restore(sharded.load(self._shards, self.out, self.state.step))
            return
        self.parts.model.load_state_dict(saved["model"])
        self.parts.heads.load_state_dict(saved["heads"])
        self.average.restore(saved["average"])
        self.optimizer.load_state_dict(saved["optimizer"])
        if "scaler" in saved and self.accelerator.scaler is not None:
            self.accelerator.scaler.load_state_dict(saved["scaler"])

    def pause(self) -> None:
        """Write the averaged weights of a run that is not over as its checkpoint."""
        model = self.average.model(self.objective, self.accelerator)
        if self._writes:
            write_checkpoint(self.out, model, self.config, self.state)

    def end(self) -> None:
        """Measure the checkpoint of a run that is over in every mode, and write all its files."""
        if not self._writes:
            return
        kept = self.state.tensors.get("kept")
        if kept is not None:
            model = copy.deepcopy(self.average.whole).to(self.accelerator.device)
            model.load_state_dict(kept)
            if not self.state.final:
                self.state.final = self._final(model)
                self.state.log[-1] |= {
                    name: value for name, value in self.state.final["metrics"].items() if ".mode." in name
                }
                self.state.save(self.out)
            write_checkpoint(self.out, model, self.config, self.state)
        write_end(self.out, self.config, self.state, self.samples)

    def _final(self, model: FoveatedVLM) -> dict[str, Any]:
        examples, size = self.parts.source.validation, self.config.evaluation.batch_size
        found = {
            mode: measure(model, examples, mode=mode, batch_size=size, without=self.parts.without)
            for mode in dict.fromkeys((model.config.mode, *model.config.modes))
        }
        own = found[model.config.mode]
        row = next(row for row in self.state.log if row["step"] == self.state.kept)
        metrics = {name: value for name, value in row.items() if name not in ("step", "stage", "samples")}
        metrics |= {f"accuracy.mode.{mode}": round(x.metrics["accuracy"], 6) for mode, x in found.items()}
        return {
            "metrics": metrics,
            "ids": list(own.ids),
            "correct": torch.from_numpy(own.correct),
            "answer_logprob": torch.from_numpy(own.answer_logprob),
        }

    def _begun(self) -> dict[str, Any]:
        ids = [example.id for example in self.watched]
        profile = profile_of(self.config, self.parts)
        return {**begun(profile, self.parts.model.config, self.accelerator.num_processes), "map_examples": ids}

    def close(self) -> None:
        """Close the sinks, and let go of what accelerate holds."""
        for sink in self.sinks:
            sink.close()
        self.accelerator.free_memory()
