"""Sequential inference: evidence that stays valid however often one looks and whenever one stops.

Values in, values out: units arrive as arrays, races say which lesions go on. `causalablate.adaptive` feeds them.
"""

from causalablate.effects.sequential.betting import Wealth, betting_interval
from causalablate.effects.sequential.discoveries import Discoveries, DiscoveryRace
from causalablate.effects.sequential.ebh import e_bh
from causalablate.effects.sequential.intervals import anytime_interval
from causalablate.effects.sequential.moments import Moments
from causalablate.effects.sequential.pairs import Direction, direction_of
from causalablate.effects.sequential.population import Bounds, Population
from causalablate.effects.sequential.topk import TopK, TopKRace

__all__ = [
    "Bounds",
    "Direction",
    "Discoveries",
    "DiscoveryRace",
    "Moments",
    "Population",
    "TopK",
    "TopKRace",
    "Wealth",
    "anytime_interval",
    "betting_interval",
    "direction_of",
    "e_bh",
]
