"""What a family says of one loaded module: its towers, its connector, its image positions."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from causalablate.component import Component, ComponentMap, Site
from causalablate.engine.tail import Tail
from causalablate.errors import CheckpointError
from causalablate.models.pretrained.towers import Tower, tower_components


@dataclass(frozen=True)
class Anatomy:
    """The parts of one loaded module, by module path.

    Attributes:
        towers: Its stacks of layers, in the order of the forward pass.
        connector: What carries image features into the language model.
        extra: Components of this family alone: deepstack mergers, Q-Former queries, cross-attention.
        image_token: Id in `input_ids` that marks a position filled with an image; None: there is none.
        tails: Where only some positions are read, see `Tail`.
        packed: How many rows the vision tower gets depends on the sizes of the images (tiles, packed patches).
        joined: One sequence holds the patches of all images, so that examples run one at a time.
        images: Number of the image at each position, -1 elsewhere, shape (rows, length), from the inputs; None: every
            image has as many positions as any other.
        decoder: The language model encodes the prompt, and its last tower, a decoder, answers from a position of its
            own: none of the prompt's positions is `answer`.
    """

    towers: tuple[Tower, ...]
    connector: str | None = None
    extra: tuple[Component, ...] = ()
    image_token: int | None = None
    tails: tuple[Tail, ...] = ()
    packed: bool = False
    joined: bool = False
    images: Callable[[Mapping[str, Any]], Tensor] | None = None
    decoder: bool = False


def components(anatomy: Anatomy, module: nn.Module) -> ComponentMap:
    """Every component, in the order of the forward pass.

    Raises:
        CheckpointError: The module has no such part: it is built otherwise than the family says.
    """
    found = ComponentMap(_components(anatomy))
    known = {name for name, _ in module.named_modules()}
    for component in found.values():
        for site in component.sites:
            if site.module not in known:
                raise CheckpointError(
                    f"{component.address} would be {site.module}, and a {type(module).__name__} built from this config "
                    "has no such module. Name the parts yourself: "
                    "causalablate.wrap(module, components={...}, answers=...)"
                )
    return found


def _components(anatomy: Anatomy) -> Iterator[Component]:
    n_before = next((i for i, tower in enumerate(anatomy.towers) if tower.tokens), len(anatomy.towers))
    language = anatomy.towers[n_before:]
    for tower in anatomy.towers[:n_before]:
        yield from tower_components(tower)
    if anatomy.connector is not None:
        yield Component("connector", "connector", (Site(anatomy.connector),))
    yield from anatomy.extra
    if language:
        first = Site(f"{language[0].layers}.0", "input", tokens=True)
        for group in ("question", "image") if anatomy.decoder else ("question", "image", "answer"):
            if group != "image" or anatomy.image_token is not None:
                site = Site(first.module, first.at, tokens=True, group=group)
                yield Component(f"tokens.{group}", "tokens", (site,))
    for tower in language:
        yield from tower_components(tower)
