"""Who acts through whom: graphs over components, from dependency tracing and exact interventions."""

from causalablate.graph.computational import computational_graph
from causalablate.graph.network import ComponentGraph, Edge
from causalablate.graph.transfer import Transfer, transfer

__all__ = ["ComponentGraph", "Edge", "Transfer", "computational_graph", "transfer"]
