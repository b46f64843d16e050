"""The layers of a tower that hold a part, and windows of them."""

import re

from causalablate.component import ComponentMap
from causalablate.errors import LesionError


def layers_with(components: ComponentMap, tower: str, part: str) -> list[int]:
    """Numbers of the layers that have a part.

    Args:
        components: Of the model.
        tower: `lm`, `vision`, ...
        part: What follows the layer in an address, a glob; nothing for the layers themselves.
    Raises:
        ComponentNotFoundError: None has.
    """
    found = components.select(at_layers(tower, "*", part))
    number = re.compile(re.escape(tower) + r"\.layers\.(\d+)")
    return sorted({int(match[1]) for c in found if (match := number.match(c.address))})


def window(layer: int, width: int, last: int) -> tuple[int, int]:
    """First and last of `width` layers around one, cut at the ends of the tower.

    Raises:
        LesionError: `width` is below 1.
    """
    if width < 1:
        raise LesionError(f"width is {width}; a window holds at least 1 layer")
    first = layer - (width - 1) // 2
    return max(0, first), min(last, first + width - 1)


def in_window(tower: str, first: int, last: int, part: str) -> str:
    """Glob of a part of some layers, e.g. `lm.layers.{3..7}.mlp`."""
    return at_layers(tower, str(first) if first == last else f"{{{first}..{last}}}", part)


def at_layers(tower: str, layers: str, part: str) -> str:
    """Glob of a part of the layers that a glob names."""
    return f"{tower}.layers.{layers}{'.' if part else ''}{part}"
