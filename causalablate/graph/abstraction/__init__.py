"""Abstraction: predict lesions that were never run from the graph, and score that against what they really do."""

from causalablate.graph.abstraction.run import Abstraction, abstraction
from causalablate.graph.abstraction.values import PairWorlds
from causalablate.graph.abstraction.worlds import measure_pairs

__all__ = ["Abstraction", "PairWorlds", "abstraction", "measure_pairs"]
