"""Population effects from a table of counterfactuals: values in, values out, never a model.

`population_effects` makes the whole table. The functions it is made of are public, one idea per module, and
take arrays of shape (lesions, ...).
"""

from causalablate.effects.accuracy import (
    PairedAccuracy,
    Proportion,
    accuracy_interval,
    majority_correct,
    paired_accuracy,
    proportion_interval,
)
from causalablate.effects.blocks import paired_blocks
from causalablate.effects.corrections import benjamini_hochberg, holm
from causalablate.effects.equivalence import smallest_effects, tost
from causalablate.effects.intervals import Intervals, mean_intervals
from causalablate.effects.kinds import Kind
from causalablate.effects.label import EFFECT, UNDECIDED, WITHIN_NOISE
from causalablate.effects.mcnemar import mcnemar_exact, mcnemar_mid_p
from causalablate.effects.necessity import Necessity, probabilities_of_causation
from causalablate.effects.paired import Paired
from causalablate.effects.permutation import sign_flip_p
from causalablate.effects.population import COLUMNS, population_effects
from causalablate.effects.proportion import bonett_price, newcombe, wilson
from causalablate.effects.reasons import undefined_reasons

__all__ = [
    "COLUMNS",
    "EFFECT",
    "UNDECIDED",
    "WITHIN_NOISE",
    "Intervals",
    "Kind",
    "Necessity",
    "Paired",
    "PairedAccuracy",
    "Proportion",
    "accuracy_interval",
    "benjamini_hochberg",
    "bonett_price",
    "holm",
    "majority_correct",
    "mcnemar_exact",
    "mcnemar_mid_p",
    "mean_intervals",
    "newcombe",
    "paired_accuracy",
    "paired_blocks",
    "population_effects",
    "probabilities_of_causation",
    "proportion_interval",
    "sign_flip_p",
    "smallest_effects",
    "tost",
    "undefined_reasons",
    "wilson",
]
