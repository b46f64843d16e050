import numpy as np
import pytest
from statsmodels.stats.power import TTestPower

from causalablate.effects.power import power_curves, power_table
from causalablate.errors import EffectError


def test_curves_hold_the_power_at_every_size(study):
    effect = np.random.default_rng(0).normal(size=(2, 1, 40))
    found = power_curves(study(effect), examples=[10, 100], effects=[0.2, 0.5])
    assert len(found) == 2 * 2 * 2
    first = found[(found["lesion"] == "l1") & (found["effect"] == 0.5) & (found["n_examples"] == 10)].iloc[0]
    assert first["power"] == pytest.approx(TTestPower().power(0.5 / effect[1].std(ddof=1), 10, 0.05), abs=1e-7)


def test_curves_pass_the_planned_power_at_the_needed_number(study):
    rng = np.random.default_rng(1)
    table = study(rng.normal(size=(1, 4, 60)) + 0.1 * rng.normal(size=(1, 4, 1)))
    planned = power_table(table, effects=0.4, seeds=[8]).query("claim == 'effect'").iloc[0]
    n = int(planned["needed_examples"])
    found = power_curves(table, examples=[n - 1, n], effects=0.4, seeds=8)["power"].tolist()
    assert found[0] < 0.8 <= found[1]


def test_sizes_that_make_no_study_are_nan_or_refused(study):
    effect = np.random.default_rng(0).normal(size=(1, 1, 40))
    table = study(effect, cluster=np.arange(40) // 10)
    found = power_curves(table, examples=[10, 20], effects=0.5)
    assert found["power"].isna().tolist() == [True, False]
    assert power_curves(table, examples=20, effects=0.5, seeds=3)["power"].isna().all()
    with pytest.raises(EffectError, match="examples is 3"):
        power_curves(table, examples=3)
