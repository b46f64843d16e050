"""The parts of a run as they are before its first step."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import torch

from causalablate.errors import TrainingError
from causalablate.foveated.checkpoint import WEIGHTS
from causalablate.foveated.config import FREEZABLE
from causalablate.foveated.model import FoveatedVLM
from causalablate.foveated.sizes import small_config
from causalablate.models import SHIPPED
from causalablate.training.config import TrainingConfig
from causalablate.training.objective import Objective
from causalablate.training.objectives import WarmupHeads
from causalablate.training.source import Source, source_of
from causalablate.training.without import Without


@dataclass(frozen=True, eq=False)
class Parts:
    """What a run is made of.

    Attributes:
        source: Where its batches come from.
        model: The model, with its initial weights.
        heads: What only training needs.
        without: The components that are held off.
        objective: All of them, as one module.
        identity: What tells the run from others: its config, and the content of what the config names.
    """

    source: Source
    model: FoveatedVLM
    heads: WarmupHeads
    without: Without
    objective: Objective
    identity: str


def build(config: TrainingConfig, directory: Path = Path()) -> Parts:
    """Make the parts of a run; the global random state is left alone.

    Args:
        config: The run.
        directory: Where its relative paths start.
    Raises:
        TrainingError: The checkpoint to start from has another shape.
        ExampleError: What the run trains on is missing, empty or malformed.
        CheckpointError: The model cannot be, or the checkpoint to start from cannot be read.
        ComponentNotFoundError: `without` names a component that the model does not have.
        LesionError: A component refuses its off.
    """
    source = source_of(config, directory)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        model = FoveatedVLM(small_config(source.words, **{**config.model.switches(), **source.shape}))
        heads = WarmupHeads(model.config.vision_config.hidden_size)
    began = _take_over(model, config, directory) if config.start else ""
    without = Without(model, config.lesion)
    objective = Objective(model, heads, without)
    return Parts(source, model, heads, without, objective, config.identity + source.hash + began)


@torch.no_grad()
def _take_over(model: FoveatedVLM, config: TrainingConfig, directory: Path) -> str:
    """Copy what fits of the chosen parts of a checkpoint; returns the hash of its weights.

    Of the encoder all layers must fit. What reads them may be new: a shallow query's cross-attention is not in the
    checkpoint of a deep one.
    """
    assert config.start is not None
    folder = SHIPPED if config.start == "shipped" else directory / Path(config.start).expanduser()
    if folder.is_file():
        raise TrainingError(
            f'"{folder}" is a file; a run starts from a checkpoint directory, such as runs/NAME/checkpoint. '
            "Only a sweep's `start` names the file of a run, and trains that first."
        )
    parts = config.start_parts or FREEZABLE
    there, here = FoveatedVLM.from_pretrained(folder).state_dict(), model.state_dict()
    there = {name: tensor for name, tensor in there.items() if name.partition(".")[0] in parts}
    fits = [name for name, tensor in there.items() if name in here and here[name].shape == tensor.shape]
    asked = [name for name in here if name.startswith("vision.dinov2.") and "vision" in parts]
    other = next((name for name in asked if name not in fits), None)
    if other is not None:
        raise TrainingError(
            f'"{other}" has another shape in "{folder}", or is not there; give `model` the width, layers, image_size '
            "and patch_size of the checkpoint to start from."
        )
    for name in fits:
        here[name].copy_(there[name])
    return hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest()
