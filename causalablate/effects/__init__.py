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
from causalablate.effects.band import simultaneous_band
from causalablate.effects.bayes import Prior, belief_over_time, next_batch, shrink, shrunk_effects
from causalablate.effects.better import BETTER
from causalablate.effects.blocks import paired_blocks
from causalablate.effects.causation_bounds import CausationBounds, causation_bounds
from causalablate.effects.comparisons import compare_rankings, compare_tables, compensation, pareto
from causalablate.effects.control_distribution import control_distribution, mean_effects
from causalablate.effects.corrections import benjamini_hochberg, benjamini_yekutieli, bonferroni, holm
from causalablate.effects.effect_size import hedges_g
from causalablate.effects.equivalence import noninferiority, smallest_effects, tost
from causalablate.effects.estimands import ESTIMANDS, Estimand, estimand, estimate, quantile, quantile_treatment_effect
from causalablate.effects.heterogeneity import factor_tests, failure_modes, largest_effects, with_covariates
from causalablate.effects.interval_methods import INTERVALS
from causalablate.effects.intervals import Intervals, mean_intervals
from causalablate.effects.kinds import Kind
from causalablate.effects.label import EFFECT, UNDECIDED, WITHIN_NOISE
from causalablate.effects.maxt import maxt_p
from causalablate.effects.mcnemar import mcnemar_exact, mcnemar_mid_p
from causalablate.effects.necessity import Necessity, probabilities_of_causation
from causalablate.effects.online import OnlineExperiment, SampleRatio, assign, online_experiment
from causalablate.effects.paired import Paired
from causalablate.effects.permutation import sign_flip_p
from causalablate.effects.population import COLUMNS, population_effects
from causalablate.effects.power import minimal_detectable_effects, power_curves, power_table
from causalablate.effects.proportion import agresti_coull, bonett_price, newcombe, wilson
from causalablate.effects.reasons import undefined_reasons
from causalablate.effects.seeds import seed_effects, variance_components
from causalablate.effects.sequential import (
    Assumptions,
    SequentialEffects,
    StopRule,
    confidence_sequence,
    effect_sequence,
)
from causalablate.effects.tests_by_name import TESTS
from causalablate.effects.wilcoxon import wilcoxon_p

__all__ = [
    "BETTER",
    "COLUMNS",
    "EFFECT",
    "ESTIMANDS",
    "INTERVALS",
    "TESTS",
    "UNDECIDED",
    "WITHIN_NOISE",
    "Assumptions",
    "CausationBounds",
    "Estimand",
    "Intervals",
    "Kind",
    "Necessity",
    "OnlineExperiment",
    "Paired",
    "PairedAccuracy",
    "Prior",
    "Proportion",
    "SampleRatio",
    "SequentialEffects",
    "StopRule",
    "accuracy_interval",
    "agresti_coull",
    "assign",
    "belief_over_time",
    "benjamini_hochberg",
    "benjamini_yekutieli",
    "bonett_price",
    "bonferroni",
    "causation_bounds",
    "compare_rankings",
    "compare_tables",
    "compensation",
    "confidence_sequence",
    "control_distribution",
    "effect_sequence",
    "estimand",
    "estimate",
    "factor_tests",
    "failure_modes",
    "hedges_g",
    "holm",
    "largest_effects",
    "majority_correct",
    "maxt_p",
    "mcnemar_exact",
    "mcnemar_mid_p",
    "mean_effects",
    "mean_intervals",
    "minimal_detectable_effects",
    "newcombe",
    "next_batch",
    "noninferiority",
    "online_experiment",
    "paired_accuracy",
    "paired_blocks",
    "pareto",
    "population_effects",
    "power_curves",
    "power_table",
    "probabilities_of_causation",
    "proportion_interval",
    "quantile",
    "quantile_treatment_effect",
    "seed_effects",
    "shrink",
    "shrunk_effects",
    "sign_flip_p",
    "simultaneous_band",
    "smallest_effects",
    "tost",
    "undefined_reasons",
    "variance_components",
    "wilcoxon_p",
    "wilson",
    "with_covariates",
]
