"""Mediation: how much of an effect goes through some components, by nested counterfactuals, exactly."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from causalablate.examples import ExampleSet
from causalablate.graph.decomposition import Worlds, contrast, summarised
from causalablate.graph.measuring import check_outcomes, measured_worlds
from causalablate.graph.mediators import Way, check_apart, treatment_of, ways_through
from causalablate.graph.nodes import nodes_of
from causalablate.intervention import Lesion, OffSpec
from causalablate.models import Model
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
    check_outcomes(model, outcomes)
    treated, through = treatment_of(treatment, off), nodes_of(model, mediators)
    check_apart(model, treated, through, [name for name in outcomes if name not in OUTCOMES])
    levels = [held] if isinstance(held, Lesion) else list(held)
    ways = ways_through(model, treated, through, levels)
    lesions = [treated, *(lesion for way in ways for lesion in way.worlds)]
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


def _effects(worlds: Worlds, treated: Lesion, way: Way) -> Iterator[pd.DataFrame]:
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
