"""What training minimises: first the encoder alone, then the answers with a guided gaze, then settled gates."""

import numpy as np
import torch
from torch import Tensor, nn

from causalablate.examples.scenes import COLOURS, N_CELLS, Scenes
from causalablate.foveated.model import FoveatedVLM
from causalablate.training.config import ObjectiveSection
from causalablate.training.data import N_CELL_CLASSES, N_COLOUR_CLASSES, SQUARE_CLASS, Batch, gaze_target

N_ASKED = 2
"""Warm-up queries by cell and by colour, each."""


class WarmupHeads(nn.Module):
    """Read-outs and queries that exist in training only; they stand in for a pretrained encoder.

    The queries ask for a cell, for a colour, for the number of digits, for the largest digit and for the
    colour of the cue.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.cell = nn.Linear(width, N_CELL_CLASSES)
        self.colour = nn.Linear(width, N_COLOUR_CLASSES)
        self.query_cell = nn.Linear(width, N_CELL_CLASSES)
        self.query_colour = nn.Linear(width, N_COLOUR_CLASSES)
        self.ask = nn.Embedding(N_CELLS + len(COLOURS) + 3, width)

    @torch.no_grad()
    def hand_over(self, model: FoveatedVLM) -> None:
        """Start the learned queries from the warm-up query that asks for the cue.

        Nothing says where the cue is, and no gaze is guided in the first frame: started at random, the queries did
        not find it.
        """
        for query in (model.queries.static, model.queries.init):
            query.weight[0] = self.ask.weight[-1]

    def patches(self, features: Tensor, cell_class: Tensor, colour_class: Tensor) -> Tensor:
        """Loss of naming content and colour of every cell from its patch, features (B, P, D_v)."""
        return _cross_entropy(self.cell(features), cell_class) + _cross_entropy(self.colour(features), colour_class)


def warmup_loss(model: FoveatedVLM, heads: WarmupHeads, batch: Batch) -> Tensor:
    """Dense supervision of the encoder at random detail, and of queries that ask it something."""
    assert batch.contents is not None  # a config with this stage trains on digits
    contents, rng = batch.contents, batch.rng
    scenes = contents.scenes
    n = len(scenes)
    low, high = model.config.min_budget, model.config.max_budget
    # The first frame differs from the last in cell 0 alone: there it shows the cue.
    first = rng.random(n) < 0.5
    # A third of the views is seen in full, the others at a random budget per patch.
    budgets = np.where(rng.random((n, 1)) < 0.33, high, rng.uniform(low, high, (n, N_CELLS)))
    asked, numbers, colours = _ask(scenes, rng, first)
    frames = batch.inputs["pixel_values"]
    frame = torch.where(torch.from_numpy(first)[:, None, None, None], frames[:, 0], frames[:, -1])
    spent = torch.from_numpy(budgets.astype(np.float32))
    view = model.views.fovea(model.views.pyramid(frame), spent, batch.inputs["noise"][:, -1])
    encoded = model.vision(view, heads.ask(asked))
    cell_class, colour_class = contents.cell_class.clone(), contents.colour_class.clone()
    cell_class[first, 0] = SQUARE_CLASS
    colour_class[first, 0] = torch.from_numpy(scenes.cue)[first]
    queries = encoded[:, -asked.shape[1] :]
    loss = heads.patches(encoded[:, 1 : 1 + N_CELLS], cell_class, colour_class)
    loss = loss + _cross_entropy(heads.query_cell(queries[:, :-1]), numbers)
    return loss + _cross_entropy(heads.query_colour(queries[:, [*range(2 * N_ASKED), -1]]), colours)


def _ask(scenes: Scenes, rng: np.random.Generator, first: np.ndarray) -> tuple[Tensor, Tensor, Tensor]:
    """Draw what to ask about each scene.

    Returns:
        Rows of `WarmupHeads.ask`: two cells, two colours, count, largest, cue, (B, 2 * N_ASKED + 3); the digit or
        number that answers each but the cue's; the colour of each asked digit, then the cue's (none outside `first`
        frames).
    """
    n, rows = len(scenes), np.arange(len(scenes))[:, None]
    slots = rng.integers(0, scenes.n_digits[:, None], (n, 2 * N_ASKED))
    cells = scenes.digit_cell[rows, slots]
    colours = scenes.colour[rows, cells]
    used = np.arange(scenes.digit.shape[1]) < scenes.n_digits[:, None]
    largest = np.where(used, scenes.digit, -1).max(1)
    fixed = np.broadcast_to(N_CELLS + len(COLOURS) + np.arange(3), (n, 3))
    asked = np.concatenate([cells[:, :N_ASKED], N_CELLS + colours[:, N_ASKED:], fixed], 1)
    numbers = np.concatenate([scenes.digit[rows, slots], scenes.n_digits[:, None], largest[:, None]], 1)
    cue = np.where(first, scenes.cue, N_COLOUR_CLASSES - 1)
    return (
        torch.from_numpy(asked),
        torch.from_numpy(numbers),
        torch.from_numpy(np.concatenate([colours, cue[:, None]], 1)),
    )


def main_loss(
    model: FoveatedVLM, heads: WarmupHeads, batch: Batch, weights: ObjectiveSection, progress: float | None
) -> Tensor:
    """Answer losses of both passes, plus the fading gaze and cell terms where the contents are known, or at last the
    gate term.

    Args:
        model: The model in training.
        heads: Read-outs of the cell term.
        batch: The step's batch.
        weights: Sizes and fades of the terms.
        progress: Share of the main stage that is done, in [0, 1]; None in the last stage.
    """
    mode = "autoregressive" if batch.rng.random() < weights.autoregressive_share else model.config.mode
    output = model(**batch.inputs, mode=mode)
    loss = output.loss
    if output.allocation is None:
        return loss
    if progress is None:
        return loss + weights.gates_weight * torch.logit(output.gates, eps=1e-6).square().sum(-1).mean()
    if batch.contents is None:
        return loss
    contents = batch.contents
    gaze = weights.gaze_weight * _fade(progress, weights.gaze_fade)
    cells = weights.cells_weight * _fade(progress, weights.cells_fade)
    if gaze > 0:
        loss = loss + gaze * gaze_loss(output.allocation - model.config.min_budget, gaze_target(contents.scenes))
    if cells > 0:
        loss = loss + cells * heads.patches(output.patch_features, contents.cell_class, contents.colour_class)
    return loss


def gaze_loss(extra: Tensor, target: Tensor) -> Tensor:
    """Cross-entropy between where the observer should look and the shares of tokens above the minimum, nats."""
    share = extra / extra.sum(-1, keepdim=True).clamp(min=1e-6)
    return -(target * (share + 1e-4).log()).sum(-1).mean()


def _fade(progress: float, over: float) -> float:
    return max(0.0, 1.0 - progress / over)


def _cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    return nn.functional.cross_entropy(logits.flatten(0, 1), target.flatten())
