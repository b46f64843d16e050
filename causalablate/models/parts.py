"""Which parts of a module are components: module paths and globs, and how each is read."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import nn

from causalablate.component import At, Component, ComponentMap, Site
from causalablate.errors import ComponentNotFoundError, LesionError, nearest


@dataclass(frozen=True)
class Part:
    """Where a component lives in a module tree.

    Attributes:
        module: Path of a module, as in `named_modules()`, or a pattern: `{name}` stands for one segment, which the
            address repeats, `*` for any text within a segment, `**` for any number of segments.
        at: The module's `output`, its first `input`, or `delta` = output - input, what a residual block adds.
        span: Half-open slice of the last dimension.
        heads: Attention heads side by side in the last dimension, as in the input of an attention's output
            projection: adds `<address>.heads.0`, `.heads.1`, ...; an address with `{head}` names them alone.
        channels: Groups of channels in dimension 1, as in the output of a convolution: adds `<address>.channels.0`,
            `.channels.1`, ...; an address with `{channel}` names them alone.
        width: Size of the dimension that heads or channels share, for modules that do not tell it.
        tokens: Dimension 1 runs over positions, of which `wrap(token_groups=...)` knows the padding and the groups.
        group: Only the positions of this token group.
        kind: What the component is, in one word.
        tower: `vision` or `lm` where that applies; random controls are drawn within a tower.
        bounds: Smallest and largest value of the activation, for components that have a range.
    """

    module: str
    at: At = "output"
    span: tuple[int, int] | None = None
    heads: int | None = None
    channels: int | None = None
    width: int | None = None
    tokens: bool = False
    group: str | None = None
    kind: str = "module"
    tower: str | None = None
    bounds: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if self.at not in ("output", "input", "delta"):
            raise LesionError(f'{self.module}: at is "{self.at}"; it must be output, input or delta')
        if self.span is not None and not 0 <= self.span[0] < self.span[1]:
            raise LesionError(f"{self.module}: span is {self.span}; give (start, stop) with 0 <= start < stop")
        if sum(x is not None for x in (self.span, self.heads, self.channels)) > 1:
            raise LesionError(f"{self.module}: span, heads and channels exclude each other; give one of them")
        if self.group is not None and not self.tokens:
            raise LesionError(f"{self.module}: a token group needs tokens=True")


PartSpec = str | Part | Sequence[str | Part]

_WILDCARD = re.compile(r"\{(\w+)\}|\*\*|\*")
_MEANING = {"**": ".+", "*": "[^.]*"}
_SHARES = ("head", "channel")
_SIZES = {
    ("head", "input"): ("in_features", "nx"),
    ("head", "output"): ("out_features", "nf", "embedding_dim"),
    ("channel", "input"): ("in_channels", "num_features", "num_channels"),
    ("channel", "output"): ("out_channels", "num_features", "num_channels"),
}
"""Attributes in which modules of torch (and `Conv1D` of transformers) tell the size of the dimension that is shared."""


@dataclass
class _Found:
    """One component in the making: its address may name several modules."""

    part: Part
    kind: str
    sites: list[Site] = field(default_factory=list)


def find_components(module: nn.Module, parts: Mapping[str, PartSpec] | None) -> ComponentMap:
    """The components that parts name, in the order of the module tree.

    Args:
        module: The whole model.
        parts: By address. An address without wildcards whose pattern matches several modules is all of them together.
            None: every module by its own path.
    Raises:
        ComponentNotFoundError: A path is no module, with the nearest that are; all such paths at once.
        LesionError: A part does not fit its module.
    """
    tree = {path: m for path, m in module.named_modules() if not isinstance(m, nn.ModuleList | nn.ModuleDict)}
    if parts is None:
        parts = {"**": "**"}
    if not parts:
        raise LesionError("components is empty: name at least one part, or leave it out for every module by its path")
    patterns = [
        (address, part if isinstance(part, Part) else Part(part))
        for address, given in parts.items()
        for part in ((given,) if isinstance(given, str | Part) else given)
    ]
    compiled = [(address, part, re.compile(_regex(part.module))) for address, part in patterns]
    missing = [
        _missing(part.module, module, tree) for _, part, regex in compiled if not any(map(regex.fullmatch, tree))
    ]
    if missing:
        raise ComponentNotFoundError(
            "; ".join(missing) + ". List the paths with `for path, _ in module.named_modules(): print(path)`"
        )
    found: dict[str, _Found] = {}
    for path, inner in tree.items():
        for address, part, regex in compiled:
            if match := regex.fullmatch(path):
                for name, kind, site in _sites(_address(address, part, match), part, path, inner):
                    found.setdefault(name, _Found(part, kind)).sites.append(site)
    return ComponentMap(
        Component(address, f.kind, tuple(dict.fromkeys(f.sites)), f.part.tower, f.part.bounds)
        for address, f in found.items()
    )


def _sites(address: str, part: Part, path: str, module: nn.Module) -> Iterator[tuple[str, str, Site]]:
    """The part itself, then its heads or channels."""
    named = [f"{{{kind}}}" in address for kind in _SHARES]
    if not any(named):
        yield address, part.kind, Site(path, part.at, part.span, tokens=part.tokens, group=part.group)
    for kind, n, axis in (("head", part.heads, -1), ("channel", part.channels, 1)):
        if n is not None:
            template = address if any(named) else f"{address}.{kind}s.{{{kind}}}"
            each = _share(kind, n, part, path, module)
            for i in range(n):
                span = (i * each, (i + 1) * each)
                site = Site(path, part.at, span, tokens=part.tokens, group=part.group, axis=axis)
                yield template.replace(f"{{{kind}}}", str(i)), kind, site


def _share(kind: str, n: int, part: Part, path: str, module: nn.Module) -> int:
    """Width of each of n equal shares."""
    sizes = [size for a in _SIZES.get((kind, part.at), ()) if isinstance(size := getattr(module, a, None), int)]
    width = part.width or next(iter(sizes), None)
    if width is None:
        raise LesionError(
            f'"{path}": a {type(module).__name__} does not tell how wide its {part.at} is; '
            f"give Part(..., {kind}s={n}, width=...)"
        )
    if sizes and width != sizes[0]:
        raise LesionError(f'"{path}": width is {width}, but its {part.at} is {sizes[0]} wide; leave width out')
    if n < 1 or width % n:
        raise LesionError(f'"{path}": {width} values do not divide into {n} {kind}s; choose another number')
    return width // n


def _regex(pattern: str) -> str:
    """A module pattern as a regular expression; its stars are the groups `_0`, `_1`, ..."""
    out, last, stars, named = "", 0, 0, set()
    for m in _WILDCARD.finditer(pattern):
        out += re.escape(pattern[last : m.start()])
        if m[1] is None:
            out, stars = f"{out}(?P<_{stars}>{_MEANING[m[0]]})", stars + 1
        else:
            out += f"(?P={m[1]})" if m[1] in named else f"(?P<{m[1]}>[^.]+)"
            named.add(m[1])
        last = m.end()
    return out + re.escape(pattern[last:])


def _address(template: str, part: Part, match: re.Match[str]) -> str:
    """The address of one matching module; `{head}` and `{channel}` are still to be filled where there are any."""
    caught: dict[str, Any] = match.groupdict()
    stars = (caught[f"_{i}"] for i in range(len(caught)))
    for kind, n in (("head", part.heads), ("channel", part.channels)):
        if n is not None:
            caught.setdefault(kind, f"{{{kind}}}")

    def fill(m: re.Match[str]) -> str:
        try:
            return str(caught[m[1]] if m[1] is not None else next(stars))
        except (KeyError, StopIteration):
            raise LesionError(
                f'the address "{template}" has {m[0]}, which its module pattern "{part.module}" has not; '
                "an address may only repeat what the pattern holds"
            ) from None

    return _WILDCARD.sub(fill, template)


def _missing(pattern: str, module: nn.Module, tree: Mapping[str, nn.Module]) -> str:
    text = f'no module "{pattern}" in {type(module).__name__}'
    try:
        shared = module.get_submodule(pattern)
    except AttributeError:
        return text + (nearest(pattern, tree) or _tops(tree))
    same = next((path for path, m in tree.items() if m is shared), None)
    if same is None:
        return f'{text} that is called: "{pattern}" only holds others{nearest(pattern, tree)}'
    return f'{text}: it is the module "{same}" under another path; name that one'


def _tops(tree: Mapping[str, nn.Module]) -> str:
    return f"; it has {', '.join(dict.fromkeys(path.split('.')[0] for path in tree if path))}"
