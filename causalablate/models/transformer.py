"""Components of transformer stacks: layers, heads, MLPs and attention edges, by the module names of transformers."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from causalablate.component import Component, Site
from causalablate.engine.tail import Tail


def _stack(
    tower: str, layers: str, n_layers: int, n_heads: int, head_dim: int, output: str, *, tokens: bool
) -> Iterator[Component]:
    """One stack of residual blocks.

    A layer is what its block adds to the residual stream. A head is its slice of the output projection's input, so
    attention keeps its fast kernel.
    """
    for i in range(n_layers):
        address, module = f"{tower}.layers.{i}", f"{layers}.{i}"
        yield Component(address, "layer", (Site(module, "delta", tokens=tokens),), tower)
        for h in range(n_heads):
            span = (h * head_dim, (h + 1) * head_dim)
            head = Site(f"{module}.{output}", "input", span, tokens=tokens)
            yield Component(f"{address}.heads.{h}", "head", (head,), tower)
        yield Component(f"{address}.mlp", "mlp", (Site(f"{module}.mlp", tokens=tokens),), tower)


def dinov2_layers(tower: str, path: str, config: Any) -> Iterator[Component]:
    """A `Dinov2Model` at `path`."""
    heads = config.num_attention_heads
    yield from _stack(
        tower,
        f"{path}.encoder.layer",
        config.num_hidden_layers,
        heads,
        config.hidden_size // heads,
        "attention.o_proj",
        tokens=False,
    )


def llama_layers(tower: str, path: str, config: Any) -> Iterator[Component]:
    """A `LlamaModel` at `path`; grouped-query attention shares keys and values, but every head has its own output."""
    heads = config.num_attention_heads
    head_dim = getattr(config, "head_dim", None) or config.hidden_size // heads
    yield from _stack(
        tower, f"{path}.layers", config.num_hidden_layers, heads, head_dim, "self_attn.o_proj", tokens=True
    )


def attention_edges(tower: str, path: str, n_layers: int, edges: Iterable[tuple[str, str]]) -> Iterator[Component]:
    """Attention edges of a `LlamaModel`, each (attended to, attends), as `<tower>.layers.<i>.edges.<from>.<to>`."""
    groups = list(edges)
    for i in range(n_layers):
        for source, target in groups:
            site = Site(f"{path}.layers.{i}.self_attn", "attention_mask", group=target, source=source)
            yield Component(f"{tower}.layers.{i}.edges.{source}.{target}", "edge", (site,), tower)


def llama_tails(path: str, config: Any, positions: Sequence[Sequence[int]]) -> tuple[Tail, ...]:
    """The end of a `LlamaModel`: only `positions` of its output are read, one entry per call in a forward."""
    layer = f"{path}.layers.{config.num_hidden_layers - 1}"
    end = (f"{layer}.self_attn.o_proj", f"{layer}.post_attention_layernorm", f"{layer}.mlp", f"{path}.norm")
    return _tails(f"{layer}.self_attn.q_proj", end, positions)


def dinov2_tails(path: str, config: Any, positions: Sequence[Sequence[int]]) -> tuple[Tail, ...]:
    """The end of a `Dinov2Model`: only `positions` of its output are read, one entry per call in a forward."""
    layer = f"{path}.encoder.layer.{config.num_hidden_layers - 1}"
    end = (f"{layer}.attention.o_proj", f"{layer}.norm2", f"{layer}.mlp", f"{path}.layernorm")
    return _tails(f"{layer}.attention.q_proj", end, positions)


def _tails(query: str, end: tuple[str, ...], positions: Sequence[Sequence[int]]) -> tuple[Tail, ...]:
    """Without and with the query projection: a head of the last layer can be lesioned under the first only."""
    read = tuple(tuple(call) for call in positions)
    return Tail(end, read), Tail((query, *end), read)
