"""Adaptive sweeps: examples go to the lesions whose place is still open, until the question is answered."""

from causalablate.adaptive.result import AdaptiveSweep
from causalablate.adaptive.sweep import Replayed, adaptive_sweep
from causalablate.effects.sequential import Direction, Discoveries, TopK, direction_of

__all__ = ["AdaptiveSweep", "Direction", "Discoveries", "Replayed", "TopK", "adaptive_sweep", "direction_of"]
