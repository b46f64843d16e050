"""The report of a study, from its results directory: no model is needed."""

import pandas as pd

from causalablate.effects import population_effects
from causalablate.effects.controls import compare_with_controls
from causalablate.report.accuracy import Accuracy, accuracy, majority_accuracy
from causalablate.report.gallery import Gallery, GalleryExample
from causalablate.report.graph.sections import sections_of
from causalablate.report.write import ReportPaths, write_report
from causalablate.study import ExamplesSpec, Results

ANSWERS = {"correct": "after the fine pass", "correct_coarse": "after the coarse pass"}


def study_effects(results: Results) -> pd.DataFrame:
    """Population effects of the lesions that the study asked for, with their size-matched controls beside them."""
    study, controls = results.study, results.controls
    every: dict[str, list[str]] = {}
    for of_kind in controls.values():
        for lesion, names in of_kind.items():
            every.setdefault(lesion, []).extend(names)
    # All kinds of control stay out of the family of what was asked, and one is compared with.
    effects = population_effects(results.table, controls=every, level=study.level, sesoi=study.sesoi, seed=study.seed)
    beside = compare_with_controls(effects, controls.get("components", {}))
    effects[list(beside)] = beside
    return effects[effects["lesion"].isin(results.asked)].reset_index(drop=True)


def accuracies(results: Results) -> list[Accuracy]:
    """Factual accuracy of every answer that the study measured, and of the most frequent answer."""
    frame, level = results.table.frame, results.study.level
    first = frame[frame["lesion"] == results.table.lesions[0]]
    found = [
        accuracy(f"{title} ({name})", first.loc[first["outcome"] == name, "factual"].to_numpy(), level=level)
        for name, title in ANSWERS.items()
        if (first["outcome"] == name).any()
    ]
    examples = results.study.examples.load()
    answers, types = zip(*((e.answer, e.groups.get("question_type", "")) for e in examples), strict=True)
    return [*found, majority_accuracy(answers, types, level=level)]


def gallery(results: Results) -> Gallery:
    """The single examples, with what the model said and where it looked in each world."""
    if not results.factual_traces:
        return Gallery()
    examples = results.gallery_examples()
    return Gallery(
        tuple(
            GalleryExample(
                example.id,
                example.images,
                example.question,
                example.answer,
                example.groups,
                results.factual_traces[i],
                {name: traces[i] for name, traces in results.traces.items()},
            )
            for i, example in enumerate(examples)
        )
    )


def facts(results: Results) -> dict[str, str]:
    """What the numbers depend on."""
    study, identity = results.study, results.manifest.identity
    model, examples = (str(identity[what])[:16] for what in ("model", "examples"))
    known = {
        "model": f"{study.model}, content hash {model}",
        "examples": f"{_named(study.examples)}, content hash {examples}",
        "reference set": _named(study.reference_examples) if identity.get("reference") else "none is read",
        "outcomes": ", ".join(results.manifest.outcomes),
        "seed": str(study.seed),
        "precision": f"{results.manifest.precision} on {identity.get('device')}, attention {identity.get('attention')}",
        "smallest effect of interest": f"{study.sesoi:g}",
    }
    versions = identity.get("versions", {})
    return known | {"versions": ", ".join(f"{k} {v}" for k, v in versions.items())}


def _named(spec: ExamplesSpec | None) -> str:
    return "" if spec is None else " ".join(f"{k}={v}" for k, v in spec.model_dump().items() if v is not None)


def write_study_report(results: Results, effects: pd.DataFrame) -> ReportPaths:
    """Write the page, the tables and the figures into `report/` of the results directory.

    Folders `graph` and `interactions` of the results directory become sections of the page.

    Raises:
        GraphError: The folder `graph` holds something else than a graph.
        LedgerError: The directory cannot be written.
    """
    return write_report(
        results.out / "report",
        title=results.study.name,
        question=results.study.description,
        facts=facts(results),
        accuracies=accuracies(results),
        table=results.table,
        effects=effects,
        gallery=gallery(results),
        kinds=results.kinds,
        controls=results.controls,
        sections=sections_of(results.out),
    )
