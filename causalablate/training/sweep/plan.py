"""What a sweep amounts to: its arms resolved to runs, and every run named by what determines it."""

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from causalablate.declarative import content_hash, read
from causalablate.errors import StudyError
from causalablate.foveated.checkpoint import WEIGHTS
from causalablate.training.config import StageSection, TrainingConfig
from causalablate.training.retraining.capacity import with_matched_capacity
from causalablate.training.sweep.measure import Measured, measure
from causalablate.training.sweep.spec import ArmSection, SweepSpec

DIGEST_LENGTH = 16
SHIPPED = "shipped"
YAML = (".yaml", ".yml")
BACKBONE = "start"
"""Stands for the arm of the run that all others start from."""


@dataclass(frozen=True)
class PlannedRun:
    """One training run.

    Attributes:
        digest: Its name: hash of all that determines it, so of its backbone too.
        config: What is trained; a checkpoint of the sweep that it starts from is relative to the folder of runs.
        arm: The first arm that it belongs to.
        backbone: Digest of the run that it starts from, if that is one of the sweep.
        measured: What one example costs.
    """

    digest: str
    config: TrainingConfig
    arm: str
    backbone: str | None
    measured: Measured

    @property
    def samples(self) -> float:
        """Examples that go forward and back, each evaluated one counted as a third."""
        stages = self.config.stages.values()
        evaluation = self.config.evaluation
        evaluations = self.config.steps / evaluation.every
        return sum(stage.steps * stage.batch_size for stage in stages) + evaluations * evaluation.examples / 3

    @property
    def flops(self) -> float:
        """Floating-point operations of the whole run, about."""
        return self.samples * self.measured.flops_per_sample

    @property
    def guessed_seconds(self) -> float:
        """Duration by the examples that were timed."""
        return self.samples * self.measured.seconds_per_sample


@dataclass(frozen=True)
class PlannedArm:
    """One arm.

    Attributes:
        section: What the sweep says of it.
        runs: Seed to the digest of its run.
        same_as: Name of an earlier arm with the same runs, or None.
    """

    section: ArmSection
    runs: Mapping[int, str]
    same_as: str | None

    @property
    def name(self) -> str:
        """Its name."""
        return self.section.name


@dataclass(frozen=True)
class SweepPlan:
    """All runs of a sweep.

    Attributes:
        spec: The sweep.
        arms: Its arms by name, in order.
        runs: The runs by digest, each once: first the backbones, then seed by seed, and within a seed arm by arm.
        backbones: Digests of the runs that the others start from, each starting from the one before; all others start
            from the last.
    """

    spec: SweepSpec
    arms: Mapping[str, PlannedArm]
    runs: Mapping[str, PlannedRun]
    backbones: tuple[str, ...] = ()

    @property
    def backbone(self) -> str | None:
        """Digest of the run that the arms start from, or None."""
        return self.backbones[-1] if self.backbones else None

    def arms_of(self, digest: str) -> list[PlannedArm]:
        """The arms that a run belongs to; none for the backbone."""
        return [arm for arm in self.arms.values() if digest in arm.runs.values()]

    def to_json(self, runs: str) -> dict[str, Any]:
        """What `plan.json` holds; `runs` is the folder of run folders, relative to it."""
        spec = json.loads(self.spec.model_dump_json(by_alias=True))
        kept = ("name", "description", "seeds", "data_seed", "equal", "samples", "hours", "rules", "compare", "figures")
        return {
            **{key: spec[key] for key in kept},
            "baseline": self.spec.baseline,
            "runs": runs,
            "start": self.backbone,
            "arms": [self._arm(arm) for arm in self.arms.values()],
        }

    def _arm(self, arm: PlannedArm) -> dict[str, Any]:
        first = self.runs[next(iter(arm.runs.values()))]
        return {
            **json.loads(arm.section.model_dump_json()),
            "same_as": arm.same_as,
            "steps": first.config.steps,
            "flops_per_sample": first.measured.flops_per_sample,
            "runs": {str(seed): digest for seed, digest in arm.runs.items()},
        }


def plan_sweep(spec: SweepSpec, directory: Path, *, measured: Callable[..., Measured] = measure) -> SweepPlan:
    """Resolve a sweep.

    Args:
        spec: The sweep.
        directory: Where relative paths of the sweep start.
        measured: What says how much one example of a run costs.
    Raises:
        StudyError: The file of the backbone is not a valid training run.
        ExampleError: A folder of examples is missing, empty or malformed.
        ComponentNotFoundError: `without` names a component that is not there.
        LesionError: A component cannot be off as asked.
    """
    chain = [] if spec.start is None else _backbones(directory / Path(spec.start).expanduser(), measured)
    backbone = chain[-1] if chain else None
    runs = {run.digest: run for run in chain}
    widths = {arm.name: _connector(spec, arm, directory) for arm in spec.arms}
    costs = {arm.name: measured(_config(spec, arm, None, widths, directory), directory) for arm in spec.arms}
    baseline = next(arm for arm in spec.arms if arm.name == spec.baseline)
    found: dict[str, dict[int, str]] = {arm.name: {} for arm in spec.arms}
    for seed in spec.seeds:
        for arm in spec.arms:
            config = _with_length(spec, arm, _config(spec, arm, seed, widths, directory), baseline, costs)
            start = backbone if config.start is None and "start" not in arm.set else None
            run = _run(config, arm.name, start, costs[arm.name])
            runs.setdefault(run.digest, run)
            found[arm.name][seed] = run.digest
    owners = {tuple(digests.values()): name for name, digests in reversed(found.items())}
    arms = {}
    for arm in spec.arms:
        owner = owners[tuple(found[arm.name].values())]
        arms[arm.name] = PlannedArm(arm, found[arm.name], owner if owner != arm.name else None)
    return SweepPlan(spec, arms, runs, tuple(run.digest for run in chain))


def _backbones(file: Path, measured: Callable[..., Measured], after: tuple[Path, ...] = ()) -> list[PlannedRun]:
    """The run in a file, after those that it starts from: its own `start` may be the file of a run too."""
    file = file.resolve()
    if file in after:
        raise StudyError(f'"{file}" starts from itself; break the circle of `start`s')
    config, before = read(file, TrainingConfig), list[PlannedRun]()
    if config.start is not None and Path(config.start).suffix in YAML:
        before = _backbones(file.parent / Path(config.start).expanduser(), measured, (*after, file))
        config = config.model_copy(update={"start": None})
    config = _absolute(config, file.parent)
    return [*before, _run(config, BACKBONE, before[-1] if before else None, measured(config, file.parent))]


def _run(config: TrainingConfig, arm: str, backbone: PlannedRun | None, measured: Measured) -> PlannedRun:
    identity = json.loads(config.identity)
    if measured.data:  # A folder is what it holds, wherever it lies
        identity["data"] = {"kind": config.data.kind, "hash": measured.data}
    if backbone is not None:
        identity["start"] = {"run": backbone.digest}
    elif config.start is not None and config.start != SHIPPED:
        identity["start"] = {"weights": hashlib.sha256((Path(config.start) / WEIGHTS).read_bytes()).hexdigest()}
    digest = content_hash(identity)[:DIGEST_LENGTH]
    # Arms that are the same run have different names; the run has one of its own.
    changes: dict[str, Any] = {"name": digest}
    if backbone is not None:
        changes["start"] = f"{backbone.digest}/checkpoint"
    return PlannedRun(digest, config.model_copy(update=changes), arm, backbone.digest if backbone else None, measured)


def _connector(spec: SweepSpec, arm: ArmSection, directory: Path) -> int | None:
    """Width of the connector's hidden layer in an arm of matched capacity; None for the others."""
    if arm.capacity == "own":
        return None
    return with_matched_capacity(spec.config(arm), directory).model.connector_hidden


def _config(
    spec: SweepSpec, arm: ArmSection, seed: int | None, widths: Mapping[str, int | None], directory: Path
) -> TrainingConfig:
    """The run of an arm, its length still that of the base."""
    config = _absolute(spec.config(arm, seed), directory)
    width = widths[arm.name]
    if width is None:
        return config
    return config.model_copy(update={"model": config.model.model_copy(update={"connector_hidden": width})})


def _with_length(
    spec: SweepSpec, arm: ArmSection, config: TrainingConfig, baseline: ArmSection, costs: Mapping[str, Measured]
) -> TrainingConfig:
    """The run of an arm with as many steps as the sweep's samples or operations come to."""
    whole = spec.config(baseline)
    samples = spec.samples or whole.main.steps * whole.main.batch_size
    if spec.equal == "compute":
        operations = _steps(samples, whole.main) * whole.main.batch_size * costs[baseline.name].flops_per_sample
        per_step = config.main.batch_size * costs[arm.name].flops_per_sample
        steps = max(1, round(operations / per_step))
    elif spec.samples is not None:
        steps = _steps(samples, config.main)
    else:
        return config
    return config.model_copy(update={"main": config.main.model_copy(update={"steps": steps})})


def _steps(samples: int, stage: StageSection) -> int:
    return math.ceil(samples / stage.batch_size)


def _absolute(config: TrainingConfig, directory: Path) -> TrainingConfig:
    """The same run with its paths absolute: its folder may lie anywhere."""
    changes: dict[str, Any] = {}
    if config.start is not None and config.start != SHIPPED:
        changes["start"] = str((directory / Path(config.start).expanduser()).resolve())
    if config.data.kind == "folder":
        path = (directory / Path(config.data.path).expanduser()).resolve()
        changes["data"] = config.data.model_copy(update={"path": str(path)})
    return config.model_copy(update=changes)
