"""The reference foveated VLM: its components by address, its inputs, its answers."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from causalablate.component import Component, ComponentMap, Site
from causalablate.engine.tail import Tail
from causalablate.errors import DeviceError
from causalablate.examples import Example
from causalablate.foveated.config import MODES, FoveatedConfig
from causalablate.foveated.encoding import encode
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
        """Read a checkpoint directory; `mode` overrides how the model answers."""
        if options.device_map is not None:
            raise DeviceError("device_map is for families that transformers loads; leave it out, and give a device")
        module = FoveatedVLM.from_pretrained(path)
        if mode is not None:
            module.config.mode = mode
        placed(module, options.dtype, options.device)
        return module.eval(), FoveatedAdapter()


class FoveatedAdapter:
    """Feeds and reads a `FoveatedVLM`."""

    modes: tuple[str, ...] = MODES

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
        """Never: every frame has as many patches as any other."""
        return False

    def answers(self, module: nn.Module, examples: Sequence[Example]) -> Tensor:
        """Vocabulary index of each true answer, shape (rows,)."""
        assert isinstance(module, FoveatedVLM)
        return torch.tensor([module.config.vocabulary.index(e.answer) for e in examples])

    def token_groups(self, module: nn.Module, inputs: Mapping[str, Any]) -> Mapping[str, Tensor]:
        """Bool masks (rows, length): question, image, image.first, image.fine, answer, and all but padding."""
        assert isinstance(module, FoveatedVLM)
        question = inputs["attention_mask"].bool()
        real = nn.functional.pad(question, (0, module.layout.length - question.shape[1]), value=True)
        groups = {"all": real}
        for name, positions in module.token_groups.items():
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
        """Of the encoder the queries are read; of the language model the answer and, before the last pass, images."""
        assert isinstance(module, FoveatedVLM)
        config = module.config
        fine = [] if config.mode == "coarse_only" else [*range(1, config.n_frames)]
        coarse = [2, *[1] * (config.n_frames - 2)] if config.mode != "autoregressive" else [1]
        asked = [config.visual_tokens_per_frame * n for n in (*coarse, *[1] * len(fine))]
        seen = [tuple(range(-n, 0)) for n in asked]
        towers = dinov2_tails("vision.dinov2", config.vision_config, seen) if config.deep_query else ()
        images = (*range(*module.token_groups["image"].indices(module.layout.length)), -1)
        again = len(fine) if config.mode == "autoregressive" else min(len(fine), 1)
        read = [images] * again + [(-1,)]
        return (*towers, *llama_tails("lm.model", config.text_config, read))

    def vocabulary(self, module: nn.Module) -> Sequence[str]:
        """The words the model reads and answers with."""
        assert isinstance(module, FoveatedVLM)
        return list(module.config.vocabulary)


def _components(config: FoveatedConfig) -> Iterator[Component]:
    fine = config.mode != "coarse_only"
    yield from _queries(config)
    yield from dinov2_layers("vision", "vision.dinov2", config.vision_config)
    yield Component("connector", "connector", (Site("connector"),))
    yield Component("passes.coarse", "pass", (Site("passes.coarse"),))
    if fine:
        yield Component("passes.fine", "pass", (Site("passes.fine"),))
        yield from _allocation(config)
    yield from _tokens(fine)
    yield from llama_layers("lm", "lm.model", config.text_config)
    yield from attention_edges("lm", "lm.model", config.text_config.num_hidden_layers, EDGES)


def _queries(config: FoveatedConfig) -> Iterator[Component]:
    """`query.static` is not asked in autoregressive mode, `query.dynamic` not in coarse_only."""
    asked = {"static": config.mode != "autoregressive", "init": True, "dynamic": config.mode != "coarse_only"}
    for name, used in asked.items():
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
