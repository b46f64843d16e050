"""Floating-point operations of training, counted while one batch goes forward and back."""

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from causalablate.foveated.model import FoveatedVLM


def flops_per_sample(model: FoveatedVLM, inputs: Mapping[str, Tensor]) -> int:
    """Count the operations that one example costs in training.

    Forward in the mode of the model's config, and back to every trainable parameter: matrix products and convolutions,
    a multiplication with its addition as two operations; attention too where it runs fused on a GPU (on a CPU torch
    does not count it). Terms that an objective adds and the optimiser are not counted. Lesions that hold while this is
    called are: what they switch off, and what then receives no gradient, costs what it costs in training.

    Args:
        model: The model; neither its gradients nor its mode change.
        inputs: Keyword arguments of its forward, `labels` among them, (B, ...).
    Returns:
        Operations per example, rounded.
    """
    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    with torch.enable_grad(), FlopCounterMode(display=False) as counter:
        loss = model(**inputs).loss
        if loss.requires_grad:
            torch.autograd.grad(loss, trainable, allow_unused=True)
    return round(counter.get_total_flops() / len(inputs["labels"]))
