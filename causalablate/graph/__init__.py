"""Who acts through whom: graphs over components, from dependency tracing and exact interventions."""

from causalablate.graph.activity import activity
from causalablate.graph.computational import computational_graph
from causalablate.graph.discovery import Discovered, Knowledge, cpdag, discover, edge_frequencies
from causalablate.graph.edge_effects import edge_effects
from causalablate.graph.identify import CausalGraph, effects_of_settings, identify, rule, setting_effect
from causalablate.graph.mediation import Mediation, mediate
from causalablate.graph.network import ComponentGraph, Edge
from causalablate.graph.path_effects import PathEffects, path_effects
from causalablate.graph.score import auprc, interventional_error, recovery, scores, shd, sid
from causalablate.graph.transfer import Transfer, transfer

__all__ = [
    "CausalGraph",
    "ComponentGraph",
    "Discovered",
    "Edge",
    "Knowledge",
    "Mediation",
    "PathEffects",
    "Transfer",
    "activity",
    "auprc",
    "computational_graph",
    "cpdag",
    "discover",
    "edge_effects",
    "edge_frequencies",
    "effects_of_settings",
    "identify",
    "interventional_error",
    "mediate",
    "path_effects",
    "recovery",
    "rule",
    "scores",
    "setting_effect",
    "shd",
    "sid",
    "transfer",
]
