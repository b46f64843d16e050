"""Outcomes in many worlds, where an outcome may also be what a component says there."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from causalablate.errors import ComponentNotFoundError, OutcomeError, nearest
from causalablate.examples import ExampleSet
from causalablate.graph.decomposition import Worlds
from causalablate.intervention import Lesion
from causalablate.models import Model
from causalablate.outcome import OUTCOMES
from causalablate.progress import progress_bar
from causalablate.replay import Replay


def check_outcomes(model: Model, outcomes: Sequence[str]) -> None:
    """Raise where an outcome is neither the name of a number nor a component.

    Raises:
        OutcomeError: As said, or there are none.
    """
    if not outcomes:
        raise OutcomeError("no outcomes: name at least one, e.g. answer_logprob")
    for name in outcomes:
        if name in OUTCOMES:
            if OUTCOMES[name].categorical:
                raise OutcomeError(f"{name} is a category, and its changes do not add up; use a number, e.g. correct")
            continue
        try:
            model.components[name]
        except ComponentNotFoundError:
            known = [*OUTCOMES, *model.components]
            raise OutcomeError(
                f'"{name}" is neither an outcome nor one component{nearest(name, known)}; outcomes are '
                f"{', '.join(OUTCOMES)}"
            ) from None


def measured_worlds(
    model: Model,
    examples: ExampleSet,
    lesions: Sequence[Lesion],
    outcomes: Sequence[str],
    *,
    total: Lesion,
    reference: ExampleSet | None,
    seed: int,
    batch_size: int,
    stack: int | None,
    quiet: bool,
) -> Worlds:
    """Outcomes of every example in the factual world and under every lesion, in one sweep.

    A component that is an outcome counts as its number, where it is one number per example. Where it is many, each
    world counts as how far it goes from the factual one in the direction in which the total effect goes, in units of
    the activation's L2 norm: that is linear, so that parts of an effect still sum to it. It is 0 where the total effect
    leaves the component as it is.

    Args:
        model: Any model.
        examples: Whom to ask.
        lesions: Which worlds, `total` among them.
        outcomes: Names of outcomes, addresses of components.
        total: The lesion of the total effect.
        reference: Example set over which mean, resample and noise are defined.
        seed: Seed of donors, noise and permutations.
        batch_size: Most examples per forward pass.
        stack: Most lesions per forward pass.
        quiet: Show no progress bar.
    """
    check_outcomes(model, outcomes)
    named = [name for name in outcomes if name in OUTCOMES]
    replay = Replay(model, examples, outcomes=named, reference=reference, seed=seed, batch_size=batch_size, stack=stack)
    every, worlds = slice(0, len(examples)), list(dict.fromkeys(lesions))
    replay.prepare(worlds)
    factual, found = replay.factual(every), {}
    with progress_bar("nested worlds", len(worlds), quiet=quiet) as advance:
        for lesion, there in replay.worlds(worlds, every):
            found[lesion] = there
            advance(1, "")
    values = {lesion: dict(found[lesion].values) for lesion in worlds}
    for node in (name for name in outcomes if name not in OUTCOMES):
        factual[node], said = _said(replay, worlds, node, total)
        for lesion in worlds:
            values[lesion][node] = said[lesion]
    return Worlds(
        replay.units,
        tuple(outcomes),
        np.stack([factual[name] for name in outcomes]).astype(np.float64),
        {lesion: np.stack([values[lesion][name] for name in outcomes]).astype(np.float64) for lesion in worlds},
        {lesion: found[lesion].change_norm for lesion in worlds},
        {lesion: found[lesion].changes for lesion in worlds},
        model.hash,
        model.precision,
        seed,
    )


def _said(
    replay: Replay, lesions: Sequence[Lesion], node: str, total: Lesion
) -> tuple[np.ndarray, dict[Lesion, np.ndarray]]:
    """One number per example for what a component says, in the factual world and under each lesion."""
    component, every = [replay.model.components[node]], slice(0, len(replay.examples))

    def beside(world: Lesion, of: Sequence[Lesion]) -> dict[Lesion, np.ndarray]:
        found = {lesion: said[node] for lesion, said in replay.measured(of, component, every, _compared, beside=world)}
        for lesion, numbers in found.items():
            if np.isnan(numbers).any():
                raise OutcomeError(
                    f"{node} does not run both in the factual world and under {lesion.name}, so there is nothing to "
                    "compare; choose another outcome"
                )
        return found

    from_factual = beside(Lesion(), lesions)
    if all((said[:, 3] == 1).all() for said in from_factual.values()):
        return from_factual[total][:, 1], {lesion: said[:, 0] for lesion, said in from_factual.items()}
    # Along the direction of the total effect t: a.t / |t| = (|a|^2 + |t|^2 - |a - t|^2) / 2|t|.
    whole = from_factual[total][:, 2].astype(np.float64)
    length = np.where(whole > 0, np.sqrt(whole), 1.0)
    along = {
        lesion: (from_factual[lesion][:, 2].astype(np.float64) + whole - rest[:, 2]) / (2 * length)
        for lesion, rest in beside(total, lesions).items()
    }
    return np.zeros(len(whole)), {lesion: np.where(whole > 0, x, 0.0) for lesion, x in along.items()}


def _compared(there: Tensor, here: Tensor) -> Tensor:
    """Sums of the numbers in both worlds, the squared norm of the change, and how many numbers there are."""
    n = torch.full((len(there),), float(there.shape[1]), dtype=there.dtype, device=there.device)
    return torch.stack((there.sum(1), here.sum(1), (there - here).square().sum(1), n), dim=1)
