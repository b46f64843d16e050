"""A replay made of arithmetic: outcomes are functions of (seed, lesion, row), so that runs can be compared exactly."""

import hashlib
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from causalablate.component import Component, ComponentMap, Site
from causalablate.study import Study, plan_study
from causalablate.table import Units
from causalablate.trace import Trace

COMPONENTS = ComponentMap(
    [
        *(
            Component(f"{tower}.layers.{layer}.heads.{head}", "head", (Site(f"{tower}{layer}"),), tower=tower)
            for tower in ("vision", "lm")
            for layer in range(2)
            for head in range(4)
        ),
        *(Component(f"scorers.{name}", "scorer", (Site(name),), patches=True) for name in ("salience", "entropy")),
        Component("opponent.focus", "gate", (Site("focus"),), bounds=(0.0, 1.0)),
        Component("passes.fine", "pass", (Site("fine"),)),
    ]
)
TYPES = ("location", "colour", "count")


@dataclass
class World:
    values: dict
    fired: np.ndarray
    change_norm: np.ndarray


class FakeReplay:
    """Keeps what it was asked to compute in `calls`; `log` also gets one line per call, for killed processes."""

    def __init__(self, n=50, outcomes=("answer_logprob", "correct"), seed=0, delay=0.0, log=None, broken=None):
        self.n, self.outcomes, self.seed, self.delay, self.log, self.broken = (
            n,
            tuple(outcomes),
            seed,
            delay,
            log,
            broken,
        )
        self.calls, self.traced, self.prepared, self.fail_at = [], [], [], None
        self.units = Units(
            [f"e{i}" for i in range(n)], [f"c{i // 2}" for i in range(n)], {"type": [TYPES[i % 3] for i in range(n)]}
        )
        self.model_hash = "model"
        self.categorical = frozenset({"predicted_answer"} & set(outcomes))
        self.labels = {name: ["zero", "one"] for name in outcomes if name in self.categorical}
        self.identity = {
            "model": "model",
            "examples": f"examples{n}",
            "reference": "reference",
            "seed": seed,
            "precision": "float32",
        }

    def prepare(self, lesions):
        self.prepared.append([lesion.name for lesion in lesions])

    def _values(self, what, rows):
        self.calls.append((what, rows.start, rows.stop))
        if self.delay:
            time.sleep(self.delay)
        if self.log:
            with Path(self.log).open("a") as file:
                file.write(f"{what}|{rows.start}|{rows.stop}\n")
        digest = hashlib.sha256(f"{self.seed}{what}".encode()).digest()
        draws = np.random.default_rng(list(digest)).normal(size=(self.n, 3)).astype(np.float32)[rows]
        known = {
            "answer_logprob": -np.abs(draws[:, 0]),
            "correct": (draws[:, 1] > 0).astype(np.float32),
            "predicted_answer": (draws[:, 2] > 0).astype(np.float32),
        }
        return {name: known[name] for name in self.outcomes}, np.abs(draws[:, 2])

    def factual(self, rows):
        return self._values("factual", rows)[0]

    def counterfactual(self, lesion, rows):
        values, norm = self._values(lesion.name, rows)
        if self.broken == lesion.name:
            values["answer_logprob"][3] = np.nan
        return World(values, np.ones(len(norm), dtype=bool), norm)

    def worlds(self, lesions, rows, *, among=None, done=lambda lesion: False):
        for lesion in lesions:
            if rows.start == self.fail_at:
                raise KeyboardInterrupt
            if not done(lesion):
                yield lesion, self.counterfactual(lesion, rows)

    def trace(self, lesion, rows):
        name = lesion.name if lesion is not None else "factual"
        self.traced.append((name, tuple(rows)))
        return [Trace(f"{name} {i}", 0.5, [("a", 0.5), ("b", 0.25)], [[64.0, 400.0]]) for i in rows]


def study(**changes):
    settings = {
        "name": "fake",
        "outcomes": ["answer_logprob", "correct"],
        "lesions": [{"each": "scorers.*", "off": ["zero", "mean"]}, {"do": {"passes.fine": "mean"}}],
        "batch_size": 5,
        "gallery": 4,
    }
    return Study(**(settings | changes))


def plan(n=50, **changes):
    return plan_study(study(**changes), COMPONENTS, n)
