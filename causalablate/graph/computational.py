"""The computational graph: the ways that data can take between components."""

from collections import Counter
from collections.abc import Sequence

from causalablate.engine.dependencies import Dependencies
from causalablate.examples import ExampleSet
from causalablate.graph.network import ComponentGraph, Edge
from causalablate.graph.nodes import followed, node_name, nodes_of
from causalablate.models import Model

OUTCOME = "outcome"


def computational_graph(
    model: Model,
    examples: ExampleSet,
    nodes: Sequence[str] | str | None = None,
    *,
    outcomes: Sequence[str] = (OUTCOME,),
) -> ComponentGraph:
    """The paths that data can take from component to component and to the outcomes, followed through one forward.

    A component that the forward comes by several times is a node each time, `<address>#<n>`, so there are no cycles.
    One that it never comes by is a node without edges, and a note says so.

    Args:
        model: Any model.
        examples: The first of them is run; the first eight where the program looks at numbers on its way, as one does
            that decides by an example which parts to run. The graph has all ways that any of them takes.
        nodes: Addresses and globs; by default the high-level components.
        outcomes: What the outcome nodes are called; each can depend on whatever the model's outputs depend on.
    Raises:
        ComponentNotFoundError: An address matches nothing.
        GraphError: Two nodes overlap, or different examples come by them in different order.
    """
    components = nodes_of(model, nodes)
    return graph_of(followed(model, examples, components), [c.address for c in components], outcomes)


def graph_of(found: Dependencies, components: Sequence[str], outcomes: Sequence[str]) -> ComponentGraph:
    """Dependencies as a graph.

    Args:
        found: What a forward showed.
        components: Addresses of all that was asked for, also of those that it never came by.
        outcomes: What the outcome nodes are called.
    """
    times = Counter(passage.component for passage in found.order)
    name = {p: node_name(p.component, p.n, times[p.component]) for p in found.order}
    edges = [Edge(name[source], name[p]) for p in found.order for source in found.order if source in found.parents[p]]
    edges += [Edge(name[source], outcome) for outcome in outcomes for source in found.order if source in found.read]
    never = [address for address in components if address not in times]
    notes = dict.fromkeys(
        never, "the forward never comes by: in this mode, configuration or for these examples it is not in use"
    )
    return ComponentGraph((*name.values(), *never, *outcomes), tuple(edges), tuple(outcomes), notes)
