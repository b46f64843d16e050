"""The worlds that tell what goes through mediators, as lesions."""

from collections.abc import Sequence
from dataclasses import dataclass

from causalablate.component import Component
from causalablate.errors import GraphError, LesionError
from causalablate.graph.nodes import nodes_of
from causalablate.intervention import Lesion, OffSpec, do
from causalablate.models import Model
from causalablate.offs import Patch


@dataclass(frozen=True)
class Way:
    """What goes through some mediators, together.

    Attributes:
        mediators: Their addresses, joined by `&`.
        direct: The treatment is off, the mediators say what they say in the factual run.
        mediated: The treatment is as it is, the mediators say what they say when it is off.
        held: Mediators held in some way, without the treatment and with it.
    """

    mediators: str
    direct: Lesion
    mediated: Lesion
    held: tuple[tuple[Lesion, Lesion], ...]

    @property
    def worlds(self) -> tuple[Lesion, ...]:
        """All lesions."""
        return (self.direct, self.mediated, *(lesion for pair in self.held for lesion in pair))


def treatment_of(treatment: Lesion | str, off: OffSpec | None) -> Lesion:
    """The treatment as a lesion.

    Raises:
        LesionError: How it is off is said twice or not at all, or nothing is off.
    """
    if isinstance(treatment, str):
        if off is None:
            raise LesionError(f'"{treatment}": say how the treatment is off with off=..., e.g. off="mean"')
        return do(treatment, off=off)
    if off is not None:
        raise LesionError(f"{treatment} says itself how the treatment is off; leave off= out")
    if not len(treatment):
        raise LesionError("the treatment is the empty lesion, which has no effect to take apart")
    return treatment


def check_apart(model: Model, treated: Lesion, through: Sequence[Component], outcomes: Sequence[str]) -> None:
    """Raise where treatment, mediators and outcomes share a part: it would not be free to answer.

    Args:
        model: Its components are looked up, nothing runs.
        treated: The treatment.
        through: The mediators.
        outcomes: Addresses of components that are outcomes.
    Raises:
        GraphError: As said.
    """
    mediators = [c.address for c in through]
    for treatment in (c.address for c, _ in treated.resolve(model.components)):
        if treatment in mediators:
            raise GraphError(f"{treatment} is both treatment and mediator; a mediator stands between two others")
        nodes_of(model, [treatment, *mediators])
        for outcome in outcomes:
            if model.components[outcome].address in (treatment, *mediators):
                raise GraphError(f"{outcome} is an outcome, and treatment or mediator besides; choose another outcome")
            nodes_of(model, [treatment, *mediators, outcome])


def ways_through(
    model: Model, treated: Lesion, through: Sequence[Component], held: Sequence[Lesion]
) -> tuple[Way, ...]:
    """Each mediator alone, and all together where they are several.

    Args:
        model: Its components are looked up, nothing runs.
        treated: The treatment.
        through: The mediators.
        held: Lesions of all mediators, for controlled effects.
    Raises:
        GraphError: What is held is not the mediators.
    """
    mediators = sorted(c.address for c in through)
    for level in held:
        holds = sorted(c.address for c, _ in level.resolve(model.components))
        if holds != mediators:
            raise GraphError(
                f"held is {level}, which is about {', '.join(holds) or 'nothing'}, but the mediators are "
                f"{', '.join(mediators)}; a controlled effect holds every mediator and nothing else"
            )
    sets = [[c] for c in through] + ([list(through)] if len(through) > 1 else [])
    return tuple(_way(model, treated, [c.address for c in some], held) for some in sets)


def _way(model: Model, treated: Lesion, names: Sequence[str], held: Sequence[Lesion]) -> Way:
    levels = dict.fromkeys(
        Lesion(tuple((c.address, how) for c, how in level.resolve(model.components) if c.address in names))
        for level in held
    )
    return Way(
        " & ".join(names),
        treated & do(*names, off=Patch()),
        do(*names, off=Patch(treated.parts)),
        tuple((alone, treated & alone) for alone in levels),
    )
