"""The end of a forward, where only some positions are read: the others need not be computed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from causalablate.engine.hooks import Forward, Place


@dataclass(frozen=True)
class Tail:
    """Position-wise modules of the last layer of a stack, and what is read of them.

    In a decoder: the last layer's output projection, its second norm, its MLP, and the final norm; before them the
    query projection, since nobody reads what the other positions would ask.

    Attributes:
        modules: Dotted paths, in the order in which they run. Each maps (rows, length, width) position by position.
        positions: For each call of them in one forward, the positions that are read afterwards; negative ones count
            from the end. Everything else comes out as NaN, so that a wrong declaration cannot go unnoticed.
    """

    modules: tuple[str, ...]
    positions: tuple[tuple[int, ...], ...]

    def admits(self, places: Sequence[Place]) -> bool:
        """Whether lesions at these places leave the unread positions out of what they measure.

        The input of the first module is complete, and so are attention masks; everything behind is not.
        """
        whole = (self.modules[0], "input")
        return all(place == whole or place[1] == "attention_mask" or not self._holds(place[0]) for place in places)

    def _holds(self, path: str) -> bool:
        return any(
            path == module or module.startswith(path + ".") or path.startswith(module + ".") for module in self.modules
        )


def at_positions(positions: Sequence[int], forward: Forward, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor:
    """Run a position-wise module at some positions only; NaN elsewhere."""
    x, *rest = args if args else (kwargs["hidden_states"],)
    index = sorted({position % x.shape[1] for position in positions})
    part = x[:, index] if len(index) > 1 else x[:, index[0] : index[0] + 1]
    part = forward(part, *rest, **kwargs) if args else forward(**{**kwargs, "hidden_states": part})
    whole: Tensor = part.new_full((x.shape[0], x.shape[1], *part.shape[2:]), float("nan"))
    whole[:, index] = part
    return whole
