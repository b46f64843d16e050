"""Which lesions gradients can speak about."""

from collections.abc import Iterable, Mapping

from causalablate import offs
from causalablate.component import Component
from causalablate.errors import LesionError
from causalablate.intervention import Lesion, OffSpec, do
from causalablate.models import Model
from causalablate.offs import Off

Asked = Lesion | str | Iterable[Lesion | str] | Mapping[str, Lesion]
_CUT = "an attention edge is cut, not moved by a step that a gradient could follow"
_ELSEWHERE = "its activation comes from another world, which a factual run does not visit"
_STAND_IN = "another component or module does its work, and no gradient says what that would change"


def unscreenable(component: Component, how: Off) -> str | None:
    """Why gradients say nothing about a component being off in this way, or None where they do."""
    if component.kind == "edge" or how.kind == "knockout":
        return _CUT
    if how.world() is not None:
        return _ELSEWHERE
    return _STAND_IN if how.kind == "replace" else None


def screenable_lesions(lesions: Asked, model: Model, off: OffSpec | None) -> tuple[dict[str, Lesion], dict[str, str]]:
    """Lesions by name, and what the globs matched but could not be screened.

    Args:
        lesions: `Lesion`s, by name or not; or addresses and globs, one lesion per component that they match.
        model: The model.
        off: How components given by address or glob are off.
    Returns:
        The lesions in the order asked for, and address to reason of each component that a glob matched but that does
        not admit the off or has no gradient. Whatever is asked for by its own address is an error instead.
    Raises:
        ComponentNotFoundError: An address or glob matches nothing.
        LesionError: A string without `off`, a lesion that cannot be screened, an empty one, or none at all.
    """
    named: dict[str, Lesion] = {}
    excluded: dict[str, str] = {}
    if isinstance(lesions, Mapping):
        named = dict(lesions)
    else:
        named, excluded = _named([lesions] if isinstance(lesions, Lesion | str) else lesions, model, off)
    for name, lesion in named.items():
        if not len(lesion):
            raise LesionError(f'"{name}" is the empty lesion: it has no site; give lesions such as do("lm.layers.0")')
        for component, how in lesion.resolve(model.components):
            if (reason := unscreenable(component, how)) is not None:
                raise _refusal(component, how, reason)
    if not named:
        why = next((f": {address} cannot, {reason}" for address, reason in excluded.items()), "")
        raise LesionError(f"there is nothing to screen{why}; give at least one lesion, or another off")
    return named, excluded


def _named(
    lesions: Iterable[Lesion | str], model: Model, off: OffSpec | None
) -> tuple[dict[str, Lesion], dict[str, str]]:
    named: dict[str, Lesion] = {}
    excluded: dict[str, str] = {}
    for item in lesions:
        if isinstance(item, Lesion):
            named[item.name] = item
            continue
        if off is None:
            raise LesionError(f'"{item}": say how it is off with off=..., or pass do("{item}", off=...)')
        how = offs.off(off)
        for component in model.components.select(item):
            reason = how.refuses(component) or unscreenable(component, how)
            if reason is None or item in model.components:
                lesion = do(component.address, off=how)
                named[lesion.name] = lesion
            else:
                excluded[component.address] = reason
    return named, excluded


def _refusal(component: Component, how: Off, reason: str) -> LesionError:
    return LesionError(
        f"{component.address}={how} cannot be screened by gradients: {reason}; "
        "measure it exactly with counterfactuals()"
    )
