"""The exponential moving average of the weights: what is evaluated, and kept as the checkpoint."""

import copy
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from causalablate.foveated.model import FoveatedVLM
from causalablate.training.processes import SHARDED


class Average:
    """The averaged model.

    Where every process holds the whole model, each averages it all. Where parameters are in shards, each averages its
    own shards, which are put together when the model is asked for.

    Attributes:
        sharded: Whether parameters are in shards.
    """

    def __init__(self, model: FoveatedVLM, decay: float) -> None:
        self._model = copy.deepcopy(model).requires_grad_(False).eval()
        self._decay = decay
        self._live: list[Tensor] = list(model.parameters())
        self._kept: list[Tensor] = list(self._model.parameters())
        self.sharded = False

    def follow(self, prepared: nn.Module, accelerator: Accelerator) -> None:
        """Average the parameters of what accelerate made of the objective, from their present values on."""
        self._live = list(accelerator.unwrap_model(prepared).model.parameters())
        self.sharded = accelerator.distributed_type in SHARDED
        if self.sharded:
            self._kept = [p.detach().clone() for p in self._live]
        else:
            self._model.to(accelerator.device)

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take the weights after so many steps in."""
        # Early steps weigh less, so that the average does not remember the initial weights.
        decay = min(self._decay, (1 + step) / (10 + step))
        if self.sharded:  # foreach does not know shards
            for kept, live in zip(self._kept, self._live, strict=True):
                kept.lerp_(live, 1 - decay)
        else:
            torch._foreach_lerp_(self._kept, self._live, 1 - decay)

    @property
    def whole(self) -> FoveatedVLM:
        """The averaged model; of sharded parameters as it was when last put together."""
        return self._model

    @torch.no_grad()
    def model(self, prepared: nn.Module, accelerator: Accelerator) -> FoveatedVLM:
        """The averaged model, whole; of sharded parameters on the main process only."""
        if not self.sharded:
            return self._model
        self._swap()
        whole: dict[str, Any] = accelerator.get_state_dict(prepared)
        self._swap()
        if accelerator.is_main_process:
            own = {n.removeprefix("model."): x for n, x in whole.items() if n.startswith("model.")}
            self._model.load_state_dict(own)
        return self._model

    def _swap(self) -> None:
        for kept, live in zip(self._kept, self._live, strict=True):
            now = live.detach().clone()
            live.copy_(kept)
            kept.copy_(now)

    @property
    def tensors(self) -> list[Tensor]:
        """What this process averages: every parameter, or its shards of them."""
        return self._kept

    @torch.no_grad()
    def restore(self, tensors: list[Tensor]) -> None:
        """Go on from what `tensors` gave."""
        for own, saved in zip(self._kept, tensors, strict=True):
            own.copy_(saved)
