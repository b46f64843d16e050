"""Path patching: one component is off, as seen by another alone."""

from causalablate.component import Component
from causalablate.errors import LesionError
from causalablate.intervention import Lesion, OffSpec, do
from causalablate.models import Model
from causalablate.offs import Patch

FROZEN = ("head", "mlp")
"""Kinds of component through which an effect could travel from layer to layer."""


def path_patch(
    model: Model, sender: str, receiver: str, *, off: OffSpec, through: tuple[str, ...] = (), freeze: str | None = None
) -> Lesion:
    """The sender is off, but only the receiver gets to know.

    In an inner world the sender is off and every other head and MLP says what it says in the factual run, so that what
    changes at the receiver came there directly, along the residual stream (and whatever is neither head nor MLP: norms,
    the connector). What the receiver says in that world is then put into the factual run, where everything behind it
    is computed. With several receivers, each has an inner world of its own.

    Args:
        model: Its components are looked up, nothing runs.
        sender: Address or glob: heads, MLPs, layers, or anything else. All of them are off together.
        receiver: Address or glob. `<tower>.layers.<last>.resid` gives the direct effect on the logits.
        off: How the sender is off: any kind. `Patch(corruption.parts)` is activation patching from a corrupted run.
        through: Addresses or globs that are not frozen: the effect may also travel through those.
        freeze: Glob of what is frozen, instead of all heads and MLPs.
    Returns:
        The lesion, to run with `counterfactuals` as any other; its `change_norm` is that at the receiver, and 0 where
        no path leads there.
    Raises:
        ComponentNotFoundError: Nothing matches.
        LesionError: Sender and receiver overlap, or the receiver admits no patch.

    Source: Wang et al. (2023), Interpretability in the Wild, ICLR (path patching); Goldowsky-Dill et al. (2023),
    Localizing Model Behavior with Path Patching.
    """
    components = model.components
    senders, receivers = components.select(sender), components.select(receiver)
    open_to = [c for glob in through for c in components.select(glob)]
    closed = components.select(freeze) if freeze else [c for c in components.values() if c.kind in FROZEN]
    if both := {c.address for c in senders} & {c.address for c in receivers}:
        raise LesionError(f"{min(both)} is both sender and receiver; a path leads from one component to another")
    # A sender that is off at some positions is frozen at the others: the narrower of two offs has the last word.
    whole = [c for c in senders if "@" not in c.address]
    lesion = Lesion()
    for last in receivers:
        frozen = [c.address for c in closed if not any(_within(c, other) for other in (*whole, last, *open_to))]
        inner = Lesion(tuple((address, Patch()) for address in frozen)) & do(sender, off=off)
        lesion = lesion & do(last.address, off=Patch(inner.parts))
    lesion.resolve(components)
    return lesion


def _within(component: Component, other: Component) -> bool:
    """Whether a component is another one, a part of it, or of it at some positions."""
    whole = other.address.partition("@")[0]
    return component.address == whole or component.address.startswith(whole + ".")
