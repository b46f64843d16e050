"""Assemble what the language model reads: question, visual tokens, answer slot. One module per pass."""

import torch
from torch import Tensor, nn

from causalablate.foveated.config import FoveatedConfig


class ConcatSequence(nn.Module):
    """Visual tokens are tokens of the sequence."""

    def __init__(self, config: FoveatedConfig) -> None:
        super().__init__()

    def forward(self, question: Tensor, visual: Tensor, answer: Tensor) -> Tensor:
        """Join question (B, Q, D), visual tokens (B, F * K, D) and answer slot (B, 1, D) into (B, T, D)."""
        return torch.cat([question, visual, answer], dim=1)


class CrossAttentionSequence(nn.Module):
    """Text reads the visual tokens through one cross-attention; placeholders stand at their positions."""

    def __init__(self, config: FoveatedConfig) -> None:
        super().__init__()
        width = config.text_config.hidden_size
        self.placeholder = nn.Parameter(torch.zeros(config.n_frames * config.visual_tokens_per_frame, width))
        self.norm = nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, config.text_config.num_attention_heads, batch_first=True)

    def forward(self, question: Tensor, visual: Tensor, answer: Tensor) -> Tensor:
        """As `ConcatSequence`. Placeholder t reads the visual tokens up to t only, the answer reads all."""
        batch, n_visual = visual.shape[:2]
        read_from = torch.cat([self.placeholder[:n_visual].expand(batch, -1, -1), answer], dim=1)
        hidden = torch.ones(n_visual + 1, n_visual, dtype=torch.bool, device=visual.device).triu(1)
        read, _ = self.attention(self.norm(read_from), visual, visual, attn_mask=hidden, need_weights=False)
        return torch.cat([question, read_from + read], dim=1)


SEQUENCES = {"concat": ConcatSequence, "cross_attention": CrossAttentionSequence}


class Sequences(nn.Module):
    """`coarse` assembles the sequences of pass 1, `fine` those that hold a fine token."""

    def __init__(self, config: FoveatedConfig) -> None:
        super().__init__()
        self.coarse = SEQUENCES[config.fusion](config)
        self.fine = SEQUENCES[config.fusion](config)
