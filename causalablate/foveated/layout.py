"""Which positions of the language model's sequence hold what."""

from dataclasses import dataclass

import torch
from torch import Tensor

from causalablate.foveated.config import FoveatedConfig


@dataclass(frozen=True)
class TokenLayout:
    """Left-padded question, then the visual tokens of every frame, then one answer token.

    Attributes:
        question: Positions for the question (Q).
        frames: Frames (F).
        per_frame: Visual tokens per frame (K).
    """

    question: int
    frames: int
    per_frame: int

    @classmethod
    def of(cls, config: FoveatedConfig, frames: int | None = None) -> "TokenLayout":
        """Return the layout that a config implies for so many frames, by default for the most."""
        frames = config.n_frames if frames is None else frames
        return cls(config.max_question_tokens, frames, config.visual_tokens_per_frame)

    @property
    def length(self) -> int:
        """Positions in all (T)."""
        return self.question + self.frames * self.per_frame + 1

    @property
    def groups(self) -> dict[str, slice]:
        """Positions of each token group; `image.fine` is every frame after the first."""
        first, image_end = self.question, self.length - 1
        return {
            "question": slice(0, first),
            "image": slice(first, image_end),
            "image.first": slice(first, first + self.per_frame),
            "image.fine": slice(first + self.per_frame, image_end),
            "answer": slice(image_end, self.length),
        }

    def frame(self, t: int) -> slice:
        """Positions of the visual tokens of frame `t`."""
        start = self.question + t * self.per_frame
        return slice(start, start + self.per_frame)

    def mask(self, question_mask: Tensor, dtype: torch.dtype) -> Tensor:
        """Additive causal mask (B, 1, T, T) that hides padding.

        A padded position sees itself only, so that no row of the softmax is empty; nobody sees it.
        """
        seen = torch.nn.functional.pad(question_mask.bool(), (0, self.length - self.question), value=True)
        size = self.length
        causal = torch.ones(size, size, dtype=torch.bool, device=seen.device).tril()
        eye = torch.eye(size, dtype=torch.bool, device=seen.device)
        allowed = (causal & seen[:, None, :]) | eye
        mask = torch.zeros(allowed.shape, dtype=dtype, device=seen.device)
        return mask.masked_fill(~allowed, torch.finfo(dtype).min)[:, None]

    def position_ids(self, question_mask: Tensor) -> Tensor:
        """Positions counted from the first word, whatever the padding, (B, T)."""
        seen = torch.nn.functional.pad(question_mask.long(), (0, self.length - self.question), value=1)
        return (seen.cumsum(1) - 1).clamp(min=0)
