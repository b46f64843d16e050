"""Sequential inference: evidence that stays valid however often one looks and whenever one stops.

Values in, values out. `effect_sequence` and `SequentialEffects` say when the effects of a table were clear enough to
stop; races say which lesions go on while units arrive as arrays (`causalablate.adaptive` feeds them).
"""

from causalablate.effects.sequential.betting import Wealth, betting_interval
from causalablate.effects.sequential.confidence import ConfidenceSequence, confidence_sequence
from causalablate.effects.sequential.discoveries import Discoveries, DiscoveryRace
from causalablate.effects.sequential.ebh import e_bh
from causalablate.effects.sequential.intervals import anytime_interval
from causalablate.effects.sequential.moments import Moments
from causalablate.effects.sequential.over_time import Assumptions, effect_sequence
from causalablate.effects.sequential.pairs import Direction, direction_of
from causalablate.effects.sequential.population import Bounds, Population
from causalablate.effects.sequential.state import SequentialEffects
from causalablate.effects.sequential.stopping import StopRule
from causalablate.effects.sequential.topk import TopK, TopKRace

__all__ = [
    "Assumptions",
    "Bounds",
    "ConfidenceSequence",
    "Direction",
    "Discoveries",
    "DiscoveryRace",
    "Moments",
    "Population",
    "SequentialEffects",
    "StopRule",
    "TopK",
    "TopKRace",
    "Wealth",
    "anytime_interval",
    "betting_interval",
    "confidence_sequence",
    "direction_of",
    "e_bh",
    "effect_sequence",
]
