"""Where a model looks: maps over patches of a few fixed examples, at every evaluation."""

import io
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from causalablate.examples.base import Example
from causalablate.foveated.encoding import encode
from causalablate.foveated.model import FoveatedVLM
from causalablate.models.query_attention import query_attention
from causalablate.training.evaluate import answer, batches, evaluating
from causalablate.training.without import Without

MAPS = ("allocation", "static", "dynamic")
"""Tokens per patch, and the attention of two queries over the patches."""
N_EXAMPLES = 10


@torch.no_grad()
def look(model: FoveatedVLM, examples: Sequence[Example], without: Without) -> dict[str, Tensor]:
    """Where the model looks in some examples.

    Returns:
        By name of `MAPS`, float32 (examples, P): tokens spent per patch of the last frame, and the shares of attention
        of `query.static` on the first and `query.dynamic` on the last frame; NaN where the mode has none.
    """
    device = next(model.parameters()).device
    mode = model.config.mode
    found = {name: torch.full((len(examples), model.config.n_patches), torch.nan) for name in MAPS}
    with evaluating(model):
        for rows, frames in batches(model, examples, len(examples)):
            chosen = [examples[i] for i in rows]
            inputs = {name: x.to(device) for name, x in encode(chosen, model.config).items()}
            ids = [example.id for example in chosen]

            def attention(inputs: dict[str, Tensor] = inputs) -> dict[str, Tensor]:
                return query_attention(model, inputs)

            shares: Mapping[str, Tensor | None] = without.run(model, attention, case=(mode, frames), keys=ids)
            spent = answer(model, inputs, ids, mode, frames, without).allocation
            for name, value in {**shares, "allocation": spent}.items():
                if name in found and value is not None:
                    found[name][torch.tensor(rows)] = value.float().cpu()
    return found


def as_npz(arrays: Mapping[str, np.ndarray]) -> bytes:
    """Arrays as the content of an .npz file, the same bytes for the same arrays."""
    content = io.BytesIO()
    np.savez(content, **{name: np.asarray(array) for name, array in arrays.items()})  # type: ignore[arg-type]
    return content.getvalue()


def stacked(maps: Sequence[Mapping[str, Tensor]]) -> dict[str, np.ndarray]:
    """Maps of all evaluations by name, float32 (evaluations, examples, P)."""
    return {name: torch.stack([one[name] for one in maps]).numpy() for name in MAPS} if maps else {}
