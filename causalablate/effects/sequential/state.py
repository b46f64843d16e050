"""Effects that are updated as examples arrive: a value that grows by batches."""

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from causalablate.effects.blocks import paired_blocks
from causalablate.effects.order import in_order
from causalablate.effects.sequential.over_time import (
    Assumptions,
    attributes,
    block_sequence,
    smallest_of,
)
from causalablate.effects.sequential.stopping import StopRule
from causalablate.errors import EffectError
from causalablate.table import Counterfactuals

STATE_COLUMNS = ("outcome", "lesion", "n_units", "n_rows", "ate", "ci_low", "ci_high", "interval_method", "label")


@dataclass(frozen=True)
class SequentialEffects:
    """What is known so far. Claims hold at every batch together, so one may stop after any.

    The batches are kept: the numbers after the last are those of all rows at once in the order in which they came,
    however they were cut into batches. Examples must come in random order, as independent draws of a population.

    Attributes:
        assumed: Level, smallest effect of interest, bounds.
        batches: Tables so far.
    """

    assumed: Assumptions = field(default_factory=Assumptions)
    batches: tuple[Counterfactuals, ...] = ()

    def update(self, batch: Counterfactuals) -> "SequentialEffects":
        """The state after one more batch.

        Args:
            batch: New examples under every lesion, outcome and seed of the batches before it, clusters whole.
        Raises:
            EffectError: The batch cannot be paired, a lesion lacks some of its examples, an example or cluster was in
                an earlier batch, or lesions, outcomes, seeds or categories differ.
        """
        _check_whole(batch)
        if self.batches:
            _check_same(batch, self.batches[0])
            for column in ("example", "cluster"):
                _check_new(batch, self.batches, column)
        return replace(self, batches=(*self.batches, batch))

    def effects(self) -> pd.DataFrame:
        """Effects on all examples so far, with intervals that hold at all times together.

        Returns:
            One row per outcome and lesion, the columns `STATE_COLUMNS`; they mean what they mean in `effect_sequence`.
        Raises:
            EffectError: No batch has come yet, or an assumption names an unknown outcome or is broken by an effect.
        """
        if not self.batches:
            raise EffectError("no batch has come yet, so there are no effects; state = state.update(table)")
        table = Counterfactuals(
            pd.concat([batch.frame for batch in self.batches], ignore_index=True), self.batches[0].labels
        )
        blocks = paired_blocks(table)
        smallest = smallest_of(blocks, self.assumed)
        parts = [
            block_sequence(
                block,
                np.arange(block.n_clusters),
                np.array([block.n_clusters]),
                "population",
                self.assumed,
                smallest[block.outcome],
                StopRule(),
            )
            for block in blocks
        ]
        frame = in_order(pd.concat(parts, ignore_index=True), table)[list(STATE_COLUMNS)]
        frame.attrs = attributes(blocks, smallest, self.assumed)
        return frame


def _check_whole(batch: Counterfactuals) -> None:
    """Every lesion on the same rows: one block per outcome, each example under every seed."""
    for block in paired_blocks(batch):
        if len(block.lesions) < len(batch.lesions):
            missing = next(name for name in batch.lesions if name not in block.lesions)
            raise EffectError(
                f'lesions "{block.lesions[0]}" and "{missing}" were measured on different examples for '
                f'"{block.outcome}"; pass batches in which every lesion has every example'
            )
        if block.n_rows < block.n_units * block.n_seeds:
            raise EffectError(
                f'some examples lack a seed for "{block.outcome}": {block.n_units} examples and {block.n_seeds} seeds, '
                f"but {block.n_rows} rows; pass batches in which every example has every seed"
            )


def _check_same(batch: Counterfactuals, first: Counterfactuals) -> None:
    pairs = (
        ("lesions", set(batch.lesions), set(first.lesions)),
        ("outcomes", set(batch.outcomes), set(first.outcomes)),
        ("seeds", set(batch.frame["seed"]), set(first.frame["seed"])),
        ("models", set(batch.frame["model"]), set(first.frame["model"])),
    )
    for what, here, there in pairs:
        if here != there:
            odd = sorted(map(str, here ^ there))[0]
            raise EffectError(
                f'the {what} of the batches differ: "{odd}" is in one and not in the other; '
                "pass the same in every batch"
            )
    if {k: list(v) for k, v in batch.labels.items()} != {k: list(v) for k, v in first.labels.items()}:
        raise EffectError("the categories of the batches differ; pass tables with the same labels")


def _check_new(batch: Counterfactuals, before: tuple[Counterfactuals, ...], column: str) -> None:
    new = batch.frame[column].unique()
    for i, earlier in enumerate(before):
        again = np.isin(new.astype(str), earlier.frame[column].unique().astype(str))
        if again.any():
            what = "an example counts once" if column == "example" else "a cluster is one draw and comes whole"
            raise EffectError(f'the {column} "{new[again][0]}" was already in batch {i + 1}; {what}')
