"""The results of a study, read back from its directory: values only, no model needed."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from causalablate.errors import ExampleError
from causalablate.study.gallery import TraceFolder
from causalablate.study.ledger import Ledger
from causalablate.study.manifest import Manifest
from causalablate.study.plan import Plan
from causalablate.study.spec import Study
from causalablate.table import Counterfactuals
from causalablate.trace import Trace

if TYPE_CHECKING:
    from causalablate.examples import ExampleSet


@dataclass(frozen=True)
class Results:
    """What a study found.

    Attributes:
        out: The results directory.
        manifest: What its numbers mean.
        table: The counterfactuals, controls included.
        factual_traces: The gallery's examples in the factual world.
        traces: Lesion name to the same examples under that lesion.
    """

    out: Path
    manifest: Manifest
    table: Counterfactuals
    factual_traces: list[Trace]
    traces: Mapping[str, list[Trace]]

    @property
    def plan(self) -> Plan:
        """The study, expanded."""
        return self.manifest.plan

    @property
    def study(self) -> Study:
        """The study."""
        return self.manifest.plan.study

    @property
    def controls(self) -> dict[str, dict[str, list[str]]]:
        """By kind of control, for the lesions that have such controls, the names of those in the table.

        What `control_distribution` takes; `population_effects` takes one kind, such as `controls["components"]`.
        """
        there = set(self.table.lesions)
        held: dict[str, dict[str, list[str]]] = {}
        for kind, of_kind in self.manifest.plan.controls.items():
            for lesion, names in of_kind.items():
                finished = [name for name in names if name in there]
                if lesion in there and finished:
                    held.setdefault(kind, {})[lesion] = finished
        return held

    @property
    def kinds(self) -> dict[str, str]:
        """Lesion name to the kind of component it touches."""
        return {planned.name: planned.kind for planned in self.manifest.plan.lesions}

    @property
    def asked(self) -> list[str]:
        """Names of the lesions that the study asks for; the others in the table are only controls."""
        there = set(self.table.lesions)
        return [p.name for p in self.manifest.plan.lesions if not p.control and p.name in there]

    def gallery_examples(self) -> "ExampleSet":
        """The gallery's examples, in the order of the traces; made again from what the study names.

        Raises:
            ExampleError: The example set is no longer what it was when the study was run.
        """
        from causalablate.examples import ExampleSet  # slow to import, and only single examples need it

        examples = self.study.examples.load()
        if examples.hash != self.manifest.identity.get("examples"):
            raise ExampleError(
                f"the example set {examples.name} has changed since {self.out} was made; run the study again"
            )
        return ExampleSet(examples.name, tuple(examples[row] for row in self.manifest.gallery))


def read_results(out: str | Path, *, partial: bool = False) -> Results:
    """Read the results of the study that a directory holds.

    Args:
        out: The results directory.
        partial: Accept an unfinished study: return the lesions that are finished on all examples, or while there are
            none, all lesions on the examples that are finished.
    Raises:
        LedgerError: The directory holds no results, units are missing, or a file is damaged.
    """
    out = Path(out)
    return results_of(Manifest.read(out), out, partial=partial)


def results_of(manifest: Manifest, out: Path, *, partial: bool = False) -> Results:
    """Read the results of a study from a directory, whichever version of it was written there last.

    Raises:
        LedgerError: Units are missing, or a file is damaged.
    """
    ledger, folder = Ledger(out, manifest), TraceFolder(out, manifest)
    table = ledger.counterfactuals(*(ledger.finished() if partial else (None, None)))
    traces = {p.name: folder.read(p.lesion) for p in manifest.plan.lesions if not p.control}
    return Results(out, manifest, table, folder.read(None), {name: found for name, found in traces.items() if found})
