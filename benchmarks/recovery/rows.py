"""The ways to a graph that are compared, one row each, and what becomes of them."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from benchmarks.recovery.measured import Noise, measured_direct, measured_table, measured_twins, nodes_of, truth_of
from causalablate.errors import GraphError
from causalablate.graph.discovery import Discovered, Knowledge, discover
from causalablate.graph.discovery.search import method_named
from causalablate.graph.edges import component_graph
from causalablate.graph.network import ComponentGraph
from causalablate.graph.score import scores
from causalablate.graph.twin_regression import twin_regression
from tests.graph.planted import Planted, with_backup

DIRECT, TWINS, ORDER = "direct effects", "twin regression", " + order"
TABLE_METHODS = ("pc", "fci", "ges", "grasp", "boss", "gies", "ut-igsp", "jci-pc")

Way = Callable[[], ComponentGraph | Discovered]


@dataclass(frozen=True)
class Row:
    """One way on graphs of one size.

    Attributes:
        nodes: Size.
        noise: SD of the noise of measurement, in mean SDs of the nodes.
        name: The way.
        done: Graphs that it finished within the limit; means are over these.
        shd: Structural Hamming distance to the planted graph.
        sid_low: Structural intervention distance, the least of what is left open.
        sid_high: The most.
        fdr: Share of its directed edges that are false.
        power: Share of the planted edges that it directs rightly.
        adjacent_fdr: The same of adjacencies, whatever their direction.
        adjacent_power: The same.
        seconds: CPU seconds; of the first two with all forwards, of the others without.
    """

    nodes: int
    noise: float
    name: str
    done: int
    shd: float
    sid_low: float
    sid_high: float
    fdr: float
    power: float
    adjacent_fdr: float
    adjacent_power: float
    seconds: float

    def to_json(self) -> dict:
        """As JSON values; NaN as null."""
        return {key: None if value != value else value for key, value in asdict(self).items()}


SCORES = {
    "shd": "shd",
    "sid_low": "sid_low",
    "sid_high": "sid_high",
    "fdr": "edge_false_discovery",
    "power": "edge_recall",
    "adjacent_fdr": "adjacency_false_discovery",
    "adjacent_power": "adjacency_recall",
}


def names() -> list[str]:
    """The ways that can be gone here: all whose packages are installed."""
    return [DIRECT, TWINS, *(name + known for name in TABLE_METHODS if _installed(name) for known in ("", ORDER))]


def warm_up() -> None:
    """Run every table method once, so that no row pays for the import of its package."""
    table = pd.DataFrame(np.random.default_rng(0).normal(size=(40, 3)), columns=["a", "b", "c"])
    for name in TABLE_METHODS:
        if _installed(name):
            discover(table, name, targets=[""] * 20 + ["a"] * 20)


def compare(
    nodes: int, noise: float, graphs: int, examples: int, limit: float, seed: int, advance: Callable[[int, str], None]
) -> list[Row]:
    """All ways on the same planted graphs, each with a backup, of expected degree 3.

    Args:
        nodes: How many nodes.
        noise: SD of the noise of measurement, in mean SDs of the nodes.
        graphs: How many graphs.
        examples: Paired examples of each.
        limit: CPU seconds that a way gets for a graph.
        seed: Seeds graphs, examples and noise.
        advance: Called after each way and graph.
    """
    found: dict[str, list[dict[str, float]]] = {name: [] for name in names()}
    for number in range(seed, seed + graphs):
        planted = with_backup(nodes, examples, number)
        for name, way in ways(planted, noise, number).items():
            began = time.process_time()
            try:
                with limited(limit):
                    estimate = way()
                seconds = time.process_time() - began
                found[name].append({**scores(estimate, truth_of(planted)), "seconds": seconds})
            except TimeoutError:
                pass
            advance(1, f"{name}, {nodes} nodes")
    return [_mean(nodes, noise, name, each) for name, each in found.items()]


def ways(planted: Planted, noise: float, seed: int) -> dict[str, Way]:
    """By name, what finds the graph of one model."""
    table, order = measured_table(planted), nodes_of(planted)
    read = Noise(noise * float(table.loc[""].std().mean()), seed)
    targets, known = list(table.index.get_level_values("target")), Knowledge.of_order(order)
    seen = read.table(table)

    def direct() -> ComponentGraph:
        parts = [read.direct(part, i) if noise else part for i, part in enumerate(measured_direct(planted))]
        return _among(order, component_graph(parts[0], parts[1:], exact=not noise, resamples=1))

    def twin() -> ComponentGraph:
        parts = [read.twins(part, i) if noise else part for i, part in enumerate(measured_twins(planted))]
        return _among(order, twin_regression(parts[0], parts[1:], exact=not noise).graph)

    def classical(name: str) -> Discovered:
        method = name.removesuffix(ORDER)
        return discover(seen, method, targets=targets, knowledge=known if name.endswith(ORDER) else None)

    found: dict[str, Way] = {DIRECT: direct, TWINS: twin}
    return found | {name: lambda name=name: classical(name) for name in names()[2:]}


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raise TimeoutError once the process has used so much CPU."""

    def stop(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _mean(nodes: int, noise: float, name: str, each: list[dict[str, float]]) -> Row:
    def mean(key: str) -> float:
        return float(np.mean([one[key] for one in each])) if each else float("nan")

    return Row(nodes, noise, name, len(each), **{to: mean(key) for to, key in SCORES.items()}, seconds=mean("seconds"))


def _among(nodes: list[str], graph: ComponentGraph) -> ComponentGraph:
    """Without the outcome."""
    return ComponentGraph.of_pairs(nodes, [pair for pair in sorted(graph.pairs) if {*pair} <= {*nodes}])


def _installed(name: str) -> bool:
    try:
        method_named(name)
    except GraphError:
        return False
    return True
