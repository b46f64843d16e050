"""The learning curve: losses and accuracies on the validation split against optimiser steps."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure


def learning_curve(log: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Draw the rows of a training log.

    Args:
        log: Rows with `step`, `loss_fine`, `loss_coarse`, `accuracy`, `accuracy.<type>`; absent values leave gaps.
        path: PNG to write.
    """
    figure = Figure(figsize=(10, 4), layout="constrained")
    FigureCanvasAgg(figure)
    losses, accuracies = figure.subplots(1, 2)
    steps = [row["step"] for row in log]
    for name, colour in (("loss_fine", "tab:blue"), ("loss_coarse", "tab:orange")):
        losses.plot(steps, [row.get(name, float("nan")) for row in log], label=name, color=colour)
    losses.set(xlabel="optimiser step", ylabel="validation loss (nats)")
    kinds = sorted({name for row in log for name in row if name.startswith("accuracy.")})
    for name in kinds:
        values = [row.get(name, float("nan")) for row in log]
        accuracies.plot(steps, values, label=name.removeprefix("accuracy."), linewidth=0.8)
    accuracies.plot(steps, [row["accuracy"] for row in log], label="all", color="black", linewidth=2)
    accuracies.plot(steps, [row["accuracy_coarse"] for row in log], label="all, coarse pass", color="black", ls="--")
    accuracies.set(xlabel="optimiser step", ylabel="validation accuracy", ylim=(0, 1))
    warmup = [row["step"] for row in log if row.get("stage") == "encoder_warmup"]
    for axis in (losses, accuracies):
        axis.grid(alpha=0.3)
        axis.legend(fontsize=7)
        if warmup:
            axis.axvspan(0, warmup[-1], color="0.92", zorder=0)
    figure.savefig(path, dpi=120)
