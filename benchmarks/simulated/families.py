"""How often corrections claim falsely where some lesions act and others do not, and what they find."""

from collections.abc import Callable
from functools import partial

import numpy as np

from causalablate.effects import Kind, mean_intervals
from causalablate.effects.band import simultaneous_band
from causalablate.effects.corrections import benjamini_hochberg, benjamini_yekutieli, bonferroni, holm
from causalablate.effects.maxt import maxt_p
from causalablate.effects.permutation import sign_flip_p
from simulated.draws import Draw as OfRows
from simulated.draws import clustered_normal, seeded_normal
from simulated.scenario import LEVEL, Scenario, paired
from simulated.simulation import Cell, Table, cell

LESIONS, ACTING, EXAMPLES = 20, 10, 120
PERMUTATIONS = 1_999
SHARED = 0.5
"""Correlation of any two lesions' effects on one example."""

Draw = Callable[[np.random.Generator], np.ndarray]
"""Generator to effects, shape (lesions, examples); the first `ACTING` act, the others do not."""


def corrections() -> Table:
    """Any false claim, the share of claims that are false, and the share of acting lesions that are found."""
    rows = []
    for name, draw in (("real", _real), ("binary", _binary)):
        for title, adjust in ADJUSTED.items():
            measures = (_any_false, _false_share, _found)
            rows.append((f"{title}, {name}", tuple(_cell(name, draw, adjust, measure) for measure in measures)))
    return Table(
        f"Corrections at 5 %: {LESIONS} dependent lesions, {ACTING} of which act, {EXAMPLES} examples",
        ("correction, outcome", "any false claim", "false share of claims", "acting lesions found"),
        tuple(rows),
    )


def bands() -> Table:
    """Families all of whose true effects lie in the band, or in the intervals of single lesions."""
    rows = [
        (f"{name}, {LESIONS} dependent lesions, {EXAMPLES} examples", _bands(name, kind, draw, truth))
        for name, kind, draw, truth in (
            ("real", Kind.REAL, _real, REAL_TRUTH),
            ("binary", Kind.BINARY, _binary, BINARY_TRUTH),
        )
    ]
    for name, draw, truth in (("heavy tails", _heavy, 0.0), ("log-normal", _log_normal, np.exp(0.5))):
        for n in (50, 200, 1000):
            title = f"{name}, {LESIONS} lesions, n = {n:,}"
            rows.append((title, _bands(title, Kind.REAL, partial(draw, n=n), truth)))
    for title, groups, seeds, shared in (
        ("real, 20 lesions, 40 clusters of 5", 40, 1, clustered_normal(40, 5)),
        ("real, 20 lesions, 200 examples under 3 seeds, SD of seeds 0.2", None, 3, seeded_normal(3, 200, 0.2)),
    ):
        draw = partial(_apart, draw=shared)
        rows.append((title, _bands(title, Kind.REAL, draw, 0.0, n_clusters=groups, n_seeds=seeds)))
    return Table("All effects of a family inside", ("effects", "the band", "single intervals"), tuple(rows))


def _heavy(rng: np.random.Generator, n: int) -> np.ndarray:
    return rng.standard_t(3, (LESIONS, n))


def _log_normal(rng: np.random.Generator, n: int) -> np.ndarray:
    return rng.lognormal(size=(LESIONS, n))


def _apart(rng: np.random.Generator, draw: OfRows) -> np.ndarray:
    return draw(rng, LESIONS)


def _flip_p(effect: np.ndarray, seed: int) -> np.ndarray:
    return sign_flip_p(effect, n_permutations=PERMUTATIONS, seed=seed)


ADJUSTED: dict[str, Callable[[np.ndarray, int], np.ndarray]] = {
    "none": _flip_p,
    "Bonferroni": lambda effect, seed: bonferroni(_flip_p(effect, seed)),
    "Holm": lambda effect, seed: holm(_flip_p(effect, seed)),
    "Westfall–Young maxT": lambda effect, seed: maxt_p(effect, n_permutations=PERMUTATIONS, seed=seed),
    "Benjamini–Hochberg": lambda effect, seed: benjamini_hochberg(_flip_p(effect, seed)),
    "Benjamini–Yekutieli": lambda effect, seed: benjamini_yekutieli(_flip_p(effect, seed)),
}

REAL_TRUTH = np.where(np.arange(LESIONS) < ACTING, -0.3, 0.0)
BINARY_TRUTH = np.where(np.arange(LESIONS) < ACTING, -0.07, 0.0)


def _real(rng: np.random.Generator) -> np.ndarray:
    """Effects of SD 1, of which every example shares a part among all lesions."""
    shared, own = rng.normal(size=(1, EXAMPLES)), rng.normal(size=(LESIONS, EXAMPLES))
    return REAL_TRUTH[:, None] + np.sqrt(SHARED) * shared + np.sqrt(1 - SHARED) * own


def _binary(rng: np.random.Generator) -> np.ndarray:
    """Flips at a rate that is an example's own: 5 % each way, 12 % down where a lesion acts."""
    u = 0.5 * rng.random((1, EXAMPLES)) + 0.5 * rng.random((LESIONS, EXAMPLES))
    rank = np.where(u < 0.5, 2 * u**2, 1 - 2 * (1 - u) ** 2)  # uniform again
    down = np.where(np.arange(LESIONS) < ACTING, 0.12, 0.05)[:, None]
    return (rank > 0.95).astype(float) - (rank < down)


def _any_false(claims: np.ndarray) -> float:
    return float(claims[ACTING:].any())


def _false_share(claims: np.ndarray) -> float:
    return claims[ACTING:].sum() / max(1, claims.sum())


def _found(claims: np.ndarray) -> float:
    return float(claims[:ACTING].mean())


def _cell(
    name: str,
    draw: Draw,
    adjust: Callable[[np.ndarray, int], np.ndarray],
    measure: Callable[[np.ndarray], float],
) -> Cell:
    def measured(rng: np.random.Generator, repetitions: int) -> np.ndarray:
        claims = (adjust(draw(rng), int(rng.integers(2**31))) < 1 - LEVEL for _ in range(repetitions))
        return np.array([measure(found) for found in claims])

    return cell(f"family, {name}", measured)


def _bands(
    name: str, kind: Kind, draw: Draw, truth: np.ndarray | float, *, n_clusters: int | None = None, n_seeds: int = 1
) -> tuple[Cell, Cell]:
    scenario = Scenario(name, kind, 0.0, lambda rng, r: draw(rng), n_clusters=n_clusters, n_seeds=n_seeds)

    def inside(joint: bool) -> Cell:
        def measured(rng: np.random.Generator, repetitions: int) -> np.ndarray:
            found = np.zeros(repetitions, dtype=bool)
            for i in range(repetitions):
                effects = paired(draw(rng), scenario)
                limits = simultaneous_band(effects, LEVEL, seed=i) if joint else mean_intervals(effects, LEVEL)
                found[i] = ((limits.low <= truth) & (truth <= limits.high)).all()
            return found

        return cell(f"band, {name}", measured)

    return inside(True), inside(False)
