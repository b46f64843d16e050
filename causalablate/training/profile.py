"""What a run costs by its design: parameters, those that learn, visual tokens, operations per example."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from causalablate.foveated.model import FoveatedVLM
from causalablate.training.build import Parts, build
from causalablate.training.config import TrainingConfig
from causalablate.training.flops import flops_per_sample
from causalablate.training.mixture import WARM_UP, Mixture
from causalablate.training.objectives import Task, answers_task, warmup_task

N_ROWS = 8
"""Examples per batch that is looked at; what one costs does not depend on it."""


def profile(config: TrainingConfig, directory: Path = Path()) -> dict[str, Any]:
    """What a run would cost, without training it.

    Args:
        config: The run.
        directory: Where its relative paths start.
    Returns:
        See `profile_of`.
    """
    return profile_of(config, build(config, directory))


def profile_of(config: TrainingConfig, parts: Parts) -> dict[str, Any]:
    """What the built parts of a run cost.

    Returns:
        `parameters`: `total`, `trainable`, and `active`, those to which a first step of any stage gives a gradient;
        `visual_tokens_per_frame`; `flops_per_sample`, forward and backward in the run's mode with its components off,
        of a mixture the mean over its kinds by their shares.
    """
    model = parts.model
    operations = sum(share * _flops(parts, task) for share, task in _tasks(config, parts, "main"))
    active: set[str] = set()
    for stage, section in config.stages.items():
        if section.steps:
            for _, task in _tasks(config, parts, stage):
                active |= _reached(parts, task)
    sizes = {name: p.numel() for name, p in model.named_parameters()}
    return {
        "parameters": {
            "total": sum(sizes.values()),
            "trainable": sum(p.numel() for p in model.parameters() if p.requires_grad),
            "active": sum(n for name, n in sizes.items() if name in active),
        },
        "visual_tokens_per_frame": model.config.visual_tokens_per_frame,
        "flops_per_sample": round(operations),
    }


def _tasks(config: TrainingConfig, parts: Parts, stage: str) -> Iterator[tuple[float, Task]]:
    """A task of each kind that a stage has, with the share of its steps."""
    number = list(config.stages).index(stage)
    plain = config.objective.model_copy(update={"autoregressive_share": 0.0})
    for step, share in _steps(config, parts, number):
        batch = parts.source.batch(parts.model.config, N_ROWS, config.samples_seed, number, step)
        if stage == "encoder_warmup":
            yield share, warmup_task(parts.model.config, batch)
        else:
            progress = 0.0 if stage == "main" else None
            yield share, answers_task(parts.model.config, batch, plain, progress, parts.without.addresses)


def _steps(config: TrainingConfig, parts: Parts, stage: int) -> Iterator[tuple[int, float]]:
    """The first step of each kind that a stage shows, with the share of its steps."""
    if not isinstance(parts.source, Mixture) or stage == WARM_UP:
        yield 0, 1.0
        return
    left = {kind: share for kind, share in parts.source.data.shares.items() if share}
    for step in itertools.count():
        kind = parts.source.kind(config.samples_seed, stage, step)
        if kind in left:
            yield step, left.pop(kind)
        if not left:
            return


def _keys(task: Task) -> list[str]:
    return [str(row) for row in range(len(task))]


def _flops(parts: Parts, task: Task) -> int:
    frames = task.inputs["pixel_values"].shape[1]
    model: FoveatedVLM = parts.model
    return parts.without.run(
        model, lambda: flops_per_sample(model, task.inputs), case=(task.mode, frames), keys=_keys(task)
    )


def _reached(parts: Parts, task: Task) -> set[str]:
    """Names of the parameters to which a task gives a gradient that is not 0."""
    named = {name: p for name, p in parts.model.named_parameters() if p.requires_grad}
    loss = parts.objective(task, _keys(task))
    if not loss.requires_grad:
        return set()
    gradients = torch.autograd.grad(loss, list(named.values()), allow_unused=True)
    return {name for name, g in zip(named, gradients, strict=True) if g is not None and bool(g.count_nonzero())}
