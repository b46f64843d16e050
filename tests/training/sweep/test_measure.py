import pytest

from causalablate.training.profile import profile
from causalablate.training.sweep.plan import plan_sweep


def test_what_is_measured_is_what_the_record_of_a_run_says(tiny):
    plan = plan_sweep(tiny(seeds=[0]), ".")
    for arm in plan.arms.values():
        run = plan.runs[arm.runs[0]]
        assert run.measured.flops_per_sample == profile(run.config)["flops_per_sample"]
        assert run.measured.seconds_per_sample > 0 and run.measured.data == ""
        assert run.samples == pytest.approx(2 * 7 + 4 * 7 + 2 * 7 / 3)
    assert len({run.measured.flops_per_sample for run in plan.runs.values()}) == 2
