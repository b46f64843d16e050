"""Patch: the component says what it says in another world, about the same example."""

from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor

from causalablate.offs.base import Context, Off, World


@dataclass(frozen=True)
class Patch(Off):
    """Replace the activation by the one that the same example has in another world: a nested counterfactual.

    `do(corruption) & do(c=patch)` restores c in the corrupted run (denoising); `do(c=patch(corruption))` puts c's
    corrupted activation into the intact run (noising). Worlds nest: the parts of one may be patches of others.

    Attributes:
        at: The lesion that holds in the other world, as its parts; none for the factual world. Build from a lesion with
            `Patch(lesion.parts)`.

    A study file writes `patch`, or `{kind: patch, at: {tokens.image: {kind: noise, std: 3}}}`.

    Source: Vig et al. (2020), Causal Mediation Analysis for Interpreting Neural NLP; Meng et al. (2022), ROME;
    Heimersheim & Nanda (2024), How to Use and Interpret Activation Patching.
    """

    at: World = ()
    kind: ClassVar[str] = "patch"
    draws: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "at", tuple(sorted(self.at, key=lambda part: part[0])))

    def world(self) -> World:
        """The world that the activation comes from."""
        return self.at

    def apply(self, x: Tensor, context: Context) -> Tensor:
        """The activation in the other world; a copy, since the model may write into what it is given."""
        return context.elsewhere(self.at).to(x, copy=True)

    def to_json(self) -> str | dict[str, Any]:
        """The kind alone for the factual world."""
        if not self.at:
            return self.kind
        return {"kind": self.kind, "at": {address: how.to_json() for address, how in self.at}}

    def __str__(self) -> str:
        return f"{self.kind}({' & '.join(f'{address}={how}' for address, how in self.at)})" if self.at else self.kind
