"""How often an interval that is looked at again and again ever excludes the truth."""

from collections.abc import Callable

import numpy as np
from scipy.stats import t as student

from causalablate.effects.sequential import Bounds
from causalablate.effects.sequential.confidence import confidence_sequence
from simulated.draws import flips
from simulated.scenario import LEVEL
from simulated.simulation import Cell, Table, cell

UNITS = 1_000
LOOKS = np.arange(64, UNITS + 1, 8)
"""Numbers of examples after which one looks, and would stop if the interval excluded zero."""

Draw = Callable[[np.random.Generator, int], np.ndarray]


def peeking() -> Table:
    """False stops: experiments without effect in which some interval excludes zero."""
    draws: dict[str, tuple[Draw, dict[str, object]]] = {
        "binary, flips 2 % down, 2 % up; betting": (flips(UNITS, 0.02, 0.02), {"bounds": Bounds(-1.0, 1.0)}),
        "grades from -1 to 1 in halves; betting": (
            lambda rng, r: rng.integers(-2, 3, (r, UNITS)) / 2,
            {"bounds": Bounds(-1.0, 1.0)},
        ),
        "normal, SD 1; sub-Gaussian": (lambda rng, r: rng.normal(size=(r, UNITS)), {"sub_gaussian": 1.0}),
        "normal, SD 1; asymptotic": (lambda rng, r: rng.normal(size=(r, UNITS)), {}),
        "heavy tails (t with 3 degrees of freedom); asymptotic": (lambda rng, r: rng.standard_t(3, (r, UNITS)), {}),
        "skewed (exponential, centred); asymptotic": (lambda rng, r: rng.exponential(1, (r, UNITS)) - 1, {}),
    }
    rows = tuple((name, (_sequence(name, draw, known), _t(name, draw))) for name, (draw, known) in draws.items())
    return Table(
        f"False stops in {UNITS:,} examples, looking after every 8 from the 64th on",
        ("effects without a mean; how the sequence is made", "confidence sequence", "t interval at every look"),
        rows,
    )


def _sequence(name: str, draw: Draw, known: dict[str, object]) -> Cell:
    def measure(rng: np.random.Generator, repetitions: int) -> np.ndarray:
        values = draw(rng, repetitions)
        # Without known limits, what is large is learnt from all series of one call: each is an experiment of its own.
        calls = [values] if known else values[:, None, :]
        return np.concatenate([_stops(series, known) for series in calls])

    return cell(f"peeking, {name}", measure)


def _stops(values: np.ndarray, known: dict[str, object]) -> np.ndarray:
    found = confidence_sequence(values, level=LEVEL, looks=LOOKS, **known)  # type: ignore[arg-type]
    return ((found.low > 0) | (found.high < 0)).any(axis=1)


def _t(name: str, draw: Draw) -> Cell:
    def measure(rng: np.random.Generator, repetitions: int) -> np.ndarray:
        values = draw(rng, repetitions)
        mean = values.cumsum(axis=1)[:, LOOKS - 1] / LOOKS
        square = (values**2).cumsum(axis=1)[:, LOOKS - 1] / LOOKS
        se = np.sqrt((square - mean**2) / (LOOKS - 1))
        return (np.abs(mean) > student.ppf((1 + LEVEL) / 2, LOOKS - 1) * se).any(axis=1)

    return cell(f"peeking, {name}", measure)
