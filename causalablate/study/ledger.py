"""The ledger of a study: which units are finished, and the table that they make."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from causalablate import table
from causalablate.declarative import content_hash
from causalablate.errors import LedgerError
from causalablate.intervention import Lesion
from causalablate.study.manifest import Manifest
from causalablate.study.part import Part
from causalablate.study.plan import PlannedLesion, Unit
from causalablate.study.store import Store


class Ledger:
    """Finished units of one study in one results directory.

    A unit's key is the SHA-256 of everything that determines it: weights, examples, reference set, seed, precision,
    versions, batch size, outcomes, lesion and rows. So a unit exists or it does not; the same command finishes what
    is missing; and what another study has computed already is found.

    Attributes:
        store: The Parquet parts.
    """

    def __init__(self, out: Path, manifest: Manifest):
        self.manifest = manifest
        self.store = Store(out / "ledger")

    def key(self, unit: Unit) -> str:
        """Name of a unit of work."""
        return unit_key(self.manifest, unit.lesion, [unit.start, unit.stop], sorted(self.manifest.outcomes))

    def missing(self) -> list[Unit]:
        """Units of the plan that are not finished, in the order in which they are run."""
        there = self.store.keys()
        return [unit for unit in self.manifest.plan.units if self.key(unit) not in there]

    def write(
        self,
        unit: Unit,
        values: dict[str, np.ndarray],
        fired: np.ndarray | None = None,
        change_norm: np.ndarray | None = None,
    ) -> None:
        """Keep a finished unit.

        Raises:
            LedgerError: It cannot be written; nothing half-written remains.
        """
        what = "factual" if unit.lesion is None else unit.lesion.name
        ordered = {name: values[name] for name in sorted(values)}
        self.store.write(Part(self.key(unit), what, unit.start, ordered, fired, change_norm))

    def finished(self) -> tuple[list[PlannedLesion], list[tuple[int, int]]]:
        """What of an unfinished study makes a table: the lesions that are finished on all examples.

        While there is none: all lesions, on the shards of examples that are finished for every one of them.
        """
        plan, missing = self.manifest.plan, self.missing()
        waiting = {unit.name if unit.lesion is not None else None for unit in missing}
        lesions = [] if None in waiting else [p for p in plan.lesions if p.name not in waiting]
        if lesions:
            return lesions, plan.shards
        open_shards = {(unit.start, unit.stop) for unit in missing}
        return list(plan.lesions), [shard for shard in plan.shards if shard not in open_shards]

    def counterfactuals(
        self,
        lesions: Iterable[PlannedLesion] | None = None,
        shards: Iterable[tuple[int, int]] | None = None,
    ) -> table.Counterfactuals:
        """The table, equal bit for bit to what `counterfactuals()` computes in memory.

        Args:
            lesions: Which lesions of the plan; by default all.
            shards: Which shards of the examples, (start, stop); by default all.
        Raises:
            LedgerError: Units are missing, or a part is damaged.
        """
        chosen = list(self.manifest.plan.lesions if lesions is None else lesions)
        spans = list(self.manifest.plan.shards if shards is None else shards)
        if not chosen or not spans:
            raise LedgerError(
                f'neither a lesion nor a shard of the study "{self.manifest.plan.study.name}" is finished in '
                f"{self.store.folder.parent}; go on with the same `causalablate run` command"
            )
        names = {planned.name for planned in chosen}
        units = [
            u for u in self.manifest.plan.units if (u.lesion is None or u.name in names) and (u.start, u.stop) in spans
        ]
        keys = {unit: self.key(unit) for unit in units}
        parts = self.store.read(keys.values())
        missing = sum(key not in parts for key in keys.values())
        if missing:
            raise LedgerError(
                f"{self.store.folder.parent} lacks {missing} of {len(units)} units of the study "
                f'"{self.manifest.plan.study.name}"; finish them with the same `causalablate run` command'
            )
        who = self.manifest.units.rows([row for start, stop in spans for row in range(start, stop)])
        by_lesion: dict[str | None, list[Part]] = {}
        for unit in units:
            by_lesion.setdefault(None if unit.lesion is None else unit.name, []).append(parts[keys[unit]])
        factual = self._outcomes(by_lesion[None])
        frames = [self._rows(who, planned, by_lesion[planned.name], factual) for planned in chosen]
        return table.Counterfactuals(pd.concat(frames, ignore_index=True), self.manifest.labels)

    def _outcomes(self, parts: list[Part]) -> dict[str, np.ndarray]:
        return {name: np.concatenate([part.values[name] for part in parts]) for name in self.manifest.outcomes}

    def _rows(
        self, who: table.Units, planned: PlannedLesion, parts: list[Part], factual: dict[str, np.ndarray]
    ) -> pd.DataFrame:
        manifest = self.manifest
        return table.rows(
            who,
            study=manifest.plan.study.name,
            model=manifest.model,
            precision=manifest.precision,
            seed=manifest.plan.study.seed,
            lesion=planned.name,
            factual=factual,
            counterfactual=self._outcomes(parts),
            fired=np.concatenate([np.asarray(part.fired) for part in parts]),
            change_norm=np.concatenate([np.asarray(part.change_norm) for part in parts]),
            categorical=manifest.categorical,
        )


def unit_key(manifest: Manifest, lesion: Lesion | None, rows: list[int], content: list[str]) -> str:
    """SHA-256 of everything that determines what a lesion (None: the factual run) gives on some rows.

    The reference set counts only for lesions that read it.
    """
    reads = lesion is not None and any(how.reads_reference for _, how in lesion)
    identity = {k: v for k, v in manifest.identity.items() if k != "reference" or reads}
    parts = None if lesion is None else lesion.to_json()
    return content_hash({"identity": identity, "lesion": parts, "rows": rows, "content": content})
