"""The log of an experiment as arrays, refusing what would make the comparison meaningless."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from causalablate.effects.kinds import Kind, kind_of
from causalablate.errors import EffectError, nearest

CONTROLS = ("control", "baseline", "factual")
"""Names that an arm without the lesion usually has."""


@dataclass(frozen=True)
class Columns:
    """Names of the columns of a log.

    Attributes:
        unit: What was randomised: a user, a session, an image.
        arm: The arm that the unit was assigned to.
        time: When the event happened; None: rows are in order of arrival.
        cluster: What was randomised, if whole groups of units were; None: units.
        covariate: A number known before the experiment, one per unit; None: no adjustment.
    """

    unit: str = "unit"
    arm: str = "arm"
    time: str | None = None
    cluster: str | None = None
    covariate: str | None = None

    @property
    def names(self) -> list[str]:
        """All that are given."""
        return [name for name in (self.unit, self.arm, self.time, self.cluster, self.covariate) if name is not None]


@dataclass(frozen=True)
class Sample:
    """One outcome in one arm.

    Attributes:
        values: Outcome of each event, shape (events,).
        unit: Unit of each event, 0 .. n_units - 1, rising.
    """

    values: np.ndarray
    unit: np.ndarray

    @property
    def n_units(self) -> int:
        """Units of the arm."""
        return int(self.unit[-1]) + 1 if self.unit.size else 0

    @property
    def one_event(self) -> bool:
        """Whether every unit has exactly one event."""
        return self.unit.size == self.n_units


@dataclass(frozen=True)
class Log:
    """Events sorted by unit, units in order of arrival. A unit is what was randomised: a cluster, if there are any.

    Attributes:
        arms: Names, the control first.
        arm: Arm of each unit, shape (units,), 0 for the control.
        unit: Unit of each event, shape (events,), rising.
        outcomes: Outcome name to values, shape (events,).
        kinds: Outcome name to kind, binary or real.
        covariate: Shape (events,), or None.
        arrival: Time of the first event of each unit, shape (units,), or None.
    """

    arms: tuple[str, ...]
    arm: np.ndarray
    unit: np.ndarray
    outcomes: Mapping[str, np.ndarray]
    kinds: Mapping[str, Kind]
    covariate: np.ndarray | None
    arrival: np.ndarray | None

    @property
    def one_event(self) -> bool:
        """Whether every unit has exactly one event."""
        return self.unit.size == self.arm.size

    def sample(self, values: np.ndarray, arm: int, until: int | None = None) -> Sample:
        """Values of the events of one arm, shape (events,), of the first `until` units that arrived."""
        end = self.unit.size if until is None else int(np.searchsorted(self.unit, until))
        here = self.arm[self.unit[:end]] == arm
        unit = self.unit[:end][here]
        return Sample(values[:end][here], np.cumsum(np.diff(unit, prepend=unit[:1]) != 0))


def read_log(
    log: pd.DataFrame, columns: Columns, *, outcomes: Sequence[str] | None = None, control: str | None = None
) -> Log:
    """Check a log and turn it into arrays.

    Args:
        log: One row per event.
        columns: Its columns.
        outcomes: Columns of outcomes; None for all other columns that hold numbers.
        control: The arm without the lesion; None for the one called control, baseline or factual.
    Raises:
        EffectError: The log is empty, lacks a column or a value, has one arm, a unit has two arms, or an outcome or the
            covariate is not a finite number.
    """
    if not len(log):
        raise EffectError("the log has no rows; pass one row per event, with its unit, arm and outcomes")
    _check_columns(log, columns, outcomes)
    chosen = list(outcomes) if outcomes is not None else _numeric(log, columns)
    for name in (columns.unit, columns.arm, columns.time, columns.cluster):
        if name is not None and log[name].isna().any():
            row = int(np.argmax(log[name].isna().to_numpy()))
            raise EffectError(f'row {row} of the log has no value for "{name}"; every event needs one')
    order, times = _in_time(log, columns.time)
    events = log.iloc[order].reset_index(drop=True)
    unit, names = pd.factorize(events[columns.cluster or columns.unit])
    by_unit = np.argsort(unit, kind="stable")
    first = np.searchsorted(unit[by_unit], np.arange(len(names)))
    arms = _arms(events[columns.arm], control)
    arm = pd.Categorical(events[columns.arm].astype(str), categories=list(arms)).codes.astype(np.intp)[by_unit]
    _check_one_arm(arm, unit[by_unit], first, names, arms, "cluster" if columns.cluster else "unit")
    values = {name: _numbers(events, name, columns.unit)[by_unit] for name in chosen}
    return Log(
        arms=arms,
        arm=arm[first],
        unit=unit[by_unit],
        outcomes=values,
        kinds={name: kind_of("", np.ones(1), v) for name, v in values.items()},
        covariate=None if columns.covariate is None else _covariate(events, columns)[by_unit],
        arrival=None if times is None else times[by_unit][first],
    )


def _check_columns(log: pd.DataFrame, columns: Columns, outcomes: Sequence[str] | None) -> None:
    for name in [*columns.names, *(outcomes or ())]:
        if name not in log.columns:
            known = list(map(str, log.columns))
            raise EffectError(f'the log has no column "{name}"{nearest(name, known)}; it has {", ".join(known)}')
    twice = [name for name in (outcomes or ()) if name in columns.names]
    if twice or (outcomes is not None and not len(outcomes)):
        raise EffectError(f"outcomes are {list(outcomes or ())}; name at least one column that has no other role")


def _numeric(log: pd.DataFrame, columns: Columns) -> list[str]:
    found = [
        str(name) for name in log.columns if name not in columns.names and pd.api.types.is_numeric_dtype(log[name])
    ]
    if not found:
        raise EffectError(
            f"no column of the log is an outcome: beside {', '.join(columns.names)} none holds numbers; "
            "pass outcomes=[...]"
        )
    return found


def _in_time(log: pd.DataFrame, time: str | None) -> tuple[np.ndarray, np.ndarray | None]:
    """Order of rows by time, ties as in the log, and the times in that order."""
    if time is None:
        return np.arange(len(log)), None
    values = log[time]
    if not pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_datetime64_any_dtype(values):
        try:
            values = pd.to_datetime(values, format="ISO8601", utc=True)
        except (ValueError, TypeError) as error:
            raise EffectError(
                f'the times in "{time}" are neither numbers nor dates, e.g. {values.iloc[0]!r}; write 2025-03-01T12:00'
            ) from error
    if getattr(values.dtype, "tz", None) is not None:
        values = values.dt.tz_convert(None)
    times = values.to_numpy()
    order = np.argsort(times, kind="stable")
    return order, times[order]


def _arms(arm: pd.Series, control: str | None) -> tuple[str, ...]:
    names = sorted(set(map(str, arm.unique())))
    if len(names) < 2:
        raise EffectError(f'the log has one arm, "{names[0]}"; a comparison needs a control and another arm')
    if control is None:
        named = [name for name in CONTROLS if name in names]
        if not named:
            raise EffectError(f"say which arm is the control: control=...; the arms are {', '.join(names)}")
        control = named[0]
    if control not in names:
        raise EffectError(f'no arm "{control}" for a control{nearest(control, names)}; the arms are {", ".join(names)}')
    return (control, *(name for name in names if name != control))


def _check_one_arm(
    arm: np.ndarray, unit: np.ndarray, first: np.ndarray, names: pd.Index, arms: Sequence[str], what: str
) -> None:
    differs = arm != arm[first][unit]
    if differs.any():
        at = int(unit[np.argmax(differs)])
        both = ", ".join(arms[i] for i in np.unique(arm[unit == at]))
        raise EffectError(
            f'the {what} "{names[at]}" is in several arms ({both}), as are {len(np.unique(unit[differs])) - 1} others; '
            "what was randomised stays in one arm. Name the column that holds what was randomised, or mend the log."
        )


def _numbers(events: pd.DataFrame, name: str, unit: str) -> np.ndarray:
    try:
        values = events[name].to_numpy(dtype=np.float64, na_value=np.nan)
    except (ValueError, TypeError) as error:
        raise EffectError(
            f'"{name}" holds {events[name].iloc[0]!r}, which is no number; choose other columns'
        ) from error
    bad = ~np.isfinite(values)
    if bad.any():
        row = int(np.argmax(bad))
        raise EffectError(
            f'"{name}" is {values[row]} for unit "{events[unit].iloc[row]}"; {int(bad.sum())} of {len(values)} events '
            "are not finite. Who is missing may depend on the arm: log an outcome for every unit, or drop this outcome."
        )
    return values


def _covariate(events: pd.DataFrame, columns: Columns) -> np.ndarray:
    name = str(columns.covariate)
    values = _numbers(events, name, columns.unit)
    spread = pd.Series(values).groupby(events[columns.unit].to_numpy()).agg(np.ptp)
    if (spread > 0).any():
        raise EffectError(
            f'the covariate "{name}" has several values for unit "{spread.idxmax()}"; it is known before the '
            "experiment, one number per unit"
        )
    return values
