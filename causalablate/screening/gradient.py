"""First-order effects: how fast the outcome moves when an activation starts on its way to being off.

For a lesion that turns the activation x of a site into off(x), the score of an example is the sum over sites, calls and
positions of (d outcome / d x) * (off(x) - x), both at the factual run. All lesions share one forward and one backward
per batch: rows do not mix, so the gradient of the summed outcome holds each row's own.

Source: Nanda (2023), Attribution Patching; Syed, Rager & Conmy (2023), Attribution Patching Outperforms Automated
Circuit Discovery; Kramár, Lieberum, Shah & Nanda (2024), AtP*.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.graph import GradientEdge, get_gradient_edge

from causalablate import outcome as outcomes_of
from causalablate.component import Component, Site
from causalablate.engine.hooks import Edit, Place, hooked
from causalablate.errors import InertLesionError, LesionError, OutcomeError
from causalablate.examples import ExampleSet
from causalablate.models import Model
from causalablate.models.batch import Batch
from causalablate.models.reference import Reference
from causalablate.offs import Off
from causalablate.screening.differentiable import differentiable
from causalablate.screening.factual import FactualSite

Part = tuple[Component, Off]


@dataclass(frozen=True)
class FirstOrder:
    """First-order effects of lesion parts.

    Attributes:
        effect: Approximate effect on the outcome, float64, shape (parts, examples), outcome units.
        squares: Squared L2 norm of the change at the sites, float64, shape (parts, examples).
        reached: Whether a gradient came from the outcome to any site of the part, bool, shape (parts,).
    """

    effect: np.ndarray
    squares: np.ndarray
    reached: np.ndarray


def first_order(
    model: Model,
    examples: ExampleSet,
    parts: Sequence[Part],
    outcome: str,
    *,
    reference: Reference | None,
    seed: int,
    batch_size: int,
    advance: Callable[[int, str], None] = lambda n, note: None,
) -> FirstOrder:
    """Approximate the effect of each part alone on every example: one forward and one backward per batch.

    Args:
        model: The trained model; left as it was.
        examples: Whom to ask.
        parts: Components and how each is off; none that reads other components, no attention edges.
        outcome: Name of an outcome with a gradient.
        reference: Means, spreads and donors; prepared.
        seed: Seed of every draw.
        batch_size: Examples per forward.
        advance: Told of each finished batch.
    Raises:
        InertLesionError: The forward does not reach a site.
        OutcomeError: The outcome, or a gradient, is NaN or infinite, or the model cannot be differentiated.
    """
    found: list[FirstOrder] = []
    with differentiable(model.module):
        for batch in model.batches(examples, batch_size):
            found.append(_of_batch(model, batch, parts, outcome, reference, seed))
            advance(1, "")
    return FirstOrder(
        np.concatenate([f.effect for f in found], axis=1),
        np.concatenate([f.squares for f in found], axis=1),
        np.logical_or.reduce([f.reached for f in found]),
    )


@dataclass
class _Run:
    """What one factual forward leaves: where each activation entered the graph, and what each part would change."""

    parts: Sequence[Part]
    batch: Batch
    reference: Reference | None
    seed: int
    entries: dict[tuple[Place, int], GradientEdge] = field(default_factory=dict)
    changes: list[tuple[int, Site, int, Tensor]] = field(default_factory=list)
    acted: Counter[int] = field(default_factory=Counter)

    def edits(self) -> dict[Place, Edit]:
        """An edit per place that adds nothing and takes notes.

        A delta is output - input, so off(delta) - delta is what the output changes by: its gradient is the output's.
        """
        here: dict[Place, list[tuple[int, Site]]] = {}
        for i, (component, _) in enumerate(self.parts):
            for site in component.sites:
                here.setdefault(site.place, []).append((i, site))
                here.setdefault(_entry(site), [])
        return {place: self._edit(place, sites) for place, sites in here.items()}

    def _edit(self, place: Place, sites: Sequence[tuple[int, Site]]) -> Edit:
        def edit(x: Tensor, call: int, inputs: tuple[Any, ...]) -> Tensor:
            for i, site in sites:
                self._note(x, i, site, call, inputs)
            return x if place[1] == "delta" else self._enter(x, place, call)

        return edit

    @torch.no_grad()
    def _note(self, x: Tensor, i: int, site: Site, call: int, inputs: tuple[Any, ...]) -> None:
        component, how = self.parts[i]
        if not x.is_floating_point() or x.shape[0] != len(self.batch.keys):
            raise LesionError(
                f"{component.address} cannot be screened: {site.module} holds {x.dtype} of shape {tuple(x.shape)} for "
                f"{len(self.batch.keys)} examples, where a gradient per example needs floats with one row each; "
                "use counterfactuals()"
            )
        context = FactualSite(
            component, site, call, self.acted[i], inputs, how,
            self.batch.keys, self.batch.token_groups, self.reference, self.seed,
        )  # fmt: skip
        self.changes.append((i, site, call, context.change(x.detach())))
        self.acted[i] += 1

    def _enter(self, x: Tensor, place: Place, call: int) -> Tensor:
        """A copy that only this place's reader sees, so that its gradient is that of the site and of nothing else."""
        if not x.is_floating_point():
            return x
        with torch.enable_grad():
            entered = (x if x.requires_grad else x.detach().requires_grad_()).clone()
        self.entries[place, call] = get_gradient_edge(entered)
        return entered

    def check_reached(self) -> None:
        """Raise for a site that the forward did not come by."""
        seen = {(i, site) for i, site, _, _ in self.changes}
        for i, (component, how) in enumerate(self.parts):
            for site in component.sites:
                if (i, site) not in seen:
                    raise InertLesionError(
                        f"{component.address}={how} never acted: the forward pass does not reach {site.module}. "
                        "In this mode or configuration the component is not in use"
                    )


def _entry(site: Site) -> Place:
    """The place whose gradient is the site's."""
    return (site.module, "output") if site.at == "delta" else site.place


def _of_batch(
    model: Model, batch: Batch, parts: Sequence[Part], outcome: str, reference: Reference | None, seed: int
) -> FirstOrder:
    run = _Run(parts, batch, reference, seed)
    with hooked(model.module, run.edits(), begin=lambda args, kwargs: None):
        readout = model.read(model(**batch.inputs))
    run.check_reached()
    (values,) = outcomes_of.compute([outcome], readout, batch.answers, readout, batch.keys)
    gradients = dict(zip(run.entries, _gradients(values.sum(), list(run.entries.values()), outcome), strict=True))
    shape = len(parts), len(batch.keys)
    effect, squares = torch.zeros(shape, dtype=torch.float64), torch.zeros(shape, dtype=torch.float64)
    reached = np.zeros(len(parts), dtype=bool)
    for i, site, call, change in run.changes:
        squares[i] += change.double().flatten(1).square().sum(1).cpu()
        gradient = gradients[_entry(site), call]
        if gradient is not None:
            slope = site.part(gradient).double() * change.double()
            effect[i] += slope.flatten(1).sum(1).cpu()
            reached[i] = True
    _check_finite(effect, parts, batch, outcome)
    return FirstOrder(effect.numpy(), squares.numpy(), reached)


def _gradients(total: Tensor, entries: Sequence[GradientEdge], outcome: str) -> Sequence[Tensor | None]:
    """The gradient that arrives at each entry; None where there is no way from it to the outcome."""
    if not total.requires_grad:
        return [None] * len(entries)
    try:
        return torch.autograd.grad(total, entries, allow_unused=True)
    except RuntimeError as error:
        raise OutcomeError(
            f"{outcome} cannot be differentiated through this model: {str(error).splitlines()[0]}. If memory ran out, "
            "use a smaller batch_size; else measure exact effects with counterfactuals()"
        ) from error


def _check_finite(effect: Tensor, parts: Sequence[Part], batch: Batch, outcome: str) -> None:
    bad = torch.nonzero(~torch.isfinite(effect))
    if len(bad):
        i, row = bad[0].tolist()
        component, how = parts[i]
        raise OutcomeError(
            f'the gradient of {outcome} at {component.address}={how} of example "{batch.keys[row]}" is not finite; '
            "leave that component out of the screening and measure it exactly with counterfactuals()"
        )
