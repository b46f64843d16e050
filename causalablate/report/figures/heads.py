"""Which lesions switch off one attention head, one MLP or one attention of one layer, told from their names."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_LAYER = r"^(?:(?P<tower>[\w.]+?)\.)?(?:layers?|blocks?|h)\.(?P<layer>\d+)"
_PARTS = r"(?:\.(?:(?:self_attn|attention|attn)\.)?heads?\.(?P<head>\d+)|\.(?P<part>mlp|self_attn|attention|attn))$"
_ADDRESS = re.compile(_LAYER + _PARTS)
_SHORT = re.compile(r"^(?P<tower>)L(?P<layer>\d+)[. ]?(?:H(?P<head>\d+)|(?P<part>MLP|mlp|attn))$")
ATTENTION, MLP = "attention", "mlp"
LEAST = 2


@dataclass(frozen=True)
class Place:
    """A lesion of one part of one layer.

    Attributes:
        lesion: Name of the lesion.
        panel: Tower and kind of off, e.g. `lm, zero`: one map each.
        layer: Layer, from 0 as the model counts.
        head: Head, or None for a part that is not a head.
        part: `head`, `attention` or `mlp`.
    """

    lesion: str
    panel: str
    layer: int
    head: int | None
    part: str


def places(lesions: Sequence[str]) -> list[Place]:
    """The lesions of one head, MLP or attention of one layer, from maps that hold at least two; others are left out.

    Understood are `TOWER.layers.3.heads.5=OFF`, also with `blocks` or `h` for `layers`, without tower or without off,
    `...layers.3.mlp`, `...layers.3.attention` (or `attn`, `self_attn`), and the short `L3H5`, `L3MLP`.
    """
    found = []
    for name in lesions:
        address, _, off = name.partition("=")
        if "&" in name or not (match := _ADDRESS.match(address) or _SHORT.match(address)):
            continue
        panel = ", ".join(text for text in (match["tower"], off.strip()) if text)
        head = None if match["head"] is None else int(match["head"])
        part = "head" if head is not None else MLP if match["part"].lower() == MLP else ATTENTION
        found.append(Place(name, panel, int(match["layer"]), head, part))
    panels = [f.panel for f in found]
    return [f for f in found if panels.count(f.panel) >= LEAST]


def head_lesions(lesions: Sequence[str]) -> list[Place]:
    """The lesions that switch off one head, from maps that hold at least two of them; others are left out."""
    heads = [place for place in places(lesions) if place.head is not None]
    panels = [place.panel for place in heads]
    return [place for place in heads if panels.count(place.panel) >= LEAST]
