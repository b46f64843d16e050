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
    from causalablate.counterfactual import counterfactuals
    from causalablate.effects import population_effects
    from causalablate.examples import Example, ExampleSet, digits, folder, tensors
    from causalablate.generation import Sampling, choose, generate
    from causalablate.intervention import Lesion, do
    from causalablate.models import Model, Part, load, wrap
    from causalablate.outcome import OUTCOMES
    from causalablate.patching import causal_trace, masked, path_patch, windows
    from causalablate.screening import screen
    from causalablate.study import Study, read_results, read_study
    from causalablate.table import Counterfactuals

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
    "counterfactuals": "counterfactual",
    "digits": "examples",
    "do": "intervention",
    "folder": "examples",
    "generate": "generation",
    "load": "models",
    "masked": "patching",
    "path_patch": "patching",
    "population_effects": "effects",
    "read_results": "study",
    "read_study": "study",
    "screen": "screening",
    "tensors": "examples",
    "windows": "patching",
    "wrap": "models",
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
    "counterfactuals",
    "digits",
    "do",
    "folder",
    "generate",
    "load",
    "masked",
    "path_patch",
    "population_effects",
    "read_results",
    "read_study",
    "screen",
    "tensors",
    "windows",
    "wrap",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
