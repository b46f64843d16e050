"""A lesion over the forwards of a generation: one for the prompt, then one per token, against a key-value cache."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from causalablate.component import Component, Site
from causalablate.engine.groups import positions
from causalablate.engine.hooks import Edit, Place, hooked
from causalablate.engine.stack import Parts, Stack, Surroundings
from causalablate.errors import LesionError
from causalablate.intervention import Lesion


@dataclass
class Passes:
    """What a lesion does in a series of forwards, each over the next positions of the same sequences.

    Attributes:
        stack: The lesion.
        keys: Names of the n rows; draws depend on them.
        fired: By component and site, whether it acted on each row in any forward so far, bool, shape (n,).
        squares: Squared L2 norm of the change so far, float64, shape (n,).
    """

    stack: Stack
    keys: Sequence[str]
    fired: dict[tuple[str, Site], Tensor] = field(default_factory=dict)
    squares: Tensor = field(default_factory=lambda: torch.zeros(0, dtype=torch.float64))
    _acting: bool = False

    def __post_init__(self) -> None:
        never = torch.zeros(len(self.keys), dtype=torch.bool)
        (parts,) = self.stack.lesions
        self.fired = {(component.address, site): never for component, _ in parts for site in component.sites}
        self.squares = torch.zeros(len(self.keys), dtype=torch.float64)

    @property
    def every_part_fired(self) -> Tensor:
        """Whether every part of the lesion acted on a row at least once, bool, shape (n,); False for no lesion."""
        (parts,) = self.stack.lesions
        if not parts:
            return torch.zeros(len(self.keys), dtype=torch.bool)
        return torch.stack([self._fired(component) for component, _ in parts]).all(0)

    def _fired(self, component: Component) -> Tensor:
        """Rows on which a component acted everywhere, or at its one time, bool, shape (n,)."""
        sites = torch.stack([self.fired[component.address, site] for site in component.sites])
        return sites.all(0) if component.act is None else sites.any(0)

    def named(self, groups: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The token groups of a prompt, and beside them the single positions of it that the lesion names."""
        names = (name for _, site in self.fired for name in (site.group, site.source) if name is not None)
        return {**groups, **{name: positions(groups, name) for name in names}}

    @contextmanager
    def forward(
        self, groups: Mapping[str, Tensor], past: Mapping[str, Tensor], *, alive: Tensor, acting: bool
    ) -> Iterator[None]:
        """The next forward happens inside the block.

        Args:
            groups: Bool masks (n, length) by token group, of the positions in this forward.
            past: The same of the positions before them, (n, earlier); empty in the first forward.
            alive: Rows that still generate, bool, shape (n,), on the CPU. What happens to others counts nowhere.
            acting: Whether the lesion acts in this forward.
        """
        self._acting = acting
        self.stack.begin(self.keys, self.named(groups))
        self.stack.past = past
        yield
        for (address, site, _), squares in self.stack.squares[0].items():
            acted = alive & self._present(site)
            self.fired[address, site] = self.fired[address, site] | acted
            self.squares += torch.where(acted, squares.cpu(), 0.0)

    def edits(self) -> dict[Place, Edit]:
        """The edits of the lesion, which leave forwards alone in which it does not act."""
        return {place: self._when_acting(edit) for place, edit in self.stack.edits().items()}

    def _when_acting(self, edit: Edit) -> Edit:
        return lambda x, call, inputs: edit(x, call, inputs) if self._acting else x

    def _present(self, site: Site) -> Tensor:
        """Rows that have anything at a site in this forward: an image position, an edge to cut; bool, shape (n,)."""
        groups, past = self.stack.groups, self.stack.past
        if site.at == "attention_mask":
            source = site.source or "all"
            keys = groups[source].any(1) | (past[source].any(1) if past else False)
            return (groups[site.group or "all"].any(1) & keys).cpu()
        if site.tokens:
            return (groups[site.group or "all"] & groups["all"]).any(1).cpu()
        return torch.ones(len(self.keys), dtype=torch.bool)


@contextmanager
def lesioned_passes(root: nn.Module, parts: Parts, around: Surroundings, keys: Sequence[str]) -> Iterator[Passes]:
    """Put a lesion on the modules of `root` inside the block; `Passes.forward` says what each forward is.

    Args:
        root: The whole model.
        parts: What `Lesion.resolve` gave; empty for the factual world.
        around: What the lesion refers to; its token groups are not asked, `Passes.forward` is told.
        keys: Names of the rows.
    Raises:
        LesionError: A part of the lesion patches from another world, which has other positions.
    """
    for component, how in parts:
        if (world := how.world()) is not None:
            raise LesionError(
                f"{component.address}={how} takes activations from the world of {Lesion(world)}, and what is generated "
                "there are other tokens; a generation has no patches, counterfactuals() has"
            )
    passes = Passes(Stack([parts], around), keys)
    with hooked(root, passes.edits(), begin=lambda args, kwargs: None, calls=passes.stack.calls):
        yield passes
