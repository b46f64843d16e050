"""Size-matched random components: would any others of this kind have done the same?"""

import hashlib
import itertools
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from causalablate.component import Component, ComponentMap, narrowed
from causalablate.errors import LesionError
from causalablate.intervention import Lesion
from causalablate.offs import Off
from causalablate.study.controls.sizes import Size, slices

_DRAWS_PER_CONTROL = 50


@dataclass(frozen=True)
class _Stratum:
    """Parts of a lesion that are of one kind, tower and size, and what may stand in for them.

    Attributes:
        offs: How they are off.
        pool: As many components or more.
    """

    offs: tuple[Off, ...]
    pool: tuple[Component, ...]


def random_components(
    lesion: Lesion, components: ComponentMap, *, n: int, seed: int = 0, size: Size = slices
) -> list[Lesion]:
    """Random lesions of as many components of each kind, tower and size, off the same way.

    For the parts of one kind, tower and size, controls are drawn from the first of these that holds enough: others of
    that size; all of that size, so that a control shares some with the lesion; others of any size; all of any size.
    Left out are components that refuse the off or that the off reads, and of modules inside modules of one kind those
    that hold a lesioned one or lie in it. A control is never the lesion itself.

    Args:
        lesion: The lesion to control for.
        components: The components of the model.
        n: Controls wanted; fewer come back where there are not so many distinct sets.
        seed: Seed; the draw also depends on the lesion, never on other lesions.
        size: Size of a component.
    Raises:
        LesionError: For some part there is no other component.
    """
    parts = lesion.resolve(components)
    itself = frozenset(component.address for component, _ in parts)
    strata = _strata(parts, components, size)
    available = math.prod(math.comb(len(stratum.pool), len(stratum.offs)) for stratum in strata)
    rng = np.random.default_rng([seed, int.from_bytes(hashlib.sha256(lesion.name.encode()).digest()[:8], "big")])
    found: dict[frozenset[str], Lesion] = {}
    for _ in range(_DRAWS_PER_CONTROL * n):
        if len(found) == min(n, available):
            break
        drawn = [stratum.pool[i] for stratum in strata for i in rng.choice(len(stratum.pool), len(stratum.offs), False)]
        addresses = frozenset(component.address for component in drawn)
        alone = not any(_nested(a, b) for a, b in itertools.combinations(drawn, 2))
        if len(addresses) == len(parts) and addresses != itself and addresses not in found and alone:
            offs = [how for stratum in strata for how in stratum.offs]
            found[addresses] = Lesion(tuple((c.address, how) for c, how in zip(drawn, offs, strict=True)))
    return list(found.values())


def _strata(parts: Sequence[tuple[Component, Off]], components: ComponentMap, size: Size) -> list[_Stratum]:
    members: dict[tuple[object, ...], list[tuple[Component, Off]]] = {}
    for component, how in parts:
        group = component.address.partition("@")[2]
        members.setdefault((component.kind, component.tower, group, size(component)), []).append((component, how))
    taken = {component.address: component for component, _ in parts}
    return [_Stratum(tuple(how for _, how in some), _pool(some, taken, components, size)) for some in members.values()]


def _pool(
    members: Sequence[tuple[Component, Off]], taken: dict[str, Component], components: ComponentMap, size: Size
) -> tuple[Component, ...]:
    """The components that may stand in for those of one stratum, in model order."""
    first, offs = members[0][0], dict.fromkeys(how for _, how in members)
    peers = [
        c
        for c in _peers(first, components)
        if all(how.refuses(c) is None and c.address not in how.reads() for how in offs)
        and not any(_nested(c, other) for other in taken.values())
    ]
    alike = [c for c in peers if size(c) == size(first)]
    own = {component.address for component, _ in members}
    for pool in (alike, peers):
        others = [c for c in pool if c.address not in taken]
        if len(others) >= len(members):
            return tuple(others)
        # Of components in other strata of the lesion those keep their places.
        rest = [c for c in pool if c.address not in taken or c.address in own]
        if len(rest) > len(members):
            return tuple(rest)
    where = f" of {first.tower}" if first.tower else ""
    raise LesionError(
        f"no size-matched control for {', '.join(sorted(own))}: no other component of kind {first.kind}{where} can be "
        f"off by {' and '.join(map(str, offs))}. Use controls of kind directions, which change the same component"
    )


def _peers(component: Component, components: ComponentMap) -> list[Component]:
    """All components of the same kind and tower, in the same form: at the same positions, or the stream as well."""
    whole, _, group = component.address.partition("@")
    if whole in components:
        found = [c for c in components.values() if (c.kind, c.tower) == (component.kind, component.tower)]
        if group:
            found = [c for c in found if all(site.tokens and site.group is None for site in c.sites)]
    else:
        # What the map does not list, such as the residual stream, exists in every layer.
        every = components.select(re.sub(r"(?<=\.)\d+(?=\.)", "*", whole))
        found = [c for c in every if c.tower == component.tower]
    return [narrowed(c, group) for c in found] if group else found


def _nested(one: Component, other: Component) -> bool:
    """Whether they are of one kind, and a module of the one lies inside a module of the other."""
    pairs = itertools.product({site.module for site in one.sites}, {site.module for site in other.sites})
    return one.kind == other.kind and any(_holds(a, b) or _holds(b, a) for a, b in pairs)


def _holds(outer: str, inner: str) -> bool:
    return outer != inner and (not outer or inner.startswith(f"{outer}."))
