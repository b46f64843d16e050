"""What a run records of itself beside its numbers: machine, versions, commit, every hyperparameter."""

import json
import math
import os
import platform
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import accelerate
import psutil
import torch

import causalablate
from causalablate.environment import versions
from causalablate.foveated.config import FoveatedConfig
from causalablate.training.config import TrainingConfig
from causalablate.training.state import RunState


def begun(profile: Mapping[str, Any], config: FoveatedConfig, n_processes: int) -> dict[str, Any]:
    """What is recorded when a run begins; a run that goes on elsewhere keeps it.

    Args:
        profile: What `profile_of` gave.
        config: The model's, every field.
        n_processes: Processes that share the run.
    """
    return {
        **profile,
        "model": config.to_dict(),
        "versions": {**versions(), "accelerate": accelerate.__version__, "python": platform.python_version()},
        "hardware": hardware(),
        "processes": n_processes,
        **git(),
    }


def hardware() -> dict[str, Any]:
    """Processor, its logical cores, memory in GiB, and the GPUs."""
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "gpus": [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())],
        "system": f"{platform.system()} {platform.machine()}",
    }


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def git() -> dict[str, Any]:
    """`git_commit` of the running package and whether its files differ from it; null where it is no checkout."""
    package = Path(causalablate.__file__).parent

    def ask(*arguments: str) -> str | None:
        try:
            done = subprocess.run(["git", *arguments], cwd=package, capture_output=True, text=True, timeout=20)
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    if ask("ls-files", "--error-unmatch", "__init__.py") is None:
        return {"git_commit": None, "git_changed": None}
    return {"git_commit": ask("rev-parse", "HEAD"), "git_changed": bool(ask("status", "--porcelain", "--", "."))}


def record(config: TrainingConfig, state: RunState, samples: int) -> dict[str, Any]:
    """Everything about a run that is over, the same bytes for the same run on the same machine."""
    return {
        "name": config.name,
        "status": state.status,
        "reason": state.reason,
        "step": state.step,
        "samples": samples,
        "checkpoint_step": state.kept,
        "config": config.model_dump(mode="json"),
        **state.begun,
        "metrics": state.final.get("metrics", {}),
    }


def as_json(value: Any) -> bytes:
    """Readable JSON; what is not finite is null."""
    return (json.dumps(_finite(value), indent=2, allow_nan=False) + "\n").encode()


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _finite(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
