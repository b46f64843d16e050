"""Run a plan: only what is missing, one finished unit after the other."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain, islice
from pathlib import Path

import numpy as np

from causalablate.durable import make_directory, remove_stale
from causalablate.errors import OutcomeError
from causalablate.progress import progress_bar
from causalablate.study.gallery import TraceFolder
from causalablate.study.ledger import Ledger
from causalablate.study.manifest import Manifest
from causalablate.study.plan import Plan, Unit
from causalablate.study.replayed import Replayed
from causalablate.study.results import Results, results_of
from causalablate.study.writer import Writer

_COMPACT_ABOVE = 256


def run(plan: Plan, replay: Replayed, out: str | Path, *, quiet: bool = False) -> Results:
    """Finish a plan in a results directory, and return its results.

    Units that are there already, from an earlier call or another study, are not computed again. However the process
    ends, a unit is whole on the disk or absent. Several processes may run the same plan in the same directory.

    Args:
        plan: What to run.
        replay: Runs it.
        out: The results directory.
        quiet: Show no progress bar.
    Raises:
        LedgerError: The directory cannot be written, or holds the results of another study.
        InertLesionError: A lesion never acted; the message names it. What is finished stays.
        OutcomeError: An outcome is NaN or infinite; the message names the example. Nothing of that unit is kept.
    """
    out = Path(out)
    manifest = Manifest.of(plan, replay)
    ledger, traces = Ledger(out, manifest), TraceFolder(out, manifest)
    manifest.write(out)
    for folder in (out, ledger.store.folder, traces.folder):
        make_directory(folder)
        remove_stale(folder)
    missing, untraced = ledger.missing(), traces.missing()
    total = plan.n_units + len(traces.wanted())
    done = total - len(missing) - len(untraced)
    with progress_bar(plan.study.name, total, done=done, quiet=quiet) as advance:
        wanted = [unit.lesion for unit in missing] + [lesion for _, lesion in untraced]
        replay.prepare(dict.fromkeys(lesion for lesion in wanted if lesion is not None))
        with Writer() as writer:
            for rows, units in _by_rows(missing):
                for unit, write in _computed(rows, units, replay, ledger):
                    writer.put(write, partial(advance, 1, unit.name))
            for name, lesion in untraced:
                writer.put(traces.make(lesion, replay), partial(advance, 1, f"{name}: single examples"))
    if ledger.store.n_loose() > _COMPACT_ABOVE:
        ledger.store.compact()
    return results_of(manifest, out)


def _by_rows(units: Iterable[Unit]) -> list[tuple[slice, list[Unit]]]:
    """Units that share their rows, and with them the recording that lesions are replayed from."""
    shards: dict[tuple[int, int], list[Unit]] = {}
    for unit in units:
        shards.setdefault((unit.start, unit.stop), []).append(unit)
    return [(slice(*span), shards[span]) for span in sorted(shards)]


def _computed(
    rows: slice, units: Sequence[Unit], replay: Replayed, ledger: Ledger
) -> Iterator[tuple[Unit, Callable[[], object]]]:
    """Compute units of the same rows, each with what writes it; other processes may finish some of them meanwhile."""

    def elsewhere(unit: Unit) -> bool:
        return ledger.store.has(ledger.key(unit))

    by_lesion = {unit.lesion: unit for unit in units}
    left = dict(by_lesion)
    try:
        factual = by_lesion.pop(None, None)
        asked = [lesion for lesion in by_lesion if lesion is not None]
        every = [planned.lesion for planned in ledger.manifest.plan.lesions]
        worlds = replay.worlds(asked, rows, among=every, done=lambda lesion: elsewhere(by_lesion[lesion]))
        first = [*islice(worlds, 1)]  # recording a batch is its factual run, which is known from there on
        if factual is not None and not elsewhere(factual):
            values = replay.factual(rows)
            _check_finite(factual, values, replay)
            yield left.pop(None), partial(ledger.write, factual, values)
        for lesion, world in chain(first, worlds):
            unit = left.pop(lesion)
            _check_finite(unit, {**world.values, "change_norm": world.change_norm}, replay)
            yield unit, partial(ledger.write, unit, world.values, world.fired, world.change_norm)
    except OutcomeError as error:
        raise OutcomeError(f"{error}. Nothing of this unit was kept") from error
    for unit in left.values():
        yield unit, lambda: None


def _check_finite(unit: Unit, values: dict[str, np.ndarray], replay: Replayed) -> None:
    for name, column in values.items():
        bad = np.flatnonzero(~np.isfinite(column))
        if len(bad):
            example = replay.units.example[unit.start + int(bad[0])]
            where = "in the factual run" if unit.lesion is None else f"under {unit.name}"
            raise OutcomeError(
                f'{where}: {name} of example "{example}" is {column[bad[0]]}: check the weights with '
                "`causalablate doctor CHECKPOINT`, or choose another off for this lesion"
            )
