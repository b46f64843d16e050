"""Measured direct and total effects between nodes, as a value."""

from dataclasses import dataclass

import numpy as np

from causalablate.effects.kinds import Kind
from causalablate.graph.network import ComponentGraph


@dataclass(frozen=True)
class Transfer:
    """What switching off each component changes in every other one, example by example.

    Attributes:
        graph: The ways that data can take; `order` names the nodes.
        sources: The nodes that were switched off, in order.
        targets: All nodes but those that never run, outcomes last.
        direct: Through no other node, shape (sources, targets, examples): for components the L2 norm of the change, for
            outcomes counterfactual - factual, or 1 where a category changed.
        total: By any way, the same shape; NaN where it was not measured.
        example: Example ids.
        cluster: Their clusters.
        context: The lesion that was on in both worlds, by name; empty for the factual run.
        sham: The direct effect of a lesion that changes nothing, shape (targets, examples): the rounding of forwards
            that lesions share, zero to the bit with `stack=1`; in arrays from elsewhere the noise of measuring. None
            where no sham was run, which counts as zero.
        kinds: What the numbers of each outcome are; real ones where nothing is said.
    """

    graph: ComponentGraph
    sources: tuple[str, ...]
    targets: tuple[str, ...]
    direct: np.ndarray
    total: np.ndarray
    example: tuple[str, ...]
    cluster: tuple[str, ...]
    context: str = ""
    sham: np.ndarray | None = None
    kinds: tuple[Kind, ...] = ()
