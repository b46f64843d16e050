"""`attribute`: which players a method asks for, every coalition once through the exact engine, and the estimate."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from causalablate import outcome as outcomes_of
from causalablate.attribution.components import ComponentGame
from causalablate.attribution.game import Game, Table, distinct, end_points, play
from causalablate.attribution.methods import Estimate, Method, Setting, method_of, plan, samples_of
from causalablate.attribution.population import population_attributions
from causalablate.attribution.regions import RegionGame, Regions
from causalablate.attribution.result import Attribution
from causalablate.counterfactual import named_lesions
from causalablate.effects.rankings import RankAgreement, rank_agreement
from causalablate.engine.draws import derived_seed
from causalablate.errors import EffectError, LesionError, OutcomeError
from causalablate.examples import ExampleSet
from causalablate.intervention import Lesion, OffSpec
from causalablate.models import Model
from causalablate.models.reference import Reference
from causalablate.progress import progress_bar
from causalablate.replay import Replay
from causalablate.table import GROUP, Units

ROUNDING = 1e-5
"""Attributions below this share of an example's largest are rounding: players that do nothing rank alike."""

Players = Lesion | str | list[Lesion | str] | tuple[Lesion | str, ...] | Mapping[str, Lesion] | Regions


def attribute(
    model: Model,
    examples: ExampleSet,
    players: Players,
    *,
    off: OffSpec | None = None,
    method: str = "shapley-sampling",
    samples: int | None = None,
    outcome: str = "answer_logprob",
    reference: ExampleSet | Reference | None = None,
    top: int = 5,
    level: float = 0.95,
    seed: int = 0,
    batch_size: int = 64,
    stack: int | None = None,
    quiet: bool = True,
) -> Attribution:
    """Share the outcome of every example out among players.

    Per example a coalition game: v(S) is the outcome with the players outside S absent, that is lesioned together, or
    covered in the image. All examples are asked about the same coalitions, each of which is computed once.

    Args:
        model: The trained model; nothing of it is changed.
        examples: Whom to ask.
        players: Addresses and globs (one player per matching component), `Lesion`s or lesions by name (one player
            each, which may have several components), or `Regions` of the image.
        off: How components given by address or glob are off when absent.
        method: `shapley-sampling`, `kernel-shap`, `exact` or `ablation`.
        samples: Permutations or coalitions to draw; the method's default if None.
        outcome: The value of a coalition; any outcome but a category.
        reference: Example set over which mean, resample and noise are defined: never the batch at hand.
        top: How many of the largest attributions to compare with the largest single lesions.
        level: Two-sided coverage of all intervals.
        seed: Seed of donors, noise, permutations and of what is drawn.
        batch_size: Most examples per forward pass.
        stack: Most lesions per forward pass, as for `counterfactuals`.
        quiet: Show no progress bar.
    Raises:
        LesionError: No players, players that share a component, or one that refuses its off.
        EffectError: The method is unknown or does not suit, or attributions do not add up where they must.
        OutcomeError: The outcome is a category, unknown or not finite.
        CausalAblateError: Anything else asked for that does not exist or does not act.

    Source: Shapley (1953); Castro, Gómez & Tejada (2009); Lundberg & Lee (2017); Kokhlikyan et al. (2020), Captum.
    """
    how = method_of(method)
    if outcomes_of.outcome(outcome).categorical:
        raise OutcomeError(f'"{outcome}" is a category, and differences of categories mean nothing; attribute another')
    if not 0.5 < level < 1:
        raise EffectError(f"level is {level}; it must lie between 0.5 and 1, e.g. 0.95")
    if top < 1:
        raise EffectError(f"top is {top}; it must be at least 1")
    replay = Replay(
        model, examples, outcomes=[outcome], reference=reference, seed=seed, batch_size=batch_size, stack=stack
    )
    game = _game(replay, players, off, batch_size)
    n_players = len(game.players)
    setting = Setting(n_players, len(examples), samples_of(how, samples, n_players), seed)
    asked = plan(how, setting)
    coalitions = distinct(np.concatenate([end_points(n_players), asked]))
    with progress_bar("coalitions", len(coalitions), quiet=quiet) as advance:
        table = play(game, coalitions, advance)
        estimate = how.estimate(table, setting)
    single = table(end_points(n_players)[:1]) - table(end_points(n_players)[2:])
    games = _games(table, estimate, replay.units)
    if how.efficient is not None:
        _check_efficiency(games, how, setting.samples, table)
    population = population_attributions(
        game.players, estimate.draws, single, replay.units, outcome=outcome, level=level
    )
    population.insert(1, "kind", population["player"].map(dict(zip(game.players, game.kinds, strict=True))))
    population.insert(4, "precision", model.precision)
    return Attribution(
        frame=_frame(game, estimate, single, replay.units),
        population=population,
        games=games,
        agreement=None if how.name == "ablation" else _agreement(estimate, single, replay.units, top, level, seed),
        method=how.name,
        samples=setting.samples,
        n_coalitions=len(coalitions),
        how=_in_words(how, setting, len(coalitions)),
        level=level,
        regions=players if isinstance(players, Regions) else None,
    )


def _game(replay: Replay, players: Players, off: OffSpec | None, batch_size: int) -> Game:
    if not isinstance(players, Regions):
        return ComponentGame(replay, named_lesions(players, replay.model, off))
    if off is not None:
        raise LesionError("regions are covered, not lesioned: leave off out, and choose the fill of Regions")
    return RegionGame(replay.model, replay.examples, players, outcome=replay.outcomes[0], batch_size=batch_size)


def _in_words(method: Method, setting: Setting, n_coalitions: int) -> str:
    drawn = f" with {setting.samples:,} {method.unit}" if setting.samples else ""
    return f"{method.title}{drawn}: {n_coalitions:,} distinct coalitions of {setting.n_players:,} players"


def _games(table: Table, estimate: Estimate, units: Units) -> pd.DataFrame:
    everyone = np.ones((1, len(estimate.values)), dtype=bool)
    (all_,), (none,) = table(everyone), table(~everyone)
    attributed = estimate.values.sum(axis=0)
    return pd.DataFrame(
        {
            "example": list(units.example),
            "cluster": list(units.cluster),
            "value_all": all_,
            "value_none": none,
            "attributed": attributed,
            "gap": attributed - (all_ - none),
        }
    )


def _check_efficiency(games: pd.DataFrame, method: Method, samples: int, table: Table) -> None:
    """Whether the attributions of every example add up to what there is to share out, up to rounding."""
    assert method.efficient is not None
    allowed = method.efficient(samples) * np.maximum(1.0, np.abs(table.values).max(axis=0))
    over = np.flatnonzero(games["gap"].abs().to_numpy() > allowed)
    if over.size:
        worst = games.iloc[over[0]]
        raise EffectError(
            f'attributions of example "{worst["example"]}" sum to {worst["attributed"]:.6g}, but there is '
            f"{worst['value_all'] - worst['value_none']:.6g} to share out: more than rounding ({allowed[over[0]]:.1g}) "
            f"explains. Attribute with another method: exact adds up to the last digit"
        )


def _frame(game: Game, estimate: Estimate, single: np.ndarray, units: Units) -> pd.DataFrame:
    n_players, n = estimate.values.shape
    return pd.DataFrame(
        {
            "example": np.repeat(list(units.example), n_players),
            "cluster": np.repeat(list(units.cluster), n_players),
            "player": list(game.players) * n,
            "attribution": estimate.values.T.reshape(-1),
            "sampling_se": estimate.error.T.reshape(-1),
            "single_lesion": single.T.reshape(-1),
            **{GROUP + name: np.repeat(list(labels), n_players) for name, labels in units.groups.items()},
        }
    )


def _agreement(
    estimate: Estimate, single: np.ndarray, units: Units, top: int, level: float, seed: int
) -> RankAgreement:
    cluster = pd.factorize(np.asarray(units.cluster, dtype=object))[0]
    scale = np.maximum(np.abs(estimate.values).max(axis=0), np.abs(single).max(axis=0))
    ours, exact = (np.where(np.abs(x) <= ROUNDING * scale, 0.0, x) for x in (estimate.values, single))
    return rank_agreement(
        ours, exact, cluster, k=min(top, len(single)), level=level, seed=derived_seed("agreement", seed)
    )
