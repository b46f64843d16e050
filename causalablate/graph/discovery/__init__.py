"""Causal discovery where there is only a table: the classical methods behind one interface.

Arrays and values only, never a model. The packages that do the work are imported when a method runs.
"""

from causalablate.graph.discovery.equivalence import cpdag
from causalablate.graph.discovery.frequencies import edge_frequencies
from causalablate.graph.discovery.knowledge import Knowledge
from causalablate.graph.discovery.methods import METHODS
from causalablate.graph.discovery.result import Discovered, Link
from causalablate.graph.discovery.search import discover

__all__ = ["METHODS", "Discovered", "Knowledge", "Link", "cpdag", "discover", "edge_frequencies"]
