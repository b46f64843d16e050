"""A family of checkpoints that transformers loads, as a value."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from causalablate.models.adapter import Adapter
from causalablate.models.family import LoadOptions
from causalablate.models.pretrained.adapter import PretrainedAdapter
from causalablate.models.pretrained.anatomy import Anatomy
from causalablate.models.pretrained.inputs import Complete, Prompt, image_first, unchanged
from causalablate.models.pretrained.loading import load_module, load_processor


@dataclass(frozen=True)
class Pretrained:
    """A family: implements `causalablate.models.family.Family`.

    Attributes:
        model_types: Values of `model_type` in config.json.
        auto: Name of the Auto class of transformers that loads it, e.g. `AutoModelForImageTextToText`.
        anatomy: Names the parts of a loaded module, from its config and its module paths.
        prompt: Text of a question where the checkpoint brings no chat template.
        positions: Say where each token stands by `position_ids`, counted without padding; False where the model counts
            by itself, from the attention mask.
        first_position: Where the first token stands.
        ending: What the processor itself puts behind the prompt.
        complete: What the processor's output lacks, or has in another form than the model needs.
        adapter: What feeds and reads a model, from the family and the checkpoint's processor; None: the prompt's last
            position is read, by `PretrainedAdapter`.
        modes: Ways in which a model of the family can answer.
    """

    model_types: tuple[str, ...]
    auto: str
    anatomy: Callable[[nn.Module], Anatomy]
    prompt: Prompt = image_first
    positions: bool = True
    first_position: int = 0
    ending: str = ""
    complete: Complete = unchanged
    adapter: Callable[["Pretrained", Any], Adapter] | None = None
    modes: tuple[str, ...] = ()

    def open(self, path: Path, mode: str | None, options: LoadOptions) -> tuple[nn.Module, Adapter]:
        """Read a checkpoint directory: weights, tokenizer and image processor; `mode` is not used.

        Raises:
            CheckpointError: It is damaged or incomplete, or asks for something unsafe.
        """
        processor = load_processor(path, options)
        module = load_module(path, self.auto, options)
        if self.adapter is not None:
            return module, self.adapter(self, processor)
        anatomy = self.anatomy(module)
        return module, PretrainedAdapter(
            anatomy, processor, self.prompt, self.positions, self.first_position, self.ending, self.complete
        )
