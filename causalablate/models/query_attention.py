"""Where the queries of the foveated model look: how each shares its attention among the patches."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from causalablate.engine.hooks import Forward, Interceptor, intercepted
from causalablate.foveated.config import MULTI_TOKEN
from causalablate.foveated.model import FoveatedVLM


@torch.no_grad()
def query_attention(model: FoveatedVLM, inputs: Mapping[str, Tensor], *, mode: str | None = None) -> dict[str, Tensor]:
    """Share of each query's attention that goes to each patch of the frame it reads.

    Of the encoder's last layer, or of the one cross-attention of shallow queries: mean over heads and over the
    queries of one kind, divided by what the patches get together (the class token and the query itself get the rest).
    Lesions around the call act.

    Args:
        model: The model; one forward is run, and nothing of it is changed.
        inputs: What `encode` returns.
        mode: Overrides the config's mode.
    Returns:
        `static` and `init` on the first frame, `dynamic` on the last, each (B, P); queries that the mode does not ask,
        or that a single frame does not need, are absent.
    """
    views: list[Tensor] = []
    module, interceptor = _watched(model, views)
    with intercepted({module: interceptor}):
        output = model(**inputs, mode=mode)
    n_queries = model.config.visual_tokens_per_frame
    first = views[0]
    if (mode or model.config.mode) == MULTI_TOKEN:
        found = {"static": first}
    elif first.shape[1] == 2 * n_queries:
        found = {"static": first[:, :n_queries], "init": first[:, n_queries:]}
    else:
        found = {"init": first}
    if output.logits_fine is not None:
        found["dynamic"] = views[-1]
    shares = {name: weights.mean(1) for name, weights in found.items()}
    return {name: share / share.sum(-1, keepdim=True) for name, share in shares.items()}


def _watched(model: FoveatedVLM, views: list[Tensor]) -> tuple[nn.Module, Interceptor]:
    """The attention that the queries read with last, and what notes its weights (B, Q, P), mean over heads."""
    vision, n_patches = model.vision, model.config.n_patches
    if vision.cross_attention is not None:
        shallow = vision.cross_attention.attention

        def cross(forward: Forward, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            views.append(_cross_weights(shallow, args[0], args[1])[..., 1:])
            return forward(*args, **kwargs)

        return shallow, cross
    deep = vision.dinov2.encoder.layer[-1].attention

    def last_layer(forward: Forward, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        weights = _self_weights(deep, args[0], kwargs["attention_mask"], 1 + n_patches)
        views.append(weights[..., 1 : 1 + n_patches])
        return forward(*args, **kwargs)

    return deep, last_layer


def _self_weights(attention: Any, hidden: Tensor, mask: Tensor, start: int) -> Tensor:
    """Attention weights of the positions from `start` on over all positions, (B, Q, S)."""
    linear = nn.functional.linear
    queries = linear(hidden[:, start:], attention.q_proj.weight, attention.q_proj.bias)
    keys = linear(hidden, attention.k_proj.weight, attention.k_proj.bias)
    return _weights(queries, keys, attention.num_attention_heads, mask[..., start:, :])


def _cross_weights(attention: nn.MultiheadAttention, queries: Tensor, keys: Tensor) -> Tensor:
    """Attention weights of `queries` (B, Q, D) over `keys` (B, S, D), (B, Q, S)."""
    weight = attention.in_proj_weight.chunk(3)
    bias = attention.in_proj_bias.chunk(3)
    q, k = (nn.functional.linear(x, weight[i], bias[i]) for i, x in enumerate((queries, keys)))
    return _weights(q, k, attention.num_heads, None)


def _weights(queries: Tensor, keys: Tensor, heads: int, mask: Tensor | None) -> Tensor:
    """Softmax of scaled products, mean over heads."""
    q, k = (x.unflatten(-1, (heads, -1)).transpose(1, 2) for x in (queries, keys))
    scores = q @ k.transpose(2, 3) * q.shape[-1] ** -0.5
    return (scores if mask is None else scores + mask).softmax(-1).mean(1)
