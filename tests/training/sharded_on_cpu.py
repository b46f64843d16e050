"""A run in shards on CPU processes: `python -m tests.training.sharded_on_cpu RUN.yaml OUT [STOP_AFTER]` by torchrun.

Accelerate sets FSDP and DeepSpeed up on accelerators alone, so it is told that its processes have one each.
"""

import os
import sys
from pathlib import Path

from accelerate import PartialState
from accelerate.utils import DistributedType

from causalablate.declarative import read
from causalablate.training.config import TrainingConfig
from causalablate.training.trainer import train


def main(config: str, out: str, stop_after: str = "") -> None:
    state = PartialState(cpu=True)
    assert state.num_processes == 2
    PartialState._shared_state["distributed_type"] = DistributedType.MULTI_GPU
    os.environ["ACCELERATE_USE_CPU"] = "false"
    stop = int(stop_after) if stop_after else None
    train(read(config, TrainingConfig), Path(out), quiet=True, stop_after=stop)


if __name__ == "__main__":
    main(*sys.argv[1:])
