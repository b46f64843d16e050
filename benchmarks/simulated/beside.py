"""How often intervals hold what they are about where an effect is seen beside others: controls, or its family."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from causalablate.effects import Kind, Paired, Prior, control_distribution, shrink
from causalablate.effects.bayes.estimates import estimates_of
from simulated.draws import Draw
from simulated.estimated import paired_worlds
from simulated.scenario import LEVEL, covers
from simulated.simulation import Cell, Table, cell
from simulated.worlds import DESIGNS, MEAN, Design, Worlds, heavy, normal

CONTROLS = (3, 5, 10, 20)
LESIONS = 10
FEW = tuple(design for design in DESIGNS if design.name not in ("40 clusters of 5", "3 seeds", "10 seeds"))
"""Of each kind of dependence, as every study takes a fifth of a second."""
PRIOR = {Kind.REAL: Prior(0.0, 0.4, 0.4), Kind.BINARY: Prior(0.0, 0.1, 0.1)}
"""The default, of a factual SD of 1."""

Effects = Callable[[np.random.Generator], np.ndarray]
"""True effects of a family, shape (lesions,)."""


def controls() -> Table:
    """Of an effect less the mean of all controls that might have been drawn."""
    kinds: dict[str, Callable[[int], Draw]] = {
        "normal": lambda n: lambda rng, repetitions: rng.normal(size=(repetitions, n)),
        "heavy tails": lambda n: lambda rng, repetitions: rng.standard_t(3, (repetitions, n)),
        "skewed (exponential)": lambda n: lambda rng, repetitions: 1 - rng.exponential(size=(repetitions, n)),
    }
    rows = tuple((name, tuple(_control(name, draw(n), n) for n in CONTROLS)) for name, draw in kinds.items())
    header = ("effects of controls", *(f"{n} controls" for n in CONTROLS))
    return Table("Coverage, differences from controls", header, rows)


def families() -> Table:
    """Share of ten lesions whose credible interval holds their effect, by how the family's effects are spread."""
    spreads: dict[str, tuple[Worlds | None, Effects]] = {
        "drawn from the prior": (normal, lambda rng: _of_prior(rng, PRIOR[Kind.REAL])),
        "drawn from the prior; outcomes with heavy tails": (heavy, lambda rng: _of_prior(rng, PRIOR[Kind.REAL])),
        "drawn from the prior; flips down or up": (None, _shares_of_prior),
        "normal, SD 0.4": (normal, lambda rng: rng.normal(0, 0.4, LESIONS)),
        "normal, SD 0.4; outcomes with heavy tails": (heavy, lambda rng: rng.normal(0, 0.4, LESIONS)),
        "normal, SD 0.1": (normal, lambda rng: rng.normal(0, 0.1, LESIONS)),
        "eight of SD 0.02, two of SD 1": (normal, lambda rng: rng.normal(0, np.where(np.arange(LESIONS) < 8, 0.02, 1))),
        "flips down, 0 to 20 %": (None, lambda rng: -rng.uniform(0, 0.2, LESIONS)),
        "flips down, eight of 0 to 2 %, two of 30 %": (
            None,
            lambda rng: -np.where(np.arange(LESIONS) < 8, rng.uniform(0, 0.02, LESIONS), 0.3),
        ),
    }
    rows = tuple(
        (name, tuple(_family(name, worlds, effects, design) for design in FEW))
        for name, (worlds, effects) in spreads.items()
    )
    return Table("Coverage, credible intervals", ("true effects of a family", *(d.name for d in FEW)), rows)


def _of_prior(rng: np.random.Generator, prior: Prior) -> np.ndarray:
    tau = prior.tau_scale * abs(rng.standard_t(prior.tau_df))
    shape = rng.standard_cauchy(LESIONS) if rng.random() < 0.5 else rng.normal(size=LESIONS)
    return rng.normal(prior.mu_mean, prior.mu_sd) + tau * shape


def _shares_of_prior(rng: np.random.Generator) -> np.ndarray:
    """From the prior of binary outcomes as far as it is possible: no more examples flip than there are."""
    while np.abs(truth := _of_prior(rng, PRIOR[Kind.BINARY])).max() > 1:
        pass
    return truth


def _control(name: str, draw: Draw, n: int) -> Cell:
    names = [f"control {i}" for i in range(n)]

    def measure(rng: np.random.Generator, repetitions: int) -> np.ndarray:
        ates = np.hstack([np.ones((repetitions, 1)), draw(rng, repetitions)])
        effects = pd.DataFrame(
            {
                "outcome": "y",
                "lesion": np.tile(np.array(["lesion", *names], dtype=object), repetitions),
                "group": np.repeat(np.arange(repetitions).astype(str), n + 1),
                "ate": ates.ravel(),
            }
        )
        found = control_distribution(effects, {"control": {"lesion": names}}, level=LEVEL)
        return covers(found["ci_low"].to_numpy(), found["ci_high"].to_numpy(), 1.0)

    return cell(f"controls, {name}, {n}", measure)


def _family(name: str, worlds: Worlds | None, effects: Effects, design: Design) -> Cell:
    prior = PRIOR[Kind.BINARY if worlds is None else Kind.REAL]

    def one(rng: np.random.Generator) -> float:
        truth = effects(rng)
        block = _outcomes(rng, truth, worlds, design)
        found = estimates_of([block], LEVEL)
        order = [found.lesions.index(str(i)) for i in range(LESIONS)]
        posterior = shrink(found.center, found.covariance, prior)
        low, high = (limits[order] for limits in posterior.interval(LEVEL))
        return float(((low <= truth) & (truth <= high)).mean())

    return cell(
        f"credible, {name}, {design.name}",
        lambda rng, repetitions: np.array([one(rng) for _ in range(repetitions)]),
    )


def _outcomes(rng: np.random.Generator, truth: np.ndarray, worlds: Worlds | None, design: Design) -> Paired:
    """One study: as many lesions as there are true effects; without worlds, of rows that flip down or up."""
    if worlds is not None:
        factual, counterfactual = worlds(rng, LESIONS, design)
        return paired_worlds(factual, counterfactual - MEAN + truth[:, None], Kind.REAL, design)
    shape = (LESIONS, design.n_groups, design.size)
    chance, down = np.abs(truth)[:, None, None], truth[:, None] < 0
    own = chance if design.size == 1 else rng.beta(chance, 1 - chance, size=(*shape[:2], 1))
    flips = design.rows((rng.random(shape) < own).astype(float))
    factual = np.broadcast_to(down, flips.shape).astype(float)
    return paired_worlds(factual, np.where(down, 1 - flips, flips), Kind.BINARY, design)
