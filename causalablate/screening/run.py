"""`screen`: rank lesions by gradients, measure the highest exactly, and a random sample of the rest to see misses."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from causalablate import outcome as outcomes_of
from causalablate.counterfactual import counterfactuals
from causalablate.effects.agreement import SAMPLE, TOP, agreement
from causalablate.effects.clustered import cluster_t
from causalablate.engine.draws import derived_seed
from causalablate.errors import LesionError, OutcomeError
from causalablate.examples import ExampleSet
from causalablate.intervention import Lesion, OffSpec
from causalablate.models import Model
from causalablate.models.reference import Reference
from causalablate.progress import progress_bar
from causalablate.replay import Replay
from causalablate.screening.gradient import FirstOrder, Part, first_order
from causalablate.screening.lesions import Asked, screenable_lesions
from causalablate.screening.result import Screening
from causalablate.table import Units

RANK_BY = ("magnitude", "mean")


def screen(
    model: Model,
    examples: ExampleSet,
    lesions: Asked = "**",
    *,
    off: OffSpec | None = None,
    outcome: str = "answer_logprob",
    reference: ExampleSet | Reference | None = None,
    confirm: int = 10,
    sample: int = 10,
    rank_by: str = "magnitude",
    seed: int = 0,
    batch_size: int = 64,
    stack: int | None = None,
    quiet: bool = True,
) -> Screening:
    """Rank lesions by their approximate effects, and measure some exactly.

    The approximation is first-order (attribution patching): one forward and one backward per batch for all lesions
    together. A lesion of several components gets the sum over its components, each lesioned alone.

    Args:
        model: The trained model; nothing of it is changed.
        examples: Whom to ask.
        lesions: `Lesion`s, or addresses and globs (one lesion per matching component), or lesions by name. By default
            every component that admits the off.
        off: How addresses and globs are off.
        outcome: Outcome with a gradient: `answer_logprob`, `logit_difference`, `loss`, ...
        reference: Example set over which mean, resample and noise are defined: never the batch at hand.
        confirm: How many of the highest ranked lesions to measure exactly; at least 1.
        sample: How many of the others to measure exactly, drawn at random by `seed`.
        rank_by: `magnitude` ranks by the mean of |approximate effect| over examples, `mean` by |mean|, in which
            slopes of opposite sign cancel.
        seed: Seed of donors, noise, permutations and of the sample.
        batch_size: Most examples per forward pass.
        stack: Most lesions per forward pass of the exact effects, as for `counterfactuals`.
        quiet: Show no progress bar.
    Raises:
        OutcomeError: The outcome has no gradient, or the model cannot be differentiated.
        LesionError: A lesion that gradients say nothing about, or none.
        CausalAblateError: Anything else asked for that does not exist or does not act.

    Source: Nanda (2023); Syed, Rager & Conmy (2023); Kramár et al. (2024): see `causalablate.screening.gradient`.
    """
    _check(outcome, confirm, sample, rank_by)
    named, excluded = screenable_lesions(lesions, model, off)
    replay = Replay(model, examples, outcomes=(outcome,), reference=reference, seed=seed, batch_size=batch_size)
    replay.prepare(named.values())
    parts, members = _parts(model, named)
    n_batches = -(-len(examples) // batch_size)
    with progress_bar("gradients", n_batches, quiet=quiet) as advance:
        found = first_order(
            model, examples, parts, outcome,
            reference=replay.reference, seed=seed, batch_size=batch_size, advance=advance,
        )  # fmt: skip
    frame, order = _ranked(model, named, found, members, outcome, replay.units, rank_by)
    frame["confirmed"] = _chosen(list(frame["lesion"]), confirm, sample, seed)
    exact = counterfactuals(
        model,
        examples,
        {name: named[name] for name in frame["lesion"][frame["confirmed"] != ""]},
        outcomes=[outcome],
        reference=replay.reference,
        seed=seed,
        batch_size=batch_size,
        stack=stack,
        quiet=quiet,
    )
    effects = exact.frame["effect"].to_numpy(dtype=np.float64).reshape(-1, len(examples))
    columns = dict(zip(("exact_effect", "exact_se"), _mean_and_error(effects, replay.units), strict=True))
    frame = frame.join(pd.DataFrame(columns, index=exact.lesions), on="lesion")
    approximate = (members @ found.effect)[order].astype(np.float32)
    return Screening(frame, approximate, exact, agreement(frame), excluded)


def _check(outcome: str, confirm: int, sample: int, rank_by: str) -> None:
    if reason := outcomes_of.outcome(outcome).flat:
        screenable = [name for name, known in outcomes_of.OUTCOMES.items() if not known.flat]
        raise OutcomeError(
            f'"{outcome}" cannot be screened by gradients at the factual run: {reason}; '
            f"screen {', '.join(screenable)}, or measure {outcome} exactly with counterfactuals()"
        )
    if confirm < 1:
        raise LesionError(f"confirm is {confirm}; at least 1 lesion must be measured exactly")
    if sample < 0:
        raise LesionError(f"sample is {sample}; it must be at least 0")
    if rank_by not in RANK_BY:
        raise LesionError(f'rank_by is "{rank_by}"; it must be one of {", ".join(RANK_BY)}')


def _parts(model: Model, named: Mapping[str, Lesion]) -> tuple[list[Part], np.ndarray]:
    """The distinct parts of all lesions, and which lesion has which, shape (lesions, parts)."""
    resolved = [lesion.resolve(model.components) for lesion in named.values()]
    parts = list(dict.fromkeys(part for of_lesion in resolved for part in of_lesion))
    at = {part: i for i, part in enumerate(parts)}
    members = np.zeros((len(resolved), len(parts)))
    for i, of_lesion in enumerate(resolved):
        members[i, [at[part] for part in of_lesion]] = 1.0
    return parts, members


def _ranked(
    model: Model,
    named: Mapping[str, Lesion],
    found: FirstOrder,
    members: np.ndarray,
    outcome: str,
    units: Units,
    rank_by: str,
) -> tuple[pd.DataFrame, np.ndarray]:
    """Approximate effects, the highest ranked first, and the order of the lesions in it."""
    effect = members @ found.effect
    mean, error = _mean_and_error(effect, units)
    frame = pd.DataFrame(
        {
            "rank": 0,
            "lesion": list(named),
            "kind": [_kind(model, lesion) for lesion in named.values()],
            "outcome": outcome,
            "precision": model.precision,
            "approximate_effect": mean,
            "approximate_se": error,
            "approximate_magnitude": np.abs(effect).mean(axis=1),
            "change_norm": np.sqrt(members @ found.squares).mean(axis=1),
            "reached": members @ found.reached > 0,
        }
    )
    size = frame["approximate_magnitude"] if rank_by == "magnitude" else frame["approximate_effect"].abs()
    frame["rank"] = size.rank(method="min", ascending=False).astype(int)
    order = np.argsort(-size.to_numpy(), kind="stable")
    return frame.iloc[order].reset_index(drop=True), order


def _kind(model: Model, lesion: Lesion) -> str:
    return " + ".join(dict.fromkeys(component.kind for component, _ in lesion.resolve(model.components)))


def _mean_and_error(effect: np.ndarray, units: Units) -> tuple[np.ndarray, np.ndarray]:
    """Mean over examples and its cluster-robust standard error, NaN with a single cluster; effect (lesions, n)."""
    cluster = pd.factorize(np.asarray(units.cluster, dtype=object))[0]
    if cluster.max() < 1:
        return effect.mean(axis=1), np.full(len(effect), np.nan)
    spread = cluster_t(effect, cluster)
    return spread.center, spread.se


def _chosen(ranked: Sequence[str], confirm: int, sample: int, seed: int) -> list[str]:
    """Why each lesion is measured exactly: it is one of the top, drawn from the others, or it is not."""
    why = [TOP] * min(confirm, len(ranked)) + [""] * max(0, len(ranked) - confirm)
    # Drawn by name, so that the order in which lesions are asked for does not matter.
    others = sorted(range(len(why) - why.count(""), len(why)), key=lambda i: ranked[i])
    draw = np.random.default_rng(derived_seed("screening", seed))
    for i in draw.choice(len(others), min(sample, len(others)), replace=False):
        why[others[i]] = SAMPLE
    return why
