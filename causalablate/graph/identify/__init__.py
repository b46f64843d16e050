"""Which effects follow from what was observed: identification, the do-calculus, and tables of past training runs."""

from causalablate.graph.identify.causal_graph import CausalGraph
from causalablate.graph.identify.derivation import Derivation, Step, derive
from causalablate.graph.identify.effect import Hedge, Identification, identify
from causalablate.graph.identify.estimand import Estimand, evaluate
from causalablate.graph.identify.independences import independences
from causalablate.graph.identify.linear import Plan
from causalablate.graph.identify.overlap import Overlap, overlap
from causalablate.graph.identify.rules import RuleCheck, rule
from causalablate.graph.identify.sensitivity import benchmarks, e_value, robustness_value, sensitivity
from causalablate.graph.identify.separation import open_path, separated
from causalablate.graph.identify.sets import Instrument, backdoor_sets, blocks_back_doors, frontdoor_sets, instruments
from causalablate.graph.identify.settings import SettingEffect, effects_of_settings, setting_effect

__all__ = [
    "CausalGraph",
    "Derivation",
    "Estimand",
    "Hedge",
    "Identification",
    "Instrument",
    "Overlap",
    "Plan",
    "RuleCheck",
    "SettingEffect",
    "Step",
    "backdoor_sets",
    "benchmarks",
    "blocks_back_doors",
    "derive",
    "e_value",
    "effects_of_settings",
    "evaluate",
    "frontdoor_sets",
    "identify",
    "independences",
    "instruments",
    "open_path",
    "overlap",
    "robustness_value",
    "rule",
    "sensitivity",
    "separated",
    "setting_effect",
]
