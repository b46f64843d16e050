"""The discovery methods, one row each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from causalablate.graph.discovery.constraint import fci, pc
from causalablate.graph.discovery.greedy import ges, gies
from causalablate.graph.discovery.igsp import ut_igsp
from causalablate.graph.discovery.jci import jci_pc
from causalablate.graph.discovery.permutation import boss, grasp
from causalablate.graph.discovery.result import Class, Ends
from causalablate.graph.discovery.table import Table

Run = Callable[[Table, float, float, int], Ends]
"""(table, alpha, penalty, seed) -> the edges."""


@dataclass(frozen=True)
class Method:
    """One discovery method.

    Attributes:
        run: What it does.
        package: What it needs.
        install: What brings that.
        kind: What its edges mean.
        interventional: Whether it uses the rows with lesions; the others use only those without.
        native: Whether it searches with forbidden edges in mind; for the others its result is corrected afterwards.
    """

    run: Run
    package: str = "causallearn"
    install: str = "causalablate[discovery]"
    kind: Class = "cpdag"
    interventional: bool = False
    native: bool = False


METHODS: Mapping[str, Method] = {
    "pc": Method(pc, native=True),
    "fci": Method(fci, kind="pag"),
    "ges": Method(ges),
    "grasp": Method(grasp, native=True),
    "boss": Method(boss, native=True),
    "gies": Method(gies, package="gies", interventional=True),
    "ut-igsp": Method(ut_igsp, package="graphical_model_learning", install="causaldag", interventional=True),
    "jci-pc": Method(jci_pc, interventional=True, native=True),
}
