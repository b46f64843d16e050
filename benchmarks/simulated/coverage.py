"""How often the intervals of `population_effects` hold the true effect: one table per kind of dependence."""

from collections.abc import Callable
from functools import partial

from causalablate.effects import Kind
from simulated.draws import (
    Draw,
    clustered_changes,
    clustered_flips,
    clustered_normal,
    flips,
    mostly_zero,
    seeded_flips,
    seeded_normal,
)
from simulated.scenario import Scenario, coverage, plain_coverage, width
from simulated.simulation import Cell, Table

SIZES = (50, 200, 1000)
CLUSTERS = ((40, 5), (100, 10))
LARGE = ((20, 50), (20, 200), (100, 50))
CORRELATIONS = (0.05, 0.2, 0.5)
SEEDS = (2, 3, 5, 10)
EXAMPLES = 200
"""Examples under each seed."""


def independent_rows() -> Table:
    """Coverage where no two rows share anything."""
    rows: dict[str, Callable[[int], Scenario]] = {}
    for down, up in ((0.01, 0.0), (0.02, 0.0), (0.05, 0.02), (0.3, 0.1)):
        rows[flips_name(down, up)] = partial(independent_flips, down=down, up=up)
    rows |= {
        "real, normal": lambda n: _real("normal", n, 0.1, lambda rng, r: rng.normal(0.1, 1, (r, n))),
        "real, heavy tails (t with 3 degrees of freedom)": lambda n: _real(
            "heavy tails", n, 0.0, lambda rng, r: rng.standard_t(3, (r, n))
        ),
        "real, 95 % exact zeros": lambda n: _real("zeros", n, 0.0, mostly_zero(n, 0.05)),
        "real, skewed (exponential)": lambda n: _real("skewed", n, -1.0, lambda rng, r: -rng.exponential(1, (r, n))),
        "share, 1 % changed": lambda n: Scenario(f"changes, n = {n}", Kind.CATEGORICAL, 0.01, flips(n, 0, 0.01)),
    }
    return Table(
        "Coverage, independent rows",
        ("effects", *(f"n = {n:,}" for n in SIZES)),
        tuple((name, tuple(coverage(scenario(n)) for n in SIZES)) for name, scenario in rows.items()),
    )


def shared_clusters() -> Table:
    """Coverage where examples share clusters."""
    rows: dict[str, Callable[[int, int], Scenario]] = {
        "real, normal": lambda g, m: Scenario(
            f"normal, {g} clusters of {m}", Kind.REAL, 0.0, clustered_normal(g, m), n_clusters=g
        ),
        flips_name(0.01, 0): lambda g, m: flips_in_clusters(g, m, 0.01, 0),
        flips_name(0.02, 0): lambda g, m: flips_in_clusters(g, m, 0.02, 0),
        flips_name(0.05, 0.02): lambda g, m: flips_in_clusters(g, m, 0.05, 0.02),
        "share, 2 % changed": lambda g, m: changes_in_clusters(g, m, 0.02),
        "share, 5 % changed": lambda g, m: changes_in_clusters(g, m, 0.05),
    }
    return Table(
        "Coverage, shared clusters",
        ("effects, correlation 0.5 within clusters", *(f"{g} clusters of {m}" for g, m in CLUSTERS)),
        tuple((name, tuple(coverage(scenario(g, m)) for g, m in CLUSTERS)) for name, scenario in rows.items()),
    )


def large_clusters() -> Table:
    """The same where clusters are large and rows correlate less, and what the plain t covers there."""
    names = (name for large in _large_names() for name in (large, f"{large}, cluster-robust t"))
    return Table("Coverage, large clusters", ("effects", *names), _of_large(coverage, plain_coverage))


def large_widths() -> Table:
    """What it costs there that flips and changes are added: without them the interval would be the cluster-robust t."""
    return Table(
        "Width over that of the cluster-robust t, large clusters", ("effects", *_large_names()), _of_large(width)
    )


def _large_names() -> tuple[str, ...]:
    return tuple(f"{g} clusters of {m}" for g, m in LARGE)


def _of_large(*measured: Callable[[Scenario], Cell]) -> tuple[tuple[str, tuple[Cell, ...]], ...]:
    scenarios: dict[str, list[Scenario]] = {}
    for correlation in CORRELATIONS:
        for down in (0.05, 0.3):
            name = f"{flips_name(down, 0)}, correlation {correlation:g}"
            scenarios[name] = [flips_in_clusters(g, m, down, 0, correlation) for g, m in LARGE]
        name = f"share, 10 % changed, correlation {correlation:g}"
        scenarios[name] = [changes_in_clusters(g, m, 0.1, correlation) for g, m in LARGE]
    return tuple((name, tuple(made(s) for s in row for made in measured)) for name, row in scenarios.items())


def several_seeds() -> Table:
    """Coverage where the same examples were measured under several seeds."""
    rows: dict[str, Callable[[int], Scenario]] = {}
    for sd in (0.0, 0.2, 1.0):
        rows[f"real, SD of seeds {sd:g}"] = partial(normal_over_seeds, sd_seed=sd)
    rows["binary, 5 % down, 0 % up, correlation 0.5"] = lambda s: Scenario(
        f"flips, {s} seeds", Kind.BINARY, -0.05, seeded_flips(s, EXAMPLES, 0.05), n_seeds=s
    )
    return Table(
        "Coverage, several seeds",
        (f"{EXAMPLES} examples under each seed, SD of examples 1, of noise 1", *(f"{s} seeds" for s in SEEDS)),
        tuple((name, tuple(coverage(scenario(s)) for s in SEEDS)) for name, scenario in rows.items()),
    )


def flips_name(down: float, up: float) -> str:
    """What a row of binary effects is called."""
    return f"binary, flips {down:.0%} down, {up:.0%} up".replace("%", " %")


def independent_flips(n: int, down: float, up: float) -> Scenario:
    """A binary outcome of `n` independent examples."""
    return Scenario(f"{flips_name(down, up)}, n = {n}", Kind.BINARY, up - down, flips(n, down, up))


def changes_in_clusters(n_clusters: int, size: int, share: float, correlation: float = 0.5) -> Scenario:
    """Answers that change, and correlate within clusters."""
    name = f"{share:.0%} change, {n_clusters} clusters of {size}"
    draw = clustered_changes(n_clusters, size, share, correlation)
    return Scenario(name, Kind.CATEGORICAL, share, draw, n_clusters=n_clusters)


def flips_in_clusters(n_clusters: int, size: int, down: float, up: float, correlation: float = 0.5) -> Scenario:
    """A binary outcome that correlates within clusters."""
    name = f"{flips_name(down, up)}, {n_clusters} clusters of {size}"
    draw = clustered_flips(n_clusters, size, down, up, correlation)
    return Scenario(name, Kind.BINARY, up - down, draw, n_clusters=n_clusters)


def normal_over_seeds(n_seeds: int, sd_seed: float) -> Scenario:
    """A real outcome under several seeds that differ by `sd_seed`."""
    draw = seeded_normal(n_seeds, EXAMPLES, sd_seed)
    return Scenario(f"normal, {n_seeds} seeds, SD {sd_seed:g}", Kind.REAL, 0.0, draw, n_seeds=n_seeds)


def _real(name: str, n: int, truth: float, draw: Draw) -> Scenario:
    return Scenario(f"{name}, n = {n}", Kind.REAL, truth, draw)
