"""What a design gave: the outcome of every example in every run, read out of a table of counterfactuals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from causalablate.effects import Kind, Paired, paired_blocks
from causalablate.errors import EffectError, nearest
from causalablate.interactions.design import Design
from causalablate.table import Counterfactuals


@dataclass(frozen=True, eq=False)
class Responses:
    """One outcome under every run of a design.

    Attributes:
        design: The design.
        values: Outcome units, float64, shape (runs, rows); a row is one example under one seed.
        paired: The rows, their clusters, seeds and groups, as every estimator of effects takes them.
        example: Example id of each row.
        cluster: Cluster id of each row.
        seed: Seed of each row.
    """

    design: Design
    values: np.ndarray
    paired: Paired
    example: tuple[str, ...]
    cluster: tuple[str, ...]
    seed: tuple[int, ...]

    @property
    def outcome(self) -> str:
        """Name of the outcome."""
        return self.paired.outcome

    def at(self, on: np.ndarray) -> np.ndarray:
        """Values where exactly these factors are on, shape (sets, rows).

        Args:
            on: Bool, shape (sets, factors).
        Raises:
            EffectError: The design has no such run.
        """
        return self.values[[self._row(key, off) for key, off in zip(keys(on), ~on, strict=True)]]

    def as_paired(self, names: Sequence[str], values: np.ndarray) -> Paired:
        """Numbers per example as effects, so that they are averaged and tested like effects.

        Args:
            names: What they are, length `k`.
            values: Shape (k, rows), or (draws, k, rows): then draws take the place of seeds.
        """
        paired, (k, n) = self.paired, values.shape[-2:]
        draws = values.reshape(-1, k, n)
        effect = draws.transpose(1, 0, 2).reshape(k, -1)

        def tiled(codes: np.ndarray) -> np.ndarray:
            return np.tile(codes, len(draws))

        return replace(
            paired,
            kind=Kind.REAL,
            lesions=tuple(names),
            factual=np.zeros_like(effect),
            counterfactual=effect,
            effect=effect,
            fired=np.ones(effect.shape, dtype=bool),
            change_norm=np.zeros_like(effect),
            unit=tiled(paired.unit),
            cluster=tiled(paired.cluster),
            seed=paired.seed if len(draws) == 1 else np.repeat(np.arange(len(draws)), n),
            groups={name: tiled(labels) for name, labels in paired.groups.items()},
        )

    @cached_property
    def _rows(self) -> dict[bytes, int]:
        return {key: i for i, key in enumerate(keys(~self.design.off))}

    def _row(self, key: bytes, off: np.ndarray) -> int:
        if key not in self._rows:
            names = [self.design.factors[i] for i in np.flatnonzero(off)]
            raise EffectError(
                f"the design has no run in which just {', '.join(names) or 'nothing'} is off, which this takes; "
                'full() has all runs, factorial(order=) those for index="intact"'
            )
        return self._rows[key]


def responses(table: Counterfactuals, design: Design) -> list[Responses]:
    """Read out what a design gave, outcome by outcome.

    Args:
        table: Holds all runs of the design, on the same examples; it may hold other lesions.
        design: What was run.
    Raises:
        EffectError: A run is missing, runs were measured on different examples, an outcome is a category, or the table
            cannot be paired.
    """
    wanted, there = list(design.lesions), dict.fromkeys(table.lesions)
    if missing := [name for name in wanted if name not in there]:
        raise EffectError(
            f'the table lacks {len(missing)} of {len(wanted)} runs of the design, the first "{missing[0]}"'
            f"{nearest(missing[0], there)}; run counterfactuals(model, examples, design.lesions)"
        )
    frame = table.frame[table.frame["lesion"].isin(wanted)]
    return [
        _of_outcome(Counterfactuals(part, table.labels), design) for _, part in frame.groupby("outcome", sort=False)
    ]


def keys(sets: np.ndarray) -> list[bytes]:
    """Sets as dictionary keys, from bool, shape (sets, factors)."""
    return [row.tobytes() for row in np.ascontiguousarray(sets, dtype=bool)]


def _of_outcome(table: Counterfactuals, design: Design) -> Responses:
    blocks = paired_blocks(table)
    block = blocks[0]
    if len(blocks) > 1:
        raise EffectError(
            f'on "{block.outcome}", "{block.lesions[0]}" and "{blocks[1].lesions[0]}" were measured on different '
            "examples; interactions compare runs on the same ones. Finish the study, or select what all runs share"
        )
    if block.kind is Kind.CATEGORICAL:
        raise EffectError(
            f'"{block.outcome}" is a category, and differences of categories mean nothing; leave it out: '
            'table.select(outcome="answer_logprob")'
        )
    if (block.factual != block.factual[0]).any():
        raise EffectError(
            f'the factual "{block.outcome}" differs between the runs of the design; run them all in one call'
        )
    place = {name: i for i, name in enumerate(block.lesions)}
    values = np.stack([block.counterfactual[place[run.name]] if run.parts else block.factual[0] for run in design.runs])
    frame = table.frame
    example = pd.factorize(frame["example"])[1][block.unit]
    clusters: Mapping[str, str] = dict(zip(frame["example"], frame["cluster"], strict=True))
    return Responses(
        design,
        values,
        block,
        tuple(str(e) for e in example),
        tuple(str(clusters[e]) for e in example),
        tuple(int(s) for s in np.unique(frame["seed"])[block.seed]),
    )
