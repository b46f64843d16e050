"""How often the intervals of `online_experiment` hold the difference between the arms."""

from collections.abc import Callable

import numpy as np

from causalablate.effects import Kind
from causalablate.effects.online.adjustment import adjusted
from causalablate.effects.online.difference import difference, ratio_of_means
from causalablate.effects.online.log import Log, Sample
from causalablate.effects.online.peeking import asymptotic_limits, betting_limits
from causalablate.effects.online.quantiles import quantile_difference
from causalablate.effects.sequential.over_time import looks_of
from simulated.scenario import LEVEL, covers
from simulated.simulation import Cell, Table, cell
from simulated.worlds import FACTUAL, MEAN, TAIL_DF

SIZES = {
    "50 units": (50, 1),
    "200 units": (200, 1),
    "1,000 units": (1000, 1),
    "40 units of 5 events": (40, 5),
    "100 units of 10 events": (100, 10),
}
"""Units of either arm, and events of each."""
LOOKS = 40

Draw = Callable[[np.random.Generator, int, int], tuple[np.ndarray, np.ndarray]]
"""Generator, units and events of each to an outcome without effect and what was known before, (units, events)."""


def _shared(rng: np.random.Generator, units: int, events: int) -> tuple[np.ndarray, np.ndarray]:
    """Standard normal events that correlate 0.5 within a unit, and what the unit was like before, which correlates."""
    own = rng.normal(size=(units, 1))
    values = own if events == 1 else np.sqrt(0.5) * (own + rng.normal(size=(units, events)))
    return values, own + 0.5 * rng.normal(size=(units, 1))


def _heavy(rng: np.random.Generator, units: int, events: int) -> tuple[np.ndarray, np.ndarray]:
    values, before = _shared(rng, units, events)
    return values / np.sqrt(rng.chisquare(TAIL_DF, (units, 1)) / TAIL_DF), before


REAL: dict[str, Draw] = {"normal": _shared, "heavy tails": _heavy}
BINARY = {"right in 80 %, in 85 %": (0.80, 0.85), "right in 1 %, in 0.5 %": (0.01, 0.005)}
"""Chances in the arm and in the control."""


def online_effects() -> Table:
    """Of differences, plain and adjusted, and of ratios."""
    rows = [(f"difference; {name}", _cells(name, None, chances, _difference)) for name, chances in BINARY.items()]
    rows += [(f"difference; {name}", _cells(name, draw, None, _difference)) for name, draw in REAL.items()]
    rows += [(f"difference, CUPED; {name}", _cells(name, draw, None, _cuped)) for name, draw in REAL.items()]
    rows += [(f"ratio; {name}", _cells(name, None, chances, _ratio)) for name, chances in BINARY.items()]
    rows += [(f"ratio; {name}", _cells(name, draw, None, _ratio)) for name, draw in REAL.items()]
    for q in (0.5, 0.9):
        rows += [(f"quantile {q}; {name}", _cells(name, draw, None, _quantile(q))) for name, draw in REAL.items()]
    return Table("Coverage, online experiments", ("estimate; outcome", *SIZES), tuple(rows))


def online_looks() -> Table:
    """Experiments whose limits hold at all of their looks."""
    rows = (
        ("right in 80 %, in 85 %; betting", tuple(_looks("betting", size) for size in ("200 units", "1,000 units"))),
        ("normal; asymptotic", tuple(_looks("normal", size) for size in ("200 units", "1,000 units"))),
        ("normal, CUPED; asymptotic", tuple(_looks("CUPED", size) for size in ("200 units", "1,000 units"))),
    )
    title = f"Coverage, online experiments at all of {LOOKS} looks"
    return Table(title, ("outcome; limits", "200 units", "1,000 units"), rows)


Held = Callable[[Log, tuple[Sample, Sample], str, tuple[float, float] | None], float]
"""Log, its two arms, name of the outcome and its chances to whether the interval holds; NaN without one."""


def _cells(name: str, draw: Draw | None, chances: tuple[float, float] | None, held: Held) -> tuple[Cell, ...]:
    return tuple(_cell(f"online, {name}, {size}", size, name, draw, chances, held) for size in SIZES)


def _cell(
    stream: str, size: str, name: str, draw: Draw | None, chances: tuple[float, float] | None, held: Held
) -> Cell:
    def one(rng: np.random.Generator) -> float:
        log = _log(rng, *SIZES[size], draw, chances)
        arms = log.sample(log.outcomes["y"], 1), log.sample(log.outcomes["y"], 0)
        return held(log, arms, name, chances)

    return cell(stream, lambda rng, repetitions: np.array([one(rng) for _ in range(repetitions)]))


def _log(
    rng: np.random.Generator, units: int, events: int, draw: Draw | None, chances: tuple[float, float] | None
) -> Log:
    """Arms take turns; the control comes first."""
    arm = np.tile([0, 1], units)
    before = None
    if draw is not None:
        values, known = draw(rng, 2 * units, events)
        values = FACTUAL + values + MEAN * arm[:, None]
        before = np.broadcast_to(known, values.shape).ravel()
    else:
        assert chances is not None
        chance = np.array(chances)[::-1][arm][:, None]
        own = chance if events == 1 else rng.beta(chance, 1 - chance)
        values = (rng.random((2 * units, events)) < own).astype(float)
    unit = np.repeat(np.arange(2 * units), events)
    kind = Kind.REAL if chances is None else Kind.BINARY
    return Log(("control", "lesion"), arm, unit, {"y": values.ravel()}, {"y": kind}, before, None)


def _inside(low: float, high: float, truth: float) -> float:
    return float("nan") if np.isnan(low) else float(covers(np.array(low), np.array(high), truth))


def _true(chances: tuple[float, float] | None) -> float:
    return MEAN if chances is None else chances[0] - chances[1]


def _difference(log: Log, arms: tuple[Sample, Sample], name: str, chances: tuple[float, float] | None) -> float:
    found = difference(*arms, level=LEVEL, binary=chances is not None)
    return _inside(found.low, found.high, _true(chances))


def _cuped(log: Log, arms: tuple[Sample, Sample], name: str, chances: tuple[float, float] | None) -> float:
    assert log.covariate is not None
    values = adjusted(log.outcomes["y"], log.covariate, log.unit, log.arm[log.unit])
    found = difference(log.sample(values, 1), log.sample(values, 0), level=LEVEL, binary=False)
    return _inside(found.low, found.high, MEAN)


def _ratio(log: Log, arms: tuple[Sample, Sample], name: str, chances: tuple[float, float] | None) -> float:
    _, low, high = ratio_of_means(*arms, level=LEVEL, binary=chances is not None)
    return _inside(low, high, (FACTUAL + MEAN) / FACTUAL if chances is None else chances[0] / chances[1])


def _quantile(q: float) -> Held:
    """The arms differ by a shift, so that all quantiles differ by it."""

    def held(log: Log, arms: tuple[Sample, Sample], name: str, chances: tuple[float, float] | None) -> float:
        _, _, low, high, _ = quantile_difference(*arms, q, level=LEVEL)
        return _inside(low, high, MEAN)

    return held


def _looks(how: str, size: str) -> Cell:
    units, events = SIZES[size]

    def one(rng: np.random.Generator) -> float:
        chances = BINARY["right in 80 %, in 85 %"] if how == "betting" else None
        log = _log(rng, units, events, None if chances else _shared, chances)
        looks = looks_of(LOOKS, 2 * units)
        if how == "betting":
            shares = np.array([0.5, 0.5])
            low, high, _ = betting_limits(log, "y", 1, looks, level=LEVEL, bounds=(0.0, 1.0), shares=shares)
        else:
            known = log if how == "CUPED" else _plain(log)
            low, high, _ = asymptotic_limits(known, "y", 1, looks, level=LEVEL)
        truth, some = _true(chances), np.isfinite(low)
        return float(covers(low[some], high[some], truth).all())

    return cell(
        f"online looks, {how}, {size}", lambda rng, repetitions: np.array([one(rng) for _ in range(repetitions)])
    )


def _plain(log: Log) -> Log:
    return Log(log.arms, log.arm, log.unit, log.outcomes, log.kinds, None, None)
