"""AdamW over named parameter groups, and the learning rate of each at each step."""

import math
from collections.abc import Iterator

import torch
from torch import nn

from causalablate.training.config import OptimizerSection, StageSection

GROUPS = {
    "vision": ("vision.",),
    "lm": ("lm.",),
    "foveation": ("scorers.", "opponent.", "relevance.", "allocator."),
    "bridge": ("queries.", "connector.", "passes.", "sequence.", "heads."),
}
"""Parameter groups by the beginning of the parameter's name; every parameter is in exactly one."""


def make_optimizer(
    model: nn.Module, heads: nn.Module, config: OptimizerSection, *, fused: bool = True
) -> torch.optim.AdamW:
    """Group all trainable parameters; vectors and scalars (norms, biases, marks) do not decay.

    Args:
        model: The model.
        heads: What only training needs.
        config: Sizes and scales.
        fused: Update many parameters at once; not where some are in shards and others are not.
    """
    groups: dict[tuple[str, bool], list[nn.Parameter]] = {}
    for name, parameter in _named(model, heads):
        if parameter.requires_grad:
            groups.setdefault((group_of(name), parameter.ndim > 1), []).append(parameter)
    return torch.optim.AdamW(
        [
            {"params": params, "name": name, "weight_decay": config.weight_decay if decays else 0.0}
            for (name, decays), params in sorted(groups.items(), key=lambda item: item[0])
        ],
        lr=0.0,
        betas=config.betas,
        fused=fused,
        foreach=None if fused else False,
    )


def group_of(name: str) -> str:
    """Return the parameter group of a parameter, by its name."""
    return next(group for group, starts in GROUPS.items() if name.startswith(starts))


def set_learning_rate(optimizer: torch.optim.Optimizer, config: OptimizerSection, rate: float) -> dict[str, float]:
    """Set every group's rate; returns them by group."""
    rates = {}
    for group in optimizer.param_groups:
        group["lr"] = rate * config.group_scale.get(group["name"], 1.0)
        rates[group["name"]] = group["lr"]
    return rates


def learning_rate(stage: StageSection, step: int) -> float:
    """Linear warm-up, then cosine to `final_share` of the peak, for step 0 to `steps` - 1."""
    if step < stage.warmup_steps:
        return stage.learning_rate * (step + 1) / stage.warmup_steps
    progress = (step - stage.warmup_steps) / max(1, stage.steps - stage.warmup_steps)
    return stage.learning_rate * (
        stage.final_share + (1 - stage.final_share) * 0.5 * (1 + math.cos(math.pi * progress))
    )


def _named(model: nn.Module, heads: nn.Module) -> Iterator[tuple[str, nn.Parameter]]:
    yield from model.named_parameters()
    for name, parameter in heads.named_parameters():
        yield f"heads.{name}", parameter
