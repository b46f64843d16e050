"""A trained model with its components: the object a researcher holds."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from causalablate.component import ComponentMap, Site
from causalablate.engine.frozen import frozen
from causalablate.engine.hooks import Edit, hooked
from causalablate.engine.lesioned import Action, lesioned
from causalablate.engine.stack import Surroundings
from causalablate.examples import Example, ExampleSet
from causalablate.intervention import Lesion
from causalablate.models.adapter import Adapter, Readout
from causalablate.models.batch import Batch, batches, device_of, encoded
from causalablate.models.precision import precision_of
from causalablate.models.reference import Reference, reference_for
from causalablate.models.weights import weights


class Model:
    """A module, and the family's knowledge of how to feed, read and name it.

    The module is never edited: lesions are hooks that live as long as a `with` block.

    Attributes:
        module: The trained network.
        adapter: Its family.
        components: Its components by address.
    """

    def __init__(self, module: nn.Module, adapter: Adapter):
        self.module, self.adapter = module, adapter
        self.components: ComponentMap = adapter.components(module)

    def __call__(self, *args: Any, **inputs: Any) -> Any:
        """Run the module as it is, lesioned if inside a `do` block."""
        return self.module(*args, **inputs)

    def encode(self, examples: Sequence[Example]) -> dict[str, Any]:
        """Inputs of one forward pass, on the model's device."""
        return encoded(self.module, self.adapter, examples)

    def batches(self, examples: Sequence[Example], size: int = 64) -> Iterator[Batch]:
        """Examples in order, encoded, `size` at a time."""
        return batches(self.module, self.adapter, examples, size)

    def read(self, output: Any) -> Readout:
        """What outcomes are computed from."""
        return self.adapter.read(output)

    @property
    def vocabulary(self) -> Sequence[str]:
        """Text of each vocabulary index."""
        return self.adapter.vocabulary(self.module)

    def reference(
        self, examples: "ExampleSet | Reference | None", *, memory: int | None = None, folder: Path | None = None
    ) -> Reference | None:
        """A reference set to share between lesions, so that its activations are captured once.

        Args:
            examples: The example set; a `Reference` is returned as it is.
            memory: Bytes of main memory that activations kept for `resample` may take; what exceeds them goes to a
                temporary file. By default half of what is free.
            folder: Where that file is made; by default the system's folder for temporary files, which TMPDIR sets.
        """
        return reference_for(self.module, self.adapter, examples, memory=memory, folder=folder)

    @contextmanager
    def do(
        self,
        lesion: Lesion,
        *,
        reference: "ExampleSet | Reference | None" = None,
        seed: int = 0,
        keys: Sequence[str] | None = None,
    ) -> Iterator[Action]:
        """Put a lesion on every forward inside the block: `with model.do(lesion): model(**inputs)`.

        Args:
            lesion: What is off, and how.
            reference: Example set over which mean, resample and noise are defined.
            seed: Seed of donors, noise and permutations.
            keys: Example ids of the rows; draws depend on them. Default: row numbers.
        Yields:
            What the lesion did in the latest forward: `fired` and `change_norm` per row.
        Raises:
            ComponentNotFoundError: An address or glob matches nothing.
            LesionError: A component refuses its off, or a reference set is missing.
            InertLesionError: A forward went by without the lesion acting.
        """
        parts = lesion.resolve(self.components)
        known = self.reference(reference)
        if known is not None:
            known.prepare(lesion.resolve_all(self.components))
        with lesioned(self.module, parts, self.surroundings(known, seed), keys=keys) as action:
            yield action

    def surroundings(self, reference: Reference | None, seed: int) -> Surroundings:
        """What lesions of this model refer to."""
        return Surroundings(
            self.components, lambda inputs: self.adapter.token_groups(self.module, inputs), reference, seed
        )

    def activations(self, address: str, **inputs: Any) -> list[Tensor]:
        """The component's own activation in one forward, one tensor per site and call, in the order they ran."""
        sites = self.components[address].sites
        found: list[Tensor] = []

        def recorder(site: Site) -> Edit:
            def record(x: Tensor, call: int, _: tuple[Any, ...]) -> Tensor:
                found.append(site.part(x).clone())  # later calls may write into it
                return x

            return record

        places = {site.place: recorder(site) for site in sites}
        with frozen(self.module), hooked(self.module, places, begin=lambda args, kwargs: None):
            self.module(**inputs)
        # Copied again out here: tensors of inference mode could not enter a computation with gradients.
        return [activation.clone() for activation in found]

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the weights and the config: two models with one hash compute the same function."""
        digest = hashlib.sha256()
        config = getattr(self.module, "config", None)
        if config is not None and hasattr(config, "to_dict"):
            settings: Mapping[str, Any] = config.to_dict()
            kept = {k: v for k, v in settings.items() if not k.startswith("_") and k != "transformers_version"}
            digest.update(json.dumps(kept, sort_keys=True, default=str).encode())
        else:
            digest.update(repr(self.module).encode())
        for name, tensor in weights(self.module):
            digest.update(f"{name}{tensor.dtype}{tuple(tensor.shape)}".encode())
            digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
        return digest.hexdigest()

    @property
    def precision(self) -> str:
        """The number formats that it computes in, e.g. `float32` or `bfloat16`."""
        return precision_of(self.module)

    @property
    def device(self) -> torch.device:
        """Where the model lives."""
        return device_of(self.module)
