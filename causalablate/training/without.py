"""Components held off while a model trains: the lesion of a run, around its forwards, gradients included."""

import dataclasses
from collections.abc import Callable, Hashable, Sequence
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from causalablate.engine.hooks import hooked
from causalablate.engine.lesioned import lesioned
from causalablate.engine.stack import Parts, Surroundings
from causalablate.errors import InertLesionError
from causalablate.foveated.model import FoveatedVLM
from causalablate.intervention import Lesion
from causalablate.models.foveated import FoveatedAdapter

T = TypeVar("T")


class Without:
    """The components that a run goes without.

    A forward does not reach every component: in mode autoregressive `query.static` is not asked, on a single look
    nothing is allocated, and the encoder's warm-up runs the encoder alone. There, a component that is not reached is
    absent by itself, and only the others are held off.
    """

    def __init__(self, model: FoveatedVLM, lesion: Lesion) -> None:
        """Resolve the lesion in the mode of the model's config.

        Raises:
            ComponentNotFoundError: An address or glob matches nothing.
            LesionError: A component refuses its off.
        """
        adapter = FoveatedAdapter()
        self.lesion = lesion
        components = adapter.components(model)
        self.parts: Parts = lesion.resolve(components)
        self._around = Surroundings(components, lambda inputs: adapter.token_groups(model, inputs))
        self._reached: dict[Hashable, Parts] = {}

    @property
    def addresses(self) -> frozenset[str]:
        """Which components are held off."""
        return frozenset(component.address for component, _ in self.parts)

    def run(self, model: nn.Module, forward: Callable[[], T], *, case: Hashable, keys: Sequence[str]) -> T:
        """Run one forward of the model with the components off.

        Args:
            model: The model, or one of the same modules.
            forward: Calls it.
            case: What decides which components the forward reaches, such as its mode and its number of frames.
            keys: Names of the rows; what is drawn for a row, by shuffle for one, depends on its name.
        """
        if not self.parts:
            return forward()
        if case not in self._reached:
            self._reached[case] = self._reached_by(model, forward)
        with lesioned(model, self._reached[case], self._around, keys=keys):
            return forward()

    def check(self) -> None:
        """Refuse a lesion of which some part never acted in any forward so far.

        Raises:
            InertLesionError: Names the component.
        """
        acted = {component.address for parts in self._reached.values() for component, _ in parts}
        for component, how in self.parts:
            if component.address not in acted:
                raise InertLesionError(
                    f"without: {component.address}={how} never acted: no forward of this run reaches the component. "
                    "Leave it out, or change model.mode or what the run trains on"
                )

    def _reached_by(self, model: nn.Module, forward: Callable[[], Any]) -> Parts:
        """The parts, and of each the sites, that a forward comes by."""
        seen = set()

        def note(place: tuple[str, Any]) -> Callable[[Tensor, int, tuple[Any, ...]], Tensor]:
            def edit(x: Tensor, call: int, inputs: tuple[Any, ...]) -> Tensor:
                seen.add(place)
                return x

            return edit

        places = {site.place: note(site.place) for component, _ in self.parts for site in component.sites}
        with torch.no_grad(), hooked(model, places, begin=lambda args, kwargs: None):
            forward()
        found = []
        for component, how in self.parts:
            sites = tuple(site for site in component.sites if site.place in seen)
            if sites:
                found.append((dataclasses.replace(component, sites=sites), how))
        return found
