"""Components: the named parts of a model that can be switched off, and where they live in its module tree."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from causalablate.errors import ComponentNotFoundError, nearest

At = Literal["output", "input", "delta", "attention_mask"]


@dataclass(frozen=True)
class Site:
    """The place in the module tree that realises a component.

    Attributes:
        module: Dotted path in `named_modules()`.
        at: `output` of the module; its first `input`; `delta` = output - input, what a residual block adds;
            `attention_mask`, the keyword that an attention module receives.
        span: Half-open slice of the last dimension (a head's part of `o_proj`'s input), or all of it.
        tokens: Dimension 1 runs over language-model positions, so padding is known and left alone.
        group: Only the positions of this token group; for `attention_mask`, the group that attends.
        source: For `attention_mask`, the group that is attended to.
    """

    module: str
    at: At = "output"
    span: tuple[int, int] | None = None
    tokens: bool = False
    group: str | None = None
    source: str | None = None

    @property
    def place(self) -> tuple[str, At]:
        """Module and position in it: what a hook is registered for."""
        return self.module, self.at

    def part(self, x: Tensor) -> Tensor:
        """The site's slice of the module's activation."""
        return x if self.span is None else x[..., self.span[0] : self.span[1]]

    def with_part(self, x: Tensor, new: Tensor) -> Tensor:
        """The module's activation with the site's slice replaced."""
        if self.span is None:
            return new
        return torch.cat((x[..., : self.span[0]], new, x[..., self.span[1] :]), dim=-1)


@dataclass(frozen=True)
class Component:
    """A named part of a model.

    Attributes:
        address: Dotted path, e.g. `lm.layers.1.heads.2`.
        kind: What it is: layer, head, mlp, query, pass, scorer, gate, allocator, texture, connector, tokens, edge.
        sites: Where it lives: usually one place; token positions live in every sequence that is assembled.
        tower: `vision` or `lm` where that applies; random controls are drawn within a tower.
        bounds: Smallest and largest value of the activation, for components that have a range.
        patches: Dimension 1 of the activation runs over image patches and holds one number each.
    """

    address: str
    kind: str
    sites: tuple[Site, ...]
    tower: str | None = None
    bounds: tuple[float, float] | None = None
    patches: bool = False


def _pattern(glob: str) -> re.Pattern[str]:
    """Translate a glob: `*` and `?` stay within one segment, `**` spans any number of segments."""
    text = re.escape(glob).replace(r"\*\*", ".+").replace(r"\*", "[^.]*").replace(r"\?", "[^.]")
    return re.compile(text)


class ComponentMap(Mapping[str, Component]):
    """The components of one model, by address, in model order."""

    def __init__(self, components: Iterable[Component]):
        self._by_address = {c.address: c for c in components}

    def __getitem__(self, address: str) -> Component:
        if address not in self._by_address:
            raise ComponentNotFoundError(self._missing(address))
        return self._by_address[address]

    def __contains__(self, address: object) -> bool:
        return address in self._by_address

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_address)

    def __len__(self) -> int:
        return len(self._by_address)

    def select(self, glob: str) -> list[Component]:
        """Components whose address matches an address or glob, in model order.

        `*` matches within one dotted segment, `**` across segments: `lm.layers.*.heads.*`, `vision.**`.

        Raises:
            ComponentNotFoundError: Nothing matches; the message names what exists.
        """
        pattern = _pattern(glob)
        found = [c for a, c in self._by_address.items() if pattern.fullmatch(a)]
        if not found:
            raise ComponentNotFoundError(self._missing(glob))
        return found

    def kinds(self) -> dict[str, list[Component]]:
        """Components by kind."""
        by_kind: dict[str, list[Component]] = {}
        for component in self._by_address.values():
            by_kind.setdefault(component.kind, []).append(component)
        return by_kind

    def _missing(self, asked: str) -> str:
        """Say how far the address exists, and what continues it."""
        segments = asked.split(".")
        known = ""
        for depth in range(len(segments) - 1, 0, -1):
            prefix = re.compile(_pattern(".".join(segments[:depth])).pattern + r"\.([^.]+)(\..*)?")
            children = dict.fromkeys(m[1] for a in self._by_address if (m := prefix.fullmatch(a)))
            if children:
                known = f"; {'.'.join(segments[:depth])} has {', '.join(children)}"
                break
        else:
            tops = dict.fromkeys(a.split(".")[0] for a in self._by_address)
            known = f"; the model has {', '.join(tops)}"
        return (
            f'no component "{asked}"{nearest(asked, self._by_address)}{known}. '
            "List all with `causalablate components CHECKPOINT` or model.components."
        )
