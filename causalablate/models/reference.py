"""A reference set for one model: the named examples over which means, spreads and donors are defined."""

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from causalablate.component import Component, Site
from causalablate.engine import draws
from causalablate.engine.frozen import frozen
from causalablate.engine.reference import SiteStatistics, Statistics, capture
from causalablate.errors import LesionError
from causalablate.examples import ExampleSet
from causalablate.models.adapter import Adapter
from causalablate.models.batch import Batch, batches
from causalablate.offs import Off


class Reference:
    """Statistics of a model's components over an example set, captured on demand and kept.

    Attributes:
        examples: The reference set.
    """

    def __init__(self, module: nn.Module, adapter: Adapter, examples: ExampleSet, *, batch_size: int = 64):
        self.examples = examples
        self._module, self._adapter, self._batch_size = module, adapter, batch_size
        self._ids = [example.id for example in examples]
        self._known: dict[str, Statistics] = {}

    def prepare(self, parts: Sequence[tuple[Component, Off]]) -> None:
        """Capture what these lesion parts will read, in one pass over the reference set for all that is missing."""
        for keep_rows in (True, False):
            wanted = {
                component.address: component
                for component, how in parts
                if how.needs and ("donors" in how.needs) == keep_rows
            }
            missing = [
                c for a, c in wanted.items() if a not in self._known or (keep_rows and not self._known[a].has_rows)
            ]
            if missing:
                with frozen(self._module):
                    self._known |= capture(self._module, self._batches(), missing, keep_rows=keep_rows)

    def mean(self, component: Component, site: Site, call: int, axes: str) -> Tensor:
        """Mean activation, shape (1, ...)."""
        return self._site(component, site, call).mean(axes)

    def std(self, component: Component, site: Site, call: int) -> Tensor:
        """Spread of the site, a scalar."""
        return self._site(component, site, call).std()

    def donors(self, component: Component, site: Site, call: int, keys: Sequence[str], seed: int) -> Tensor:
        """Activation of each key's donor: the same donor for every component, so that joint lesions stay coherent."""
        rows = torch.cat(self._site(component, site, call).rows)
        chosen = [draws.donor(key, self._ids, seed) for key in keys]
        if None in chosen:
            raise LesionError(
                f'resample: the reference set "{self.examples.name}" holds no other example; use a larger one'
            )
        return rows[torch.tensor(chosen)]

    def _site(self, component: Component, site: Site, call: int) -> SiteStatistics:
        calls = self._known[component.address].calls
        if (site, call) not in calls:
            raise LesionError(
                f"{component.address}: call {call + 1} of {site.module} did not happen on the reference set; "
                "use a reference set of the same form"
            )
        return calls[site, call]

    def _batches(self) -> Iterator[Batch]:
        return batches(self._module, self._adapter, self.examples, self._batch_size)


def reference_for(
    module: nn.Module, adapter: Adapter, examples: "ExampleSet | Reference | None", **options: Any
) -> Reference | None:
    """Wrap an example set; a `Reference` passes through with what it already knows."""
    if examples is None or isinstance(examples, Reference):
        return examples
    return Reference(module, adapter, examples, **options)
