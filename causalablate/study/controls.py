"""Size-matched random controls: would any heads of this tower have done the same?"""

import hashlib
import math
from collections.abc import Iterator, Sequence

import numpy as np

from causalablate.component import Component, ComponentMap
from causalablate.intervention import Lesion
from causalablate.offs import Off

_MAX_DRAWS_PER_CONTROL = 50


def random_heads(lesion: Lesion, components: ComponentMap, *, n: int, seed: int) -> list[Lesion]:
    """Random lesions that match `lesion` in number of heads, tower and kind of off.

    Heads of the lesion itself are left out where the tower has enough others; otherwise a control may share some of
    them, but is never the lesion itself. All controls differ.

    Args:
        lesion: The lesion to control for.
        components: The components of the model.
        n: Controls wanted; fewer come back where the towers do not have that many distinct sets.
        seed: Seed; the draw also depends on the lesion, never on the order of lesions.
    Returns:
        The controls; empty where the lesion touches anything but heads, or every head of its towers.
    """
    parts = lesion.resolve(components)
    if not parts or any(component.kind != "head" for component, _ in parts):
        return []
    by_tower: dict[str | None, list[tuple[Component, Off]]] = {}
    for component, how in parts:
        by_tower.setdefault(component.tower, []).append((component, how))
    pools = [_pool(members, tower, components) for tower, members in by_tower.items()]
    sizes = [len(members) for members in by_tower.values()]
    available = math.prod(math.comb(len(pool), size) for pool, size in zip(pools, sizes, strict=True))

    rng = np.random.default_rng([seed, int.from_bytes(hashlib.sha256(lesion.name.encode()).digest()[:8], "big")])
    itself = frozenset(component.address for component, _ in parts)
    found: dict[frozenset[str], Lesion] = {}
    for _ in range(_MAX_DRAWS_PER_CONTROL * n):
        if len(found) == min(n, available):
            break
        drawn = list(_draw(rng, pools, sizes))
        heads = frozenset(drawn)
        if heads != itself and heads not in found:
            offs = [how for members in by_tower.values() for _, how in members]
            found[heads] = Lesion(tuple(zip(drawn, offs, strict=True)))
    return list(found.values())


def _pool(members: Sequence[tuple[Component, Off]], tower: str | None, components: ComponentMap) -> list[str]:
    """Addresses of the heads that controls may use, in model order."""
    taken = {component.address for component, _ in members}
    heads = [c.address for c in components.values() if c.kind == "head" and c.tower == tower]
    others = [address for address in heads if address not in taken]
    return others if len(others) >= len(taken) else heads


def _draw(rng: np.random.Generator, pools: Sequence[list[str]], sizes: Sequence[int]) -> Iterator[str]:
    for pool, size in zip(pools, sizes, strict=True):
        yield from (pool[i] for i in rng.choice(len(pool), size, replace=False))
