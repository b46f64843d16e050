"""Components: the named parts of a model that can be switched off, and where they live in its module tree."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor

from causalablate.errors import ComponentNotFoundError, LesionError, nearest
from causalablate.hook_names import SUPPORTED, hook_point, is_hook_name

At = Literal["output", "input", "delta", "attention_mask"]


@dataclass(frozen=True)
class Site:
    """The place in the module tree that realises a component.

    Attributes:
        module: Dotted path in `named_modules()`.
        at: `output` of the module; its first `input`; `delta` = output - input, what a residual block adds;
            `attention_mask`, the keyword that an attention module receives.
        span: Half-open slice of one dimension (a head's part of `o_proj`'s input), or all of it.
        axis: Which dimension: the last, or 1 for the channels of a convolution.
        positions: Half-open slice of dimension 1 besides (queries of a Q-Former), or all of it.
        tokens: Dimension 1 runs over language-model positions, so padding is known and left alone.
        group: Only the positions of this token group; for `attention_mask`, the group that attends.
        source: For `attention_mask`, the group that is attended to.
        packed: Dimension 0 runs over the patches of one example after those of the other, equally many of each.
    """

    module: str
    at: At = "output"
    span: tuple[int, int] | None = None
    tokens: bool = False
    group: str | None = None
    source: str | None = None
    axis: int = -1
    packed: bool = False
    positions: tuple[int, int] | None = None

    @property
    def place(self) -> tuple[str, At]:
        """Module and position in it: what a hook is registered for."""
        return self.module, self.at

    def part(self, x: Tensor) -> Tensor:
        """The site's slice of the module's activation."""
        if self.positions is not None:
            x = x[:, self.positions[0] : self.positions[1]]
        if self.span is None:
            return x
        start, stop = self.span
        if stop > x.shape[self.axis]:
            raise LesionError(
                f"{self.module}: {start}..{stop} of its {self.at} was asked for, but it is {x.shape[self.axis]} wide; "
                "mend the component map"
            )
        return x[..., start:stop] if self.axis == -1 else x[:, start:stop]

    def with_part(self, x: Tensor, new: Tensor) -> Tensor:
        """The module's activation with the site's slice replaced."""
        if self.positions is not None:
            start, stop = self.positions
            inside = replace(self, positions=None).with_part(x[:, start:stop], new)
            return torch.cat((x[:, :start], inside, x[:, stop:]), dim=1)
        if self.span is None:
            return new
        start, stop = self.span
        rest = (x[..., :start], x[..., stop:]) if self.axis == -1 else (x[:, :start], x[:, stop:])
        return torch.cat((rest[0], new, rest[1]), dim=self.axis)


@dataclass(frozen=True)
class Component:
    """A named part of a model.

    Attributes:
        address: Dotted path, e.g. `lm.layers.1.heads.2`.
        kind: What it is: layer, head, mlp, query, pass, scorer, gate, allocator, texture, connector, tokens, edge,
            residual, attention; `module` where nobody said.
        sites: Where it lives: usually one place; token positions live in every sequence that is assembled.
        tower: `vision` or `lm` where that applies; random controls are drawn within a tower.
        bounds: Smallest and largest value of the activation, for components that have a range.
        patches: Dimension 1 of the activation runs over image patches and holds one number each.
        act: Only this one of the times that the forward comes by its sites, counted from 0, or all of them.
    """

    address: str
    kind: str
    sites: tuple[Site, ...]
    tower: str | None = None
    bounds: tuple[float, float] | None = None
    patches: bool = False
    act: int | None = None

    def acts(self, n: int) -> bool:
        """Whether it is meant when the forward comes by its sites for the n-th time, counted from 0."""
        return self.act is None or self.act == n


_RANGE = re.compile(r"\\\{(\d+)\\\.\\\.(\d+)\\\}")
"""`{3..7}`, escaped."""


def _pattern(glob: str) -> re.Pattern[str]:
    """Translate a glob: `*` and `?` stay within one segment, `**` spans any number, `{3..7}` is 3, 4, 5, 6 or 7."""
    text = re.escape(glob).replace(r"\*\*", ".+").replace(r"\*", "[^.]*").replace(r"\?", "[^.]")
    return re.compile(_RANGE.sub(_any_of, text))


def _any_of(limits: re.Match[str]) -> str:
    first, last = int(limits[1]), int(limits[2])
    return f"(?:{'|'.join(map(str, range(first, last + 1)))})" if first <= last else "(?!)"


def residual(layer: Component) -> Component:
    """The residual stream behind a layer: everything that the layers up to it have said, `<layer>.resid`."""
    sites = tuple(replace(site, at="output") for site in layer.sites)
    return replace(layer, address=f"{layer.address}.resid", kind="residual", sites=sites)


def narrowed(component: Component, group: str) -> Component:
    """A component at the positions of one token group only, `<address>@<group>`.

    Args:
        component: It has an activation at every position of the language model.
        group: A token group of the model (`image`), one of its positions, counted from either end (`image[3]`,
            `question[-1]`), or a position of the whole sequence (`-1`), padding aside.
    Raises:
        ComponentNotFoundError: The component has no such positions, or is bound to a group already.
    """
    if not all(site.tokens and site.group is None for site in component.sites):
        raise ComponentNotFoundError(
            f'no component "{component.address}@{group}": @ chooses among the positions of a language model, and '
            f"{component.address} {'holds one group already' if component.kind == 'tokens' else 'has none of them'}"
        )
    sites = tuple(replace(site, group=group) for site in component.sites)
    return replace(component, address=f"{component.address}@{group}", sites=sites)


def once(component: Component, n: str) -> Component:
    """A component at one time of a forward only, `<address>#<n>`: `#2` of a layer is what it does in the second pass.

    Args:
        component: Any.
        n: Which of the times that the forward comes by, from 1 on.
    Raises:
        ComponentNotFoundError: That is no number from 1 on.
    """
    if not n.isdecimal() or int(n) < 1:
        raise ComponentNotFoundError(
            f'no component "{component.address}#{n}": # chooses one of the times that a forward comes by a component, '
            f"the first is {component.address}#1"
        )
    return replace(component, address=f"{component.address}#{int(n)}", act=int(n) - 1)


class ComponentMap(Mapping[str, Component]):
    """The components of one model, by address, in model order.

    Beside those that it lists, it knows the residual stream behind every layer (`<layer>.resid`), components at one
    time of a forward only (`<address>#<n>`), and at some positions only (`<address>@<group>`). They are not listed: the
    stream is no part of the model but the state between two parts, and globs mean parts.
    """

    def __init__(self, components: Iterable[Component]):
        self._by_address = {c.address: c for c in components}

    def __getitem__(self, address: str) -> Component:
        if address in self._by_address:
            return self._by_address[address]
        found = self.select(address)
        if found[0].address != address and (len(found) > 1 or not is_hook_name(address)):
            raise ComponentNotFoundError(self._missing(address))
        return found[0]

    def __contains__(self, address: object) -> bool:
        return address in self._by_address

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_address)

    def __len__(self) -> int:
        return len(self._by_address)

    def select(self, glob: str) -> list[Component]:
        """Components whose address matches an address or glob, in model order.

        `*` matches within one dotted segment, `**` across segments, `{a..b}` a range of numbers: `lm.layers.*.heads.*`,
        `vision.**`, `lm.layers.{3..7}.mlp`, `lm.layers.*.resid@image`, `lm.**#2`. TransformerLens' names stand for what
        lives there: `blocks.3.attn.hook_z`, `blocks.*.hook_mlp_out`.

        Raises:
            ComponentNotFoundError: Nothing matches; the message names what exists.
        """
        address, at, group = glob.partition("@")
        whole, hash_, n = address.partition("#")
        pattern = _pattern(whole)
        found = [c for a, c in self._by_address.items() if pattern.fullmatch(a)]
        if not found and whole.endswith(".resid"):
            layers = _pattern(whole.removesuffix(".resid"))
            found = [residual(c) for a, c in self._by_address.items() if c.kind == "layer" and layers.fullmatch(a)]
        if not found and is_hook_name(whole):
            found = self._hooked(whole)
        if not found:
            raise ComponentNotFoundError(self._missing(whole))
        if hash_:
            found = [once(c, n) for c in found]
        return [narrowed(c, group) for c in found] if at else found

    def kinds(self) -> dict[str, list[Component]]:
        """Components by kind."""
        by_kind: dict[str, list[Component]] = {}
        for component in self._by_address.values():
            by_kind.setdefault(component.kind, []).append(component)
        return by_kind

    def _hooked(self, name: str) -> list[Component]:
        """The components at a hook point of TransformerLens; a place that is none of its own is made one."""
        point = hook_point(name, self._by_address)
        if point is None:
            raise ComponentNotFoundError(
                f'no component for the hook name "{name}"{nearest(name, SUPPORTED)}; understood are '
                f"{', '.join(SUPPORTED)}, in models with a language model. For anything else use the addresses of this "
                "model: `causalablate components CHECKPOINT` or model.components"
            )
        found = self.select(point.glob)
        if point.at is None:
            return found
        hook = name.rpartition(".")[2]
        return [
            Component(
                f"blocks.{re.split(r'[.]layers[.]', c.address)[1].split('.')[0]}.{hook}",
                "residual" if hook == "hook_resid_pre" else "attention",
                (Site(c.sites[0].module, point.at, tokens=c.sites[0].tokens),),
                c.tower,
            )
            for c in found
        ]

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
