"""Measure a model on an example set: losses, accuracy over all and by question type."""

from collections.abc import Sequence

import torch
from torch import Tensor

from causalablate.examples.base import Example
from causalablate.foveated.encoding import encode
from causalablate.foveated.model import FoveatedVLM
from causalablate.foveated.output import FoveatedOutput


@torch.no_grad()
def evaluate(
    model: FoveatedVLM, examples: Sequence[Example], *, mode: str | None = None, batch_size: int = 175
) -> dict[str, float]:
    """Evaluate on examples in batches.

    Args:
        model: The model; its train/eval mode is left as it was.
        examples: What to answer.
        mode: Overrides the config's mode.
        batch_size: Examples at a time; results do not depend on it beyond float tolerance.
    Returns:
        `val_loss` (nats, the mode's answer), `accuracy`, `accuracy.<question type>`, `loss_coarse`, `accuracy_coarse`,
        and, if there is a fine pass, `loss_fine`, `loss_ratio` (fine / coarse), `attention_entropy`,
        `feature_similarity`.
    """
    training = model.training
    model.eval()
    columns: dict[str, list[Tensor]] = {}
    for start in range(0, len(examples), batch_size):
        inputs = encode(examples[start : start + batch_size], model.config)
        for name, value in _per_example(model(**inputs, mode=mode), inputs["labels"]).items():
            columns.setdefault(name, []).append(value.float())
    model.train(training)
    values = {name: torch.cat(parts) for name, parts in columns.items()}
    result = {name: value.mean().item() for name, value in values.items()}
    if "loss_fine" in result:
        result["loss_ratio"] = result["loss_fine"] / max(result["loss_coarse"], 1e-12)
    types = [example.groups.get("question_type", "") for example in examples]
    for kind in sorted(set(types) - {""}):
        chosen = torch.tensor([t == kind for t in types])
        result[f"accuracy.{kind}"] = values["accuracy"][chosen].mean().item()
    return result


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
