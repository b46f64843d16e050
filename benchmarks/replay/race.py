"""Run every method on one workload, turn by turn, and put the figures together."""

import gc
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from statistics import median
from typing import Any

import numpy as np
import torch

from benchmarks.limits import Limit, limit, work
from benchmarks.replay.flops import FlopCounter
from benchmarks.replay.meter import Cost, remembered, timed
from benchmarks.replay.methods import METHODS, Method, UnavailableError
from benchmarks.replay.needed import Needed
from benchmarks.replay.peak import peak
from benchmarks.replay.workload import Workload, spread
from causalablate.progress import progress_bar

COUNTED_ON = {"W3": 64}
"""Examples on which spent FLOPs are counted: one where all examples cost the same, a batch of the shipped model."""


@dataclass(frozen=True)
class Plan:
    """How much is run.

    Attributes:
        repetitions: Timed turns of every method.
        loop_lesions: Lesions of the plain loop; 0 for all.
        subset: Lesions of every other method that runs one at a time, and of captum, out of those of the loop; 0 for
            as many as the loop.
        seed: Seeds which.
        names: Methods by name, beside the plain loop.
        quick: Rough peak.
    """

    repetitions: int
    loop_lesions: int
    subset: int
    seed: int
    names: Sequence[str]
    quick: bool = False


@dataclass
class Entry:
    """One method in the race.

    Attributes:
        method: The method.
        chosen: Indices of the lesions that it runs.
        flops: FLOPs that it spends on the whole sweep, counted in an untimed run.
        begins: Cost of `begin`, by turn.
        runs: Cost of `effects`, by turn: one per lesion, or one for all.
        peak_bytes: Largest memory of any turn.
        added_bytes: The same above what was in use before.
        effects: Effects by lesion, from the latest turn.
    """

    method: Method
    chosen: list[int]
    flops: float = 0.0
    begins: list[Cost] = field(default_factory=list)
    runs: list[list[Cost]] = field(default_factory=list)
    peak_bytes: int = 0
    added_bytes: int = 0
    effects: dict[int, np.ndarray] = field(default_factory=dict)

    def scale(self, n: int) -> float:
        """From the lesions that ran to n lesions."""
        return (n + self.method.spare) / (len(self.chosen) + self.method.spare)

    def seconds(self, turn: int, n: int, clock: str, only: Collection[int] = ()) -> float:
        """Seconds of one turn, for n lesions; of a method that runs them one by one, judged by `only` these."""
        costs = [getattr(cost, clock) for cost in self.runs[turn]]
        run, scale = sum(costs), self.scale(n)
        if only and not self.method.together:
            kept = [cost for i, cost in zip(self.chosen, costs, strict=True) if i in only]
            run, scale = sum(kept), n / len(kept)
        return float(getattr(self.begins[turn], clock) + run * scale)


def race(workload: Workload, plan: Plan, *, quiet: bool = False) -> dict[str, Any]:
    """Race the methods on one workload.

    Returns:
        JSON values: what was run, the limit, and a row per method; see `benchmarks/README.md`.
    """
    found = work(workload)
    gc.collect()
    gc.freeze()  # what is loaded by now need not be looked through again before every turn
    try:
        entries, missing = _entries(workload, plan)
        least = limit(workload, found, _run(workload, entries, found, plan, quiet))
    finally:
        gc.unfreeze()
    return _figures(workload, entries, missing, least, found, plan)


def _run(workload: Workload, entries: Sequence[Entry], found: Needed, plan: Plan, quiet: bool) -> float:
    """All turns of all methods; the fastest peak of any turn."""
    parameter = next(workload.model.module.parameters())
    device, speeds = parameter.device.type, []
    total = sum(len(e.chosen) for e in entries) * (plan.repetitions + 1)
    with progress_bar(f"{workload.key}, {workload.case}", total, quiet=quiet) as advance:
        for entry in entries:
            _count(workload, entry)
            advance(len(entry.chosen), f"counting {entry.method.name}")
        for turn in range(plan.repetitions):
            speeds.append(peak(found.by_shape, device, parameter.dtype, quick=plan.quick))
            shift = turn % len(entries)
            for entry in [*entries[shift:], *entries[:shift]]:
                for n in _turn(entry, device):
                    advance(n, f"{entry.method.name}, turn {turn + 1} of {plan.repetitions}")
    return max(speeds)


def _entries(workload: Workload, plan: Plan) -> tuple[list[Entry], dict[str, str]]:
    """Open the methods; those that cannot run are named with the reason."""
    entries: list[Entry] = []
    missing: dict[str, str] = {}
    for kind in METHODS:
        if entries and kind.name not in plan.names:
            continue
        try:
            method = kind(workload)
        except UnavailableError as error:
            missing[kind.name] = str(error)
            continue
        entries.append(Entry(method, _chosen(method, entries, plan)))
    return entries, missing


def _chosen(method: Method, earlier: Sequence[Entry], plan: Plan) -> list[int]:
    """The plain loop's lesions are spread over the sweep, the others' over the plain loop's; stacking takes all."""
    covered = list(method.covers())
    if not earlier:
        return [covered[i] for i in spread(len(covered), plan.loop_lesions, plan.seed)]
    if method.whole:
        return covered
    reachable = sorted(set(covered) & set(earlier[0].chosen))
    return [reachable[i] for i in spread(len(reachable), plan.subset, plan.seed)]


def _count(workload: Workload, entry: Entry) -> None:
    """Count in untimed runs on few examples and on twice as many: what is left over does not grow with the examples."""
    n, few = len(workload.examples), min(COUNTED_ON.get(workload.key, 1), len(workload.examples))
    entry.flops = _spent(workload, entry, few)
    if few < n:
        more = min(2 * few, n)
        entry.flops += (_spent(workload, entry, more) - entry.flops) * (n - few) / (more - few)


def _spent(workload: Workload, entry: Entry, n: int) -> float:
    """FLOPs of the sweep on the first n examples; where every lesion costs a full forward, one tells them all."""
    small = replace(workload, examples=workload.examples[:n], batch_size=min(workload.batch_size, n))
    method = type(entry.method)(small)
    chosen = entry.chosen[:1] if method.uniform else entry.chosen
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # so that nothing runs in other processes, where it could not be counted
    with FlopCounter() as counter:
        method.begin(chosen)
        begun = counter.total
        method.effects(chosen)
    torch.set_num_threads(threads)
    every = (len(workload.lesions) + method.spare) / (len(chosen) + method.spare)
    return begun + (counter.total - begun) * every


def _turn(entry: Entry, device: str) -> Iterator[int]:
    """Time one turn of a method; yields the number of lesions that are done."""
    method, runs = entry.method, []
    with remembered(device) as memory:
        with timed(device) as begin:
            method.begin(entry.chosen)
        for part in [entry.chosen] if method.together else [[i] for i in entry.chosen]:
            with timed(device) as cost:
                effects = method.effects(part)
            runs.append(cost)
            entry.effects.update(zip(part, effects, strict=True))
            yield len(part)
    method.end()
    entry.begins.append(begin)
    entry.runs.append(runs)
    entry.peak_bytes = max(entry.peak_bytes, memory.peak_bytes)
    entry.added_bytes = max(entry.added_bytes, memory.added_bytes)


def _figures(
    workload: Workload,
    entries: Sequence[Entry],
    missing: Mapping[str, str],
    least: Limit,
    found: Needed,
    plan: Plan,
) -> dict[str, Any]:
    parameter = next(workload.model.module.parameters())
    device = parameter.device.type
    clock = "cpu" if device == "cpu" else "wall"
    n, plain = len(workload.lesions), entries[0]
    skipping = next((e for e in entries if e.method.name == "nnsight"), None)
    rows = [_row(e, plain, skipping, n, least, clock, plan.repetitions) for e in entries]
    largest = max(float(np.abs(effects).max()) for effects in plain.effects.values())
    return {
        "workload": workload.key,
        "case": workload.case,
        "title": workload.title,
        "lesions": n,
        "examples": len(workload.examples),
        "device": device,
        "dtype": str(parameter.dtype).removeprefix("torch."),
        "clock": clock,
        "repetitions": plan.repetitions,
        "largest_effect": largest,
        "limit": {**asdict(least), "ratio_to_plain": rows[0]["seconds"] / least.seconds},
        "needed_by_shape": {f"{k}x{m}" if k else "other": f for (k, m), f in found.by_shape.items()},
        "methods": [*rows, *({"name": name, "not_run": why} for name, why in missing.items())],
    }


def _row(
    entry: Entry, plain: Entry, skipping: Entry | None, n: int, least: Limit, clock: str, turns: int
) -> dict[str, Any]:
    each = [entry.seconds(t, n, clock) for t in range(turns)]
    seconds = median(each)
    return {
        "name": entry.method.name,
        "note": entry.method.note,
        "lesions": len(entry.chosen),
        "seconds": seconds,
        "cpu_seconds": [entry.seconds(t, n, "cpu") for t in range(turns)],
        "wall_seconds": [entry.seconds(t, n, "wall") for t in range(turns)],
        "times_plain": median(_ratio(entry, plain, t, n, clock) for t in range(turns)),
        "times_nnsight": skipping and median(_ratio(entry, skipping, t, n, clock) for t in range(turns)),
        "flops": entry.flops,
        "of_peak": entry.flops / seconds / least.peak,
        "of_limit": least.seconds / seconds,
        "peak_bytes": entry.peak_bytes,
        "added_bytes": entry.added_bytes,
        "max_difference": max(
            float(np.abs(entry.effects[i] - plain.effects[i]).max()) for i in entry.chosen if i in plain.effects
        ),
    }


def _ratio(entry: Entry, other: Entry, turn: int, n: int, clock: str) -> float:
    """How many times faster than another method, in the same turn and, where it can be, on the same lesions."""
    both = set(entry.chosen) & set(other.chosen)
    return other.seconds(turn, n, clock, both) / entry.seconds(turn, n, clock, both)
