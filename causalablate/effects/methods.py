"""Named methods, what each is valid for, and the refusal of those that are not."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from causalablate.effects.kinds import Kind
from causalablate.effects.paired import Paired
from causalablate.effects.structure import Structure, structure_of
from causalablate.errors import EffectError, nearest

AUTO = "auto"
UNDEFINED = "undefined: "

Run = TypeVar("Run", bound=Callable[..., Any])


@dataclass(frozen=True)
class Method(Generic[Run]):
    """A method of a table of methods.

    Attributes:
        run: What computes it.
        kinds: Kinds of outcome that it is valid for.
        structures: Structures of rows that it is valid for.
    """

    run: Run
    kinds: Sequence[Kind]
    structures: Sequence[Structure]


def refusal(name: str, method: Method[Any], paired: Paired) -> str:
    """Why a method is not valid for these outcomes; empty where it is."""
    if paired.kind not in method.kinds:
        return f"{name} is for {' or '.join(method.kinds)} outcomes"
    if structure_of(paired) not in method.structures:
        return f"{name} is for {' or '.join(method.structures)}"
    return ""


def check_method(what: str, name: str, methods: Mapping[str, Method[Any]], parts: Sequence[Paired]) -> None:
    """Raise if the name is unknown, or the method is valid for no outcome of the table.

    A method that is valid for some outcomes only is not refused: the others get NaN and a reason.

    Args:
        what: `interval` or `test`, for the message.
        name: What was asked, `auto` or a key of `methods`.
        methods: The table of methods.
        parts: All outcomes of the table.
    Raises:
        EffectError: As said.
    """
    if name == AUTO:
        return
    if name not in methods:
        raise EffectError(f'no {what} "{name}"{nearest(name, methods)}; there are {AUTO}, {", ".join(methods)}')
    reasons = [refusal(name, methods[name], block) for block in parts]
    if all(reasons):
        kinds = {block.outcome: f"{block.kind} with {structure_of(block)}" for block in parts}
        told = "; ".join(f"{outcome} is {kind}" for outcome, kind in kinds.items())
        fitting = [n for n, m in methods.items() if not all(refusal(n, m, block) for block in parts)]
        raise EffectError(
            f'{what} "{name}" fits no outcome of this table: {reasons[0]}, and {told}. '
            f"Choose {AUTO} or one of {', '.join(fitting)}."
        )
