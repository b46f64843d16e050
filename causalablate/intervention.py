"""Lesions: `do(component=off)` as a value."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from causalablate.component import Component, ComponentMap
from causalablate.errors import LesionError
from causalablate.offs import Off, off

OffSpec = Off | str | Mapping[str, Any]


@dataclass(frozen=True)
class Lesion:
    """Components and how each is off. Hashable, serialisable, composable with `&`; the order never matters.

    Attributes:
        parts: Pairs of address (or glob) and off, sorted by address, each address once.
    """

    parts: tuple[tuple[str, Off], ...] = ()

    def __post_init__(self) -> None:
        merged: dict[str, Off] = {}
        for address, how in self.parts:
            if merged.setdefault(address, how) != how:
                raise LesionError(
                    f'"{address}" is lesioned twice, as {merged[address]} and as {how}; a component is off in one way'
                )
        object.__setattr__(self, "parts", tuple(sorted(merged.items(), key=lambda part: part[0])))

    def __and__(self, other: "Lesion") -> "Lesion":
        return Lesion(self.parts + other.parts)

    def __iter__(self) -> Iterator[tuple[str, Off]]:
        return iter(self.parts)

    def __len__(self) -> int:
        return len(self.parts)

    @property
    def name(self) -> str:
        """Canonical text, e.g. `passes.fine=mean & query.static=zero`; `nothing` for the empty lesion."""
        return " & ".join(f"{address}={how}" for address, how in self.parts) or "nothing"

    def __str__(self) -> str:
        return f"do({self.name})"

    def to_json(self) -> list[dict[str, Any]]:
        """A list of `{component, off}`; `Lesion.from_json` is the inverse."""
        return [{"component": address, "off": how.to_json()} for address, how in self.parts]

    @classmethod
    def from_json(cls, parts: list[dict[str, Any]]) -> "Lesion":
        """Build from what `to_json` gave."""
        return cls(tuple((part["component"], off(part["off"])) for part in parts))

    def resolve(self, components: ComponentMap) -> list[tuple[Component, Off]]:
        """The components it touches in one model, in address order, each with its off.

        Raises:
            ComponentNotFoundError: An address or glob matches nothing.
            LesionError: Two parts reach one component differently, or a component refuses its off.
        """
        found: dict[str, tuple[Component, Off]] = {}
        for pattern, how in self.parts:
            for component in components.select(pattern):
                if (reason := how.refuses(component)) is not None:
                    raise LesionError(f"{component.address} cannot be off by {how}: {reason}")
                if found.setdefault(component.address, (component, how))[1] != how:
                    raise LesionError(f'"{component.address}" is reached twice in {self}, with different offs')
                for address in how.reads():
                    components[address]
                if (world := how.world()) is not None:
                    Lesion(world).resolve(components)
        return [found[address] for address in sorted(found)]

    def resolve_all(self, components: ComponentMap) -> list[tuple[Component, Off]]:
        """What `resolve` gives, and the same for the other worlds that the lesion reads."""
        parts = self.resolve(components)
        worlds = [Lesion(world) for _, how in parts if (world := how.world()) is not None]
        return [*parts, *(part for lesion in worlds for part in lesion.resolve_all(components))]


def do(components: str | Mapping[str, OffSpec], *more: str, off: OffSpec | None = None) -> Lesion:
    """Switch components off.

    `do("passes.fine", off="mean")`, `do("scorers.*", "opponent.*", off="zero")`, or
    `do({"passes.fine": "mean", "query.static": {"kind": "noise", "std": 3.0}})`.

    Args:
        components: An address or glob, or a mapping from addresses and globs to offs.
        more: Further addresses for the same off.
        off: How the named components are off; only with names.
    Raises:
        LesionError: No off, or both spellings mixed, or an unknown kind.
    """
    if isinstance(components, Mapping):
        if more or off is not None:
            raise LesionError("do(): with a mapping, write the off beside each component, not as off=")
        return Lesion(tuple((address, _off(how)) for address, how in components.items()))
    if off is None:
        raise LesionError(f'do("{components}"): say how it is off, e.g. do("{components}", off="mean")')
    return Lesion(tuple((address, _off(off)) for address in (components, *more)))


_off = off
