"""Every pair of limits that a default call of `causalablate.effects` returns, and the table that simulates it."""

LIMITS: dict[str, str] = {
    "population_effects: ci": "Coverage, independent rows",
    "population_effects: band": "All effects of a family inside",
    "estimate: ci": "Coverage, estimands",
    "seed_effects: ci": "Coverage, several seeds",
    "seed_effects: seed": "Coverage, seeds by themselves",
    "seed_effects: iqm": "Coverage, interquartile means over seeds",
    "seed_effects: iqm_stratified": "Coverage, interquartile means over seeds",
    "seed_effects: prob_increase": "Coverage, seeds by themselves",
    "variance_components: ci": "Coverage, variance components",
    "compare_tables: ci": "Coverage, differences between two tables",
    "compare_tables: ratio": "Coverage, ratios of two effects",
    "compensation: ci": "Coverage, compensation by retraining",
    "compensation: ratio": "Coverage, ratios of two effects",
    "compare_rankings: spearman": "Coverage, agreement of the ranks of 20 lesions",
    "compare_rankings: overlap": "Coverage, agreement of the ranks of 20 lesions",
    "pareto: value": "Coverage, mean outcomes under a lesion",
    "failure_modes: ci": "Coverage, groups of failure modes",
    "failure_modes: band": "Coverage, groups of failure modes",
    "failure_modes: ci_honest": "Coverage, groups of failure modes",
    "control_distribution: ci": "Coverage, differences from controls",
    "shrunk_effects: ci": "Coverage, independent rows",
    "shrunk_effects: credible": "Coverage, credible intervals",
    "effect_sequence: ci": "False stops in 1,000 examples, looking after every 8 from the 64th on",
    "online_experiment.effects: ci": "Coverage, online experiments",
    "online_experiment.effects: ratio": "Coverage, online experiments",
    "online_experiment.quantiles: ci": "Coverage, online experiments",
    "online_experiment.sequence: ci": "Coverage, online experiments at all of 40 looks",
    "accuracy_interval: limits": "Coverage, accuracies",
    "proportion_interval: limits": "Coverage, accuracies",
    "paired_accuracy: limits": "Coverage, independent rows",
}
"""Function and what its limits are called, without `_low` and `_high`, to the title of the table."""

BOUNDS = frozenset(f"population_effects: {name}" for name in ("pn", "ps", "pns"))
"""What the margins of a population allow, not limits of an estimate: nothing to cover. They are exact."""
