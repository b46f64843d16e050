"""A reference set for one model: the named examples over which means, spreads and donors are defined."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from causalablate.component import Component, Site
from causalablate.engine import draws
from causalablate.engine.frozen import frozen
from causalablate.engine.reference import SiteStatistics, Statistics, capture
from causalablate.engine.rows import RowStore
from causalablate.errors import LesionError
from causalablate.examples import ExampleSet
from causalablate.models.adapter import Adapter
from causalablate.models.batch import Batch, batches
from causalablate.offs import Off
from causalablate.progress import inner_progress_bar

_DRAWS_KEPT = 1024


class Reference:
    """Statistics of a model's components over an example set, captured on demand and kept.

    Attributes:
        examples: The reference set.
    """

    def __init__(
        self,
        module: nn.Module,
        adapter: Adapter,
        examples: ExampleSet,
        *,
        batch_size: int = 64,
        memory: int | None = None,
        folder: Path | None = None,
    ):
        """Nothing is captured yet.

        Args:
            module: The model.
            adapter: Its family.
            examples: The reference set.
            batch_size: Examples per forward pass.
            memory: Bytes of main memory that the activations kept for `resample` may take; what exceeds them goes to a
                temporary file. By default half of what is free.
            folder: Where the temporary file is made; by default the system's folder, which TMPDIR sets.
        """
        self.examples = examples
        self._module, self._adapter, self._batch_size = module, adapter, batch_size
        self._memory, self._folder = memory, folder
        self._ids = [example.id for example in examples]
        self._known: dict[str, Statistics] = {}
        self._drawn = lru_cache(maxsize=_DRAWS_KEPT)(self._draw)

    def prepare(self, parts: Iterable[tuple[Component, Off]]) -> None:
        """Capture what these lesion parts will read, in one pass over the reference set for all that is missing.

        Raises:
            LesionError: The activations of two batches have different shapes.
            StorageError: Activations for `resample` fit neither into memory nor onto the disk.
        """
        components, donors = {}, set()
        for component, how in parts:
            if how.needs:
                components[component.address] = component
            if "donors" in how.needs:
                donors.add(component.address)
        missing = [c for a, c in components.items() if a not in self._known or self._lacks_rows(a, donors)]
        if not missing:
            return
        store = RowStore(len(self.examples), memory=self._memory, folder=self._folder)
        with (
            frozen(self._module),
            inner_progress_bar(f"reference set {self.examples.name}", len(self.examples)) as advance,
        ):
            self._known |= capture(
                self._module, self._batches(), missing, donors=donors, store=store, done=lambda n: advance(n, "")
            )
        if self._memory is not None:
            self._memory -= store.n_bytes_in_memory

    def _lacks_rows(self, address: str, donors: Collection[str]) -> bool:
        return address in donors and not self._known[address].has_rows

    def mean(self, component: Component, site: Site, call: int, axes: str) -> Tensor:
        """Mean activation, float32, shape (1, ...), on the device of the site. Computed once: do not write into it."""
        return self._site(component, site, call).mean(axes)

    def by_rank(self, component: Component, site: Site, call: int) -> bool:
        """Whether means and donors hold the positions of a token group only, in its own order."""
        return self._site(component, site, call).by_rank

    def std(self, component: Component, site: Site, call: int) -> Tensor:
        """Spread of the site, float32, a scalar, on the device of the site. Computed once: do not write into it."""
        return self._site(component, site, call).std()

    def donors(
        self,
        component: Component,
        site: Site,
        call: int,
        keys: Sequence[str],
        seed: int,
        *,
        paired: bool = False,
        draw: int = 0,
    ) -> Tensor:
        """Activation of each key's donor, in the dtype of the model, on the CPU, shape (keys, ...).

        The same donor for every component, so that joint lesions stay coherent; another one under another number of
        the draw. A paired donor is the example of the same id.
        """
        chosen = self._pairs(keys) if paired else self._drawn(tuple(keys), seed, draw)
        known = self._site(component, site, call)
        if known.n_rows < len(self._ids):
            raise LesionError(
                f"{component.address}: call {call + 1} of {site.module} happened for {known.n_rows} of the "
                f"{len(self._ids)} reference examples, so not every donor has it; use mean, or another reference set"
            )
        return known.donors(chosen)

    def _draw(self, keys: tuple[str, ...], seed: int, draw: int) -> Tensor:
        """Row of each key's donor, shape (keys,)."""
        chosen = [draws.donor(key, self._ids, seed, draw) for key in keys]
        if None in chosen:
            raise LesionError(
                f'resample: the reference set "{self.examples.name}" holds no other example; use a larger one'
            )
        return torch.tensor(chosen)

    def _pairs(self, keys: Sequence[str]) -> Tensor:
        """Row of the example of each id, shape (keys,)."""
        rows = {key: i for i, key in enumerate(self._ids)}
        if missing := [key for key in keys if key not in rows]:
            raise LesionError(
                f'resample: the reference set "{self.examples.name}" holds no example "{missing[0]}" to pair with; a '
                "paired donor needs a reference set with the same ids, such as a counterfactual version of each example"
            )
        return torch.tensor([rows[key] for key in keys])

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
