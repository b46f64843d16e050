"""Who acts through whom: graphs over components, from dependency tracing and exact interventions."""

from causalablate.graph.abstraction import Abstraction, PairWorlds, measure_pairs
from causalablate.graph.activity import activity
from causalablate.graph.bottlenecks import Bottlenecks, disabling_sets
from causalablate.graph.circuits import Circuit, circuit_curve, find_circuit
from causalablate.graph.computational import computational_graph
from causalablate.graph.discovery import Discovered, Knowledge, cpdag, discover, edge_frequencies
from causalablate.graph.dormant import contexts_of, dormant_edges, pair_excess
from causalablate.graph.edge_effects import edge_effects
from causalablate.graph.edges import component_graph, edge_table
from causalablate.graph.export import read_graph, write_graph
from causalablate.graph.identify import CausalGraph, effects_of_settings, identify, rule, setting_effect
from causalablate.graph.mediation import Mediation, mediate
from causalablate.graph.network import ComponentGraph, Edge
from causalablate.graph.path_effects import PathEffects, path_effects
from causalablate.graph.score import auprc, interventional_error, recovery, scores, shd, sid
from causalablate.graph.transfer import Transfer, transfer
from causalablate.graph.twin_regression import TwinRegression, twin_regression
from causalablate.graph.twins import Twins, twins

__all__ = [
    "Abstraction",
    "Bottlenecks",
    "CausalGraph",
    "Circuit",
    "ComponentGraph",
    "Discovered",
    "Edge",
    "Knowledge",
    "Mediation",
    "PairWorlds",
    "PathEffects",
    "Transfer",
    "TwinRegression",
    "Twins",
    "activity",
    "auprc",
    "circuit_curve",
    "component_graph",
    "computational_graph",
    "contexts_of",
    "cpdag",
    "disabling_sets",
    "discover",
    "dormant_edges",
    "edge_effects",
    "edge_frequencies",
    "edge_table",
    "effects_of_settings",
    "find_circuit",
    "identify",
    "interventional_error",
    "measure_pairs",
    "mediate",
    "pair_excess",
    "path_effects",
    "read_graph",
    "recovery",
    "rule",
    "scores",
    "setting_effect",
    "shd",
    "sid",
    "transfer",
    "twin_regression",
    "twins",
    "write_graph",
]
