"""A small synthetic study: known damage, its population effects, and a gallery."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pytest

from causalablate.effects import population_effects
from causalablate.report import Accuracy, Gallery, GalleryExample, accuracy, majority_accuracy
from causalablate.table import Counterfactuals, Units, rows
from causalablate.trace import Trace

TYPES = ("location", "colour", "faint", "cue", "count", "largest", "cue colour")
SMALL = {
    "passes.fine=mean": ("pass", {t: 0.5 for t in TYPES}),
    "query.static=mean": ("query", {"cue": 0.7}),
    "scorers.propositional=uniform": ("scorer", {"faint": 0.25}),
    "lm.layers.0.heads.0=zero": ("head", {}),
    "lm.layers.0.heads.1=zero": ("head", {t: 0.1 for t in TYPES}),
    "lm.layers.1.heads.0=zero": ("head", {t: 0.02 for t in TYPES}),
    "lm.layers.1.heads.1=zero": ("head", {"colour": -0.2}),
}


@dataclass(frozen=True)
class Study:
    """Everything write_report is given."""

    table: Counterfactuals
    effects: pd.DataFrame
    gallery: Gallery
    kinds: dict[str, str]
    accuracies: list[Accuracy]
    facts: dict[str, str] = field(
        default_factory=lambda: {"model": "sha256:ab12cd34", "examples": "digits, test split", "seed": "0"}
    )
    title: str = "A small study"
    question: str = "Which components does the answer depend on?"

    def arguments(self) -> dict[str, Any]:
        return {f: getattr(self, f) for f in self.__dataclass_fields__}


def counterfactual_table(damage: Mapping[str, tuple[str, Mapping[str, float]]], n: int, seed: int) -> Counterfactuals:
    """`damage`: lesion to (kind, question type to share of right answers lost; negative: gained)."""
    rng = np.random.default_rng(seed)
    types = np.array([TYPES[i % len(TYPES)] for i in range(n)])
    units = Units([f"test-{i}" for i in range(n)], [f"scene-{i}" for i in range(n)], {"question_type": list(types)})
    logprob = -rng.gamma(0.6, 0.5, n)
    correct = (rng.random(n) < 0.85).astype(np.float32)
    parts = []
    for name, (_, share) in damage.items():
        lost = np.array([share.get(t, 0.0) for t in types])
        flip = rng.random(n) < np.abs(lost)
        after = np.where(flip, lost < 0, correct).astype(np.float32)
        shift = -lost * rng.gamma(2.0, 1.0, n) + 0.02 * rng.normal(size=n)
        parts.append(
            rows(
                units,
                study="small",
                model="ab12",
                seed=0,
                lesion=name,
                factual={"correct": correct, "answer_logprob": logprob},
                counterfactual={"correct": after, "answer_logprob": logprob + shift},
                fired=np.ones(n, dtype=bool),
                change_norm=np.abs(rng.normal(3, 1, n)),
            )
        )
    return Counterfactuals(pd.concat(parts, ignore_index=True))


def trace(answer: str, probability: float, allocation: list[list[float]] | None) -> Trace:
    others = [("red", 0.2), ("blue", 0.1), ("three", 0.05), ("four", 0.01)]
    top = sorted([(answer, probability), *((a, p * (1 - probability)) for a, p in others)], key=lambda t: -t[1])
    return Trace(answer=answer, probability=probability, top=top, allocation=allocation)


def synthetic_gallery(names: list[str], n: int = 4) -> Gallery:
    """Frames are noise; example i answers wrongly under lesion j where (i + j) is a multiple of 3."""
    rng = np.random.default_rng(1)
    examples = []
    for i in range(n):
        grid = [[64.0 + 10 * ((r + c + i) % 4) for c in range(4)] for r in range(4)]
        lesioned = {
            name: trace("six" if (i + j) % 3 == 0 else "seven", 0.6, [[92.0] * 4] * 4) for j, name in enumerate(names)
        }
        examples.append(
            GalleryExample(
                id=f"test-{i}",
                frames=tuple(rng.integers(0, 255, (48, 48, 3), dtype=np.uint8) for _ in range(2)),
                question=f"what digit is in row {i}",
                answer="seven",
                groups={"question_type": TYPES[i % len(TYPES)]},
                factual=trace("seven", 0.9, grid),
                lesioned=lesioned,
            )
        )
    return Gallery(tuple(examples))


def make_study(damage: Mapping[str, tuple[str, Mapping[str, float]]] = SMALL, n: int = 280, seed: int = 0) -> Study:
    table = counterfactual_table(damage, n, seed)
    correct = table.frame[table.frame["outcome"] == "correct"]
    factual = correct[correct["lesion"] == correct["lesion"].iloc[0]]["factual"].to_numpy()
    answers = ["seven"] * (n // 3) + [f"answer {i % 9}" for i in range(n - n // 3)]
    heads = [name for name in damage if ".heads." in name]
    controls = {name: [other for other in heads if other != name] for name in heads}
    return Study(
        table=table,
        effects=population_effects(table, controls=controls, n_permutations=499),
        gallery=synthetic_gallery(list(damage)),
        kinds={name: kind for name, (kind, _) in damage.items()},
        accuracies=[
            accuracy("coarse_fine", factual),
            accuracy("coarse_only", (np.arange(n) % 3 == 0).astype(float)),
            majority_accuracy(answers, [""] * n),
        ],
    )


@pytest.fixture(scope="session")
def study() -> Study:
    return make_study()
