"""The driver: asks a replay for batches, gives effects to the race, drops the lesions that have left it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from causalablate.adaptive.bounds import bounds_of, check_within, smallest_effect
from causalablate.adaptive.history import History
from causalablate.adaptive.order import Order, Target, order_of
from causalablate.adaptive.replayed import Replayed
from causalablate.adaptive.result import AdaptiveSweep, LesionResult, Question, guarantee_of
from causalablate.effects.sequential import Bounds, Discoveries, DiscoveryRace, TopKRace, anytime_interval
from causalablate.errors import EffectError, LesionError
from causalablate.intervention import Lesion
from causalablate.outcome import outcome as outcome_of
from causalablate.progress import progress_bar
from causalablate.table import effect_of


@dataclass(frozen=True)
class _Plan:
    """What is asked of whom, everything resolved."""

    replay: Replayed
    lesions: dict[str, Lesion]
    question: Question
    outcome: str
    target: Target
    order: Order
    bounds: Bounds
    factual_known: bool

    def race(self) -> TopKRace | DiscoveryRace:
        """A race that has seen nothing."""
        population = self.order.population(self.target)
        if isinstance(self.question, Discoveries):
            return DiscoveryRace(self.question, len(self.lesions), population=population, bounds=self.bounds)
        return TopKRace(self.question, len(self.lesions), population=population, bounds=self.bounds)


def adaptive_sweep(
    replay: Replayed,
    lesions: Sequence[Lesion] | Mapping[str, Lesion],
    question: Question,
    *,
    outcome: str | None = None,
    target: Target = "examples",
    bounds: tuple[float, float] | None = None,
    level: float = 0.95,
    seed: int = 0,
    quiet: bool = True,
) -> AdaptiveSweep:
    """Answer a question about many lesions with as few forwards as it takes.

    All lesions start on the same batches; a lesion is run no further once its place is settled. Units (see
    `causalablate.adaptive.order`) come in random order, so evidence about means needs no model of the examples; it is
    valid at all times at once, so stopping when it suffices costs no validity.

    Ctrl-C ends the sweep and returns what is known so far, with `interrupted` set.

    Args:
        replay: The model on the examples. Make it from `examples.shuffled(seed)`, with small batches, e.g. 8: then
            every example is an observation. Of a set in its own order whole batches are, which takes more examples.
        lesions: What to compare; sequences are named by `Lesion.name`.
        question: `TopK(10)` or `Discoveries(fdr=0.05)`.
        outcome: One of the replay's outcomes; by default its first.
        target: Whose mean effects are meant: `examples`, those of this very set (the answer of the full sweep;
            evidence sharpens as the set is used up), or `population`, of all that could have been drawn like these.
        bounds: Smallest and largest possible effect on one example, if you know them: then all evidence is exact. By
            default what the outcome implies: 0/1 outcomes and categories are bounded, log-probabilities stay below 0.
        level: Coverage of each lesion's interval.
        seed: Seed of the order of batches, where the set is not shuffled.
        quiet: Show no progress bar.
    Raises:
        EffectError: The question does not fit the lesions or examples, or an effect lies beyond `bounds`.
        CausalAblateError: Whatever the replay raises.
    """
    if not 0.5 < level < 1:
        raise EffectError(f"level is {level}; it must lie between 0.5 and 1, e.g. 0.95")
    plan = _plan(replay, lesions, question, outcome=outcome, target=target, bounds=bounds, seed=seed)
    race, history = plan.race(), History(len(plan.lesions), plan.order)
    interrupted = False
    try:
        _run(plan, race, history, quiet=quiet)
    except KeyboardInterrupt:
        # The race may have been caught between two steps: run it again on the rounds that were finished.
        interrupted, race = True, plan.race()
        for totals, sizes in history.rounds():
            _observe(race, totals, sizes)
    return _result(plan, race, history, level=level, interrupted=interrupted)


def _plan(
    replay: Replayed,
    lesions: Sequence[Lesion] | Mapping[str, Lesion],
    question: Question,
    *,
    outcome: str | None,
    target: Target,
    bounds: tuple[float, float] | None,
    seed: int,
) -> _Plan:
    if not lesions:
        raise LesionError("no lesions: give at least two, e.g. one per component")
    named = dict(lesions) if isinstance(lesions, Mapping) else {lesion.name: lesion for lesion in lesions}
    measured = replay.outcomes[0] if outcome is None else outcome
    if measured not in replay.outcomes:
        raise EffectError(f'no outcome "{measured}" in this replay; it has {", ".join(replay.outcomes)}')
    n = len(replay.examples)
    order = order_of(replay.examples, int(replay.identity["batch_size"]), seed=seed, target=target)
    replay.prepare(named.values())
    # One world of the whole set is cheap, and says what effect is small and how far effects can go.
    factual = replay.factual(slice(0, n))[measured] if isinstance(question, Discoveries) else None
    if isinstance(question, Discoveries) and question.smallest is None and factual is not None:
        question = replace(question, smallest=smallest_effect(measured, factual))
    return _Plan(
        replay=replay,
        lesions=named,
        question=question,
        outcome=measured,
        target=target,
        order=order,
        bounds=bounds_of(measured, bounds, factual if target == "examples" else None),
        factual_known=factual is not None,
    )


def _run(plan: _Plan, race: TopKRace | DiscoveryRace, history: History, *, quiet: bool) -> None:
    n_lesions, n_rows = history.effects.shape
    with progress_bar("adaptive sweep", n_lesions * n_rows, quiet=quiet) as advance:
        for rows in plan.order.batches:
            before = race.active
            if not before.size:
                return
            _visit(plan, before, rows, history)
            _observe(race, *history.units())
            saved = (len(before) - len(race.active)) * (n_rows - history.visited)
            advance(len(before) * (rows.stop - rows.start) + saved, f"{len(race.active)} of {n_lesions} undecided")


def _visit(plan: _Plan, active: np.ndarray, rows: slice, history: History) -> None:
    names = list(plan.lesions)
    lesions = [plan.lesions[names[i]] for i in active]
    factual = plan.replay.factual(rows)[plan.outcome]
    worlds = plan.replay.sweep(lesions, rows)
    categorical = outcome_of(plan.outcome).categorical
    effects = [effect_of(factual, worlds[lesion].values[plan.outcome], categorical) for lesion in lesions]
    check_within(np.stack(effects), plan.bounds, [names[i] for i in active], [e.id for e in plan.replay.examples[rows]])
    history.add(
        active,
        effects,
        [worlds[lesion].fired for lesion in lesions],
        [worlds[lesion].change_norm for lesion in lesions],
    )


def _observe(race: TopKRace | DiscoveryRace, totals: np.ndarray, sizes: np.ndarray) -> None:
    if sizes.size:
        race.observe(totals, sizes)


def _result(
    plan: _Plan, race: TopKRace | DiscoveryRace, history: History, *, level: float, interrupted: bool
) -> AdaptiveSweep:
    chosen = race.leaders()
    population = plan.order.population(plan.target)
    largest = max((float(np.abs(totals).max()) for totals, _ in history.rounds() if totals.size), default=0.0)
    rows = history.rows()
    results = []
    for i, name in enumerate(plan.lesions):
        totals, sizes = history.units_of(i, rows[i])
        low, high, method = anytime_interval(
            totals, sizes, level=level, bounds=plan.bounds, population=population, largest=largest
        )
        fired, norm = history.acted(i, rows[i])
        results.append(
            LesionResult(
                lesion=name,
                chosen=bool(chosen[i]),
                why=str(race.why[i]),
                n_examples=int(rows[i]),
                n_units=len(sizes),
                estimate=float(totals.sum() / sizes.sum()) if sizes.size else math.nan,
                ci_low=low,
                ci_high=high,
                interval=method,
                log_e=float(race.log_e[i]) if isinstance(race, DiscoveryRace) else math.nan,
                fired=fired,
                change_norm=norm,
            )
        )
    n = len(plan.replay.examples)
    return AdaptiveSweep(
        question=plan.question,
        outcome=plan.outcome,
        target=plan.target,
        unit=plan.order.unit,
        level=level,
        lesions=tuple(results),
        decided=not race.active.size,
        interrupted=interrupted,
        guarantee=guarantee_of(plan.question, target=plan.target, n=n, exact=race.exact),
        forwards=int(rows.sum()),
        full_forwards=len(plan.lesions) * n,
        factual_forwards=n if plan.factual_known else history.visited,
    )
