"""Other donors: does the effect depend on which examples the donors happened to be?"""

from dataclasses import replace

from causalablate.errors import LesionError
from causalablate.intervention import Lesion
from causalablate.offs import Direction, Off, Patch, Region, Resample


def other_donors(lesion: Lesion, *, n: int) -> list[Lesion]:
    """The lesion with donors of other draws, the n after its own. All components of a control share their donors.

    Args:
        lesion: The lesion to control for.
        n: Controls wanted.
    Raises:
        LesionError: No part of it draws donors.
    """
    controls = [Lesion(tuple((address, _redrawn(how, by)) for address, how in lesion)) for by in range(1, n + 1)]
    if lesion in controls:
        raise LesionError(
            f"no other donors for {lesion}: none of its parts is resample, and a paired donor is not drawn. "
            "Use controls of kind components or directions"
        )
    return controls


def _redrawn(how: Off, by: int) -> Off:
    """The same off with donors of a later draw; itself where it has none."""
    match how:
        case Resample(donor="other"):
            return replace(how, draw=how.draw + by)
        case Region() | Direction():
            return replace(how, off=_redrawn(how.off, by))
        case Patch():
            return Patch(tuple((address, _redrawn(inner, by)) for address, inner in how.at))
    return how
