"""Controls: lesions that say what an effect would be if the component, the direction or the donors were any other."""

from causalablate.component import ComponentMap
from causalablate.errors import LesionError, nearest
from causalablate.intervention import Lesion
from causalablate.study.controls.components import random_components
from causalablate.study.controls.directions import random_directions
from causalablate.study.controls.donors import other_donors
from causalablate.study.controls.sizes import Size, parameters_in, slices

KINDS = ("components", "directions", "donors")
"""Kinds of control, in the order of tables and figures."""


def controls_of(
    lesion: Lesion, components: ComponentMap, *, kind: str, n: int = 19, seed: int = 0, size: Size = slices
) -> list[Lesion]:
    """Controls for one lesion, of one kind, all different from each other and from the lesion.

    - `components`: as many random components of the same kind, tower and size, off the same way.
    - `directions`: the same components, moved as far at each position, in random directions.
    - `donors`: the same resampling, with other donors.

    Args:
        lesion: The lesion to control for.
        components: The components of the model, `model.components`.
        kind: Of the controls.
        n: How many; fewer come back where there are not so many sets of components. With 19, `p_control` can be 0.05.
        seed: Of the draw of components, which depends on the lesion besides, never on other lesions. Directions and
            donors are numbered; what they are follows from the seed of the run.
        size: Size of a component; `parameters_in(model.module)` counts parameters too.
    Raises:
        LesionError: There is no such kind, or no such control for this lesion; the message says why.
        ComponentNotFoundError: An address or glob of the lesion matches nothing.
    """
    if n < 1:
        raise LesionError(f"n is {n}; ask for at least one control, better for 19, with which p_control can be 0.05")
    if not lesion.resolve(components):
        raise LesionError("the empty lesion changes nothing, so there is nothing to control for")
    match kind:
        case "components":
            return random_components(lesion, components, n=n, seed=seed, size=size)
        case "directions":
            return random_directions(lesion, components, n=n)
        case "donors":
            return other_donors(lesion, n=n)
    raise LesionError(f'no kind of control "{kind}"{nearest(kind, KINDS)}; there are {", ".join(KINDS)}')


__all__ = [
    "KINDS",
    "Size",
    "controls_of",
    "other_donors",
    "parameters_in",
    "random_components",
    "random_directions",
    "slices",
]
