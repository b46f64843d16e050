"""How often a method finds each edge when the examples are drawn again."""

from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from itertools import permutations

import numpy as np
import pandas as pd

from causalablate.errors import GraphError
from causalablate.graph.discovery.knowledge import Knowledge
from causalablate.graph.discovery.result import Discovered
from causalablate.graph.discovery.search import discover
from causalablate.graph.discovery.table import Regime, Targets, regimes_of
from causalablate.progress import progress_bar

COLUMNS = ("source", "target", "adjacent", "directed", "undirected", "bidirected", "circle")


def edge_frequencies(
    data: pd.DataFrame,
    method: str,
    *,
    clusters: Sequence[Hashable] | None = None,
    resamples: int = 100,
    knowledge: Knowledge | None = None,
    targets: Targets | None = None,
    alpha: float = 0.01,
    penalty: float = 1.0,
    seed: int = 0,
    quiet: bool = True,
) -> pd.DataFrame:
    """Repeat a discovery on bootstrap resamples of the examples.

    Args:
        data: As for `discover`.
        method: As for `discover`.
        clusters: For each row, what is drawn as one: the example whose rows under several lesions these are, or the
            image that examples share. By default rows are drawn, as many of every lesion as there are.
        resamples: How many.
        knowledge: As for `discover`.
        targets: As for `discover`.
        alpha: As for `discover`.
        penalty: As for `discover`.
        seed: Seeds the draws, and the method.
        quiet: Show no progress bar.
    Returns:
        One row for every ordered pair that was adjacent in any resample, most frequent edges first: the shares of
        resamples in which the two are `adjacent`, and joined by source -> target (`directed`), source -- target
        (`undirected`), source <-> target (`bidirected`), or an edge with a `circle` at either end.
    Raises:
        GraphError: As `discover`; or there are no resamples, or not one cluster per row.

    Source: Friedman, Goldszmidt & Wyner (1999), UAI 15. A resample holds rows twice, which tests and scores take for
        independent ones: frequencies of edges that are not there are somewhat too high.
    """
    if resamples < 1:
        raise GraphError(f"resamples is {resamples}; it must be at least 1, e.g. 100")
    if clusters is not None and len(clusters) != len(data):
        raise GraphError(f"{len(clusters)} clusters for {len(data)} rows; say for each row what it belongs to")
    regimes, counts = regimes_of(data, targets), Counter[tuple[str, str, str]]()
    with progress_bar(f"{method} on resamples", resamples, quiet=quiet) as advance:
        for rows in _draws(regimes, clusters, resamples, seed):
            drawn = None if targets is None else [regimes[row] for row in rows]
            found = discover(
                data.iloc[rows],
                method,
                knowledge=knowledge,
                targets=drawn,
                alpha=alpha,
                penalty=penalty,
                seed=seed,
            )
            counts.update(_said(found))
            advance(1, "")
    pairs = [pair for pair in permutations(data.columns, 2) if counts[(*pair, "adjacent")]]
    rows_ = [(*pair, *(counts[(*pair, what)] / resamples for what in COLUMNS[2:])) for pair in pairs]
    frame = pd.DataFrame(rows_, columns=list(COLUMNS))
    return frame.sort_values(["adjacent", "directed"], ascending=False, kind="stable").reset_index(drop=True)


def _draws(
    regimes: Sequence[Regime], clusters: Sequence[Hashable] | None, resamples: int, seed: int
) -> Iterator[np.ndarray]:
    """Row numbers of each resample."""
    rng = np.random.default_rng(seed)
    if clusters is None:
        codes = pd.factorize(pd.Series([tuple(sorted(regime)) for regime in regimes]))[0]
        strata = [np.flatnonzero(codes == code) for code in range(codes.max() + 1)]
        for _ in range(resamples):
            yield np.concatenate([rng.choice(rows, rows.size) for rows in strata])
        return
    codes = pd.factorize(pd.Series(list(clusters), dtype=object))[0]
    members = [np.flatnonzero(codes == code) for code in range(codes.max() + 1)]
    for _ in range(resamples):
        yield np.concatenate([members[i] for i in rng.integers(0, len(members), len(members))])


def _said(found: Discovered) -> Iterator[tuple[str, str, str]]:
    names = {"->": "directed", "--": "undirected", "<->": "bidirected"}
    for link in found.links:
        what = names.get(link.symbol, "circle")
        for pair in ((link.source, link.target), (link.target, link.source)):
            yield (*pair, "adjacent")
            if what != "directed" or pair == (link.source, link.target):
                yield (*pair, what)
