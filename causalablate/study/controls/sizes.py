"""How large a component is, so that controls can be of the same size."""

from collections.abc import Callable

from torch import nn

from causalablate.component import Component

Size = Callable[[Component], tuple[int, ...]]
"""Components of one kind match where their sizes are equal."""


def slices(component: Component) -> tuple[int, ...]:
    """Width and positions of the slices that a component takes of its modules' activations; 0 for whole ones."""
    spans = (site.span for site in component.sites)
    positions = (site.positions for site in component.sites)
    return tuple(sum(stop - start for start, stop in filter(None, some)) for some in (spans, positions))


def parameters_in(module: nn.Module) -> Size:
    """Sizes in one model: parameters of the modules that a component lives in, then what `slices` gives."""
    known: dict[str, int] = {}

    def count(path: str) -> int:
        if path not in known:
            known[path] = sum(parameter.numel() for parameter in module.get_submodule(path).parameters())
        return known[path]

    def size(component: Component) -> tuple[int, ...]:
        return sum(map(count, {site.module for site in component.sites})), *slices(component)

    return size
