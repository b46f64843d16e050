"""Which components are the nodes of a graph: chosen by address, each at one time of the forward."""

from collections.abc import Sequence
from itertools import combinations

from causalablate.component import Component, Site
from causalablate.engine.dependencies import Dependencies, dependencies
from causalablate.errors import GraphError
from causalablate.examples import ExampleSet
from causalablate.models import Model

LEAVES = ("head", "mlp", "edge", "tokens", "residual", "attention")
"""Kinds that high-level components are made of, or that are no part of the model."""


def high_level(model: Model) -> tuple[str, ...]:
    """Addresses of the components that hold no other: layers, connectors, scorers, queries, passes ..., not heads."""
    return tuple(c.address for c in model.components.values() if c.kind not in LEAVES)


def nodes_of(model: Model, asked: Sequence[str] | str | None) -> list[Component]:
    """The components that addresses and globs select, in model order; by default the high-level ones.

    Raises:
        ComponentNotFoundError: An address matches nothing.
        GraphError: One holds another, or two are parts of the same positions: what is the one is also the other.
    """
    globs = high_level(model) if asked is None else [asked] if isinstance(asked, str) else list(asked)
    found = {c.address: c for glob in globs for c in model.components.select(glob)}
    if not found:
        raise GraphError("no nodes: give addresses or globs of components, e.g. lm.layers.*")
    chosen = list(found.values())
    for one, other in combinations(chosen, 2):
        if _overlap(one, other):
            raise GraphError(
                f"{one.address} and {other.address} overlap, so one cannot act on the other alone; choose nodes that "
                "hold no part in common, e.g. layers, or heads and MLPs"
            )
    return chosen


def followed(model: Model, examples: ExampleSet, components: Sequence[Component]) -> Dependencies:
    """What can act on what, from a forward of one example."""
    (batch,) = model.batches(examples[:1], 1)
    return dependencies(model.module, batch.inputs, components, lambda output: list(model.read(output).logits.values()))


def node_name(component: str, n: int, times: int) -> str:
    """A component that a forward comes by once is its address; else `#n` tells the times apart."""
    return component if times == 1 else f"{component}#{n + 1}"


def _overlap(one: Component, other: Component) -> bool:
    if one.act is not None and other.act is not None and one.act != other.act:
        return False
    return any(_sites_overlap(a, b) for a in one.sites for b in other.sites)


def _sites_overlap(a: Site, b: Site) -> bool:
    if a.module != b.module:
        inner, outer = (a, b) if a.module.startswith(f"{b.module}.") else (b, a)
        return inner.module.startswith(f"{outer.module}.") and outer.at in ("output", "delta") and outer.group is None
    if a.at != b.at:
        return {a.at, b.at} == {"output", "delta"}
    if a.group is not None and b.group is not None:
        return a.group == b.group or a.group.startswith(f"{b.group}.") or b.group.startswith(f"{a.group}.")
    return _meet(a.span, b.span) and _meet(a.positions, b.positions)


def _meet(a: tuple[int, int] | None, b: tuple[int, int] | None) -> bool:
    return a is None or b is None or (a[0] < b[1] and b[0] < a[1])
