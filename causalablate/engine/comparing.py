"""What components say in one world beside what they say in another."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from causalablate.component import Component, Site
from causalablate.engine.groups import positions
from causalablate.engine.nested import Activations
from causalablate.engine.recording import Recording


def compared(
    components: Sequence[Component],
    there: Activations,
    here: Activations,
    recording: Recording,
    measure: Callable[[Tensor, Tensor], Tensor],
) -> dict[str, np.ndarray]:
    """Measure every component in two worlds of the same rows.

    Args:
        components: Whose activations.
        there: Activations of one world.
        here: Activations of the other.
        recording: A run of the rows.
        measure: (there, here), each shape (n, features) -> shape (n,) or (n, k).
    Returns:
        By address, the measure, float32; NaN, shape (n,), where the component ran in neither or only in one of them.
    """
    return {component.address: _compared(component, there, here, recording, measure) for component in components}


def _compared(
    component: Component,
    there: Activations,
    here: Activations,
    recording: Recording,
    measure: Callable[[Tensor, Tensor], Tensor],
) -> np.ndarray:
    first, second = (flattened(component, world, recording) for world in (there, here))
    if first is None or second is None or first.shape != second.shape:
        return np.full(len(recording.keys), np.nan, dtype=np.float32)
    return measure(first, second).float().cpu().numpy()


def flattened(component: Component, world: Activations, recording: Recording) -> Tensor | None:
    """All that a component says, shape (n, features), float64: sites, calls and positions one after the other.

    Padding is zero. None if it never ran.
    """
    # Activations are in the order in which the forward came by.
    passed = [(site, x) for (place, _), x in world.items() for site in component.sites if site.place == place]
    n = len(recording.keys)
    found = [
        _only(site.part(x), site, recording).double().reshape(n, -1)
        for act, (site, x) in enumerate(passed)
        if component.acts(act)
    ]
    return torch.cat(found, dim=1) if found else None


def _only(x: Tensor, site: Site, recording: Recording) -> Tensor:
    """What is not at the positions of the site is zero."""
    if not site.tokens or site.packed:
        return x
    where = positions(recording.groups, site.group or "all") & recording.groups["all"]
    if where.shape != x.shape[:2]:
        return x
    return torch.where(where.to(x.device).reshape(where.shape + (1,) * (x.ndim - 2)), x, torch.zeros_like(x))
