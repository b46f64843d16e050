"""TensorBoard: every number of a row as a scalar, the maps as one image."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from causalablate.errors import TrainingError
from causalablate.training.config import TrainingConfig
from causalablate.training.sinks.base import picture

FOLDER = "tensorboard"


class TensorBoard:
    """Event files in `tensorboard/` of the run directory."""

    def __init__(self, folder: Path, step: int) -> None:
        """Open the event files.

        Args:
            folder: Where they are.
            step: Step that the run goes on from; what an earlier, killed process logged beyond it is hidden.
        Raises:
            TrainingError: The folder cannot be written.
        """
        from torch.utils.tensorboard import SummaryWriter  # slow to import

        try:
            self._writer = SummaryWriter(str(folder), purge_step=step + 1 if step else None)
        except OSError as error:
            raise TrainingError(f'cannot write to "{folder}" ({error}); choose another output directory.') from error

    @classmethod
    def open(cls, config: TrainingConfig, out: Path, begun: Mapping[str, Any], step: int) -> "TensorBoard":
        """Always wanted."""
        return cls(out / FOLDER, step)

    def write(self, row: Mapping[str, Any], maps: Mapping[str, Tensor]) -> None:
        """Log one evaluation."""
        step = row["step"]
        for name, value in row.items():
            if isinstance(value, float):
                self._writer.add_scalar(name, value, step)
        if maps:
            self._writer.add_image("maps", picture(maps), step, dataformats="HWC")
        self._writer.flush()

    def close(self) -> None:
        """Write out what is pending."""
        self._writer.close()
