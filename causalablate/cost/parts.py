"""Which modules a component amounts to, and what share of each."""

from collections.abc import Iterable
from dataclasses import dataclass

from torch import nn

from causalablate.component import Component, Site

FINE = "passes.fine"


@dataclass(frozen=True)
class Part:
    """A module of which a component is all, or a share.

    Attributes:
        module: Its path.
        span: The component's slice of the dimension that heads or channels share; None: the whole module.
        share: That slice's share of it, in (0, 1].
    """

    module: str
    span: tuple[int, int] | None = None
    share: float = 1.0


def parts_of(component: Component, root: nn.Module) -> tuple[tuple[Part, ...], str]:
    """The parts of a component, or none and the reason why its cost is not defined.

    - the output of a module, or what a block adds: the whole module;
    - a head: its share of the width of its attention, of all projections and of the attention itself;
    - channels of an output: their share of that module;
    - an MLP or a cross-attention that is read behind its last projection: all of its projections.
    """
    found: list[Part] = []
    for site in component.sites:
        if (why := _refused(component, site)) or not (parts := _parts(component, site, root)):
            return (), f"undefined: {why or f'{site.module} does not tell how wide its {site.at} is'}"
        found += parts
    return tuple(dict.fromkeys(found)), ""


def union(parts: Iterable[Part]) -> dict[str, float]:
    """Module path to share of several parts together: nothing counts twice, what lies inside another neither."""
    spans: dict[str, dict[tuple[int, int] | None, float]] = {}
    for part in parts:
        spans.setdefault(part.module, {})[part.span] = part.share
    shares = {path: 1.0 if None in of else min(1.0, sum(of.values())) for path, of in spans.items()}
    whole = [path for path, share in shares.items() if share == 1.0]
    return {path: share for path, share in shares.items() if not any(path.startswith(f"{other}.") for other in whole)}


def _refused(component: Component, site: Site) -> str:
    if site.at == "attention_mask":
        return "an attention edge is no part that could be taken out"
    if site.group is not None or site.positions is not None or component.kind == "tokens":
        return "some positions are no part that could be taken out"
    if component.kind == "residual":
        return "the residual stream is no part that could be taken out"
    if site.at == "input" and site.span is None:
        return f"the input of {site.module} is computed elsewhere"
    return ""


def _parts(component: Component, site: Site, root: nn.Module) -> list[Part]:
    module = root.get_submodule(site.module)
    if site.span is None:
        parent = site.module.rpartition(".")[0]
        if component.kind not in ("mlp", "cross") or list(module.children()):
            return [Part(site.module)]
        if hasattr(root.get_submodule(parent), "fc1"):  # OPT, whose layers hold the projections of the MLP themselves
            return [Part(f"{parent}.fc1"), Part(site.module)]
        return [Part(_with_another_matrix(site.module, root))]
    width = _width(module, site)
    if width is None:
        return []
    path = _with_another_matrix(site.module, root) if site.at == "input" else site.module
    return [Part(path, site.span, (site.span[1] - site.span[0]) / width)]


def _with_another_matrix(path: str, root: nn.Module) -> str:
    """The nearest module around this one that holds another matrix too: of an output projection, its attention."""
    own = {id(p) for p in root.get_submodule(path).parameters()}
    around = path.rpartition(".")[0]
    while around:
        if any(p.dim() > 1 and id(p) not in own for p in root.get_submodule(around).parameters()):
            return around
        around = around.rpartition(".")[0]
    return path


def _width(module: nn.Module, site: Site) -> int | None:
    """Size of the dimension that heads or channels share, as modules of torch and `Conv1D` of transformers tell it."""
    sizes = ("in_features", "nx") if site.at == "input" else ("out_features", "nf", "embedding_dim")
    channels = "in_channels" if site.at == "input" else "out_channels"
    tells = (getattr(module, name, None) for name in (*sizes, channels, "num_features", "num_channels"))
    found = [size for size in tells if isinstance(size, int)]
    weight = getattr(module, "weight", None)
    if not found and site.at == "input" and isinstance(weight, nn.Parameter) and weight.dim() == 2:
        return int(weight.shape[0])
    return found[0] if found else None
