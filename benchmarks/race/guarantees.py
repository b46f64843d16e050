"""What adaptive sweeps promise, simulated where the truth is known."""

import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from simulated.simulation import Result

from causalablate.effects.sequential import (
    Bounds,
    Direction,
    Discoveries,
    DiscoveryRace,
    Moments,
    Population,
    TopK,
    TopKRace,
    Wealth,
)
from causalablate.progress import Advance
from race.play import play
from race.tables import (
    FAMILY,
    N_EFFECTS,
    N_EXAMPLES,
    N_LESIONS,
    SMALLEST,
    K,
    Make,
    flips,
    flips_on_the_edge,
    graded,
    heavy,
    log_normal,
    nearly_constant,
    normal,
    on_the_edge,
    rare,
    rare_losses,
    shared_normal,
    skewed,
    sparse,
    tied,
    tied_unlike,
)

LEVEL = 0.95
LOOKS = range(64, N_EXAMPLES, 8)
"""After how many examples an interval is looked at; it must hold at all of them."""
FLIPS = Bounds(-1.0, 1.0, between=1.0)
SET = Population(N_EXAMPLES)
ANY = Population(None)


@dataclass(frozen=True)
class Runs:
    """How often to repeat, from which seed, and whom to tell.

    Attributes:
        repetitions: Repetitions of every row.
        seed: With the row's name, seeds its draws.
        advance: Told of every repetition.
    """

    repetitions: int
    seed: int
    advance: Advance

    def mean(self, name: str, once: Callable[[np.random.Generator], tuple[float, ...]]) -> tuple[float, ...]:
        """Mean of what `once` returns, with the stream that belongs to `name`."""
        rng = np.random.default_rng([self.seed, zlib.crc32(name.encode())])
        total = 0.0
        for _ in range(self.repetitions):
            total = total + np.array(once(rng))
            self.advance(1, name)
        return tuple(float(x) for x in total / self.repetitions)


Draw = Callable[[np.random.Generator, int], np.ndarray]

COVERAGE: dict[str, tuple[Draw, float, Bounds]] = {
    "normal": (normal, 0.0, Bounds()),
    "skewed (exponential)": (skewed, -1.0, Bounds()),
    "heavy tails (t with 3 degrees of freedom)": (heavy, 0.0, Bounds()),
    "log-normal": (log_normal, -1.0, Bounds()),
    "95 % exact zeros": (sparse, 0.0, Bounds()),
    "rare: -9 in 1 % of examples": (rare_losses, -0.09, Bounds()),
    "flips, 1 % down": (lambda rng, n: -(rng.random((n, N_EXAMPLES)) < 0.01).astype(float), -0.01, FLIPS),
    "flips, 30 % down": (lambda rng, n: -(rng.random((n, N_EXAMPLES)) < 0.3).astype(float), -0.3, FLIPS),
    "bounded, skewed (beta 1/5, 1)": (lambda rng, n: -rng.beta(0.2, 1, (n, N_EXAMPLES)), -1 / 6, Bounds(-1.0, 0.0)),
}


def coverage(runs: Runs) -> Result:
    """Share of lesions whose interval holds their mean at every look."""
    rows = {}
    for name, (draw, mean, bounds) in COVERAGE.items():

        def once(
            rng: np.random.Generator, draw: Draw = draw, mean: float = mean, bounds: Bounds = bounds
        ) -> tuple[float, float]:
            table = draw(rng, N_LESIONS)
            truth = np.full(N_LESIONS, mean)
            return _covered(table, table.mean(axis=1), bounds, SET), _covered(table, truth, bounds, ANY)

        rows[f"{name}; {'betting' if bounds.both else 'asymptotic'}"] = runs.mean(f"coverage {name}", once)
    return Result("Coverage at all looks", ("effects; interval", "of the examples", "of the population"), rows)


def _covered(table: np.ndarray, truth: np.ndarray, bounds: Bounds, population: Population) -> float:
    limit = float(np.log(2 / (1 - LEVEL)))
    missed = np.zeros(len(table), dtype=bool)
    moments = Moments(len(table), population)
    up, down = (
        [
            Wealth(len(table), null=s * truth, low=low, scale=bounds.high - bounds.low, population=population)
            for s, low in ((1, bounds.low), (-1, -bounds.high))
        ]
        if bounds.both
        else (None, None)
    )
    seen = 0
    for look in LOOKS:
        part, ones = table[:, seen:look], np.ones(look - seen)
        seen = look
        if up is not None and down is not None:
            up.observe(part, ones)
            down.observe(-part, ones)
            missed |= np.maximum(up.log, down.log) >= limit
        else:
            moments.observe(part, ones)
            missed |= np.abs(moments.means - truth) > moments.half_widths(limit, moments.pseudo)
    return float(1 - missed.mean())


TOP: dict[str, tuple[Make, Bounds]] = {
    "normal, all alike": (tied(normal, -0.3), Bounds()),
    "skewed, all alike": (tied(skewed, 0.0), Bounds()),
    "heavy tails, all alike": (tied(heavy, -0.3), Bounds()),
    "normal beside skewed, equal means": (tied_unlike(lambda rng, n: normal(rng, n) - 1, skewed), Bounds()),
    "log-normal beside nearly constant, equal means": (tied_unlike(log_normal, nearly_constant), Bounds()),
    "flips 6 % beside 5 %": (flips(0.06, 0.05), FLIPS),
    "graded means, independent": (graded(0.0), Bounds()),
    "graded means, correlation 0.8": (graded(0.8), Bounds()),
    "graded means, bounds declared": (lambda rng: np.clip(graded(0.8)(rng), -10, 10), Bounds(-10.0, 10.0)),
    "rare: -9 in 5 % of examples beside -0.3": (rare(0.05, 0.3), Bounds()),
    "rare: -9 in 1 % of examples beside -0.05": (rare(0.01, 0.05), Bounds()),
    "the same, bounds declared": (lambda rng: np.clip(rare(0.01, 0.05)(rng), -10, 1), Bounds(-10.0, 1.0)),
}


def top(runs: Runs) -> Result:
    """How often the answer to `TopK` is not the true set, and its forwards."""
    rows = {}
    for name, (make, bounds) in TOP.items():

        def once(rng: np.random.Generator, make: Make = make, bounds: Bounds = bounds) -> tuple[float, float]:
            table = make(rng)
            size = np.abs(table.mean(axis=1))
            played = play(TopKRace(TopK(K), N_LESIONS, population=SET, bounds=bounds), table)
            # A tie at the border has several right answers.
            wrong = size[played.answer].min() < np.sort(size)[-K]
            return float(wrong), played.share

        rows[f"{name}; {'betting' if bounds.both else 'asymptotic'}"] = runs.mean(f"top {name}", once)
    header = (f"top {K} of {N_LESIONS} lesions, {N_EXAMPLES:,} examples; evidence", "wrong", "forwards")
    return Result("Top k at error 0.05", header, rows)


FOUND: dict[str, tuple[Make, Bounds, Direction]] = {
    "normal": (on_the_edge(normal), Bounds(), Direction.BOTH),
    "normal, correlation 0.8": (on_the_edge(shared_normal), Bounds(), Direction.BOTH),
    "skewed": (on_the_edge(skewed), Bounds(), Direction.BOTH),
    "heavy tails": (on_the_edge(heavy), Bounds(), Direction.BOTH),
    "95 % exact zeros": (on_the_edge(sparse), Bounds(), Direction.BOTH),
    "rare: -9 in 1 % of examples": (on_the_edge(rare_losses), Bounds(), Direction.BOTH),
    "rare, decreases only, no effect above 1": (on_the_edge(rare_losses), Bounds(high=1.0), Direction.DECREASE),
    "flips": (flips_on_the_edge, FLIPS, Direction.BOTH),
}


def found(runs: Runs) -> Result:
    """False discovery rate, power and forwards of `Discoveries`."""
    rows = {}
    for name, (make, bounds, direction) in FOUND.items():

        def once(
            rng: np.random.Generator, make: Make = make, bounds: Bounds = bounds, direction: Direction = direction
        ) -> tuple[float, float, float]:
            # Means on the edge are nulls; float sums may put them beyond it by a rounding.
            question = Discoveries(0.05, SMALLEST + 1e-9, direction)
            played = play(DiscoveryRace(question, FAMILY, population=SET, bounds=bounds), make(rng))
            false, true = played.answer[N_EFFECTS:].sum(), played.answer[:N_EFFECTS].sum()
            return float(false / max(1, false + true)), float(true / N_EFFECTS), played.share

        exact = bounds.both or direction is Direction.DECREASE
        rows[f"{name}; {'betting' if exact else 'asymptotic'}"] = runs.mean(f"found {name}", once)
    header = (f"{FAMILY - N_EFFECTS} of {FAMILY} lesions on the edge; evidence", "FDR", "power", "forwards")
    return Result("Discoveries at FDR 0.05", header, rows)


TABLES = (coverage, top, found)
N_ROWS = len(COVERAGE) + len(TOP) + len(FOUND)
