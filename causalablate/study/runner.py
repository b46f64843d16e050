"""Run a plan: only what is missing, one finished unit after the other."""

from collections.abc import Callable
from functools import partial
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
from causalablate.study.results import Results, read_results
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
            for unit in missing:
                if ledger.store.has(ledger.key(unit)):  # Another process may have finished it by now
                    advance(1, unit.name)
                else:
                    writer.put(_computed(unit, replay, ledger), partial(advance, 1, unit.name))
            for name, lesion in untraced:
                writer.put(traces.make(lesion, replay), partial(advance, 1, f"{name}: single examples"))
    if ledger.store.n_loose() > _COMPACT_ABOVE:
        ledger.store.compact()
    return read_results(out)


def _computed(unit: Unit, replay: Replayed, ledger: Ledger) -> Callable[[], object]:
    """Compute one unit; what is returned writes it."""
    try:
        if unit.lesion is None:
            values = replay.factual(unit.rows)
            _check_finite(unit, values, replay)
            return partial(ledger.write, unit, values)
        world = replay.counterfactual(unit.lesion, unit.rows)
        _check_finite(unit, {**world.values, "change_norm": world.change_norm}, replay)
        return partial(ledger.write, unit, world.values, world.fired, world.change_norm)
    except OutcomeError as error:
        where = "in the factual run" if unit.lesion is None else f"under {unit.name}"
        raise OutcomeError(f"{where}: {error}. Nothing of this unit was kept") from error


def _check_finite(unit: Unit, values: dict[str, np.ndarray], replay: Replayed) -> None:
    for name, column in values.items():
        bad = np.flatnonzero(~np.isfinite(column))
        if len(bad):
            example = replay.units.example[unit.start + int(bad[0])]
            raise OutcomeError(
                f'{name} of example "{example}" is {column[bad[0]]}: check the weights with '
                "`causalablate doctor CHECKPOINT`, or choose another off for this lesion"
            )
