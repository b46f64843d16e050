"""Bayesian effects: shrinkage of many noisy effects, and how sure the data are about what matters most.

`shrunk_effects`, `belief_over_time` and `next_batch` take a table; `shrink` takes arrays, estimates and their
covariance.
"""

from causalablate.effects.bayes.next_batch import next_batch
from causalablate.effects.bayes.over_time import BELIEF_COLUMNS, belief_over_time
from causalablate.effects.bayes.posterior import Posterior, draw, shrink
from causalablate.effects.bayes.prior import Prior
from causalablate.effects.bayes.shrunk import SHRUNK_COLUMNS, shrunk_effects

__all__ = [
    "BELIEF_COLUMNS",
    "SHRUNK_COLUMNS",
    "Posterior",
    "Prior",
    "belief_over_time",
    "draw",
    "next_batch",
    "shrink",
    "shrunk_effects",
]
