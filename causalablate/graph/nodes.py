"""Which components are the nodes of a graph: chosen by address, each at one time of the forward."""

from collections.abc import Mapping, Sequence
from itertools import combinations

from torch import Tensor

from causalablate.component import Component, Site
from causalablate.engine.dependencies import Dependencies, dependencies, together
from causalablate.engine.groups import positions
from causalablate.errors import GraphError
from causalablate.examples import ExampleSet
from causalablate.models import Model

LEAVES = ("head", "mlp", "edge", "tokens", "residual", "attention")
"""Kinds that high-level components are made of, or that are no part of the model."""

FOLLOWED = 8
"""Examples that are followed where a program looks at numbers, so that they may take different ways."""


def high_level(model: Model) -> tuple[str, ...]:
    """Addresses of layers, connectors, scorers, queries, passes ...; of two that overlap, the one higher up."""
    kept: list[Component] = []
    for c in sorted(model.components.values(), key=lambda c: c.address.count(".")):
        if c.kind not in LEAVES and not any(_overlap(c, other) for other in kept):
            kept.append(c)
    return tuple(address for address in model.components if address in {c.address for c in kept})


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
            raise _overlapping(one, other)
    return chosen


def followed(model: Model, examples: ExampleSet, components: Sequence[Component]) -> Dependencies:
    """What can act on what, from a forward of one example; of several where the program looks at numbers on its way.

    Raises:
        GraphError: Two components are at the same positions of an example, or examples come by them in another order.
    """
    found = _followed(model, examples[:1], components)
    for i in range(1, min(FOLLOWED, len(examples)) if found.looked else 1):
        both = together(found, _followed(model, examples[i : i + 1], components))
        if both is None:
            raise GraphError(
                f'the forwards of "{examples[0].id}" and "{examples[i].id}" come by the nodes in different order, so '
                "that no graph holds for both; make a graph of examples that the model treats alike"
            )
        found = both
    return found


def _followed(model: Model, example: ExampleSet, components: Sequence[Component]) -> Dependencies:
    (batch,) = model.batches(example, 1)
    _check_positions(components, model.adapter.token_groups(model.module, batch.inputs))
    return dependencies(model.module, batch.inputs, components, lambda output: list(model.read(output).logits.values()))


def node_name(component: str, n: int, times: int) -> str:
    """A component that a forward comes by once is its address; else `#n` tells the times apart, in front of an `@`."""
    if times == 1:
        return component
    whole, at, group = component.partition("@")
    return f"{whole}#{n + 1}{at}{group}"


def _check_positions(components: Sequence[Component], groups: Mapping[str, Tensor]) -> None:
    """Whether positions that are told by name, such as the last and those of the answer, are different ones."""
    bound = [(c, s) for c in components for s in c.sites if s.group is not None and s.at != "attention_mask"]
    for (one, there), (other, here) in combinations(bound, 2):
        if one is other or not _together(one, other) or there.place != here.place or not _meet(there.span, here.span):
            continue
        if (positions(groups, str(there.group)) & positions(groups, str(here.group))).any():
            raise _overlapping(one, other)


def _overlapping(one: Component, other: Component) -> GraphError:
    return GraphError(
        f"{one.address} and {other.address} overlap, so one cannot act on the other alone; choose nodes that hold no "
        "part in common, e.g. layers, or heads and MLPs"
    )


def _overlap(one: Component, other: Component) -> bool:
    if (one.kind == "residual") != (other.kind == "residual"):
        return False  # the stream is no part of the model, but what parts add to, or read
    return _together(one, other) and any(_sites_overlap(a, b) for a in one.sites for b in other.sites)


def _together(one: Component, other: Component) -> bool:
    """Whether two components can be meant at one time of a forward."""
    return one.act is None or other.act is None or one.act == other.act


def _sites_overlap(a: Site, b: Site) -> bool:
    if a.module != b.module:
        inner, outer = (a, b) if a.module.startswith(f"{b.module}.") else (b, a)
        return inner.module.startswith(f"{outer.module}.") and outer.at in ("output", "delta") and outer.group is None
    if a.at != b.at:
        return {a.at, b.at} == {"output", "delta"}
    if a.at == "attention_mask":
        return _nested(a.group, b.group) and _nested(a.source, b.source)
    if a.group is not None and b.group is not None and not _nested(a.group, b.group):
        return False
    return _meet(a.span, b.span) and _meet(a.positions, b.positions)


def _nested(a: str | None, b: str | None) -> bool:
    """Whether one token group holds the other by its name; whether they share positions shows in a forward."""
    if a is None or b is None or a == b:
        return True
    return a.startswith((f"{b}.", f"{b}[")) or b.startswith((f"{a}.", f"{a}["))


def _meet(a: tuple[int, int] | None, b: tuple[int, int] | None) -> bool:
    return a is None or b is None or (a[0] < b[1] and b[0] < a[1])
