"""Norm-matched random directions: would any change of this size at this place have done the same?"""

from causalablate.component import ComponentMap
from causalablate.errors import LesionError
from causalablate.intervention import Lesion
from causalablate.offs import Direction


def random_directions(lesion: Lesion, components: ComponentMap, *, n: int) -> list[Lesion]:
    """The lesion with each off's change turned into a random direction, draws 0 to n - 1.

    Args:
        lesion: The lesion to control for.
        components: The components of the model.
        n: Controls wanted.
    Raises:
        LesionError: A component has a range, or no directions (an attention edge), or is moved at random already.
    """
    try:
        controls = [Lesion(tuple((address, Direction(how, draw)) for address, how in lesion)) for draw in range(n)]
        for control in controls[:1]:
            control.resolve(components)
    except LesionError as error:
        raise LesionError(f"no norm-matched control for {lesion}: {error}") from None
    return controls
