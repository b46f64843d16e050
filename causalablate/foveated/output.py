"""What one forward pass returns."""

from dataclasses import dataclass

from torch import Tensor
from transformers.utils import ModelOutput


@dataclass
class FoveatedOutput(ModelOutput):
    """Answers of both passes and where the model looked.

    Attributes:
        loss: The mode's training loss, mean over the batch (needs labels).
        logits: The mode's answer over the vocabulary, (B, V).
        logits_fine, logits_coarse: Answer of each pass, (B, V). Where there is one pass (modes coarse_only and
            multi_token, and examples of a single frame) it is `logits_coarse`, and fine is None.
        loss_fine, loss_coarse: Cross-entropy of each, nats, mean over the batch.
        allocation: What follows is there after a fine pass only. Tokens per patch of the last frame, (B, P).
        relevance: Relevance of each patch of the last frame, (B, P).
        gates: The three opponent gates in the order of `opponent.GATES`, for the last frame, (B, 3).
        attention_entropy: Entropy of the shares of tokens above the minimum over the patches, nats, (B,).
        feature_similarity: Cosine between the first coarse and the last fine visual reading, (B,).
        patch_features: Encoded patches of the last frame, (B, P, D_v).
    """

    loss: Tensor | None = None
    logits: Tensor | None = None
    logits_fine: Tensor | None = None
    logits_coarse: Tensor | None = None
    loss_fine: Tensor | None = None
    loss_coarse: Tensor | None = None
    allocation: Tensor | None = None
    relevance: Tensor | None = None
    gates: Tensor | None = None
    attention_entropy: Tensor | None = None
    feature_similarity: Tensor | None = None
    patch_features: Tensor | None = None
