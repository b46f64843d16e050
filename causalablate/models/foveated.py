"""The reference foveated VLM: its components by address, its inputs, its answers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from causalablate.component import Component, ComponentMap, Site
from causalablate.engine.tail import Tail
from causalablate.errors import DeviceError
from causalablate.examples import Example
from causalablate.foveated.config import FOVEATED_MODES, MODES, MULTI_TOKEN, FoveatedConfig
from causalablate.foveated.encoding import encode, frames_of
from causalablate.foveated.layout import TokenLayout
from causalablate.foveated.model import FoveatedVLM
from causalablate.foveated.opponent import GATES
from causalablate.foveated.output import FoveatedOutput
from causalablate.foveated.texture import GROUPS
from causalablate.models.adapter import Readout
from causalablate.models.family import LoadOptions
from causalablate.models.precision import placed
from causalablate.models.transformer import attention_edges, dinov2_layers, dinov2_tails, llama_layers, llama_tails

SCORERS = ("propositional", "perspectival", "participatory")
EDGES = (
    ("question", "image"),
    ("question", "answer"),
    ("image", "answer"),
    ("image.first", "answer"),
    ("image.fine", "answer"),
)
"""Attention edges between token groups, as (attended to, attends): the ones that a causal mask leaves open."""


class FoveatedFamily:
    """`FoveatedVLM` checkpoints."""

    model_types = ("foveated_vlm",)
    modes: tuple[str, ...] = MODES

    def open(self, path: Path, mode: str | None, options: LoadOptions) -> tuple[FoveatedVLM, "FoveatedAdapter"]:
        """Read a checkpoint directory; `mode` overrides how the model answers.

        Every checkpoint can be asked to answer in every mode. The adapter lists those that its training served, so
        that nobody compares a foveated model with an untrained baseline unasked.
        """
        if options.device_map is not None:
            raise DeviceError("device_map is for families that transformers loads; leave it out, and give a device")
        module = FoveatedVLM.from_pretrained(path)
        adapter = FoveatedAdapter(module.config.modes)
        if mode is not None:
            module.config.mode = mode
        placed(module, options.dtype, options.device)
        return module.eval(), adapter


@dataclass(frozen=True)
class FoveatedAdapter:
    """Feeds and reads a `FoveatedVLM`.

    Attributes:
        modes: Ways to answer that its weights were trained for.
    """

    modes: tuple[str, ...] = FOVEATED_MODES

    def components(self, module: nn.Module) -> ComponentMap:
        """Every component that the config's mode reaches, in the order of the forward pass."""
        assert isinstance(module, FoveatedVLM)
        return ComponentMap(_components(module.config))

    def encode(self, module: nn.Module, examples: Sequence[Example]) -> dict[str, Any]:
        """Words, frames, and each example's own sensor noise."""
        assert isinstance(module, FoveatedVLM)
        inputs = encode(examples, module.config)
        # Labels would only add the training loss, which nobody reads here.
        return {name: value for name, value in inputs.items() if name != "labels"}

    def alone(self, module: nn.Module, examples: Sequence[Example]) -> bool:
        """Whether they show the model different numbers of frames; every frame has as many patches as any other."""
        assert isinstance(module, FoveatedVLM)
        return len({frames_of(example, module.config) for example in examples}) > 1

    def answers(self, module: nn.Module, examples: Sequence[Example]) -> Tensor:
        """Vocabulary index of each true answer, shape (rows,)."""
        assert isinstance(module, FoveatedVLM)
        return torch.tensor([module.config.vocabulary.index(e.answer) for e in examples])

    def token_groups(self, module: nn.Module, inputs: Mapping[str, Any]) -> Mapping[str, Tensor]:
        """Bool masks (rows, length): question, image, image.first, image.fine, answer, and all but padding."""
        assert isinstance(module, FoveatedVLM)
        question = inputs["attention_mask"].bool()
        layout = TokenLayout.of(module.config, inputs["pixel_values"].shape[1])
        real = nn.functional.pad(question, (0, layout.length - question.shape[1]), value=True)
        groups = {"all": real}
        for name, positions in layout.groups.items():
            inside = torch.zeros_like(real)
            inside[:, positions] = True
            groups[name] = inside & real
        return groups

    def read(self, output: FoveatedOutput) -> Readout:
        """The answers of both passes, and the grid of tokens spent."""
        found = {"answer": output.logits, "fine": output.logits_fine, "coarse": output.logits_coarse}
        allocation = output.allocation
        if allocation is not None:
            side = round(allocation.shape[1] ** 0.5)
            allocation = allocation.reshape(-1, side, side).float().cpu()
        return Readout({k: v.float().cpu() for k, v in found.items() if v is not None}, allocation)

    def tails(self, module: nn.Module) -> tuple[Tail, ...]:
        """Of the encoder the queries are read; of the language model the answer and, before the last pass, images.

        For the most frames. With fewer, each call reads no more than is said of the call of the same number here, and
        image positions beyond the shorter sequence wrap around to others.
        """
        assert isinstance(module, FoveatedVLM)
        config = module.config
        fine = config.n_frames - 1 if _looks_twice(config) else 0
        asked = [config.visual_tokens_per_frame * n for n in (*_coarse_queries(config), *[1] * fine)]
        seen = [tuple(range(-n, 0)) for n in asked]
        towers = dinov2_tails("vision.dinov2", config.vision_config, seen) if config.deep_query else ()
        layout = TokenLayout.of(config)
        images = (*range(*layout.groups["image"].indices(layout.length)), -1)
        again = fine if config.mode == "autoregressive" else min(fine, 1)
        read = [images] * again + [(-1,)]
        return (*towers, *llama_tails("lm.model", config.text_config, read))

    def vocabulary(self, module: nn.Module) -> Sequence[str]:
        """The words the model reads and answers with."""
        assert isinstance(module, FoveatedVLM)
        return list(module.config.vocabulary)


def _looks_twice(config: FoveatedConfig) -> bool:
    """Whether the mode has a fine pass, and there is a frame for it."""
    return config.mode not in ("coarse_only", MULTI_TOKEN) and config.n_frames > 1


def _coarse_queries(config: FoveatedConfig) -> list[int]:
    """How many of the queries `static` and `init` ask each view of the first pass, for the most frames."""
    if config.mode == MULTI_TOKEN:
        return [1] * config.n_frames
    if config.mode == "autoregressive" or config.n_frames == 1:
        return [1]
    return [2, *[1] * (config.n_frames - 2)]


def _components(config: FoveatedConfig) -> Iterator[Component]:
    fine, several = _looks_twice(config), config.n_frames > 1
    yield from _queries(config)
    yield from dinov2_layers("vision", "vision.dinov2", config.vision_config)
    yield Component("connector", "connector", (Site("connector"),))
    yield Component("passes.coarse", "pass", (Site("passes.coarse"),))
    if fine:
        yield Component("passes.fine", "pass", (Site("passes.fine"),))
        yield from _allocation(config)
    yield from _tokens(fine)
    yield from llama_layers("lm", "lm.model", config.text_config)
    edges = [edge for edge in EDGES if several or "image.fine" not in edge]
    yield from attention_edges("lm", "lm.model", config.text_config.num_hidden_layers, edges)


def _queries(config: FoveatedConfig) -> Iterator[Component]:
    """Static asks for later frames' sake, dynamic in the fine pass; without foveation static asks alone."""
    multi = config.mode == MULTI_TOKEN
    static = multi or (config.mode != "autoregressive" and config.n_frames > 1)
    for name, used in {"static": static, "init": not multi, "dynamic": _looks_twice(config)}.items():
        if used:
            yield Component(f"query.{name}", "query", (Site(f"queries.{name}"),))


def _allocation(config: FoveatedConfig) -> Iterator[Component]:
    for name in GROUPS:
        yield Component(f"texture.{name}", "texture", (Site(f"texture.groups.{name}"),))
    for name in SCORERS:
        yield Component(f"scorers.{name}", "scorer", (Site(f"scorers.{name}"),), patches=True)
    for name in GATES:
        yield Component(f"opponent.{name}", "gate", (Site(f"opponent.{name}"),), bounds=(0.0, 1.0))
    budgets = (float(config.min_budget), float(config.max_budget))
    yield Component("allocator", "allocator", (Site("allocator"),), bounds=budgets, patches=True)


def _tokens(fine: bool) -> Iterator[Component]:
    """Token positions live in the sequence of each pass; a fine token exists in the second only."""
    passes = ("coarse", "fine") if fine else ("coarse",)
    for group in ("question", "image", "image.first", "image.fine", "answer"):
        within = ("fine",) if group == "image.fine" else passes
        if group == "image.fine" and not fine:
            continue
        sites = tuple(Site(f"sequence.{p}", tokens=True, group=group) for p in within)
        yield Component(f"tokens.{group}", "tokens", sites)
