"""The table of costs: what a component takes to store and to run, if it were really taken out."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from torch import nn

from causalablate.component import Component
from causalablate.cost.counting import WHOLE, module_flops, module_seconds, modules_called
from causalablate.cost.names import addresses_of
from causalablate.cost.parameters import freed_parameters, idle_parameters
from causalablate.cost.parts import FINE, parts_of, union
from causalablate.errors import ExampleError
from causalablate.examples import Example
from causalablate.intervention import Lesion
from causalablate.models import Model

COLUMNS = ("lesion", "kind", "parameters", "flops", "time_s", "note")
"""Columns of the table of costs. Their meaning is in docs/comparisons.md."""

COARSE_ONLY = "coarse_only"
"""Mode in which a model of two passes answers after the first."""
NO_COARSE = "undefined: the fine pass reads what the coarse pass saw"


@dataclass(frozen=True)
class _Asked:
    """One row to be: its name, components, and what they amount to."""

    name: str
    components: Sequence[Component]
    shares: dict[str, float]
    fine: bool
    note: str


def component_costs(
    model: Model,
    components: Iterable[str | Lesion],
    examples: Sequence[Example],
    *,
    repetitions: int = 0,
    batch_size: int = 64,
) -> pd.DataFrame:
    """Parameters, operations and time of components: what would be saved if they were really taken out.

    A lesion works by hooks: the lesioned model is no faster. `flops` and `time_s` are what the component's own modules
    take when they run, per example. For the fine pass of a foveated model `flops` and `time_s` are the
    difference from answering after the coarse pass, `parameters` those that then never run.

    Args:
        model: The model.
        components: Addresses, globs (each component that matches is a row), lesions, or names of lesions as tables hold
            them (`lm.layers.0.mlp=mean & connector=zero`: one row for all their components together).
        examples: What it answers; operations depend on the sizes of inputs, and padding of a batch counts.
        repetitions: Forwards over all examples whose times are measured; their median is `time_s`. 0: none, NaN.
        batch_size: Most examples per forward.
    Returns:
        One row per component or lesion with the columns `COLUMNS`. Where the cost of a component is not defined
        (attention edges, token positions, the residual stream) it is NaN, and `note` says why. `attrs["total"]` holds
        the same of the whole model.
    Raises:
        ComponentNotFoundError: An address or glob matches nothing.
        ExampleError: No examples, or a size or number below one.
    """
    if not len(examples) or batch_size < 1 or repetitions < 0:
        raise ExampleError(
            f"{len(examples)} examples in batches of {batch_size}, timed {repetitions} times, cannot be measured; give "
            "at least one example, batches of at least 1, and 0 or more repetitions"
        )
    root = model.module
    two_passes = COARSE_ONLY in model.adapter.modes
    asked = [_asked(name, found, root, two_passes) for item in components for name, found in _named(model, item)]
    paths = sorted({WHOLE, *(path for row in asked for path in row.shares)})
    batches = [batch.inputs for batch in model.batches(examples, batch_size)]
    n = len(examples)
    full = _measured(root, paths, batches, n, repetitions)
    coarse, idle = full, set[int]()
    if any(row.fine for row in asked):
        coarse = _measured(root, paths, batches, n, repetitions, mode=COARSE_ONLY)
        idle = idle_parameters(root, modules_called(root, batches, mode=COARSE_ONLY))
    frame = pd.DataFrame([_row(row, root, full, coarse, idle) for row in asked], columns=list(COLUMNS))
    total = {"parameters": float(sum(p.numel() for p in root.parameters())), **full[WHOLE]}
    frame.attrs = {"total": total, "n_examples": n, "batch_size": batch_size, "repetitions": repetitions}
    return frame


def _named(model: Model, item: str | Lesion) -> list[tuple[str, list[Component]]]:
    """Rows that an argument stands for: name and components of each."""
    if isinstance(item, Lesion):
        return [(item.name, [component for component, _ in item.resolve(model.components)])]
    addresses = addresses_of(item)
    if addresses is None:
        return [(component.address, [component]) for component in model.components.select(item)]
    return [(item, [c for address in addresses for c in model.components.select(address)])]


def _asked(name: str, components: Sequence[Component], root: nn.Module, two_passes: bool) -> _Asked:
    passes = [c for c in components if two_passes and c.kind == "pass"]
    found = [parts_of(component, root) for component in components if component not in passes]
    reasons = [NO_COARSE for c in passes if c.address != FINE] + [why for _, why in found if why]
    shares = {} if reasons else union(part for parts, _ in found for part in parts)
    return _Asked(name, components, shares, bool(passes) and not reasons, next(iter(reasons), ""))


def _measured(
    root: nn.Module, paths: Sequence[str], batches: Sequence[Any], n: int, repetitions: int, **settings: Any
) -> dict[str, dict[str, float]]:
    """Operations and seconds per example of each path."""
    flops = module_flops(root, paths, batches, **settings)
    seconds = dict.fromkeys(paths, np.nan)
    if repetitions:
        measured = module_seconds(root, paths, batches, repetitions, **settings)
        seconds = {path: statistics.median(times) / n for path, times in measured.items()}
    return {path: {"flops": flops[path] / n, "time_s": seconds[path]} for path in paths}


def _row(
    row: _Asked,
    root: nn.Module,
    full: dict[str, dict[str, float]],
    coarse: dict[str, dict[str, float]],
    idle: set[int],
) -> dict[str, object]:
    kind = " + ".join(dict.fromkeys(component.kind for component in row.components))
    made: dict[str, object] = {"lesion": row.name, "kind": kind, "note": row.note}
    if row.note:
        return made | dict.fromkeys(("parameters", "flops", "time_s"), np.nan)
    left = coarse if row.fine else full
    made["parameters"] = freed_parameters(row.shares, root, idle if row.fine else set())
    for what in ("flops", "time_s"):
        made[what] = (
            full[WHOLE][what] - left[WHOLE][what] + sum(share * left[path][what] for path, share in row.shares.items())
        )
    return made
