"""How often tests and labels are wrong where the truth is known, and how often they can tell."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from causalablate.effects import (
    EFFECT,
    Kind,
    mcnemar_exact,
    mcnemar_mid_p,
    population_effects,
    sign_flip_p,
)
from causalablate.effects.one_sided import p_equivalent
from causalablate.table import Counterfactuals
from simulated.draws import Draw, flips, mostly_zero
from simulated.scenario import LEVEL, Scenario, intervals, paired
from simulated.simulation import Cell, Table, cell

ALPHA = 1 - LEVEL
PERMUTATIONS = 1_999
LESIONS, FAMILY_EXAMPLES = 20, 120
DELTA = 0.005
"""Smallest effect of interest: half a point of accuracy."""


def rejections() -> Table:
    """Rejections of true null hypotheses by single tests."""
    skewed = _log_normal(200)
    rows = (
        ("sign flip: Laplace, n = 60", (_sign_flip("Laplace", lambda rng, r: rng.laplace(size=(r, 60))),)),
        ("sign flip: 95 % exact zeros, n = 200", (_sign_flip("zeros", mostly_zero(200, 0.05)),)),
        ("sign flip: log-normal, centred, n = 200", (_sign_flip("log-normal", skewed),)),
        ("sign flip and t interval: log-normal, centred, n = 200", (_sign_flip_and_interval("log-normal", skewed),)),
        ("McNemar, exact: flips 2 % down, 2 % up, n = 500", (_mcnemar(mcnemar_exact),)),
        ("McNemar, mid-p: flips 2 % down, 2 % up, n = 500", (_mcnemar(mcnemar_mid_p),)),
    )
    return Table("Rejections by tests at 5 % where the mean effect is zero", ("test, effects", "rejects"), rows)


def family_errors() -> Table:
    """Studies with any false claim among many lesions without effect."""
    name = f"{LESIONS} dependent lesions without effect, {FAMILY_EXAMPLES} examples"
    return Table(
        "Studies with a false `effect` in the family",
        ("lesions", "binary", "real"),
        ((name, (_false_effect("binary", _binary_study), _false_effect("real", _real_study))),),
    )


def equivalence() -> Table:
    """Studies that are labelled `within noise`, rightly and wrongly."""
    sizes = (2_000, 5_000, 20_000)
    chances = {
        "no effect: flips 0.5 % down, 0.5 % up": (0.005, 0.005),
        "effect δ: flips 1 % down, 0.5 % up": (0.01, 0.005),
    }
    rows = tuple((name, tuple(_within_noise(n, down, up) for n in sizes)) for name, (down, up) in chances.items())
    return Table(f"Studies labelled `within noise` at δ = {DELTA:g}", ("effect", *(f"n = {n:,}" for n in sizes)), rows)


def _log_normal(n: int) -> Draw:
    return lambda rng, repetitions: rng.lognormal(size=(repetitions, n)) - np.exp(0.5)


def _sign_flip_rejects(effect: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return sign_flip_p(effect, n_permutations=PERMUTATIONS, seed=int(rng.integers(2**31))) < ALPHA


def _sign_flip(name: str, draw: Draw) -> Cell:
    return cell(name, lambda rng, repetitions: _sign_flip_rejects(draw(rng, repetitions), rng))


def _sign_flip_and_interval(name: str, draw: Draw) -> Cell:
    """What the label `effect` asks of a single lesion: the test rejects and the interval excludes zero."""

    def measure(rng: np.random.Generator, repetitions: int) -> np.ndarray:
        effect = draw(rng, repetitions)
        found = intervals(effect, Scenario(name, Kind.REAL, 0.0, draw))
        return _sign_flip_rejects(effect, rng) & ((found.low > 0) | (found.high < 0))

    return cell(name, measure)


def _mcnemar(test: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Cell:
    def measure(rng: np.random.Generator, repetitions: int) -> np.ndarray:
        counts = rng.multinomial(500, [0.02, 0.02, 0.96], size=repetitions)
        return test(counts[:, 0], counts[:, 1]) < ALPHA

    return cell("McNemar", measure)


def _within_noise(n: int, down: float, up: float) -> Cell:
    """Share of studies whose equivalence test passes at DELTA."""
    scenario = Scenario("equivalence", Kind.BINARY, up - down, flips(n, down, up))

    def measure(rng: np.random.Generator, repetitions: int) -> np.ndarray:
        return p_equivalent(paired(scenario.draw(rng, repetitions), scenario), DELTA, LEVEL) < ALPHA

    return cell(f"equivalence, {down} down, {up} up, n = {n}", measure)


Study = Callable[[np.random.Generator], tuple[np.ndarray, np.ndarray]]
"""Generator to factual outcomes, shape (examples,), and counterfactual ones, shape (lesions, examples)."""


def _binary_study(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A tenth of the answers is replaced by a coin, at accuracy 0.5; lesions share the factual world."""
    factual = rng.random(FAMILY_EXAMPLES) < 0.5
    shape = (LESIONS, FAMILY_EXAMPLES)
    return factual, np.where(rng.random(shape) < 0.1, rng.random(shape) < 0.5, factual)


def _real_study(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Noise of SD 1, and of SD 0.7 that all lesions share."""
    factual, shared = rng.normal(size=(2, FAMILY_EXAMPLES))
    return factual, factual + 0.7 * shared + rng.normal(size=(LESIONS, FAMILY_EXAMPLES))


def _false_effect(outcome: str, study: Study) -> Cell:
    def measure(rng: np.random.Generator, repetitions: int) -> np.ndarray:
        found = np.zeros(repetitions, dtype=bool)
        for i in range(repetitions):
            table = _table(outcome, *study(rng))
            effects = population_effects(table, n_permutations=PERMUTATIONS, seed=int(rng.integers(2**31)))
            found[i] = (effects["label"] == EFFECT).any()
        return found

    return cell(f"family, {outcome}", measure)


def _table(outcome: str, factual: np.ndarray, counterfactual: np.ndarray) -> Counterfactuals:
    lesions, n = counterfactual.shape
    example = np.tile([f"e{i}" for i in range(n)], lesions)
    values = {"factual": np.tile(factual, lesions), "counterfactual": counterfactual.ravel()}
    values = {name: value.astype(np.float32) for name, value in values.items()}
    frame = pd.DataFrame(
        {
            "study": "simulated",
            "model": "none",
            "seed": 0,
            "lesion": np.repeat([f"l{i}" for i in range(lesions)], n),
            "example": example,
            "cluster": example,
            "outcome": outcome,
            **values,
            "effect": values["counterfactual"] - values["factual"],
            "fired": True,
            "change_norm": np.float32(1),
            "precision": "float32",
        }
    )
    return Counterfactuals(frame)
