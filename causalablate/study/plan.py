"""What a study amounts to for one model: its lesions by name, their controls, and the units of work."""

from collections.abc import Iterator
from dataclasses import dataclass

from causalablate.component import ComponentMap
from causalablate.declarative import content_hash
from causalablate.errors import LesionError, StudyError
from causalablate.intervention import Lesion
from causalablate.study.controls import Size, controls_of, slices
from causalablate.study.spec import Study

BATCHES_PER_UNIT = 4


@dataclass(frozen=True)
class PlannedLesion:
    """One lesion of a plan.

    Attributes:
        name: In tables and figures.
        lesion: What is off.
        kind: Kind of the components it touches, e.g. `head`; several kinds are joined by ` + `.
        control: It is there only as a control for other lesions.
    """

    name: str
    lesion: Lesion
    kind: str
    control: bool = False


@dataclass(frozen=True)
class Unit:
    """A unit of work, finished or not done: one lesion (or the factual run) on one shard of the examples."""

    name: str
    lesion: Lesion | None
    start: int
    stop: int

    @property
    def rows(self) -> slice:
        """Its rows of the example set."""
        return slice(self.start, self.stop)


@dataclass(frozen=True)
class Plan:
    """What will be run.

    Attributes:
        study: The study.
        lesions: Every lesion once, those asked for in the order of the study, then the controls.
        controls: By kind of control, for the lesions that have such controls, the names of theirs.
        n_examples: Size of the example set.
    """

    study: Study
    lesions: tuple[PlannedLesion, ...]
    controls: dict[str, dict[str, list[str]]]
    n_examples: int

    @property
    def id(self) -> str:
        """SHA-256 of the study and the lesions it expands to."""
        lesions = [[planned.name, planned.lesion.to_json()] for planned in self.lesions]
        return content_hash(
            {"study": self.study.id, "lesions": lesions, "controls": self.controls, "n_examples": self.n_examples}
        )

    @property
    def shards(self) -> list[tuple[int, int]]:
        """First row of each shard and the row after its last; each is a whole number of batches."""
        size = BATCHES_PER_UNIT * self.study.batch_size
        return [(start, min(start + size, self.n_examples)) for start in range(0, self.n_examples, size)]

    @property
    def units(self) -> Iterator[Unit]:
        """All units of work: the factual run, then lesion by lesion."""
        for start, stop in self.shards:
            yield Unit("factual", None, start, stop)
        for planned in self.lesions:
            for start, stop in self.shards:
                yield Unit(planned.name, planned.lesion, start, stop)

    @property
    def n_units(self) -> int:
        """Number of units of work."""
        return len(self.shards) * (1 + len(self.lesions))

    @property
    def n_forwards(self) -> int:
        """Forward passes of single examples: the factual run and every lesion, each on all examples."""
        return self.n_examples * (1 + len(self.lesions))


def plan_study(study: Study, components: ComponentMap, n_examples: int, *, size: Size = slices) -> Plan:
    """Expand a study for one model.

    A lesion that several entries give is run once. Controls that are lesions of the study are not run again. A lesion
    that cannot have controls of some kind goes without.

    Args:
        study: The study.
        components: The components of the model.
        n_examples: Size of the example set.
        size: Size of a component, which random controls share.
    Raises:
        ComponentNotFoundError: An address or glob matches nothing.
        LesionError: A component refuses its off.
        StudyError: Two different lesions have one name, or one lesion has two, or no lesion can have the controls asked
            for.
    """
    planned: dict[str, PlannedLesion] = {}
    names: dict[Lesion, str] = {}
    for entry in study.lesions:
        for name, lesion in entry.lesions(components):
            _check_name(name, lesion, planned, names)
            names[lesion] = name
            planned[name] = PlannedLesion(name, lesion, _kind(lesion, components))
    controls: dict[str, dict[str, list[str]]] = {}
    for kind, of_kind in _controls(study, list(planned.values()), components, size).items():
        for wanted, drawn in of_kind.items():
            for lesion in drawn:
                name = names.setdefault(lesion, lesion.name)
                _check_name(name, lesion, planned, names)
                planned.setdefault(name, PlannedLesion(name, lesion, _kind(lesion, components), control=True))
            controls.setdefault(kind, {})[wanted] = [names[lesion] for lesion in drawn]
    return Plan(study, tuple(planned.values()), controls, n_examples)


def _controls(
    study: Study, asked: list[PlannedLesion], components: ComponentMap, size: Size
) -> dict[str, dict[str, list[Lesion]]]:
    """By kind of control, the controls of each lesion that can have them."""
    found: dict[str, dict[str, list[Lesion]]] = {}
    if study.controls is None:
        return found
    for kind, n in study.controls.numbers.items():
        reasons = []
        for planned in asked:
            try:
                drawn = controls_of(planned.lesion, components, kind=kind, n=n, seed=study.controls.seed, size=size)
            except LesionError as error:
                reasons.append(str(error))
                continue
            found.setdefault(kind, {})[planned.name] = drawn
        if kind not in found:
            raise StudyError(f"controls.{kind}: no lesion of the study can have such controls; for one, {reasons[0]}")
    return found


def _check_name(name: str, lesion: Lesion, planned: dict[str, PlannedLesion], names: dict[Lesion, str]) -> None:
    if name in planned and planned[name].lesion != lesion:
        raise StudyError(
            f'two lesions are named "{name}": {planned[name].lesion} and {lesion}; give each lesion its own name'
        )
    if names.get(lesion, name) != name:
        raise StudyError(f'{lesion} is listed twice, as "{names[lesion]}" and as "{name}"; remove one of the entries')


def _kind(lesion: Lesion, components: ComponentMap) -> str:
    kinds = dict.fromkeys(component.kind for component, _ in lesion.resolve(components))
    return " + ".join(sorted(kinds))
