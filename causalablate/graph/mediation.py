"""Mediation: how much of an effect goes through some components, by nested counterfactuals, exactly."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from causalablate.component import Component
from causalablate.errors import GraphError, LesionError
from causalablate.examples import ExampleSet
from causalablate.graph.decomposition import Worlds, contrast, summarised
from causalablate.graph.measuring import check_outcomes, measured_worlds
from causalablate.graph.nodes import nodes_of
from causalablate.intervention import Lesion, OffSpec, do
from causalablate.models import Model
from causalablate.offs import Patch
from causalablate.outcome import OUTCOMES

KEYS = ("mediators", "held", "estimand")
TOTAL = "total"
INTERACTIONS = ("mediated_interaction", "reference_interaction")


@dataclass(frozen=True)
class Mediation:
    """A total effect taken apart by what goes through mediators, example by example.

    Attributes:
        treatment: The lesion whose effect it is, by name.
        mediators: Their addresses.
        frame: One row per effect, outcome and example: the columns of a table of counterfactuals, and `mediators`
            (together or each alone; empty for the total effect), `held` (what a controlled effect holds them at, else
            empty) and `estimand`. `effect` = `counterfactual` - `factual`, which are the two worlds that the effect
            lies between; for interactions what is and what would be without. `change_norm` is how far the treatment
            moves the mediators: 0 where nothing gets to them.
    """

    treatment: str
    mediators: tuple[str, ...]
    frame: pd.DataFrame

    def summary(self, *, level: float = 0.95) -> pd.DataFrame:
        """One row per effect, outcome and group: its mean with a clustered interval, and its share of the total effect.

        The share of `tie` is the proportion mediated, 1 - the share of `cde` the proportion eliminated. Their interval
        is Fieller's; it is NaN where the total effect is not told from zero, and `share_method` says so.

        Args:
            level: Two-sided coverage of the intervals, in (0.5, 1).
        """
        sums = self.frame.loc[self.frame["estimand"].isin(INTERACTIONS), "lesion"].unique()
        return summarised(self.frame, KEYS, whole=TOTAL, sums=sums, level=level)


@dataclass(frozen=True)
class _Way:
    """Some of the mediators, and the worlds that tell what goes through them."""

    mediators: str
    direct: Lesion
    mediated: Lesion
    held: tuple[tuple[Lesion, Lesion], ...]


def mediate(
    model: Model,
    examples: ExampleSet,
    treatment: Lesion | str,
    mediators: Sequence[str] | str,
    *,
    off: OffSpec | None = None,
    held: Lesion | Sequence[Lesion] = (),
    outcomes: Sequence[str] = ("answer_logprob",),
    reference: ExampleSet | None = None,
    seed: int = 0,
    batch_size: int = 64,
    stack: int | None = None,
    quiet: bool = True,
) -> Mediation:
    """Take the effect of a lesion apart into what goes through mediators and what does not.

    With Y(t, m) the outcome when the treatment is as in world t and the mediators as in world m, each either factual
    (0) or lesioned (1):

    - `total` = Y(1, 1) - Y(0, 0); `nde` = Y(1, 0) - Y(0, 0), natural (pure) direct; `nie` = Y(0, 1) - Y(0, 0), natural
      (pure) indirect; `tde` = Y(1, 1) - Y(0, 1), total direct; `tie` = Y(1, 1) - Y(1, 0), total indirect;
    - `mediated_interaction` = tie - nie = tde - nde;
    - `cde` = Y(1, held) - Y(0, held), controlled direct; `reference_interaction` = nde - cde.

    So total = nde + tie = tde + nie = cde + reference_interaction + mediated_interaction + nie, on every example. None
    of it is estimated: Y(1, 0) is a run of the model in which the treatment is off and the mediators say, on the same
    example under the same noise, what they say in the factual run.

    Args:
        model: Any model.
        examples: Whom to ask.
        treatment: A lesion; or an address or glob, whose components are off together.
        mediators: Addresses and globs. Every component is a mediator alone; several are one together besides.
        off: How the treatment is off, where it is an address.
        held: Lesions of the mediators, e.g. `do("allocator", off="mean")`: what controlled effects hold them at.
        outcomes: Names of outcomes, and addresses of components: see `causalablate.graph.measuring`.
        reference: Example set over which mean, resample and noise are defined.
        seed: Seed of donors, noise and permutations.
        batch_size: Most examples per forward pass.
        stack: Most lesions per forward pass; 1 for one forward each, where the indirect effect through what data cannot
            reach is zero to the bit.
        quiet: Show no progress bar.
    Raises:
        GraphError: Treatment, mediators and outcomes overlap, or what is held is not the mediators.
        CausalAblateError: Anything else asked for that does not exist or does not act.

    Source: Robins & Greenland (1992), Epidemiology 3(2); Pearl (2001), Direct and Indirect Effects, UAI; VanderWeele
    (2013), Epidemiology 24(2), three-way, and (2014), Epidemiology 25(5), four-way decomposition; Vig et al. (2020),
    Causal Mediation Analysis for Interpreting Neural NLP.
    """
    treated = _treatment(treatment, off)
    check_outcomes(model, outcomes)
    through = nodes_of(model, mediators)
    _check_apart(model, treated, through, [name for name in outcomes if name not in OUTCOMES])
    levels = [held] if isinstance(held, Lesion) else list(held)
    for level in levels:
        _check_held(model, level, through)
    sets = [[c] for c in through] + ([through] if len(through) > 1 else [])
    ways = [_way(model, treated, some, levels) for some in sets]
    lesions = [treated, *(lesion for way in ways for lesion in _worlds_of(way))]
    worlds = measured_worlds(
        model,
        examples,
        lesions,
        outcomes,
        total=treated,
        reference=reference,
        seed=seed,
        batch_size=batch_size,
        stack=stack,
        quiet=quiet,
    )
    total = contrast(worlds, TOTAL, worlds.factual, worlds.values[treated], worlds.change_norm[treated])
    parts = [total.assign(mediators="", held="", estimand=TOTAL)]
    parts += [part for way in ways for part in _effects(worlds, treated, way)]
    return Mediation(treated.name, tuple(c.address for c in through), pd.concat(parts, ignore_index=True))


def _treatment(treatment: Lesion | str, off: OffSpec | None) -> Lesion:
    if isinstance(treatment, str):
        if off is None:
            raise LesionError(f'"{treatment}": say how the treatment is off with off=..., e.g. off="mean"')
        return do(treatment, off=off)
    if off is not None:
        raise LesionError(f"{treatment} says itself how the treatment is off; leave off= out")
    if not len(treatment):
        raise LesionError("the treatment is the empty lesion, which has no effect to take apart")
    return treatment


def _check_apart(model: Model, treated: Lesion, through: Sequence[Component], outcomes: Sequence[str]) -> None:
    """Raise where a mediator is part of the treatment, or an outcome of either: it would not be free to answer."""
    mediators = [c.address for c in through]
    for treatment in (c.address for c, _ in treated.resolve(model.components)):
        if treatment in mediators:
            raise GraphError(f"{treatment} is both treatment and mediator; a mediator stands between two others")
        nodes_of(model, [treatment, *mediators])
        for outcome in outcomes:
            if model.components[outcome].address in (treatment, *mediators):
                raise GraphError(f"{outcome} is an outcome, and treatment or mediator besides; choose another outcome")
            nodes_of(model, [treatment, *mediators, outcome])


def _check_held(model: Model, held: Lesion, through: Sequence[Component]) -> None:
    holds, mediators = {c.address for c, _ in held.resolve(model.components)}, {c.address for c in through}
    if holds != mediators:
        raise GraphError(
            f"held is {held}, which is about {', '.join(sorted(holds)) or 'nothing'}, but the mediators are "
            f"{', '.join(sorted(mediators))}; a controlled effect holds every mediator and nothing else"
        )


def _way(model: Model, treated: Lesion, some: Sequence[Component], levels: Sequence[Lesion]) -> _Way:
    names = [c.address for c in some]
    held = dict.fromkeys(
        Lesion(tuple((c.address, how) for c, how in level.resolve(model.components) if c.address in names))
        for level in levels
    )
    return _Way(
        " & ".join(names),
        treated & do(*names, off=Patch()),
        do(*names, off=Patch(treated.parts)),
        tuple((alone, treated & alone) for alone in held),
    )


def _worlds_of(way: _Way) -> list[Lesion]:
    return [way.direct, way.mediated, *(lesion for pair in way.held for lesion in pair)]


def _effects(worlds: Worlds, treated: Lesion, way: _Way) -> Iterator[pd.DataFrame]:
    neither, both = worlds.factual, worlds.values[treated]
    direct, mediated = worlds.values[way.direct], worlds.values[way.mediated]
    moved = worlds.change_norm[way.mediated]

    def rows(estimand: str, start: np.ndarray, end: np.ndarray, held: str = "") -> pd.DataFrame:
        name = f"{estimand} | {held or way.mediators}"
        return contrast(worlds, name, start, end, moved).assign(mediators=way.mediators, held=held, estimand=estimand)

    yield rows("nde", neither, direct)
    yield rows("tie", direct, both)
    yield rows("tde", mediated, both)
    yield rows("nie", neither, mediated)
    yield rows("mediated_interaction", direct + mediated - neither, both)
    for alone, treated_too in way.held:
        low, high = worlds.values[alone], worlds.values[treated_too]
        yield rows("cde", low, high, alone.name)
        yield rows("reference_interaction", neither + high - low, direct, alone.name)
