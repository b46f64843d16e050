"""Towers of known models of transformers, by the module names they have there, and where their ends are read."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from causalablate.component import Component
from causalablate.engine.tail import Tail
from causalablate.models.pretrained.towers import Tower, edge_components, tower_components


def dinov2_layers(tower: str, path: str, config: Any) -> Iterator[Component]:
    """A `Dinov2Model` at `path`."""
    heads = config.num_attention_heads
    width = config.hidden_size // heads
    layers = f"{path}.encoder.layer"
    yield from tower_components(
        Tower(tower, layers, config.num_hidden_layers, heads, width, "attention.o_proj", "mlp", tokens=False)
    )


def llama_tower(tower: str, path: str, config: Any, edges: Sequence[tuple[str, str]] = ()) -> Tower:
    """A `LlamaModel`, or a model of its build, at `path`.

    Grouped-query attention shares keys and values, but every head has its own output.
    """
    heads = config.num_attention_heads
    return Tower(
        tower,
        f"{path}.layers",
        config.num_hidden_layers,
        heads,
        getattr(config, "head_dim", None) or config.hidden_size // heads,
        out="self_attn.o_proj",
        mlp="mlp",
        attention="self_attn" if edges else None,
        edges=tuple(edges),
        tokens=True,
    )


def llama_layers(tower: str, path: str, config: Any) -> Iterator[Component]:
    """Components of a `LlamaModel` at `path`, without attention edges."""
    yield from tower_components(llama_tower(tower, path, config))


def attention_edges(tower: str, path: str, n_layers: int, edges: Iterable[tuple[str, str]]) -> Iterator[Component]:
    """Attention edges of a `LlamaModel`, each (attended to, attends), as `<tower>.layers.<i>.edges.<from>.<to>`."""
    groups = list(edges)
    for i in range(n_layers):
        yield from edge_components(tower, f"{tower}.layers.{i}", f"{path}.layers.{i}.self_attn", groups)


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
