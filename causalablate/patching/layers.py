"""The layers of a tower, and windows of them."""

from causalablate.component import ComponentMap
from causalablate.errors import LesionError


def layers_of(components: ComponentMap, tower: str) -> int:
    """How many layers a tower has.

    Raises:
        ComponentNotFoundError: The model has no layers of that name.
    """
    return len(components.select(f"{tower}.layers.*"))


def window(layer: int, width: int, n_layers: int) -> tuple[int, int]:
    """First and last of `width` layers around one, cut at the ends of the tower.

    Raises:
        LesionError: `width` is below 1.
    """
    if width < 1:
        raise LesionError(f"width is {width}; a window holds at least 1 layer")
    first = layer - (width - 1) // 2
    return max(0, first), min(n_layers - 1, first + width - 1)


def at_layers(tower: str, first: int, last: int, part: str) -> str:
    """Glob of a part of some layers, e.g. `lm.layers.{3..7}.mlp`."""
    layers = str(first) if first == last else f"{{{first}..{last}}}"
    return f"{tower}.layers.{layers}{'.' if part else ''}{part}"
