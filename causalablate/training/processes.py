"""The processes of a run: each takes its share of every step, and only the first one writes."""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

from accelerate import Accelerator, PartialState
from accelerate.state import AcceleratorState, GradientState
from accelerate.utils import DistributedDataParallelKwargs, DistributedType

from causalablate.errors import TrainingError
from causalablate.training.config import TrainingConfig

SHARDED = (DistributedType.FSDP, DistributedType.DEEPSPEED)
"""Ways of running in which no process holds the whole model, or its optimizer."""


def make_accelerator(config: TrainingConfig) -> Accelerator:
    """The accelerator of a run, as `accelerate launch` set it up, or of this process alone.

    Raises:
        TrainingError: The precision is not to be had here, or a stage has fewer examples per step than parts.
    """
    # Accelerate keeps precision and accumulation for the life of the process; a process may train several runs.
    AcceleratorState._reset_state()
    GradientState._reset_state()
    accelerator = Accelerator(
        mixed_precision=config.optimizer.precision,
        gradient_accumulation_steps=config.optimizer.accumulate,
        # The warm-up has no use for the language model, nor a run for the components that it goes without.
        kwargs_handlers=[DistributedDataParallelKwargs(find_unused_parameters=True)],
    )
    if config.optimizer.precision == "fp16" and accelerator.device.type == "cpu":
        raise TrainingError("optimizer.precision: fp16 needs a GPU, and this run is on a CPU; use bf16 or no.")
    parts = accelerator.num_processes * config.optimizer.accumulate
    for name, stage in config.stages.items():
        if stage.steps and stage.batch_size < parts:
            raise TrainingError(
                f"{name}.batch_size is {stage.batch_size}, to be split among {accelerator.num_processes} processes "
                f"with {config.optimizer.accumulate} micro-batches each; make it at least {parts}."
            )
    if accelerator.distributed_type == DistributedType.DEEPSPEED:
        if accelerator.deepspeed_plugin.zero_stage == 3:
            raise TrainingError("DeepSpeed ZeRO stage 3 leaves no whole weights to average; use stage 1 or 2, or FSDP.")
        # DeepSpeed wants to know; what it is given is what counts.
        per_step = math.ceil(config.main.batch_size / parts)
        accelerator.deepspeed_plugin.deepspeed_config["train_micro_batch_size_per_gpu"] = per_step
    if accelerator.distributed_type in SHARDED and config.encoder_warmup.steps:
        raise TrainingError(
            "the encoder's warm-up hands weights over between parameters, which FSDP and DeepSpeed keep in shards; "
            "write encoder_warmup: {steps: 0} and give a checkpoint to start from, or train with DDP."
        )
    return accelerator


def is_first() -> bool:
    """Whether this process is the one that writes and prints."""
    return bool(PartialState().is_main_process)


@dataclass(frozen=True)
class Share:
    """Consecutive rows of a step's batch that are one micro-batch of one process.

    Attributes:
        rows: Which.
        weight: By what its mean loss is multiplied, so that the mean over processes of the sum over micro-batches of
            gradients, each divided by the number of micro-batches, is the gradient of the mean over the whole batch.
    """

    rows: slice
    weight: float


def shares(n_rows: int, process: int, n_processes: int, accumulate: int) -> Iterator[Share]:
    """The micro-batches of one process in one step, as equal as they can be."""
    parts = n_processes * accumulate
    size, left = divmod(n_rows, parts)
    ends = [0, *itertools.accumulate(size + (part < left) for part in range(parts))]
    for part in range(process * accumulate, (process + 1) * accumulate):
        start, stop = ends[part], ends[part + 1]
        yield Share(slice(start, stop), (stop - start) * parts / n_rows)
