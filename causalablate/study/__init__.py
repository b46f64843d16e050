"""Studies: declarative questions to a model, run unit by unit into a ledger that survives anything."""

from causalablate.study.controls import controls_of, parameters_in
from causalablate.study.entry import LesionEntry
from causalablate.study.ledger import Ledger
from causalablate.study.manifest import Manifest
from causalablate.study.opening import open_study
from causalablate.study.plan import Plan, PlannedLesion, Unit, plan_study
from causalablate.study.preview import Preview, preview
from causalablate.study.results import Results, read_results
from causalablate.study.runner import run
from causalablate.study.sets import ClipsSpec, DigitsSpec, ExamplesSpec, FolderSpec, StillsSpec, TextsSpec
from causalablate.study.shipped import find_study, shipped_studies
from causalablate.study.spec import Controls, Study, read_study, with_model

__all__ = [
    "ClipsSpec",
    "Controls",
    "DigitsSpec",
    "ExamplesSpec",
    "FolderSpec",
    "Ledger",
    "LesionEntry",
    "Manifest",
    "Plan",
    "PlannedLesion",
    "Preview",
    "Results",
    "StillsSpec",
    "Study",
    "TextsSpec",
    "Unit",
    "controls_of",
    "find_study",
    "open_study",
    "parameters_in",
    "plan_study",
    "preview",
    "read_results",
    "read_study",
    "run",
    "shipped_studies",
    "with_model",
]
