"""Stacks of transformer layers, described by module paths, and the components in them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from causalablate.component import Component, Site

EDGES = (("image", "question"), ("image", "answer"), ("question", "answer"))
"""Attention edges between token groups of a prompt, as (attended to, attends)."""


@dataclass(frozen=True)
class Tower:
    """A stack of residual layers.

    Attributes:
        name: First segment of its addresses: `vision`, `lm`, `qformer`.
        layers: Module path of the list of layers, e.g. `model.language_model.layers`.
        n_layers: How many of them, from the first, can reach the output, whether or not `only` names some. What runs
            but is not read is left out.
        heads: Attention heads per layer.
        head_dim: Width of a head.
        out: Within a layer, the attention output projection, e.g. `self_attn.o_proj`. A head is its slice of the
            projection's input, so fused projections and grouped queries need no care, and attention stays fast.
        mlp: Within a layer, e.g. `mlp`.
        attention: Within a layer, the attention module that receives the keyword `attention_mask`; None: no edges.
        edges: Attention edges, as (attended to, attends).
        tokens: Dimension 1 of the activations runs over language-model positions.
        only: Numbers of the layers that this describes, where layers differ; None: all of them.
        packed: Dimension 0 of the activations runs over the patches of one example after those of the other.
        flat_mlp: The same of the MLP alone, which gets rows and positions in one dimension (OPT).
        cross: Within a layer, the output projection of its cross-attention, which has as many heads; None: it has none.
    """

    name: str
    layers: str
    n_layers: int
    heads: int
    head_dim: int
    out: str
    mlp: str
    attention: str | None = None
    edges: tuple[tuple[str, str], ...] = EDGES
    tokens: bool = False
    only: tuple[int, ...] | None = None
    packed: bool = False
    flat_mlp: bool = False
    cross: str | None = None


def tower_components(tower: Tower) -> Iterator[Component]:
    """Layers, heads, cross-attentions, MLPs and attention edges, in the order of the forward pass.

    A layer is what its block adds to the residual stream. Of the last layer the answer's position alone is read, so
    that no other edge of it could change anything.
    """
    for i in range(tower.n_layers) if tower.only is None else tower.only:
        address, module = f"{tower.name}.layers.{i}", f"{tower.layers}.{i}"
        of_all: Any = {"tokens": tower.tokens, "packed": tower.packed}
        yield Component(address, "layer", (Site(module, "delta", **of_all),), tower.name)
        yield from _heads(tower, address, f"{module}.{tower.out}", of_all)
        if tower.cross is not None:
            cross = Site(f"{module}.{tower.cross}", **of_all)
            yield Component(f"{address}.cross", "cross", (cross,), tower.name)
            yield from _heads(tower, f"{address}.cross", cross.module, of_all)
        mlp = Site(f"{module}.{tower.mlp}", tokens=tower.tokens, packed=tower.packed or tower.flat_mlp)
        yield Component(f"{address}.mlp", "mlp", (mlp,), tower.name)
        if tower.attention is not None:
            edges = [edge for edge in tower.edges if i < tower.n_layers - 1 or edge[1] == "answer"]
            yield from edge_components(tower.name, address, f"{module}.{tower.attention}", edges)


def _heads(tower: Tower, address: str, projection: str, of_all: Any) -> Iterator[Component]:
    for h in range(tower.heads):
        span = (h * tower.head_dim, (h + 1) * tower.head_dim)
        site = Site(projection, "input", span, **of_all)
        yield Component(f"{address}.heads.{h}", "head", (site,), tower.name)


def edge_components(tower: str, layer: str, attention: str, edges: Iterable[tuple[str, str]]) -> Iterator[Component]:
    """Attention edges of one layer, each (attended to, attends).

    Args:
        tower: Name of the tower.
        layer: Address of the layer.
        attention: Path of the module that receives the keyword `attention_mask`.
        edges: Pairs of token groups.
    """
    for source, target in edges:
        site = Site(attention, "attention_mask", group=target, source=source)
        yield Component(f"{layer}.edges.{source}.{target}", "edge", (site,), tower)
