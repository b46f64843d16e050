"""The kinds of off, one file each. A new kind is one file and one row of `OFFS`."""

import inspect
from collections.abc import Mapping
from typing import Any

from causalablate.component import Component
from causalablate.errors import LesionError, nearest
from causalablate.offs.base import Context, Off, World
from causalablate.offs.direction import Direction
from causalablate.offs.fixed import FixedMax, FixedMin
from causalablate.offs.knockout import Knockout
from causalablate.offs.mean import Mean
from causalablate.offs.noise import Noise
from causalablate.offs.patch import Patch
from causalablate.offs.region import Region
from causalablate.offs.replace import Replace
from causalablate.offs.resample import Resample
from causalablate.offs.scale import Scale
from causalablate.offs.shuffle import Shuffle
from causalablate.offs.uniform import Uniform
from causalablate.offs.value import Value
from causalablate.offs.zero import Zero

OFFS: dict[str, type[Off]] = {
    cls.kind: cls
    for cls in (
        Zero,
        Mean,
        Resample,
        Patch,
        Noise,
        Value,
        Scale,
        Region,
        Direction,
        Replace,
        Knockout,
        Uniform,
        Shuffle,
        FixedMin,
        FixedMax,
    )
}


def off(spec: "Off | str | Mapping[str, Any]") -> Off:
    """Make an off from a kind name or from `{"kind": ..., parameters}`.

    Raises:
        LesionError: The kind or a parameter is unknown, or a parameter is out of range.
    """
    if isinstance(spec, Off):
        return spec
    parameters: dict[str, Any] = {"kind": spec} if isinstance(spec, str) else dict(spec)
    kind = parameters.pop("kind", None)
    if kind not in OFFS:
        raise LesionError(f'no off "{kind}"{nearest(str(kind), OFFS)}; there are {", ".join(OFFS)}')
    if kind == "value":
        return _value(parameters)
    known = [p for p in inspect.signature(OFFS[kind]).parameters if p != "module"]
    for name in parameters:
        if name not in known:
            has = f"it takes {', '.join(known)}" if known else "it takes none"
            raise LesionError(f'off "{kind}" has no parameter "{name}"{nearest(name, known)}; {has}')
    if kind == "patch" and "at" in parameters:
        parameters["at"] = _world(parameters["at"])
    if kind == "region":
        return _region(parameters)
    if kind == "direction" and "off" in parameters:
        parameters["off"] = off(parameters["off"])
    for name in ("std", "factor"):
        if name in parameters and (isinstance(parameters[name], bool) or not isinstance(parameters[name], int | float)):
            raise LesionError(f"{kind}: {name} is {parameters[name]!r}; it must be a number")
    return OFFS[kind](**parameters)


def admitted(component: Component) -> list[str]:
    """Kinds of off that a component admits."""
    plain = [cls() for kind, cls in OFFS.items() if kind not in ("value", "replace")]
    admits = {how.kind for how in (*plain, Value.of(0.0), Replace(component.address)) if how.refuses(component) is None}
    return [kind for kind in OFFS if kind in admits]


def _value(parameters: dict[str, Any]) -> Value:
    """A study file gives `value: x`, or `calls: [x0, x1]` for a module called several times."""
    if set(parameters) == {"value"}:
        return Value.of(parameters["value"])
    if set(parameters) == {"calls"} and isinstance(parameters["calls"], list):
        return Value.of(*parameters["calls"])
    raise LesionError(f"value: give value (a number or nested lists) or calls (a list of those), not {parameters}")


def _region(parameters: dict[str, Any]) -> Off:
    """A study file gives the off and the boxes, for all examples or by example id."""
    if not parameters:
        return Region()
    if "boxes" not in parameters:
        raise LesionError("region: give boxes, as lists of left, top, right, bottom; and off, by default mean")
    return Region.of(
        off(parameters.get("off", "mean")), parameters["boxes"], parameters.get("grid"), parameters.get("start", 0)
    )


def _world(at: Any) -> World:
    """A study file gives the lesion of another world as a mapping from addresses to offs."""
    if not isinstance(at, Mapping):
        raise LesionError(
            f"patch: at is {at!r}; write the lesion of the other world as a mapping from addresses to offs, such as "
            "{tokens.image: zero}, or leave it out for the factual world"
        )
    return tuple((str(address), off(how)) for address, how in at.items())


__all__ = [
    "OFFS",
    "Context",
    "Direction",
    "FixedMax",
    "FixedMin",
    "Knockout",
    "Mean",
    "Noise",
    "Off",
    "Patch",
    "Region",
    "Replace",
    "Resample",
    "Scale",
    "Shuffle",
    "Uniform",
    "Value",
    "Zero",
    "admitted",
    "off",
]
