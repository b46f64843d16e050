"""Causal interventions on trained vision-language models.

    import causalablate as ca

    model = ca.load("shipped")
    lesions = [ca.do("passes.fine", off="mean"), ca.do("scorers.*", off="uniform")]
    table = ca.counterfactuals(model, ca.digits(512), lesions, reference=ca.digits(512, split="validation"))
    effects = ca.population_effects(table)

Names are imported on first use, so that `import causalablate` costs nothing.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from causalablate.adaptive import Discoveries, TopK, adaptive_sweep
    from causalablate.attribution import Regions, attribute
    from causalablate.component import Component, ComponentMap
    from causalablate.cost import component_costs
    from causalablate.counterfactual import counterfactuals
    from causalablate.effects import (
        compare_tables,
        compensation,
        control_distribution,
        effect_sequence,
        estimate,
        failure_modes,
        online_experiment,
        population_effects,
        power_table,
        seed_effects,
        shrunk_effects,
    )
    from causalablate.examples import Example, ExampleSet, clips, digits, folder, stills, tensors, texts
    from causalablate.generation import Sampling, choose, generate
    from causalablate.graph import component_graph, computational_graph, mediate
    from causalablate.interactions import factorial, interaction_effects
    from causalablate.intervention import Lesion, do
    from causalablate.models import Model, Part, load, wrap
    from causalablate.outcome import OUTCOMES
    from causalablate.patching import causal_trace, masked, path_patch, windows
    from causalablate.screening import screen
    from causalablate.study import Study, controls_of, read_results, read_study
    from causalablate.table import Counterfactuals
    from causalablate.table_files import read_table, write_table

_HOMES = {
    "Component": "component",
    "ComponentMap": "component",
    "Counterfactuals": "table",
    "Discoveries": "adaptive",
    "Example": "examples",
    "ExampleSet": "examples",
    "Lesion": "intervention",
    "Model": "models",
    "OUTCOMES": "outcome",
    "Part": "models",
    "Regions": "attribution",
    "Sampling": "generation",
    "Study": "study",
    "TopK": "adaptive",
    "adaptive_sweep": "adaptive",
    "attribute": "attribution",
    "causal_trace": "patching",
    "choose": "generation",
    "clips": "examples",
    "compare_tables": "effects",
    "compensation": "effects",
    "component_costs": "cost",
    "component_graph": "graph",
    "computational_graph": "graph",
    "control_distribution": "effects",
    "controls_of": "study",
    "counterfactuals": "counterfactual",
    "digits": "examples",
    "do": "intervention",
    "effect_sequence": "effects",
    "estimate": "effects",
    "factorial": "interactions",
    "failure_modes": "effects",
    "folder": "examples",
    "generate": "generation",
    "interaction_effects": "interactions",
    "load": "models",
    "masked": "patching",
    "mediate": "graph",
    "online_experiment": "effects",
    "path_patch": "patching",
    "population_effects": "effects",
    "power_table": "effects",
    "read_results": "study",
    "read_study": "study",
    "read_table": "table_files",
    "screen": "screening",
    "seed_effects": "effects",
    "shrunk_effects": "effects",
    "stills": "examples",
    "tensors": "examples",
    "texts": "examples",
    "windows": "patching",
    "wrap": "models",
    "write_table": "table_files",
}

__all__ = [
    "OUTCOMES",
    "Component",
    "ComponentMap",
    "Counterfactuals",
    "Discoveries",
    "Example",
    "ExampleSet",
    "Lesion",
    "Model",
    "Part",
    "Regions",
    "Sampling",
    "Study",
    "TopK",
    "adaptive_sweep",
    "attribute",
    "causal_trace",
    "choose",
    "clips",
    "compare_tables",
    "compensation",
    "component_costs",
    "component_graph",
    "computational_graph",
    "control_distribution",
    "controls_of",
    "counterfactuals",
    "digits",
    "do",
    "effect_sequence",
    "estimate",
    "factorial",
    "failure_modes",
    "folder",
    "generate",
    "interaction_effects",
    "load",
    "masked",
    "mediate",
    "online_experiment",
    "path_patch",
    "population_effects",
    "power_table",
    "read_results",
    "read_study",
    "read_table",
    "screen",
    "seed_effects",
    "shrunk_effects",
    "stills",
    "tensors",
    "texts",
    "windows",
    "wrap",
    "write_table",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
