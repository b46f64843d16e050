"""What was said in each world as a table of counterfactuals."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from causalablate.examples import ExampleSet
from causalablate.generation.worlds import World
from causalablate.models import Model
from causalablate.table import Counterfactuals, Units, rows

BothWorlds = Mapping[str, Mapping[str, np.ndarray]]
"""`factual` and `counterfactual`, each outcome name to values, shape (examples,)."""


def tabulate(
    model: Model,
    examples: ExampleSet,
    worlds: Mapping[str, World[Any]],
    outcomes: Mapping[str, BothWorlds],
    *,
    labels: Mapping[str, Sequence[str]],
    seed: int,
    study: str,
) -> Counterfactuals:
    """One row per example, lesion and outcome.

    Args:
        model: Who was asked.
        examples: The units.
        worlds: By lesion.
        outcomes: By lesion.
        labels: Of the outcomes that are categories.
        seed: Written into the table.
        study: Written into the table.
    """
    groups = dict.fromkeys(name for example in examples for name in example.groups)
    units = Units(
        [e.id for e in examples],
        [e.cluster for e in examples],
        {name: [e.groups.get(name, "") for e in examples] for name in groups},
    )
    parts = [
        rows(
            units,
            study=study,
            model=model.hash,
            precision=model.precision,
            seed=seed,
            lesion=name,
            factual=outcomes[name]["factual"],
            counterfactual=outcomes[name]["counterfactual"],
            fired=world.fired.numpy(),
            change_norm=world.change_norm.numpy(),
            categorical=labels,
        )
        for name, world in worlds.items()
    ]
    return Counterfactuals(pd.concat(parts, ignore_index=True), labels)
