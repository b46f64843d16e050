"""Outcomes of every baseline, of every baseline under every lesion, and of every retrained model under its own.

Each of these on all examples is a unit of work: kept when it is finished, never computed again.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from causalablate.declarative import content_hash
from causalablate.durable import make_directory, remove_stale
from causalablate.environment import versions
from causalablate.errors import CheckpointError
from causalablate.examples import ExampleSet
from causalablate.foveated.checkpoint import CONFIG, WEIGHTS, read_config
from causalablate.intervention import Lesion
from causalablate.models import load
from causalablate.outcome import OUTCOMES
from causalablate.progress import progress_bar
from causalablate.replay import Replay
from causalablate.study.part import Part
from causalablate.study.store import Store
from causalablate.table import Counterfactuals, Units, rows
from causalablate.training.retraining.arms import ComparedArm
from causalablate.training.retraining.section import CompareSection


@dataclass(frozen=True)
class Unit:
    """One model in one world, on all examples.

    Attributes:
        checkpoint: The model.
        lesion: The world; None is the factual one.
        key: SHA-256 of everything that determines its numbers.
        about: What it is, for people.
    """

    checkpoint: Path
    lesion: Lesion | None
    key: str
    about: str


class Measurements:
    """All units of a comparison in one folder.

    Args:
        section: What is measured on what.
        arms: The arms.
        folder: Where finished units are kept.
    """

    def __init__(self, section: CompareSection, arms: Sequence[ComparedArm], folder: Path):
        self.section, self.arms, self.store = section, arms, Store(folder)
        self.examples = section.examples.load()
        self.digests = {path: _digest(path) for arm in arms for path in (*arm.checkpoints.values(), *_baselines(arm))}

        self._common = {
            "examples": self.examples.hash,
            "outcomes": sorted(section.outcomes),
            "seed": section.seed,
            "batch_size": section.batch_size,
            "versions": versions(),
        }

    def finish(self, *, quiet: bool = False) -> None:
        """Compute what is missing, model by model; each unit survives whatever happens afterwards.

        Raises:
            CheckpointError: A checkpoint is damaged.
            InertLesionError: A lesion never acts.
            LedgerError: The folder cannot be written.
            OutcomeError: An outcome is NaN or infinite.
        """
        make_directory(self.store.folder)
        remove_stale(self.store.folder)
        there, units = self.store.keys(), list(self._units())
        missing = [unit for unit in units if unit.key not in there]
        with progress_bar("compare", len(units), done=len(units) - len(missing), quiet=quiet) as advance:
            for checkpoint in dict.fromkeys(unit.checkpoint for unit in missing):
                for unit in self._computed(checkpoint, [u for u in missing if u.checkpoint == checkpoint]):
                    advance(1, unit.about)

    def lesion_table(self, study: str) -> Counterfactuals:
        """Each seed's baseline without and with each lesion."""
        return self._table(
            study, ((arm, seed, path, self._unit(path, arm.lesion)) for arm, seed, path in self._each("baselines"))
        )

    def retraining_table(self, study: str) -> Counterfactuals:
        """Each seed's baseline, beside the model of that seed trained without the component, which it still lacks."""
        return self._table(
            study, ((arm, seed, path, self._unit(path, arm.lesion)) for arm, seed, path in self._each("checkpoints"))
        )

    def _each(self, which: str) -> Iterator[tuple[ComparedArm, int, Path]]:
        for arm in self.arms:
            for seed, path in sorted(getattr(arm, which).items()):
                yield arm, seed, path

    def _units(self) -> Iterator[Unit]:
        """Every unit once, those of one checkpoint together."""
        found: dict[str, Unit] = {}
        baselines = dict.fromkeys(path for arm in self.arms for path in _baselines(arm))
        for path in baselines:
            worlds = [arm.lesion for arm in self.arms if path in _baselines(arm)]
            found |= {u.key: u for u in (self._unit(path, lesion) for lesion in (None, *worlds))}
        for arm, _, path in self._each("checkpoints"):
            unit = self._unit(path, arm.lesion)
            found[unit.key] = unit
        yield from found.values()

    def _unit(self, checkpoint: Path, lesion: Lesion | None) -> Unit:
        world = None if lesion is None else lesion.to_json()
        determined_by = {**self._common, "checkpoint": self.digests[checkpoint], "lesion": world}
        what = "factual" if lesion is None else lesion.name
        return Unit(checkpoint, lesion, content_hash(determined_by), f"{checkpoint.parent.name[:12]}: {what}")

    def _computed(self, checkpoint: Path, units: Sequence[Unit]) -> Iterator[Unit]:
        model, everything = load(checkpoint), slice(0, len(self.examples))
        # One lesion per forward: bit for bit the lesioned model, whichever other lesions are asked for.
        replay = Replay(
            model,
            self.examples,
            outcomes=self.section.outcomes,
            seed=self.section.seed,
            batch_size=self.section.batch_size,
            stack=1,
        )
        by_lesion = {unit.lesion: unit for unit in units}
        lesions = [lesion for lesion in by_lesion if lesion is not None]
        replay.prepare(lesions)
        if None in by_lesion:
            self._write(by_lesion[None], replay.factual(everything))
            yield by_lesion[None]
        for lesion, world in replay.worlds(lesions, everything) if lesions else ():
            self._write(by_lesion[lesion], world.values, world.fired, world.change_norm)
            yield by_lesion[lesion]

    def _write(
        self,
        unit: Unit,
        values: Mapping[str, np.ndarray],
        fired: np.ndarray | None = None,
        change_norm: np.ndarray | None = None,
    ) -> None:
        self.store.write(Part(unit.key, unit.about, 0, {n: values[n] for n in sorted(values)}, fired, change_norm))

    def _table(self, study: str, worlds: Iterable[tuple[ComparedArm, int, Path, Unit]]) -> Counterfactuals:
        listed = list(worlds)
        factual = {(arm.arm, seed): self._unit(arm.baselines[seed], None) for arm, seed, _, _ in listed}
        parts = self.store.read([*(unit.key for *_, unit in listed), *(unit.key for unit in factual.values())])
        units, categorical = _who(self.examples), [n for n in self.section.outcomes if OUTCOMES[n].categorical]
        frames = []
        for arm, seed, path, unit in listed:
            part, before = parts[unit.key], parts[factual[arm.arm, seed].key]
            frames.append(
                rows(
                    units,
                    study=study,
                    model=self.digests[path],
                    seed=seed,
                    lesion=arm.name,
                    factual=before.values,
                    counterfactual={name: part.values[name] for name in self.section.outcomes},
                    fired=np.asarray(part.fired),
                    change_norm=np.asarray(part.change_norm),
                    categorical=categorical,
                )
            )
        words = list(read_config(listed[0][2] / CONFIG).vocabulary) if categorical else []
        return Counterfactuals(pd.concat(frames, ignore_index=True), dict.fromkeys(categorical, words))


def _baselines(arm: ComparedArm) -> list[Path]:
    return list(arm.baselines.values())


def _digest(checkpoint: Path) -> str:
    """SHA-256 of the config and the weights of a checkpoint."""
    digest = hashlib.sha256()
    for name in (CONFIG, WEIGHTS):
        try:
            digest.update((checkpoint / name).read_bytes())
        except OSError as error:
            raise CheckpointError(
                f"cannot read {checkpoint / name} ({error.strerror}); run the sweep again, which makes what is missing"
            ) from error
    return digest.hexdigest()


def _who(examples: ExampleSet) -> Units:
    names = dict.fromkeys(name for example in examples for name in example.groups)
    return Units(
        [e.id for e in examples],
        [e.cluster for e in examples],
        {name: [e.groups.get(name, "") for e in examples] for name in names},
    )
