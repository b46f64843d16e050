"""The ways to attribute, by name. Which coalitions they ask for never depends on what those are worth."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from causalablate.attribution import by_captum
from causalablate.attribution.game import Value, distinct
from causalablate.attribution.shapley import exact_shapley, marginal_contributions, regression_influence
from causalablate.engine.draws import derived_seed
from causalablate.errors import EffectError, nearest

MOST_PLAYERS = 12
"""Players of a game that is enumerated: 4,096 coalitions."""


@dataclass(frozen=True)
class Setting:
    """What a method may know before it plays.

    Attributes:
        n_players: Players.
        n_examples: Games that are played side by side.
        samples: Permutations or coalitions to draw.
        seed: Seed of what is drawn.
    """

    n_players: int
    n_examples: int
    samples: int
    seed: int


@dataclass(frozen=True)
class Estimate:
    """Attributions, and what each draw says by itself.

    Attributes:
        values: float64, shape (players, examples).
        draws: float64, shape (draws, players, examples), with mean `values`: independent estimates of which `values`
            is the mean; a single one where nothing is drawn.
    """

    values: np.ndarray
    draws: np.ndarray

    @property
    def error(self) -> np.ndarray:
        """Standard error from sampling, shape (players, examples): 0 where nothing is drawn."""
        return sampling_error(self.draws)


def sampling_error(draws: np.ndarray) -> np.ndarray:
    """Standard error of the mean over the first dimension; 0 for a single one."""
    n = len(draws)
    return draws.std(axis=0, ddof=1) / np.sqrt(n) if n > 1 else np.zeros(draws.shape[1:])


@dataclass(frozen=True)
class Method:
    """A way to attribute.

    Attributes:
        name: On the command line.
        title: In figures and sentences.
        estimate: How.
        samples: Default number of draws; 0 where nothing is drawn.
        unit: What is drawn.
        fewest: Fewest draws, from the number of players.
        efficient: Largest efficiency gap, as a share of the largest value, that its arithmetic explains with so many
            draws; None where attributions need not sum to v(all) - v(none).
    """

    name: str
    title: str
    estimate: Callable[[Value, Setting], Estimate]
    samples: int = 0
    unit: str = ""
    fewest: Callable[[int], int] = lambda n_players: 1
    efficient: Callable[[int], float] | None = None


def _certain(values: np.ndarray) -> Estimate:
    return Estimate(values, values[None])


def _ablation(value: Value, setting: Setting) -> Estimate:
    return _certain(by_captum.feature_ablation(value, setting.n_players))


def _exact(value: Value, setting: Setting) -> Estimate:
    if setting.n_players > MOST_PLAYERS:
        raise EffectError(
            f"exact Shapley values of {setting.n_players} players take 2^{setting.n_players} coalitions; "
            f"the most is {MOST_PLAYERS} players. Put players into groups, or use shapley-sampling"
        )
    return _certain(exact_shapley(value, setting.n_players))


def _shapley_sampling(value: Value, setting: Setting) -> Estimate:
    draw = np.random.default_rng(derived_seed("permutations", setting.seed))
    permutations = [draw.permutation(setting.n_players).tolist() for _ in range(setting.samples)]
    values = by_captum.shapley_sampling(value, setting.n_players, permutations)
    return _centred(values, marginal_contributions(value, permutations))


def _kernel_shap(value: Value, setting: Setting) -> Estimate:
    if setting.n_players < 2:
        raise EffectError("kernel-shap draws coalitions of some of the players, and there is one player; use exact")
    asked: list[np.ndarray] = []

    def recorded(coalitions: np.ndarray) -> np.ndarray:
        asked.append(coalitions)
        return value(coalitions)

    seed = derived_seed("kernel-shap", setting.seed)
    values = by_captum.kernel_shap(recorded, setting.n_players, setting.n_examples, setting.samples, seed)
    drawn = asked[0][2:]  # captum begins with all and none
    if np.linalg.matrix_rank(drawn[:, :-1] * 1.0 - drawn[:, -1:]) < setting.n_players - 1:
        raise EffectError(
            f"{setting.samples} coalitions, {len(distinct(asked[0]))} of them distinct, do not tell "
            f"{setting.n_players} players apart; draw more (--samples)"
        )
    return _centred(values, regression_influence(value, drawn))


def _centred(values: np.ndarray, draws: np.ndarray) -> Estimate:
    """captum adds in float32: our draws, in float64, are moved by that rounding."""
    return Estimate(values, draws + (values - draws.mean(axis=0)))


def _soft_sum(samples: int) -> float:
    """captum gives the two ends the weight of a million coalitions each, instead of binding the sum to them."""
    return 1e-4 + 5e-7 * samples


METHODS: Mapping[str, Method] = {
    method.name: method
    for method in (
        Method(
            "shapley-sampling", "Shapley sampling", _shapley_sampling, 32, "permutations", lambda n: 2, lambda s: 1e-5
        ),
        Method("kernel-shap", "KernelSHAP", _kernel_shap, 512, "coalitions", lambda n: n + 2, _soft_sum),
        Method("exact", "exact Shapley", _exact, efficient=lambda s: 1e-9),
        Method("ablation", "ablation", _ablation),
    )
}
"""Every method by name."""


def method_of(name: str) -> Method:
    """The method of this name.

    Raises:
        EffectError: There is none.
    """
    if name not in METHODS:
        raise EffectError(f'no method "{name}"{nearest(name, METHODS)}; there are {", ".join(METHODS)}')
    return METHODS[name]


def samples_of(method: Method, samples: int | None, n_players: int) -> int:
    """How much to draw.

    Raises:
        EffectError: Too little, or a number where nothing is drawn.
    """
    if samples is None:
        return method.samples and max(method.samples, 2 * method.fewest(n_players))
    if not method.samples:
        raise EffectError(f"{method.name} draws nothing: leave --samples out")
    if samples < method.fewest(n_players):
        raise EffectError(
            f"{samples} {method.unit} are too few for {method.name} with {n_players} players; "
            f"it takes at least {method.fewest(n_players)}"
        )
    return samples


def plan(method: Method, setting: Setting) -> np.ndarray:
    """The distinct coalitions that a method will ask for: bool, shape (coalitions, players)."""
    asked: list[np.ndarray] = []

    def worthless(coalitions: np.ndarray) -> np.ndarray:
        asked.append(np.asarray(coalitions, dtype=bool))
        return np.zeros((len(coalitions), 1))

    method.estimate(worthless, Setting(setting.n_players, 1, setting.samples, setting.seed))
    return distinct(np.concatenate(asked))
