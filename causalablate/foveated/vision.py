"""The encoder: a Dinov2 whose queries read the patches without disturbing them."""

import torch
from torch import Tensor, nn
from transformers import Dinov2Model

from causalablate.foveated.config import FoveatedConfig


class VisionEncoder(nn.Module):
    """Encode a view and let queries read it.

    Deep: each query is projected and appended to the patch sequence; it attends to the patches and to itself in
    every layer, the patches never attend to it. Shallow: the queries cross-attend once, at the end.
    The output is one tensor (B, 1 + P + Q, D_v): class token, patches, then what each query read.
    """

    def __init__(self, config: FoveatedConfig) -> None:
        super().__init__()
        width = config.vision_config.hidden_size
        self.deep = config.deep_query
        self.dinov2 = Dinov2Model(config.vision_config)
        self.query_projection = nn.Linear(width, width)
        self.cross_attention = (
            None if self.deep else QueryCrossAttention(width, config.vision_config.num_attention_heads)
        )

    def forward(self, view: Tensor, queries: Tensor) -> Tensor:
        """Encode `view` (B, 3, H, W) for `queries` (B, Q, D_v)."""
        patches = self.dinov2.embeddings(view)
        queries = self.query_projection(queries)
        if self.cross_attention is not None:
            encoded = self.dinov2.layernorm(self.dinov2.encoder(patches).last_hidden_state)
            return torch.cat([encoded, self.cross_attention(queries, encoded)], dim=1)
        mask = _one_way_mask(patches.shape[1], queries.shape[1], patches)
        hidden = torch.cat([patches, queries], dim=1)
        return self.dinov2.layernorm(self.dinov2.encoder(hidden, attention_mask=mask).last_hidden_state)


class QueryCrossAttention(nn.Module):
    """One pre-norm cross-attention block: queries (B, Q, D) read patches (B, S, D)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)
        self.out_norm = nn.LayerNorm(width)

    def forward(self, queries: Tensor, patches: Tensor) -> Tensor:
        """Return what the queries read, (B, Q, D)."""
        read, _ = self.attention(self.norm(queries), patches, patches, need_weights=False)
        return self.out_norm(queries + read)


def _one_way_mask(n_patches: int, n_queries: int, like: Tensor) -> Tensor:
    """Additive mask (1, 1, S, S): patches see patches; a query sees patches and itself."""
    size = n_patches + n_queries
    allowed = torch.zeros(size, size, dtype=torch.bool, device=like.device)
    allowed[:, :n_patches] = True
    allowed |= torch.eye(size, dtype=torch.bool, device=like.device)
    mask = torch.zeros(size, size, dtype=like.dtype, device=like.device)
    return mask.masked_fill(~allowed, torch.finfo(like.dtype).min)[None, None]
