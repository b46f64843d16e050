"""Tables that commands read: files of any tool, and results directories of studies."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from causalablate.errors import EffectError, nearest

if TYPE_CHECKING:
    from causalablate.table import Counterfactuals

NO_GROUPS = ["none"]


@dataclass(frozen=True)
class Source:
    """A table, and what its study says about it.

    Attributes:
        table: The counterfactuals, controls included.
        asked: Lesions that are not only controls of others.
        kinds: Lesion name to kind of component.
        controls: By kind of control and lesion, the names of its controls in the table.
        level: Coverage that the study asks for.
        sesoi: Smallest effect of interest that the study names, if there is a study.
        seed: Seed of the study.
    """

    table: "Counterfactuals"
    asked: Sequence[str]
    kinds: Mapping[str, str]
    controls: Mapping[str, Mapping[str, Sequence[str]]] = field(default_factory=dict)
    level: float = 0.95
    sesoi: float | None = None
    seed: int = 0

    @property
    def every_control(self) -> dict[str, list[str]]:
        """Lesion name to its controls of all kinds."""
        found: dict[str, list[str]] = {}
        for of_kind in self.controls.values():
            for lesion, names in of_kind.items():
                found.setdefault(lesion, []).extend(names)
        return found

    def without_controls(self) -> "Counterfactuals":
        """The table of the lesions that were asked for."""
        frame = self.table.frame
        return replace(self.table, frame=frame[frame["lesion"].isin(list(self.asked))].reset_index(drop=True))

    def keep(self, outcomes: Sequence[str], groups: Sequence[str]) -> "Source":
        """The same with some outcomes and groups only; all where none is named, and no group for `none`.

        Raises:
            EffectError: The table has no outcome or group of a name.
        """
        frame = self.table.frame
        for what, names, known in (("outcome", outcomes, self.table.outcomes), ("group", groups, self.table.groups)):
            for name in names:
                if name not in known and not (what == "group" and list(names) == NO_GROUPS):
                    has = ", ".join(known) if known else f"no {what}s"
                    raise EffectError(f'no {what} "{name}" in this table{nearest(name, known)}; it has {has}')
        if outcomes:
            frame = frame[frame["outcome"].isin(list(outcomes))].reset_index(drop=True)
        left_out = [f"group.{name}" for name in self.table.groups if groups and name not in groups]
        labels = {name: values for name, values in self.table.labels.items() if not outcomes or name in outcomes}
        return replace(self, table=replace(self.table, frame=frame.drop(columns=left_out), labels=labels))


def read_source(
    path: Path, *, columns: Mapping[str, str] | None = None, controls: Path | None = None, partial: bool = False
) -> Source:
    """Read a file, or the results directory of a study.

    Args:
        path: A CSV, TSV or Parquet file, or a directory.
        columns: For a file, names of its columns to our names.
        controls: For a file, a YAML file that maps lesions to lists of lesions that are their controls.
        partial: For a directory, accept an unfinished study.
    Raises:
        EffectError: The file is no table, or an argument does not fit.
        LedgerError: The directory holds no finished study.
    """
    if path.is_dir():
        if columns or controls:
            raise EffectError(f"{path} is a results directory, which knows its columns and controls; leave them out")
        return _study(path, partial)
    from causalablate.report.effects import kind_of
    from causalablate.table_files import read_table

    table = read_table(path, columns=columns)
    if partial:
        raise EffectError(f"--partial is for results directories of unfinished studies; {path} is a file")
    held = read_controls(controls) if controls else {}
    only = {name for names in held.values() for name in names} - held.keys()
    asked = [name for name in table.lesions if name not in only]
    return Source(table, asked, {name: kind_of(name) for name in table.lesions}, {"components": held} if held else {})


def _study(path: Path, partial: bool) -> Source:
    from causalablate.study import read_results

    results = read_results(path, partial=partial)
    study = results.study
    return Source(
        results.table,
        results.asked,
        results.kinds,
        results.controls,
        level=study.level,
        sesoi=study.sesoi,
        seed=study.seed,
    )


def read_controls(path: Path) -> dict[str, list[str]]:
    """Lesions and the lesions that are their controls, from YAML.

    Raises:
        EffectError: There is no such file, or it holds something else.
    """
    from causalablate.declarative.yaml12 import parse

    try:
        document = parse(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise EffectError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from error
    if document.problems:
        line, column = document.problems[0].place
        raise EffectError(f"{path}:{line}:{column}: {document.problems[0].message}")
    data = document.data
    if not isinstance(data, dict) or not all(isinstance(names, list) and names for names in data.values()):
        raise EffectError(f"{path} must map each lesion to a list of lesions that are its controls")
    return {str(lesion): [str(name) for name in names] for lesion, names in data.items()}
