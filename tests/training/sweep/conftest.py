"""A sweep of two arms and two seeds whose runs take six steps."""

from pathlib import Path

import pytest

from causalablate.declarative import loads
from causalablate.training.sweep.measure import Measured
from causalablate.training.sweep.plan import plan_sweep
from causalablate.training.sweep.spec import SweepSpec

TINY = """
name: tiny
seeds: [0, 1]
base:
  model: {width: 16, layers: 1}
  encoder_warmup: {steps: 2, batch_size: 7, warmup_steps: 1}
  main: {steps: 4, batch_size: 7, warmup_steps: 2}
  evaluation: {every: 3, examples: 7, batch_size: 7}
  save_every: 2
arms:
  - {name: baseline}
  - {name: no_participatory, set: {without: {scorers.participatory: zero}}}
"""


@pytest.fixture
def tiny():
    """The sweep, with other top-level entries."""

    def make(**changes) -> SweepSpec:
        spec = loads(TINY, SweepSpec).model_dump(mode="json", by_alias=True)
        return SweepSpec.model_validate({**spec, **changes})

    return make


@pytest.fixture
def plan_of():
    """A plan whose costs are not measured: every example costs 1000 operations and a millisecond."""

    def make(spec, directory=Path(), flops=None):
        def measured(config, where):
            return Measured((flops or {}).get(config.name, 1000), 1e-3, "")

        return plan_sweep(spec, directory, measured=measured)

    return make
