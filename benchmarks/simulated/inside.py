"""How often the intervals of `failure_modes` hold the difference between a group of examples and the rest."""

from dataclasses import replace

import numpy as np
import pandas as pd

from causalablate.effects import Kind, Paired
from causalablate.effects.heterogeneity.search import Search, parts_of, search_block
from simulated.estimated import FLIPS, paired_worlds
from simulated.scenario import LEVEL, covers
from simulated.simulation import Cell, Table, cell
from simulated.worlds import DESIGNS, Design, Worlds, binary, heavy, mostly_zero, normal

SHARE = 0.4
"""Share of the examples that are in the group; clusters have examples on both sides."""
FACTORS = 3
"""Columns of two levels each among whose groups the one with the smallest p is chosen."""
NAMED, HONEST = "a group named before", "the winner of an honest search"
LIMITS = {
    HONEST: "ci_{}_honest",
    "the winner of a search, its band": "band_{}",
    "the winner of a search, its interval (not for that)": "ci_{}",
}
"""Which limits of a winner."""


def failure_groups() -> Table:
    """Of a group named beforehand, and of the winner of a search, with and without an honest half."""
    common, rare = (binary(cells) for cells in FLIPS.values())
    named: tuple[tuple[str, Kind, Worlds, Worlds, float], ...] = (
        ("flips 5 % down, 2 % up inside, 1 % down, 0.5 % up outside", Kind.BINARY, common, rare, -0.025),
        ("flips 1 % down, 0.5 % up", Kind.BINARY, rare, rare, 0.0),
        ("normal", Kind.REAL, normal, normal, 0.0),
        ("heavy tails", Kind.REAL, heavy, heavy, 0.0),
        ("95 % exact zeros", Kind.REAL, mostly_zero, mostly_zero, 0.0),
    )
    rows = [
        (f"{NAMED}; {name}", tuple(_named(name, kind, inner, outer, d, truth) for d in DESIGNS))
        for name, kind, inner, outer, truth in named
    ]
    for how in LIMITS:
        for name, kind, worlds in (("normal", Kind.REAL, normal), ("flips 5 % down, 2 % up", Kind.BINARY, common)):
            rows.append((f"{how}; {name}", tuple(_winner(name, kind, worlds, d, how) for d in DESIGNS)))
    header = ("group; effects", *(design.name for design in DESIGNS))
    return Table("Coverage, groups of failure modes", header, tuple(rows))


def _search(block: Paired, *, honest: bool) -> pd.DataFrame:
    """Rows of a block in which every lesion is a study of its own: a study tests as many groups as there are."""
    search = Search(level=LEVEL, depth=1, min_size=2, n_permutations=1, seed=0, max_t=False)
    parts = parts_of(block, search, honest)
    return search_block(parts, search, LEVEL ** (1 / len(parts[0][1].names)))[0]


def _grouped(block: Paired, groups: dict[str, np.ndarray]) -> Paired:
    return replace(block, groups={name: np.array(["in", "out"], dtype=object)[x] for name, x in groups.items()})


def _levels(n_units: int, share: float, seed: int) -> np.ndarray:
    """Which examples are out of a group, a fixed choice, shape (units,), int."""
    chosen = np.random.default_rng(seed).permutation(n_units) < round(share * n_units)
    return np.where(chosen, 0, 1)


def _named(name: str, kind: Kind, inner: Worlds, outer: Worlds, design: Design, truth: float) -> Cell:
    def measure(rng: np.random.Generator, repetitions: int) -> np.ndarray:
        worlds = [made(rng, repetitions, design) for made in (inner, outer)]
        block = paired_worlds(*worlds[1], kind, design)
        out = _levels(block.n_units, SHARE, 1)[block.unit]
        both = [np.where(out == 0, x, y) for x, y in zip(*worlds, strict=True)]
        block = _grouped(paired_worlds(both[0], both[1], kind, design), {"g": out})
        frame = _search(block, honest=False)
        found = frame[frame["group"] == "g=in"]
        return _held(found["ci_low"].to_numpy(), found["ci_high"].to_numpy(), truth)

    return cell(f"groups, {name}, {design.name}", measure)


def _winner(name: str, kind: Kind, worlds: Worlds, design: Design, how: str) -> Cell:
    """Groups do not matter, so that every true difference is zero."""

    def measure(rng: np.random.Generator, repetitions: int) -> np.ndarray:
        block = paired_worlds(*worlds(rng, repetitions, design), kind, design)
        levels = {f"g{i}": _levels(block.n_units, 0.5, i)[block.unit] for i in range(FACTORS)}
        frame = _search(_grouped(block, levels), honest=how == HONEST)
        p, low, high = (
            frame[column].to_numpy(float).reshape(-1, repetitions)
            for column in ("p", *(LIMITS[how].format(end) for end in ("low", "high")))
        )
        best = np.argmin(np.where(np.isnan(p), np.inf, p), axis=0)
        at = np.arange(repetitions)
        return _held(low[best, at], high[best, at], 0.0)

    return cell(f"groups searched, {name}, {design.name}", measure)


def _held(low: np.ndarray, high: np.ndarray, truth: float) -> np.ndarray:
    return np.where(np.isnan(low), np.nan, covers(low, high, truth))
