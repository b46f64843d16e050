"""Traces of the gallery: what a few examples looked like in every world, one JSON file per lesion."""

import json
from collections.abc import Callable
from pathlib import Path

from causalablate.durable import write_durably
from causalablate.errors import LedgerError
from causalablate.intervention import Lesion
from causalablate.study.ledger import unit_key
from causalablate.study.manifest import Manifest
from causalablate.study.replayed import Replayed
from causalablate.trace import Trace


class TraceFolder:
    """The traces of one study in one results directory."""

    def __init__(self, out: Path, manifest: Manifest):
        self.folder, self.manifest = out / "traces", manifest

    def path(self, lesion: Lesion | None) -> Path:
        """File of one lesion, named by the hash of everything that determines it; None is the factual world."""
        return self.folder / f"{unit_key(self.manifest, lesion, list(self.manifest.gallery), ['trace'])}.json"

    def wanted(self) -> list[tuple[str, Lesion | None]]:
        """Names and lesions that are traced: the factual world and all lesions but the controls."""
        lesions: list[tuple[str, Lesion | None]] = [
            (p.name, p.lesion) for p in self.manifest.plan.lesions if not p.control
        ]
        return [("factual", None), *lesions] if self.manifest.gallery else []

    def missing(self) -> list[tuple[str, Lesion | None]]:
        """Of those, the ones whose traces are not there."""
        return [(name, lesion) for name, lesion in self.wanted() if not self.path(lesion).exists()]

    def make(self, lesion: Lesion | None, replay: Replayed) -> Callable[[], object]:
        """Trace the gallery under a lesion; what is returned writes it, or raises `LedgerError`.

        Traces that another process has made by now are not made again.
        """
        if self.path(lesion).exists():
            return lambda: None
        traces = replay.trace(lesion, self.manifest.gallery)
        content = {
            "lesion": None if lesion is None else lesion.name,
            "examples": [self.manifest.units.example[row] for row in self.manifest.gallery],
            "traces": [trace.to_json() for trace in traces],
        }
        encoded = json.dumps(content, ensure_ascii=False).encode()
        return lambda: write_durably(self.path(lesion), encoded)

    def read(self, lesion: Lesion | None) -> list[Trace]:
        """Traces of the gallery's examples, in order; none where they have not been made.

        Raises:
            LedgerError: The file is damaged.
        """
        path = self.path(lesion)
        try:
            return [Trace.from_json(trace) for trace in json.loads(path.read_text())["traces"]]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise LedgerError(
                f"{path} is damaged ({error!r}). Delete this file and run the same command again: "
                "only these traces are made again"
            ) from error
