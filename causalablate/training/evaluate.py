"""Measure a model on an example set: losses, accuracy over all and by question type, and every example's outcomes."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from causalablate.examples.base import Example
from causalablate.foveated.encoding import encode, frames_of
from causalablate.foveated.model import FoveatedVLM
from causalablate.foveated.output import FoveatedOutput
from causalablate.training.without import Without


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What a model reaches.

    Attributes:
        metrics: Means over examples, as `evaluate` returns them.
        ids: The examples.
        correct: Whether the answer is right, (n,).
        answer_logprob: Log-probability of the true answer, nats, float32, (n,).
    """

    metrics: dict[str, float]
    ids: tuple[str, ...]
    correct: np.ndarray
    answer_logprob: np.ndarray


def evaluate(
    model: FoveatedVLM,
    examples: Sequence[Example],
    *,
    mode: str | None = None,
    batch_size: int = 175,
    without: Without | None = None,
) -> dict[str, float]:
    """Evaluate on examples in batches.

    Args:
        model: The model; its train/eval mode is left as it was.
        examples: What to answer; they may have different numbers of frames.
        mode: Overrides the config's mode.
        batch_size: Examples at a time; results do not depend on it beyond float tolerance.
        without: Components that are held off.
    Returns:
        `val_loss` (nats, the mode's answer), `accuracy`, `accuracy.<question type>`, where examples say so
        `accuracy.kind.<kind>`, `loss_coarse`, `accuracy_coarse`, and, if there is a fine pass, `loss_fine`,
        `loss_ratio` (fine / coarse), `attention_entropy`, `feature_similarity`: of the examples that have one.
    """
    return measure(model, examples, mode=mode, batch_size=batch_size, without=without).metrics


@torch.no_grad()
def measure(
    model: FoveatedVLM,
    examples: Sequence[Example],
    *,
    mode: str | None = None,
    batch_size: int = 175,
    without: Without | None = None,
) -> Evaluation:
    """Evaluate, and keep what each example gave; see `evaluate`."""
    device = next(model.parameters()).device
    mode = mode or model.config.mode
    parts: dict[str, list[tuple[list[int], Tensor]]] = {}
    with evaluating(model):
        for rows, frames in batches(model, examples, batch_size):
            chosen = [examples[i] for i in rows]
            inputs = {name: x.to(device) for name, x in encode(chosen, model.config).items()}
            output = answer(model, inputs, [e.id for e in chosen], mode, frames, without)
            for name, value in _per_example(output, inputs["labels"]).items():
                parts.setdefault(name, []).append((rows, value.float().cpu()))
    metrics = {name: torch.cat([value for _, value in found]).mean().item() for name, found in parts.items()}
    columns = {name: _column(parts[name], len(examples)) for name in ("val_loss", "accuracy", "loss_coarse")}
    if "loss_fine" in metrics:
        # A single look has no fine pass; the ratio is over the examples that have one.
        looked = torch.tensor([row for rows, _ in parts["loss_fine"] for row in rows])
        metrics["loss_ratio"] = metrics["loss_fine"] / max(columns["loss_coarse"][looked].mean().item(), 1e-12)
    for group, prefix in (("kind", "accuracy.kind."), ("question_type", "accuracy.")):
        labels = [example.groups.get(group, "") for example in examples]
        for label in sorted(set(labels) - {""}):
            metrics[prefix + label] = columns["accuracy"][torch.tensor([x == label for x in labels])].mean().item()
    return Evaluation(
        metrics,
        tuple(example.id for example in examples),
        columns["accuracy"].numpy().astype(bool),
        -columns["val_loss"].numpy(),
    )


def answer(
    model: FoveatedVLM,
    inputs: dict[str, Tensor],
    ids: Sequence[str],
    mode: str,
    frames: int,
    without: Without | None,
) -> FoveatedOutput:
    """One forward, with components held off if any are."""

    def forward() -> FoveatedOutput:
        return model(**inputs, mode=mode)

    return forward() if without is None else without.run(model, forward, case=(mode, frames), keys=ids)


def batches(model: FoveatedVLM, examples: Sequence[Example], size: int) -> Iterator[tuple[list[int], int]]:
    """Rows of each batch, and how many frames its examples have: one such number per batch."""
    frames = [frames_of(example, model.config) for example in examples]
    for n in sorted(set(frames)):
        rows = [i for i, own in enumerate(frames) if own == n]
        for start in range(0, len(rows), size):
            yield rows[start : start + size], n


@contextlib.contextmanager
def evaluating(model: torch.nn.Module) -> Iterator[None]:
    """Evaluation mode inside the block."""
    training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(training)


def _column(parts: list[tuple[list[int], Tensor]], n: int) -> Tensor:
    """The values of all examples, in the order of the examples."""
    column = torch.empty(n)
    for rows, values in parts:
        column[torch.tensor(rows)] = values
    return column


def _per_example(output: FoveatedOutput, labels: Tensor) -> dict[str, Tensor]:
    columns: dict[str, Tensor] = {}
    answers = (("val_loss", "accuracy", output.logits), ("loss_coarse", "accuracy_coarse", output.logits_coarse))
    for loss, accuracy, logits in answers:
        if logits is not None:
            columns[loss] = torch.nn.functional.cross_entropy(logits, labels, reduction="none")
            columns[accuracy] = logits.argmax(-1) == labels
    if output.logits_fine is not None:
        columns["loss_fine"] = torch.nn.functional.cross_entropy(output.logits_fine, labels, reduction="none")
    for name in ("attention_entropy", "feature_similarity"):
        value = getattr(output, name)
        if value is not None:
            columns[name] = value
    return columns
