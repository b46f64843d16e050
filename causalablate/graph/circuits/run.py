"""`find_circuit`: search on one half of the examples, report on the other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from causalablate import outcome as outcomes_of
from causalablate.attribution.components import ComponentGame
from causalablate.errors import GraphError, nearest
from causalablate.examples import ExampleSet
from causalablate.graph.circuits.scores import curve, members, named
from causalablate.graph.circuits.search import SEARCHES, Value, closeness, smallest
from causalablate.graph.computational import computational_graph
from causalablate.graph.transfer import off_of, running
from causalablate.intervention import Lesion, OffSpec, do
from causalablate.models import Model
from causalablate.progress import Advance, progress_bar
from causalablate.replay import Replay


@dataclass(frozen=True)
class Circuit:
    """Components that keep the behaviour by themselves.

    Attributes:
        circuit: The members, in the order of the forward.
        others: The components that are off.
        curve: Scores of the best set found of each size, on held-out examples; `searched` is the closeness on those
            that the search saw.
        members: What each member is good for, on held-out examples.
        outcome: Name of the outcome.
        keep: The closeness that was asked for.
        search: How sets were found.
        n_sets: How many were looked at.
    """

    circuit: tuple[str, ...]
    others: tuple[str, ...]
    curve: pd.DataFrame
    members: pd.DataFrame
    outcome: str
    keep: float
    search: str
    n_sets: int


def find_circuit(
    model: Model,
    examples: ExampleSet,
    nodes: Sequence[str] | str | None = None,
    *,
    off: OffSpec | Mapping[str, OffSpec] = "mean",
    outcome: str = "answer_logprob",
    search: str = "removal",
    keep: float = 0.9,
    reference: ExampleSet | None = None,
    level: float = 0.95,
    seed: int = 0,
    batch_size: int = 64,
    stack: int | None = None,
    quiet: bool = True,
) -> Circuit:
    """The smallest set of components that, with all others off, still does what the model does.

    Half of the examples, whole clusters of them, decide which set; the other half says how good it is.

    Args:
        model: Any model.
        examples: Whom to ask.
        nodes: Addresses and globs; by default the high-level components.
        off: How components are off; or by address or glob, the last that matches counts.
        outcome: What the behaviour is measured by.
        search: `removal`, `addition`, or `exact`, which looks at all sets up to the size that it finds.
        keep: Closeness to the model that the circuit has to keep, see `closeness` in the curve.
        reference: Example set over which mean, resample and noise are defined.
        level: Two-sided coverage of the intervals.
        seed: Of the halves, of donors, noise and permutations.
        batch_size: Most examples per forward pass.
        stack: Most lesions per forward pass.
        quiet: Show no progress bar.
    Raises:
        GraphError: Settings out of range, an unknown search, too few examples, components without any effect, or a
            model too large for an exact search.
        CausalAblateError: Anything else asked for that does not exist or does not act.

    Source: Wang et al. (2023), Interpretability in the Wild (faithfulness, completeness, minimality); Conmy et al.
    (2023), Towards Automated Circuit Discovery; Hanna et al. (2024), Have Faith in Faithfulness (the share).
    """
    if search not in SEARCHES:
        raise GraphError(f'no search "{search}"{nearest(search, SEARCHES)}; there are {", ".join(SEARCHES)}')
    if not 0 < keep < 1:
        raise GraphError(f"keep is {keep}; the circuit keeps a share of the behaviour between 0 and 1, e.g. 0.9")
    _check(outcome, level)
    seen, unseen = _halves(examples, seed)
    lesions = _lesions(model, examples, nodes, off)
    names = tuple(lesions)
    with progress_bar("sets of components", 0, quiet=quiet) as advance:
        values = [
            _remembered(
                Replay(
                    model, part, outcomes=[outcome], reference=reference, seed=seed, batch_size=batch_size, stack=stack
                ),
                lesions,
                advance,
            )
            for part in (seen, unseen)
        ]
        (searched, known), (value, _) = values
        _check_behaviour(searched, names, outcome)
        sets = SEARCHES[search](searched, len(names), keep)
        close = closeness(searched, sets)
        n_sets = len(known)
        chosen = sets[smallest(close, keep)]
        cluster = _codes(unseen)
        scores = curve(value, names, sets, cluster, level)
        scores.insert(2, "searched", close)
        each = members(chosen, value, searched, names, cluster, level)
    return Circuit(named(names, chosen), named(names, ~chosen), scores, each, outcome, keep, search, n_sets)


def circuit_curve(
    model: Model,
    examples: ExampleSet,
    ranking: Sequence[str],
    *,
    off: OffSpec | Mapping[str, OffSpec] = "mean",
    outcome: str = "answer_logprob",
    reference: ExampleSet | None = None,
    level: float = 0.95,
    seed: int = 0,
    batch_size: int = 64,
    stack: int | None = None,
    quiet: bool = True,
) -> pd.DataFrame:
    """Scores of the first 0, 1, 2, ... components of a ranking made elsewhere, all other of its components off.

    Args:
        model: Any model.
        examples: Whom to ask; others than the ranking was made on.
        ranking: Addresses, most important first.
        off: How components are off.
        outcome: What the behaviour is measured by.
        reference: Example set over which mean, resample and noise are defined.
        level: Two-sided coverage of the intervals.
        seed: Of donors, noise and permutations.
        batch_size: Most examples per forward pass.
        stack: Most lesions per forward pass.
        quiet: Show no progress bar.
    Returns:
        The columns of `Circuit.curve`, but for `searched`.
    Raises:
        GraphError: A component is ranked twice, or together they have no effect.
        CausalAblateError: Anything else asked for that does not exist or does not act.
    """
    _check(outcome, level)
    if twice := [node for i, node in enumerate(ranking) if node in ranking[:i]]:
        raise GraphError(f"{twice[0]} is ranked twice; a component has one place in a ranking")
    lesions = {node: do(node, off=off_of(node, off, model)) for node in ranking}
    sets = np.tri(len(ranking) + 1, len(ranking), -1, dtype=bool)
    with progress_bar("sets of components", 0, quiet=quiet) as advance:
        replay = Replay(
            model, examples, outcomes=[outcome], reference=reference, seed=seed, batch_size=batch_size, stack=stack
        )
        value, _ = _remembered(replay, lesions, advance)
        _check_behaviour(value, tuple(ranking), outcome)
        return curve(value, tuple(ranking), sets, _codes(examples), level)


def _lesions(
    model: Model, examples: ExampleSet, nodes: Sequence[str] | str | None, off: OffSpec | Mapping[str, OffSpec]
) -> dict[str, Lesion]:
    found = running(computational_graph(model, examples, nodes), Lesion(), model)
    return {node: do(node, off=off_of(node, off, model)) for node in found}


def _remembered(
    replay: Replay, lesions: Mapping[str, Lesion], advance: Advance
) -> tuple[Value, Mapping[bytes, np.ndarray]]:
    """Outcomes of sets of components, each computed once, and what has been computed."""
    game, known = ComponentGame(replay, lesions), dict[bytes, np.ndarray]()
    replay.prepare(lesions.values())

    def value(sets: np.ndarray) -> np.ndarray:
        new = {key: row for row in sets if (key := row.tobytes()) not in known}
        if new:
            known.update(zip(new, game.values(np.stack(list(new.values())), advance), strict=True))
        return np.stack([known[row.tobytes()] for row in sets])

    return value, known


def _halves(examples: ExampleSet, seed: int) -> tuple[ExampleSet, ExampleSet]:
    mixed = examples.shuffled(seed)
    starts = [i for i in range(1, len(mixed)) if mixed[i].cluster != mixed[i - 1].cluster]
    if len(starts) < 3:
        raise GraphError(
            f"{len(starts) + 1} clusters of examples; to search on one half and report on the other takes at least 4"
        )
    cut = min(starts[1:-1], key=lambda start: abs(start - len(mixed) / 2))
    return mixed[:cut], mixed[cut:]


def _check(outcome: str, level: float) -> None:
    if outcomes_of.outcome(outcome).categorical:
        raise GraphError(
            f'"{outcome}" is a category, of which no share can be kept; take correct, or a log-probability'
        )
    if not 0.5 < level < 1:
        raise GraphError(f"level is {level}; it must lie between 0.5 and 1, e.g. 0.95")


def _check_behaviour(value: Value, names: tuple[str, ...], outcome: str) -> None:
    none, full = value(np.stack([np.zeros(len(names), bool), np.ones(len(names), bool)]))
    if (none == full).all():
        raise GraphError(
            f"with all of {', '.join(names[:5])}{' ...' if len(names) > 5 else ''} off, {outcome} is what it was: "
            "there is no behaviour to keep; name other nodes or another outcome"
        )


def _codes(examples: ExampleSet) -> np.ndarray:
    return np.unique([e.cluster for e in examples], return_inverse=True)[1]
