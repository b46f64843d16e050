"""TransformerLens' names of hook points, as names of components."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

_NAME = re.compile(
    r"hook_embed|blocks\.(?P<layer>\d+|\*|\{\d+\.\.\d+\})\."
    r"(?P<hook>hook_attn_out|hook_mlp_out|hook_resid_pre|hook_resid_post|"
    r"attn\.hook_z(?:\.(?P<head>\d+|\*)|\[:, *:, *(?P<index>\d+)\])?)"
)
SUPPORTED: Mapping[str, str] = {
    "blocks.L.attn.hook_z": "the heads of layer L, each a component",
    "blocks.L.attn.hook_z.H": "head H of layer L; also written blocks.L.attn.hook_z[:, :, H]",
    "blocks.L.hook_attn_out": "output of the attention of layer L, its bias included",
    "blocks.L.hook_mlp_out": "output of the MLP of layer L",
    "blocks.L.hook_resid_pre": "residual stream before layer L",
    "blocks.L.hook_resid_post": "residual stream behind layer L",
    "hook_embed": "what the language model reads, each token group a component; images are in there already",
}
"""Every hook name that is understood; L and H are numbers or `*`, L also a range, `{3..7}`."""


@dataclass(frozen=True)
class HookPoint:
    """What a hook name stands for.

    Attributes:
        glob: Address, or glob, of components.
        at: None: those components themselves. Otherwise the whole activation at their module's `output` or `input`.
    """

    glob: str
    at: Literal["output", "input"] | None = None


def is_hook_name(name: str) -> bool:
    """Whether a name is one of TransformerLens' rather than an address."""
    return "hook_" in name


def hook_point(name: str, addresses: Collection[str]) -> HookPoint | None:
    """What a hook name stands for in a model with these addresses, or None if it is not understood.

    The layers are those of the tower `lm`, or of the only tower.
    """
    match = _NAME.fullmatch(name)
    towers = list(dict.fromkeys(a.split(".layers.")[0] for a in addresses if ".layers." in a))
    tower = "lm" if "lm" in towers else towers[0] if len(towers) == 1 else None
    if match is None or tower is None:
        return None
    if match["hook"] is None:
        return HookPoint("tokens.*")
    layer = f"{tower}.layers.{match['layer']}"
    match match["hook"]:
        case "hook_mlp_out":
            return HookPoint(f"{layer}.mlp")
        case "hook_attn_out":
            return HookPoint(f"{layer}.heads.0", "output")
        case "hook_resid_pre":
            return HookPoint(layer, "input")
        case "hook_resid_post":
            return HookPoint(f"{layer}.resid")
    return HookPoint(f"{layer}.heads.{match['head'] or match['index'] or '*'}")
