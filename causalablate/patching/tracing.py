"""Causal tracing: which activation, at which layer and position, carries what a corruption of the input destroys."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import numpy as np
import pandas as pd

from causalablate import outcome as outcomes_of
from causalablate.effects.clustered import cluster_t
from causalablate.errors import ExampleError, LesionError, OutcomeError
from causalablate.examples import ExampleSet
from causalablate.intervention import Lesion, do
from causalablate.models import Model
from causalablate.models.reference import Reference
from causalablate.offs import Off, Patch, Resample
from causalablate.patching.layers import in_window, layers_with, window
from causalablate.progress import progress_bar
from causalablate.replay import LesionedRows, Replay

Direction = Literal["denoising", "noising"]
DIRECTIONS: tuple[Direction, ...] = ("denoising", "noising")
SITES = {"resid": "resid", "attention": "heads.*", "mlp": "mlp", "layer": ""}
"""Name of a site, and which part of a layer it is: the stream behind it, its heads, its MLP, or all that it adds."""
GROUPS = ("image", "question", "answer")
_PATCH = ["site", "layer", "first", "last", "position", "outcome"]


@dataclass(frozen=True)
class CausalTrace:
    """What patching did, example by example.

    Attributes:
        frame: One row per patch, outcome and example: `site`, `layer`, `first` and `last` (of the window around the
            layer), `position`, `lesion`, `example`, `cluster`, `outcome`, its value in the `clean`, the `corrupted`
            and the `patched` run, `share` and `change_norm`. `share` is how much of the corruption's effect on this
            example the patch undoes (denoising) or does (noising): 0 nothing, 1 all; NaN where the corruption has none.
        direction: `denoising` or `noising`.
        corruption: What was corrupted, for people.
    """

    frame: pd.DataFrame
    direction: Direction
    corruption: str

    def summary(self, *, level: float = 0.95) -> pd.DataFrame:
        """One row per patch and outcome: `share` as a ratio of means over examples, with its interval.

        The ratio of means weighs examples by what the corruption did to them; a mean of ratios would be ruled by those
        to which it did next to nothing. The interval is clustered, by the delta method.

        Args:
            level: Two-sided coverage of the interval, in (0, 1).
        """
        groups = self.frame.groupby(_PATCH, sort=False)
        return pd.DataFrame([self._row(dict(zip(_PATCH, key, strict=True)), rows, level) for key, rows in groups])

    def _row(self, key: dict[str, object], rows: pd.DataFrame, level: float) -> dict[str, object]:
        done, total = _done_and_total(rows, self.direction)
        cluster = pd.factorize(rows["cluster"].to_numpy(object))[0]
        share = half = np.nan
        if total.mean():
            share = done.mean() / total.mean()
            if cluster.max() > 0:
                half = float(cluster_t(((done - share * total) / total.mean())[None], cluster).half_width(level)[0])
        return {
            **key,
            "n": len(rows),
            "share": share,
            "ci_low": share - half,
            "ci_high": share + half,
            "effect": done.mean(),
            "total_effect": total.mean(),
            "change_norm": rows["change_norm"].mean(),
        }


def _done_and_total(rows: pd.DataFrame, direction: Direction) -> tuple[np.ndarray, np.ndarray]:
    """What the patch did of what the corruption does, each outcome units, shape (rows,)."""
    clean, corrupted, patched = (rows[name].to_numpy(np.float64) for name in ("clean", "corrupted", "patched"))
    return (patched - corrupted if direction == "denoising" else clean - patched), clean - corrupted


@dataclass(frozen=True)
class _Patch:
    site: str
    layer: int
    first: int
    last: int
    position: str
    glob: str


def causal_trace(
    model: Model,
    examples: ExampleSet,
    corruption: Lesion | ExampleSet,
    *,
    sites: Sequence[str] = ("resid", "attention", "mlp"),
    positions: Sequence[str] | None = None,
    layers: Sequence[int] | None = None,
    width: int = 1,
    direction: Direction = "denoising",
    tower: str = "lm",
    outcomes: Sequence[str] = ("answer_logprob",),
    reference: ExampleSet | Reference | None = None,
    seed: int = 0,
    batch_size: int = 64,
    stack: int | None = None,
    quiet: bool = True,
) -> CausalTrace:
    """Patch every site, layer and position, from the clean run into the corrupted one or the other way round.

    Denoising asks what suffices to restore the outcome, noising what is needed for it. The two differ where paths are
    redundant, so say which one you ran.

    Args:
        model: The trained model.
        examples: The clean examples.
        corruption: A lesion of the input, e.g. `do("tokens.image", off={"kind": "noise", "std": 3.0})`. Or
            counterfactual examples: the same ids, prompts of the same length; what counts stays the clean answer.
        sites: Names of `SITES`, or other parts of a layer's address, e.g. `heads.3`.
        positions: Token groups (`image`), single positions (`image[3]`, `-1`), or `all`. By default image, question and
            answer, as far as the model has them; `all` in a vision tower.
        layers: Which layers; by default every one that has the site.
        width: Layers patched together around each (Meng et al.: 10 for MLPs and attention). The stream is always
            patched behind one layer, since everything before comes with it.
        direction: `denoising` (clean activations into the corrupted run) or `noising` (corrupted into the clean one).
        tower: `lm` or `vision`.
        outcomes: What is restored; see `OUTCOMES`.
        reference: Over which mean, noise and resampling of the corruption are defined.
        seed: Of noise and donors.
        batch_size: Most examples per forward pass.
        stack: Most lesions per forward pass; see `counterfactuals`.
        quiet: Show no progress bar.
    Raises:
        LesionError: The direction, the width or a position is not possible.
        ComponentNotFoundError: The tower, a layer or a site is not there.
        OutcomeError: The outcome is a category, or is relative to a factual run of which there are two.
        ExampleError: Counterfactual examples have other ids.

    Source: Meng et al. (2022), Locating and Editing Factual Associations in GPT, NeurIPS; Heimersheim & Nanda (2024),
    How to Use and Interpret Activation Patching; Palit et al. (2023), Towards Vision-Language Mechanistic
    Interpretability.
    """
    if direction not in DIRECTIONS:
        raise LesionError(f'direction "{direction}" is unknown; use {" or ".join(DIRECTIONS)}')
    _check(outcomes, pairs=isinstance(corruption, ExampleSet))
    patches = _patches(model, examples, sites, positions, layers, width, tower)
    measured = partial(Replay, model, outcomes=outcomes, seed=seed, batch_size=batch_size, stack=stack)
    everything, denoising = slice(0, len(examples)), direction == "denoising"
    if isinstance(corruption, ExampleSet):
        pairs = counterparts(examples, corruption)
        base, source = (pairs, examples) if denoising else (examples, pairs)
        replay = measured(base, reference=source)
        own, other = replay.factual(everything), measured(source).factual(everything)
        clean, corrupted = (other, own) if denoising else (own, other)
        worlds = _run(replay, _lesions(patches, Lesion(), Resample("paired")), quiet)
    else:
        replay = measured(examples, reference=reference)
        within, how = (corruption, Patch()) if denoising else (Lesion(), Patch(corruption.parts))
        lesions = _lesions(patches, within, how)
        clean, worlds = replay.factual(everything), _run(replay, [corruption, *lesions], quiet)
        corrupted, worlds = worlds[0][1].values, worlds[1:]
    frames = [
        _rows(patch, lesion, world, replay, clean, corrupted)
        for patch, (lesion, world) in zip(patches, worlds, strict=True)
    ]
    frame = pd.concat(frames, ignore_index=True)
    done, total = _done_and_total(frame, direction)
    with np.errstate(divide="ignore", invalid="ignore"):
        frame.insert(frame.columns.get_loc("change_norm"), "share", np.where(total, done / total, np.nan))
    name = corruption.name if isinstance(corruption, Lesion) else f"examples of {corruption.name}"
    return CausalTrace(frame, direction, name)


def _check(outcomes: Sequence[str], *, pairs: bool) -> None:
    for name in outcomes:
        if outcomes_of.outcome(name).categorical:
            raise OutcomeError(f"{name} is a category, of which no share can be restored; use a number, e.g. correct")
        if name == "kl_to_factual" and pairs:
            raise OutcomeError(
                "kl_to_factual is relative to one factual run, and clean and counterfactual examples have two; "
                "use answer_logprob or logit_difference"
            )


def _patches(
    model: Model,
    examples: ExampleSet,
    sites: Sequence[str],
    positions: Sequence[str] | None,
    layers: Sequence[int] | None,
    width: int,
    tower: str,
) -> list[_Patch]:
    if positions is None:
        positions = _groups(model, examples) if model.components[f"{tower}.layers.0"].sites[0].tokens else ["all"]
    found = []
    for site in sites:
        part = SITES.get(site, site)
        present = layers_with(model.components, tower, part)
        for layer in present if layers is None else layers:
            first, last = window(layer, 1 if part == "resid" else width, present[-1])
            glob = in_window(tower, first, last, part)
            for position in positions:
                whole = glob if position == "all" else f"{glob}@{position}"
                found.append(_Patch(site, layer, first, last, position, whole))
    for patch in found:
        model.components.select(patch.glob)
    return found


def _groups(model: Model, examples: ExampleSet) -> list[str]:
    """The token groups that every prompt consists of."""
    batch = next(model.batches(examples[:1], 1))
    return [name for name in GROUPS if name in batch.token_groups and bool(batch.token_groups[name].any())]


def every_position(model: Model, examples: ExampleSet) -> list[str]:
    """The positions that all examples have, counted from the end: `-n` .. `-1`."""
    shortest = min(int(b.token_groups["all"].sum(1).min()) for b in model.batches(examples))
    return [str(n) for n in range(-shortest, 0)]


def counterparts(examples: ExampleSet, others: ExampleSet) -> ExampleSet:
    """Counterfactual examples in the order of the clean ones, with the clean ones' answers and noise.

    Raises:
        ExampleError: Their ids are not the same.
    """
    by_id = {e.id: e for e in others}
    if missing := next((e.id for e in examples if e.id not in by_id), None):
        raise ExampleError(
            f'"{others.name}" holds no counterpart of example "{missing}"; give each clean example a counterfactual '
            "one with the same id"
        )
    kept = ("answer", "seed", "cluster", "groups")
    return ExampleSet(
        others.name,
        tuple(replace(by_id[e.id], **{name: getattr(e, name) for name in kept}) for e in examples),
    )


def _lesions(patches: Sequence[_Patch], within: Lesion, how: Off) -> list[Lesion]:
    return [within & do(patch.glob, off=how) for patch in patches]


def _run(replay: Replay, lesions: Sequence[Lesion], quiet: bool) -> list[tuple[Lesion, LesionedRows]]:
    found: dict[Lesion, LesionedRows] = {}
    with progress_bar("causal tracing", len(set(lesions)), quiet=quiet) as advance:
        for lesion, world in replay.worlds(lesions, slice(0, len(replay.examples))):
            found[lesion] = world
            advance(1, lesion.name)
    return [(lesion, found[lesion]) for lesion in lesions]


def _rows(
    patch: _Patch,
    lesion: Lesion,
    world: LesionedRows,
    replay: Replay,
    clean: Mapping[str, np.ndarray],
    corrupted: Mapping[str, np.ndarray],
) -> pd.DataFrame:
    parts = [
        pd.DataFrame(
            {
                "site": patch.site,
                "layer": patch.layer,
                "first": patch.first,
                "last": patch.last,
                "position": patch.position,
                "lesion": lesion.name,
                "example": list(replay.units.example),
                "cluster": list(replay.units.cluster),
                "outcome": outcome,
                "clean": clean[outcome],
                "corrupted": corrupted[outcome],
                "patched": values,
                "change_norm": world.change_norm,
            }
        )
        for outcome, values in world.values.items()
    ]
    return pd.concat(parts, ignore_index=True)
