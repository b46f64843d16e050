"""How often exact interventions err, over many planted graphs: means with their standard errors."""

from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np

from benchmarks.recovery.measured import Noise, contexts, measured_direct, measured_table, measured_twins, nodes_of
from causalablate.graph.edges import Correction, component_graph
from causalablate.graph.twin_regression import twin_regression
from tests.graph.planted import Planted, with_backup

DIRECT, TWINS = "direct effects", "twin regression"

Pairs = frozenset[tuple[str, str]]
Found = dict[str, list[list[Pairs]]]
"""Edges between nodes, by way: a list per noise of a list per draw of the noise."""


@dataclass(frozen=True)
class Rate:
    """One way on graphs of one size, with one noise.

    Attributes:
        nodes: Size.
        noise: SD of the noise of measurement, in mean SDs of the nodes.
        name: The way.
        graphs: How many graphs.
        exact: Share of the graphs that are found without a mistake (SHD 0); the direction of edges is given by the
            order of the forward.
        dormant: Share of the dormant edges that are found.
        fdr: Mean share of the edges found that are false.
        fdr_se: Its standard error, over graphs.
        power: Mean share of the planted edges that are found.
        power_se: Its standard error.
    """

    nodes: int
    noise: float
    name: str
    graphs: int
    exact: float
    dormant: float
    fdr: float
    fdr_se: float
    power: float
    power_se: float

    def to_json(self) -> dict:
        """As JSON values; NaN as null."""
        return {key: None if value != value else value for key, value in asdict(self).items()}


def rates(
    nodes: int,
    noise: tuple[float, ...],
    graphs: int,
    draws: int,
    examples: int,
    seed: int,
    correction: Correction,
    advance: Callable[[int, str], None],
) -> list[Rate]:
    """Both ways on planted graphs, each with a backup, of expected degree 3.

    Args:
        nodes: How many nodes.
        noise: SDs of the noise of measurement, in mean SDs of the nodes.
        graphs: How many graphs.
        draws: Draws of the noise, for each graph.
        examples: Paired examples of each.
        seed: Seeds graphs, examples and noise.
        correction: Of the p values of edges.
        advance: Called after each graph.
    """
    shares: dict[tuple[float, str], list[np.ndarray]] = {(sd, name): [] for sd in noise for name in (DIRECT, TWINS)}
    for number in range(seed, seed + graphs):
        planted = with_backup(nodes, examples, number)
        for name, by_noise in found_in(planted, noise, draws, number, correction).items():
            for sd, each in zip(noise, by_noise, strict=True):
                shares[sd, name].append(np.mean([_shares(pairs, planted) for pairs in each], axis=0))
        advance(1, f"{nodes} nodes, graph {number}")
    return [_rate(nodes, sd, name, np.array(each)) for (sd, name), each in shares.items()]


def found_in(planted: Planted, noise: tuple[float, ...], draws: int, number: int, correction: Correction) -> Found:
    """What both ways find in one planted model, measured once, read with every noise."""
    every = len(planted.examples)  # one forward for all examples: small models cost calls, not arithmetic
    awake = contexts(planted, batch_size=every)
    direct = measured_direct(planted, awake, batch_size=every)
    changes = measured_twins(planted, awake, batch_size=every)
    size = float(measured_table(planted).loc[""].std().mean())

    def by_direct(read: Noise) -> Pairs:
        seen = [read.direct(part, i) if read.sd else part for i, part in enumerate(direct)]
        graph = component_graph(seen[0], seen[1:], exact=not read.sd, correction=correction, resamples=0)
        return _among(planted, graph.pairs)

    def by_twins(read: Noise) -> Pairs:
        seen = [read.twins(part, i) if read.sd else part for i, part in enumerate(changes)]
        fit = twin_regression(seen[0], seen[1:], exact=not read.sd, correction=correction)
        return _among(planted, fit.graph.pairs)

    def each(way: Callable[[Noise], Pairs]) -> list[list[Pairs]]:
        return [[way(Noise(sd * size, number * draws + d)) for d in range(draws if sd else 1)] for sd in noise]

    return {DIRECT: each(by_direct), TWINS: each(by_twins)}


def _among(planted: Planted, pairs: frozenset[tuple[str, str]]) -> Pairs:
    """Without edges into the outcome."""
    nodes = {*nodes_of(planted)}
    return frozenset(pair for pair in pairs if {*pair} <= nodes)


def _shares(found: Pairs, planted: Planted) -> tuple[float, float, float, float]:
    """Whether all is right, and the shares of dormant edges found, of found edges false, of true edges found."""
    true = planted.edges
    return (
        float(found == true),
        len(found & planted.dormant) / len(planted.dormant),
        len(found - true) / max(len(found), 1),
        len(found & true) / len(true),
    )


def _rate(nodes: int, noise: float, name: str, shares: np.ndarray) -> Rate:
    n = len(shares)
    mean = shares.mean(axis=0)
    se = shares.std(axis=0, ddof=1) / np.sqrt(n) if n > 1 else np.full(4, np.nan)
    fdr, power = (float(mean[2]), float(se[2])), (float(mean[3]), float(se[3]))
    return Rate(nodes, noise, name, n, float(mean[0]), float(mean[1]), *fdr, *power)
