"""What the language model reads of one batch: the question, embedded once, and each pass's visual tokens."""

import torch
from torch import Tensor, nn
from transformers import LlamaForCausalLM

from causalablate.foveated.config import FoveatedConfig
from causalablate.foveated.layout import TokenLayout


class Text:
    """The question of one batch, to be read with the visual tokens of each pass.

    Attributes:
        layout: Which positions hold what, for the number of frames at hand.
    """

    def __init__(
        self, lm: LlamaForCausalLM, config: FoveatedConfig, input_ids: Tensor, attention_mask: Tensor, n_frames: int
    ) -> None:
        """Embed the questions.

        Args:
            lm: The language model.
            config: The whole model's.
            input_ids: Words as positions in the vocabulary, (B, Q).
            attention_mask: 1 at words, 0 at padding, (B, Q).
            n_frames: Frames of each example (F).
        """
        self.layout = TokenLayout.of(config, n_frames)
        self._lm = lm
        self._vocabulary = torch.tensor(config.lm_ids, device=input_ids.device)
        embed = lm.model.embed_tokens
        self._question = embed(self._vocabulary[input_ids])
        self._answer = embed(self._vocabulary[1:2]).expand(input_ids.shape[0], 1, -1)
        self._mask = self.layout.mask(attention_mask, self._question.dtype)
        self._positions = self.layout.position_ids(attention_mask)

    def read(self, sequence: nn.Module, visual: Tensor) -> tuple[Tensor, Tensor]:
        """Read visual tokens (B, F * K, D_lm), assembled by `sequence`.

        Returns:
            Hidden states (B, T, D_lm) and the answer's logits over the vocabulary (B, V).
        """
        embeds = sequence(self._question, visual, self._answer)
        hidden = self._lm.model(
            inputs_embeds=embeds, attention_mask=self._mask, position_ids=self._positions, use_cache=False
        ).last_hidden_state
        return hidden, self._lm.lm_head(hidden[:, -1])[:, self._vocabulary]
