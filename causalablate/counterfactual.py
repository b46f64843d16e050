"""Counterfactual outcomes: the same examples under the same noise, without and with each lesion."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from causalablate.errors import LesionError
from causalablate.examples import ExampleSet
from causalablate.intervention import Lesion, OffSpec, do
from causalablate.models import Model
from causalablate.models.reference import Reference
from causalablate.progress import progress_bar
from causalablate.replay import DEFAULT_OUTCOMES, Replay
from causalablate.table import Counterfactuals, rows


def named_lesions(
    lesions: Lesion | str | Iterable[Lesion | str] | Mapping[str, Lesion], model: Model, off: OffSpec | None
) -> dict[str, Lesion]:
    """Lesions by name: a string (address or glob) gives one lesion per component that it matches.

    Raises:
        LesionError: A string without `off`, or two different lesions of one name.
    """
    if isinstance(lesions, Mapping):
        return dict(lesions)
    if isinstance(lesions, Lesion | str):
        lesions = [lesions]
    named: dict[str, Lesion] = {}
    for item in lesions:
        if isinstance(item, str):
            if off is None:
                raise LesionError(f'"{item}": say how it is off with off=..., or pass do("{item}", off=...)')
            each = [do(c.address, off=off) for c in model.components.select(item)]
        else:
            each = [item]
        named.update({lesion.name: lesion for lesion in each})
    return named


def counterfactuals(
    model: Model,
    examples: ExampleSet,
    lesions: Lesion | str | Iterable[Lesion | str] | Mapping[str, Lesion],
    *,
    outcomes: Sequence[str] = DEFAULT_OUTCOMES,
    off: OffSpec | None = None,
    reference: ExampleSet | Reference | None = None,
    seed: int = 0,
    batch_size: int = 64,
    stack: int | None = None,
    compile: str | None = None,
    study: str = "",
    quiet: bool = True,
) -> Counterfactuals:
    """Factual and counterfactual outcomes of every example under every lesion.

    Args:
        model: The trained model.
        examples: Whom to ask.
        lesions: `Lesion`s, or addresses and globs (one lesion per matching component), or lesions by name.
        outcomes: Outcome names; see `OUTCOMES`.
        off: How addresses given as strings are off.
        reference: Example set over which mean, resample and noise are defined: never the batch at hand.
        seed: Seed of donors, noise and permutations.
        batch_size: Most examples per forward pass.
        stack: Most lesions per forward pass; 1 for one forward each, bit for bit as the lesioned model computes it.
        compile: Backend of torch.compile, or None; see `Replay`.
        study: Name written into the table.
        quiet: Show no progress bar.
    Returns:
        One row per example, lesion and outcome; effect = counterfactual - factual.
    Raises:
        CausalAblateError: Anything asked for that does not exist or does not act.
    """
    replay = Replay(
        model,
        examples,
        outcomes=outcomes,
        reference=reference,
        seed=seed,
        batch_size=batch_size,
        stack=stack,
        compile=compile,
    )
    named = named_lesions(lesions, model, off)
    if not named:
        raise LesionError("no lesions: give at least one, e.g. do('passes.fine', off='mean')")
    replay.prepare(named.values())
    everything, factual = slice(0, len(examples)), dict[str, np.ndarray]()
    names: dict[Lesion, list[str]] = {}
    for name, lesion in named.items():
        names.setdefault(lesion, []).append(name)
    parts: dict[str, pd.DataFrame] = {}
    with progress_bar("counterfactuals", len(names), quiet=quiet) as advance:
        for lesion, world in replay.worlds(list(names), everything):
            factual = factual or replay.factual(everything)  # known by now: recording a batch is its factual run
            for name in names[lesion]:
                parts[name] = rows(
                    replay.units,
                    study=study,
                    model=model.hash,
                    precision=model.precision,
                    seed=seed,
                    lesion=name,
                    factual=factual,
                    counterfactual=world.values,
                    fired=world.fired,
                    change_norm=world.change_norm,
                    categorical=replay.categorical,
                )
            advance(1, lesion.name)
    return Counterfactuals(pd.concat([parts[name] for name in named], ignore_index=True), replay.labels)
