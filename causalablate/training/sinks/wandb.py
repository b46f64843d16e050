"""Weights & Biases, online or into local files: rows, maps, and everything that the run records of itself."""

import hashlib
import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from causalablate.errors import TrainingError
from causalablate.training.config import TrainingConfig
from causalablate.training.sinks.base import picture

PROJECT = "causalablate"


class WeightsAndBiases:
    """One wandb run per run directory; a run that goes on, goes on in the same one."""

    def __init__(self, module: Any, run: Any) -> None:
        self._wandb, self._run = module, run

    @classmethod
    def open(cls, config: TrainingConfig, out: Path, begun: Mapping[str, Any], step: int) -> "WeightsAndBiases | None":
        """Wanted if the config says so.

        Raises:
            TrainingError: The package is missing, or wandb refuses to start.
        """
        if config.tracking.wandb == "off":
            return None
        try:
            wandb = importlib.import_module("wandb")
        except ImportError as error:
            raise TrainingError(
                f"tracking.wandb is {config.tracking.wandb}, but the package wandb is not installed: "
                'pip install "causalablate[tracking]", or write tracking: {wandb: off}.'
            ) from error
        try:
            run = wandb.init(
                project=PROJECT,
                name=config.name,
                id=hashlib.sha256(str(out.resolve()).encode()).hexdigest()[:16],
                dir=str(out),
                mode=config.tracking.wandb,
                resume="allow",
                config={**config.model_dump(mode="json"), "record": dict(begun)},
                settings=wandb.Settings(silent=True, console="off"),
            )
        except wandb.errors.Error as error:
            raise TrainingError(
                f"wandb does not start ({error}); log in with `wandb login`, or write tracking: {{wandb: offline}}."
            ) from error
        return cls(wandb, run)

    def write(self, row: Mapping[str, Any], maps: Mapping[str, Tensor]) -> None:
        """Log one evaluation."""
        image = {"maps": self._wandb.Image(picture(maps))} if maps else {}
        self._run.log({**row, **image}, step=row["step"])

    def close(self) -> None:
        """Finish the wandb run."""
        self._run.finish()
