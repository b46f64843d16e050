"""Counterfactual outcomes: the same examples under the same noise, without and with each lesion."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from causalablate import outcome as outcomes_of
from causalablate.engine.frozen import frozen
from causalablate.environment import versions
from causalablate.errors import ExampleError, LesionError
from causalablate.examples import ExampleSet
from causalablate.intervention import Lesion, OffSpec, do
from causalablate.models import Model
from causalablate.models.adapter import Readout
from causalablate.models.batch import Batch
from causalablate.models.reference import Reference
from causalablate.progress import progress_bar
from causalablate.table import Counterfactuals, Units, rows
from causalablate.trace import Trace

DEFAULT_OUTCOMES = ("answer_logprob", "correct")


@dataclass(frozen=True)
class LesionedRows:
    """What happened to some examples under one lesion.

    Attributes:
        values: Outcome name to float32 values, shape (rows,).
        fired: Whether every part of the lesion acted, bool, shape (rows,).
        change_norm: L2 norm of the change at the lesioned sites, float32, shape (rows,).
    """

    values: dict[str, np.ndarray]
    fired: np.ndarray
    change_norm: np.ndarray


class Replay:
    """One model, one example set, one way of measuring: outcomes of any rows in any world.

    Rows are always computed in the same aligned batches, so that asking for a part gives the bytes of the whole.

    Attributes:
        units: The examples as units of analysis.
        outcomes: Outcome names.
    """

    def __init__(
        self,
        model: Model,
        examples: ExampleSet,
        *,
        outcomes: Sequence[str] = DEFAULT_OUTCOMES,
        reference: ExampleSet | Reference | None = None,
        seed: int = 0,
        batch_size: int = 64,
    ):
        if not len(examples):
            raise ExampleError("the example set is empty: there is nothing to compare; give at least one example")
        if batch_size < 1:
            raise ExampleError(f"batch_size is {batch_size}; it must be at least 1")
        for name in outcomes:
            outcomes_of.outcome(name)
        self.model, self.examples, self.seed = model, examples, seed
        self.outcomes = tuple(outcomes)
        self.reference = model.reference(reference)
        self.units = Units(
            [e.id for e in examples],
            [e.cluster for e in examples],
            {name: [e.groups.get(name, "") for e in examples] for name in _group_names(examples)},
        )
        self._batches: list[Batch] = list(model.batches(examples, batch_size))
        self._batch_size = batch_size
        self._factual: dict[int, Readout] = {}

    @property
    def model_hash(self) -> str:
        """Content hash of weights and config."""
        return self.model.hash

    @property
    def categorical(self) -> frozenset[str]:
        """Outcomes whose values index the vocabulary."""
        return frozenset(n for n in self.outcomes if outcomes_of.outcome(n).categorical)

    @property
    def labels(self) -> dict[str, list[str]]:
        """Vocabulary of each categorical outcome."""
        return {name: list(self.model.vocabulary) for name in self.outcomes if name in self.categorical}

    @property
    def identity(self) -> dict[str, Any]:
        """Everything besides lesion and rows that determines the numbers, as JSON values."""
        config = getattr(self.model.module, "config", None)
        return {
            "model": self.model.hash,
            "examples": self.examples.hash,
            "reference": self.reference.examples.hash if self.reference else None,
            "seed": self.seed,
            "batch_size": self._batch_size,
            "dtype": str(next(self.model.module.parameters()).dtype),
            "device": self.model.device.type,
            "attention": getattr(config, "_attn_implementation", None),
            "versions": versions(),
        }

    def prepare(self, lesions: Iterable[Lesion]) -> None:
        """Check lesions against the model, and capture in one go what they read of the reference set."""
        parts = [part for lesion in lesions for part in lesion.resolve(self.model.components)]
        needing = next((f"{c.address}={how}" for c, how in parts if how.needs), None)
        if needing and self.reference is None:
            raise LesionError(
                f"{needing} needs a reference set: pass reference=<an example set>, "
                "for instance digits(512, split='validation')"
            )
        if self.reference is not None:
            self.reference.prepare(parts)

    def factual(self, rows: slice) -> dict[str, np.ndarray]:
        """Outcomes without a lesion, each float32, shape (rows,)."""
        blocks = [self._values(b, self._factual_readout(b)) for b in self._blocks(rows)]
        return self._cut(blocks, rows)

    def counterfactual(self, lesion: Lesion, rows: slice) -> LesionedRows:
        """Outcomes under a lesion, and what the lesion did.

        Raises:
            InertLesionError: A part of the lesion never acted.
            OutcomeError: An outcome is NaN or infinite; the message names the example.
        """
        values, fired, norms = [], [], []
        for b in self._blocks(rows):
            readout, did_fire, norm = self._run(b, lesion)
            values.append(self._values(b, readout))
            fired.append(did_fire.numpy())
            norms.append(norm.numpy())
        cut = self._cut([{"fired": f, "norm": n} for f, n in zip(fired, norms, strict=True)], rows)
        return LesionedRows(self._cut(values, rows), cut["fired"], cut["norm"])

    def sweep(self, lesions: Sequence[Lesion], rows: slice) -> dict[Lesion, LesionedRows]:
        """Outcomes under each of many lesions, on the same rows."""
        return {lesion: self.counterfactual(lesion, rows) for lesion in lesions}

    def trace(self, lesion: Lesion | None, rows: Sequence[int]) -> list[Trace]:
        """What the model said about some examples, and where it looked, for people to read."""
        traces: dict[int, list[Trace]] = {}
        for b in dict.fromkeys(row // self._batch_size for row in rows):
            readout = self._run(b, lesion)[0] if lesion is not None else self._factual_readout(b)
            traces[b] = _traces(readout, self.model.vocabulary)
        return [traces[row // self._batch_size][row % self._batch_size] for row in rows]

    def _span(self, rows: slice) -> tuple[int, int]:
        start, stop, _ = rows.indices(len(self.examples))
        return start, stop

    def _blocks(self, rows: slice) -> range:
        start, stop = self._span(rows)
        return range(start // self._batch_size, -(-stop // self._batch_size))

    def _cut(self, blocks: Sequence[Mapping[str, np.ndarray]], rows: slice) -> dict[str, np.ndarray]:
        start, stop = self._span(rows)
        offset = start // self._batch_size * self._batch_size
        return {name: np.concatenate([b[name] for b in blocks])[start - offset : stop - offset] for name in blocks[0]}

    def _factual_readout(self, block: int) -> Readout:
        if block not in self._factual:
            with frozen(self.model.module):
                self._factual[block] = self.model.read(self.model(**self._batches[block].inputs))
        return self._factual[block]

    def _run(self, block: int, lesion: Lesion) -> tuple[Readout, Tensor, Tensor]:
        batch = self._batches[block]
        with (
            frozen(self.model.module),
            self.model.do(lesion, reference=self.reference, seed=self.seed, keys=batch.keys) as action,
        ):
            readout = self.model.read(self.model(**batch.inputs))
        if not len(lesion):
            n = len(batch.keys)
            return readout, torch.zeros(n, dtype=torch.bool), torch.zeros(n)
        return readout, action.fired, action.change_norm

    def _values(self, block: int, readout: Readout) -> dict[str, np.ndarray]:
        batch = self._batches[block]
        values = outcomes_of.compute(self.outcomes, readout, batch.answers, self._factual_readout(block), batch.keys)
        return {name: value.numpy() for name, value in zip(self.outcomes, values, strict=True)}


def _group_names(examples: ExampleSet) -> list[str]:
    return list(dict.fromkeys(name for example in examples for name in example.groups))


def _traces(readout: Readout, vocabulary: Sequence[str]) -> list[Trace]:
    probabilities = readout.logits["answer"].float().softmax(-1)
    top = probabilities.topk(min(5, probabilities.shape[1]), dim=-1)
    found = []
    for i in range(len(probabilities)):
        best = [(vocabulary[int(v)], float(p)) for p, v in zip(top.values[i], top.indices[i], strict=True)]
        allocation = None if readout.allocation is None else readout.allocation[i].tolist()
        found.append(Trace(answer=best[0][0], probability=best[0][1], top=best, allocation=allocation))
    return found


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
        batch_size: Examples per forward pass.
        study: Name written into the table.
        quiet: Show no progress bar.
    Returns:
        One row per example, lesion and outcome; effect = counterfactual - factual.
    Raises:
        CausalAblateError: Anything asked for that does not exist or does not act.
    """
    replay = Replay(model, examples, outcomes=outcomes, reference=reference, seed=seed, batch_size=batch_size)
    named = named_lesions(lesions, model, off)
    if not named:
        raise LesionError("no lesions: give at least one, e.g. do('passes.fine', off='mean')")
    replay.prepare(named.values())
    everything = slice(0, len(examples))
    factual = replay.factual(everything)
    parts: list[pd.DataFrame] = []
    with progress_bar("counterfactuals", len(named), quiet=quiet) as advance:
        for name, lesion in named.items():
            world = replay.counterfactual(lesion, everything)
            parts.append(
                rows(
                    replay.units,
                    study=study,
                    model=model.hash,
                    seed=seed,
                    lesion=name,
                    factual=factual,
                    counterfactual=world.values,
                    fired=world.fired,
                    change_norm=world.change_norm,
                    categorical=replay.categorical,
                )
            )
            advance(1, name)
    return Counterfactuals(pd.concat(parts, ignore_index=True), replay.labels)
