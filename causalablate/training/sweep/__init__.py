"""Sweeps: declarative sets of training runs, planned, carried out, and read as values.

Names are loaded on first use: what reads results need not load torch, which what trains needs.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from causalablate.training.sweep.carrying_out import carry_out, check_owner, failures, retrain, runs_folder
    from causalablate.training.sweep.executor import default_workers, found_board
    from causalablate.training.sweep.plan import SweepPlan, plan_sweep
    from causalablate.training.sweep.results import ENDED, Arm, RunResult, SweepResults
    from causalablate.training.sweep.spec import ArmSection, SweepSpec, read_sweep

__all__ = [
    "ENDED",
    "Arm",
    "ArmSection",
    "RunResult",
    "SweepPlan",
    "SweepResults",
    "SweepSpec",
    "carry_out",
    "check_owner",
    "default_workers",
    "failures",
    "found_board",
    "plan_sweep",
    "read_sweep",
    "retrain",
    "runs_folder",
]

_HOMES = {
    "results": ("ENDED", "Arm", "RunResult", "SweepResults"),
    "spec": ("ArmSection", "SweepSpec", "read_sweep"),
    "plan": ("SweepPlan", "plan_sweep"),
    "executor": ("default_workers", "found_board"),
    "carrying_out": ("carry_out", "check_owner", "failures", "retrain", "runs_folder"),
}


def __getattr__(name: str) -> Any:
    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
