"""How often the intervals of `compare_tables` and `compensation` hold the truth: of differences, and of their ratio."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from causalablate.effects import Kind, Paired
from causalablate.effects.comparisons.align import Aligned
from causalablate.effects.comparisons.rows import Settings, compared
from causalablate.table import Counterfactuals
from simulated.estimated import FLIPS, paired_worlds
from simulated.scenario import LEVEL, covers
from simulated.simulation import Cell, Table, cell
from simulated.worlds import DESIGNS, MEAN, SEED_SD, ZEROS, Design, Worlds, binary, heavy, mostly_zero, normal

SAME = 0.5
"""Share of the first table's effect that the second has too, on the same examples."""
HIT = -1.0
ONE, OTHER = FLIPS.values()
TWO_SAMPLES, SAME_EXAMPLES = "two samples", "the same examples"
RETRAINED = tuple(design for design in DESIGNS if design.n_seeds > 1)
SETTINGS = Settings(("a", "b"), LEVEL, {"simulated": 1.0}, n_permutations=1, seed=0)
"""One permutation: p is not looked at."""

Two = Callable[[np.random.Generator, int, Design], tuple[Paired, Paired]]
"""Generator, repetitions, design to the outcomes of two tables."""


def differences() -> Table:
    """Of two tables of one design, whose seeds correspond."""
    rows = tuple(
        (f"{how}; {name}", tuple(_difference(f"{how}, {name}, {d.name}", made, d, how, truth) for d in DESIGNS))
        for how in (SAME_EXAMPLES, TWO_SAMPLES)
        for name, made, truth in _pairs(how)
    )
    return Table("Coverage, differences between two tables", ("tables; effects", *(d.name for d in DESIGNS)), rows)


def compensations() -> Table:
    """Of one given model against several retrained ones, on the same examples, and of two sets of training runs."""
    worlds = {"normal": _normal_of_seeds, "flips 5 % down": _flips_of_seeds}
    rows = []
    for title, first in (("one model against retrained ones", 1), ("training runs against others", None)):
        for name, made in worlds.items():
            cells = (
                _other_seeds(f"{title}, {name}, {design.name}", made, design, first or design.n_seeds)
                for design in RETRAINED
            )
            rows.append((f"{title}; {name}", tuple(cells)))
    header = ("tables; effects", *(design.name for design in RETRAINED))
    return Table("Coverage, compensation by retraining", header, tuple(rows))


def ratios() -> Table:
    """Studies whose interval is not wrong: one that has no two ends holds every ratio; and how many have one."""
    rows = []
    for how in (SAME_EXAMPLES, TWO_SAMPLES):
        for name, made, difference in _pairs(how):
            first = {"normal": MEAN, "heavy tails": MEAN, "95 % exact zeros": (1 - ZEROS) * HIT}.get(name, _net(ONE))
            for what in ("", ", studies that have one"):
                cells = tuple(
                    _ratio(f"{how}, {name}, {d.name}", made, d, how, 1 + difference / first, bool(what))
                    for d in DESIGNS
                )
                rows.append((f"{how}; {name}{what}", cells))
    return Table("Coverage, ratios of two effects", ("tables; effects", *(d.name for d in DESIGNS)), tuple(rows))


def _net(cells: tuple[float, float, float, float]) -> float:
    return cells[2] - cells[1]


def _pairs(how: str) -> list[tuple[str, Two, float]]:
    """Name, both tables, and the true difference of their mean effects."""
    shared = SAME if how == SAME_EXAMPLES else 0.0
    found = [
        ("flips 5 % down, 2 % up, and 1 % down, 0.5 % up", _binary(ONE, OTHER, shared)),
        ("flips 1 % down, 0.5 % up, in both", _binary(OTHER, OTHER, shared)),
    ]
    truths = (_net(OTHER) - _net(ONE), 0.0)
    made = [(name, two, (1 - shared) * truth) for (name, two), truth in zip(found, truths, strict=True)]
    for name, worlds, mean in (
        ("normal", normal, MEAN),
        ("heavy tails", heavy, MEAN),
        ("95 % exact zeros", mostly_zero, (1 - ZEROS) * HIT),
    ):
        made.append((name, _real(worlds, shared), shared * mean))
    return made


def _binary(first: tuple[float, ...], second: tuple[float, ...], shared: float) -> Two:
    """A `shared` part of examples, or clusters, shows in the second table what it shows in the first."""
    worlds = [binary((cells[0], cells[1], cells[2], cells[3])) for cells in (first, second)]

    def draw(rng: np.random.Generator, repetitions: int, design: Design) -> tuple[Paired, Paired]:
        a, b = (made(rng, repetitions, design) for made in worlds)
        same = rng.random((repetitions, design.n_groups, 1)) < shared
        kept = design.rows(np.broadcast_to(same, (repetitions, design.n_groups, design.size)))
        mixed = [np.where(kept, x, y) for x, y in zip(a, b, strict=True)]
        return paired_worlds(*a, Kind.BINARY, design), paired_worlds(mixed[0], mixed[1], Kind.BINARY, design)

    return draw


def _real(worlds: Worlds, shared: float) -> Two:
    """Effects of the second table: a `shared` part of those of the first, and as many of its own."""

    def draw(rng: np.random.Generator, repetitions: int, design: Design) -> tuple[Paired, Paired]:
        a, b = (worlds(rng, repetitions, design) for _ in range(2))
        effect = shared * (a[1] - a[0]) + b[1] - b[0]
        return paired_worlds(*a, Kind.REAL, design), paired_worlds(b[0], b[0] + effect, Kind.REAL, design)

    return draw


def _frame(two: tuple[Paired, Paired], how: str, *, same_seeds: bool = True) -> dict[str, np.ndarray]:
    nothing = Counterfactuals.__new__(Counterfactuals)
    aligned = Aligned(nothing, nothing, how == SAME_EXAMPLES, same_seeds, {})
    frame = compared("all", *two, aligned, SETTINGS)
    return {name: frame[name].to_numpy() for name in ("ci_low", "ci_high", "ratio_low", "ratio_high")}


def _difference(name: str, made: Two, design: Design, how: str, truth: float) -> Cell:
    def measure(rng: np.random.Generator, repetitions: int) -> np.ndarray:
        found = _frame(made(rng, repetitions, design), how)
        return covers(found["ci_low"], found["ci_high"], truth)

    return cell(f"differences, {name}", measure)


def _ratio(name: str, made: Two, design: Design, how: str, truth: float, count: bool) -> Cell:
    def measure(rng: np.random.Generator, repetitions: int) -> np.ndarray:
        found = _frame(made(rng, repetitions, design), how)
        known = np.isfinite(found["ratio_low"])
        held = covers(found["ratio_low"], found["ratio_high"], truth)
        return known if count else ~known | held

    return cell(f"differences, {name}", measure)


def _other_seeds(name: str, made: "OfSeeds", design: Design, first: int) -> Cell:
    def measure(rng: np.random.Generator, repetitions: int) -> np.ndarray:
        a, b, kind = made(rng, repetitions, design.n_groups, first, design.n_seeds)
        two = [_of_seeds(effect, kind, n) for effect, n in ((a, first), (b, design.n_seeds))]
        found = _frame((two[0], two[1]), SAME_EXAMPLES, same_seeds=False)
        return covers(found["ci_low"], found["ci_high"], 0.0)

    return cell(f"compensation, {name}", measure)


OfSeeds = Callable[[np.random.Generator, int, int, int, int], tuple[np.ndarray, np.ndarray, Kind]]
"""Generator, repetitions, examples, seeds of either table to their effects, each (repetitions, seeds, examples)."""


def _normal_of_seeds(
    rng: np.random.Generator, repetitions: int, n: int, first: int, second: int
) -> tuple[np.ndarray, np.ndarray, Kind]:
    """Examples are alike in both tables; seeds differ. One model is given: its effect is that of the others' mean."""
    example = rng.normal(size=(repetitions, 1, n))
    tables = []
    for seeds in (first, second):
        of_seed = SEED_SD * rng.normal(size=(repetitions, seeds, 1)) if seeds > 1 else 0.0
        tables.append(MEAN + of_seed + example + rng.normal(size=(repetitions, seeds, n)))
    return tables[0], tables[1], Kind.REAL


def _flips_of_seeds(
    rng: np.random.Generator, repetitions: int, n: int, first: int, second: int
) -> tuple[np.ndarray, np.ndarray, Kind]:
    """Flips down that correlate 0.5 between all seeds of an example."""
    chance = rng.beta(0.05, 0.95, size=(repetitions, 1, n))
    tables = [-(rng.random((repetitions, seeds, n)) < chance).astype(float) for seeds in (first, second)]
    return tables[0], tables[1], Kind.BINARY


def _of_seeds(effect: np.ndarray, kind: Kind, seeds: int) -> Paired:
    rows = effect.reshape(len(effect), -1)
    design = Design("seeds", effect.shape[2], seeds, seeds)
    made = paired_worlds(np.ones(rows.shape), 1 + rows, kind, design)
    return replace(made, seed=np.repeat(np.arange(seeds), effect.shape[2]))
