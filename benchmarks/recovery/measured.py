"""What a planted model shows: direct effects, twins and a table of activities, exact or with noise of measurement."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from causalablate.graph.activity import activity
from causalablate.graph.dormant import contexts_of, pair_excess
from causalablate.graph.matrices import Transfer
from causalablate.graph.network import ComponentGraph
from causalablate.graph.slopes import Twins
from causalablate.graph.transfer import transfer
from causalablate.graph.twins import twins
from causalablate.intervention import Lesion, do
from tests.graph.planted import Planted

OFF, OUTCOME = "zero", "logit_difference"


def nodes_of(planted: Planted) -> list[str]:
    """Names of the nodes, in the order of the forward."""
    return [f"x{j}" for j in range(len(planted.weight))]


def truth_of(planted: Planted) -> ComponentGraph:
    """The planted graph, dormant edges included."""
    return ComponentGraph.of_pairs(nodes_of(planted), sorted(planted.edges))


@dataclass(frozen=True)
class Noise:
    """Noise of instruments: every activity that is read, in every world, is off by a normal number.

    Attributes:
        sd: Its SD; 0 for none.
        seed: Seeds it.
    """

    sd: float
    seed: int

    def direct(self, found: Transfer, draw: int) -> Transfer:
        """Direct effects as they are read: differences of two readings, the factual one shared."""
        read, sham = self._read(found.direct.shape, draw)
        p = len(found.sources)
        direct, nothing = found.direct + read, sham
        direct[:, :p], nothing[:p] = np.abs(direct[:, :p]), np.abs(nothing[:p])
        return replace(found, direct=direct, sham=nothing)

    def twins(self, found: Twins, draw: int) -> Twins:
        """The same with signs."""
        read, sham = self._read(found.change.shape, draw)
        return replace(found, change=found.change + read, sham=sham)

    def table(self, found: pd.DataFrame) -> pd.DataFrame:
        """Activities as they are read."""
        return found + self._rng(99).normal(size=found.shape) * self.sd

    def _read(self, shape: tuple[int, int, int], draw: int) -> tuple[np.ndarray, np.ndarray]:
        rng = self._rng(draw)
        worlds, factual, sham = (rng.normal(size=s) * self.sd for s in (shape, shape[1:], shape[1:]))
        return worlds - factual, sham - factual

    def _rng(self, draw: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, draw])


def measured_direct(
    planted: Planted, lesions: Sequence[Lesion] | None = None, *, batch_size: int = 64
) -> list[Transfer]:
    """Direct effects in the factual run, and in contexts; by default those that pairs of lesions propose."""
    common = {"off": OFF, "totals": False, "outcomes": [OUTCOME], "batch_size": batch_size}
    worlds = [None, *(contexts(planted, batch_size=batch_size) if lesions is None else lesions)]
    return [transfer(planted.model, planted.examples, nodes_of(planted), context=c, **common) for c in worlds]


def measured_twins(planted: Planted, lesions: Sequence[Lesion] | None = None, *, batch_size: int = 64) -> list[Twins]:
    """Signed changes, in the same worlds."""
    common = {"off": OFF, "outcomes": [OUTCOME], "batch_size": batch_size}
    worlds = [None, *(contexts(planted, batch_size=batch_size) if lesions is None else lesions)]
    return [twins(planted.model, planted.examples, nodes_of(planted), context=c, **common) for c in worlds]


def contexts(planted: Planted, *, batch_size: int = 64) -> list[Lesion]:
    """Lesions under which something may wake."""
    nodes = nodes_of(planted)
    pairs = pair_excess(planted.model, planted.examples, nodes, off=OFF, outcome=OUTCOME, batch_size=batch_size)
    return [do(node, off=OFF) for node in contexts_of(pairs)]


def measured_table(planted: Planted) -> pd.DataFrame:
    """Activities in the factual run and under the lesion of every node."""
    nodes = nodes_of(planted)
    return activity(planted.model, planted.examples, nodes, summary="mean", lesions=nodes, off=OFF)
