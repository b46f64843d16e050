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
    from causalablate.component import Component, ComponentMap
    from causalablate.counterfactual import counterfactuals
    from causalablate.effects import population_effects
    from causalablate.examples import Example, ExampleSet, digits, folder
    from causalablate.intervention import Lesion, do
    from causalablate.models import Model, load
    from causalablate.outcome import OUTCOMES
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
    "Study": "study",
    "TopK": "adaptive",
    "adaptive_sweep": "adaptive",
    "counterfactuals": "counterfactual",
    "digits": "examples",
    "do": "intervention",
    "folder": "examples",
    "load": "models",
    "population_effects": "effects",
    "read_results": "study",
    "read_study": "study",
    "screen": "screening",
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
    "Study",
    "TopK",
    "adaptive_sweep",
    "counterfactuals",
    "digits",
    "do",
    "folder",
    "load",
    "population_effects",
    "read_results",
    "read_study",
    "screen",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
