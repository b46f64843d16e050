"""The `tensors` example set: arrays that a wrapped module takes, and what it should answer."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from causalablate.errors import ExampleError
from causalablate.examples.base import Example, ExampleSet


def tensors(
    inputs: Any,
    answers: Sequence[Any],
    *,
    ids: Sequence[str] | None = None,
    groups: Mapping[str, Sequence[Any]] | None = None,
    clusters: Sequence[Any] | None = None,
    name: str = "tensors",
) -> ExampleSet:
    """Make examples of batched tensors: entry i of everything is example i.

    Args:
        inputs: What the module's forward takes: one tensor or array, shape (examples, ...); a tuple of them, in the
            order of its arguments; or a mapping by argument name. In place of a tensor, a list of arrays, one per
            example.
        answers: The true answer of each example: class numbers or names, in the words of `wrap(answers=...)`.
        ids: Unique names; default 0, 1, ...
        groups: Group name to labels, one per example, e.g. `{"digit": y}`.
        clusters: What examples that depend on each other share, e.g. the person they were measured on.
        name: Of the set.
    Raises:
        ExampleError: Nothing is given, or two things have different lengths.
    """
    columns = _columns(inputs)
    named = {"answers": _labels(answers), **{f"groups[{n!r}]": _labels(g) for n, g in (groups or {}).items()}}
    named |= {what: _labels(x) for what, x in (("ids", ids), ("clusters", clusters)) if x is not None}
    n = len(named["answers"])
    for what, column in [*((f"input {c!r}", x) for c, x in columns.items()), *named.items()]:
        if len(column) != n:
            raise ExampleError(f"{what} has {len(column)} entries for {n} answers; give one per example.")
    return ExampleSet(
        name,
        tuple(
            Example(
                id=named["ids"][i] if ids is not None else str(i),
                answer=named["answers"][i],
                groups={group: named[f"groups[{group!r}]"][i] for group in groups or {}},
                cluster=named["clusters"][i] if clusters is not None else "",
                inputs={column: np.asarray(x[i]) for column, x in columns.items()},
            )
            for i in range(n)
        ),
    )


def _columns(inputs: Any) -> dict[str, Any]:
    given = (
        inputs if isinstance(inputs, Mapping) else dict(enumerate(inputs if isinstance(inputs, tuple) else (inputs,)))
    )
    if not given:
        raise ExampleError("inputs is empty; give at least one tensor with an entry per example.")
    return {str(name): [_array(e) for e in x] if isinstance(x, list) else _array(x) for name, x in given.items()}


def _array(x: Any) -> np.ndarray:
    """A tensor of any device and format as an array; formats that NumPy lacks become float32."""
    if not hasattr(x, "detach"):
        return np.asarray(x)
    x = x.detach().cpu()
    return np.asarray(x.float() if str(x.dtype) in ("torch.bfloat16", "torch.float16") else x)


def _labels(values: Any) -> list[str]:
    return [str(v) for v in (values.tolist() if hasattr(values, "tolist") else values)]
