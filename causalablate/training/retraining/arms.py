"""Which runs of a sweep are compared: the baseline, and the arms that change nothing but what they are trained without.

Values in, values out: nothing here reads a checkpoint.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from causalablate.errors import TrainingError
from causalablate.intervention import Lesion, do

WITHOUT, CONNECTOR = "without", "model.connector_hidden"
FINISHED = ("finished", "stopped_early")
_INCIDENTAL = ("name", "seed", "threads", "tracking")
"""Fields that no run's weights depend on, or that differ between the seeds of an arm."""


class Arm(Protocol):
    """An arm of a sweep, as `SweepResults` has it."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def set(self) -> Mapping[str, Any]:
        """Dotted path of a changed field to its value."""
        ...


class Run(Protocol):
    """One run of a sweep, as `SweepResults` has it."""

    @property
    def arm(self) -> str:
        """Name of its arm."""
        ...

    @property
    def seed(self) -> int:
        """Its seed."""
        ...

    @property
    def status(self) -> str:
        """How it ended, e.g. `finished`, `diverged`, `skipped`."""
        ...

    @property
    def reason(self) -> str | None:
        """Why it ended so, where it did not finish."""
        ...

    @property
    def folder(self) -> Path | None:
        """Its run folder, or None where it never ran."""
        ...

    @property
    def record(self) -> Mapping[str, Any]:
        """What its `record.json` holds."""
        ...


class Sweep(Protocol):
    """What is needed of the results of a sweep."""

    @property
    def name(self) -> str:
        """Name of the sweep."""
        ...

    @property
    def arms(self) -> tuple[Arm, ...]:
        """Its arms."""
        ...

    @property
    def runs(self) -> tuple[Run, ...]:
        """Its runs."""
        ...

    @property
    def baseline(self) -> str:
        """Name of the arm that the others are compared with."""
        ...


@dataclass(frozen=True)
class ComparedArm:
    """One arm that is trained without something.

    Attributes:
        arm: Its name in the sweep.
        lesion: What it is trained without.
        name: The lesion in both tables: its text, and the connector's width where that differs from the baseline's.
        control: Whether it is a capacity control: its connector is not as wide as the baseline's.
        checkpoints: Seed to the checkpoint of the retrained model.
        baselines: The same seeds to the checkpoint of the full model.
    """

    arm: str
    lesion: Lesion
    name: str
    control: bool
    checkpoints: Mapping[int, Path]
    baselines: Mapping[int, Path]


@dataclass(frozen=True)
class Selected:
    """What of a sweep can be compared.

    Attributes:
        arms: The arms, in the order of the sweep.
        left_out: What else was trained without something, and why it is not among them: name to reason.
        notes: What else has to be known to read the comparison.
    """

    arms: tuple[ComparedArm, ...]
    left_out: Mapping[str, str]
    notes: tuple[str, ...]


def compared_arms(results: Sweep) -> Selected:
    """The arms that differ from the baseline in `without` alone, or in that and the width of the connector.

    Raises:
        TrainingError: The sweep has no such arm, none with a finished run, or the baseline itself is trained without
            something.
    """
    runs = {(run.arm, run.seed): run for run in results.runs}
    full = {run.seed: run for run in results.runs if run.arm == results.baseline and usable(run)}
    _check_whole(full)
    found: dict[str, ComparedArm] = {}
    left_out: dict[str, str] = {}
    notes: list[str] = []
    asked = [arm for arm in results.arms if arm.name != results.baseline and _changes_only_what_is_there(arm)]
    for arm in asked:
        own = {seed: run for (name, seed), run in runs.items() if name == arm.name}
        good = {seed: run for seed, run in own.items() if usable(run) and seed in full}
        for seed, run in own.items():
            if seed not in good:
                left_out[f"{arm.name}, seed {seed}"] = _why(run, seed in full)
        if not good:
            continue
        compared, other = _compared(arm.name, good, full)
        if compared.name in found:
            left_out[arm.name] = f"it is trained without the same as {found[compared.name].arm}"
            continue
        found[compared.name] = compared
        if other:
            notes.append(f"{arm.name} also differs from {results.baseline} in {', '.join(other)}.")
    if not found:
        raise TrainingError(_nothing(results, asked, left_out))
    return Selected(tuple(found.values()), left_out, tuple(notes))


def usable(run: Run) -> bool:
    """Whether a run ended with a checkpoint that may be compared."""
    return run.status in FINISHED and run.folder is not None


def config_of(run: Run) -> Mapping[str, Any]:
    """The resolved training config of a run.

    Raises:
        TrainingError: Its record does not hold one.
    """
    config = run.record.get("config", run.record.get("hyperparameters"))
    if not isinstance(config, Mapping):
        raise TrainingError(
            f"the record of {run.folder} holds no config, so it is not known what the run was trained without; run "
            "the sweep again with this version"
        )
    return config


def _check_whole(full: Mapping[int, Run]) -> None:
    for run in full.values():
        if without := config_of(run).get(WITHOUT):
            raise TrainingError(
                f"the baseline is itself trained without {', '.join(without)}, so there is no full model to lesion; "
                "leave that to the arms"
            )


def _changes_only_what_is_there(arm: Arm) -> bool:
    keys = list(arm.set)
    without = [key for key in keys if key == WITHOUT or key.startswith(f"{WITHOUT}.")]
    return bool(without) and set(keys) - set(without) <= {CONNECTOR}


def _compared(name: str, good: Mapping[int, Run], full: Mapping[int, Run]) -> tuple[ComparedArm, list[str]]:
    """The arm, and the other fields in which its config differs from the baseline's."""
    seed = next(iter(good))
    config, whole = config_of(good[seed]), config_of(full[seed])
    lesion = do(dict(config[WITHOUT]))
    mine, theirs = dict(_flat(config)), dict(_flat(whole))
    differing = [key for key in {**theirs, **mine} if mine.get(key) != theirs.get(key)]
    control = CONNECTOR in differing
    arm = ComparedArm(
        arm=name,
        lesion=lesion,
        name=f"{lesion.name}, {CONNECTOR.partition('.')[2]}={mine.get(CONNECTOR)}" if control else lesion.name,
        control=control,
        checkpoints={s: _checkpoint(run) for s, run in good.items()},
        baselines={s: _checkpoint(full[s]) for s in good},
    )
    return arm, [key for key in differing if key != CONNECTOR and key.partition(".")[0] not in (WITHOUT, *_INCIDENTAL)]


def _checkpoint(run: Run) -> Path:
    assert run.folder is not None  # usable
    return run.folder / "checkpoint"


def _flat(config: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in config.items():
        if isinstance(value, Mapping) and key != WITHOUT:
            yield from _flat(value, f"{above}{key}.")
        else:
            yield above + key, value


def _why(run: Run, has_baseline: bool) -> str:
    if not usable(run):
        return f"{run.status}: {run.reason}" if run.reason else run.status
    assert not has_baseline
    return "the baseline of this seed did not finish"


def _nothing(results: Sweep, asked: list[Arm], left_out: Mapping[str, str]) -> str:
    if not asked:
        return (
            f'no arm of "{results.name}" changes nothing but {WITHOUT}, so there is no lesion to compare with '
            f"retraining; its arms are {', '.join(arm.name for arm in results.arms)}. Add one, e.g. "
            "{name: no_participatory, set: {without: {scorers.participatory: zero}}}"
        )
    some = "; ".join(f"{name}: {why}" for name, why in left_out.items())
    return f'no arm of "{results.name}" can be compared ({some}); finish the sweep with the same command'
