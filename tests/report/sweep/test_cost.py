import dataclasses

import numpy as np
import pytest

from causalablate.report.sweep.cost import cost_cells, cost_frame
from causalablate.report.sweep.effects import arm_effects


def test_gain_is_per_hour_and_per_hour_beyond_the_baseline(sweep):
    found = cost_frame(sweep, arm_effects(sweep)).set_index("arm")
    hours = {a: np.mean([sweep.run(a, s).cost["seconds"] for s in sweep.seeds]) / 3600 for a in ("large", "baseline")}
    large = found.loc["large"]
    assert large["gain_per_hour"] == pytest.approx(large["delta_points"] / hours["large"])
    assert large["gain_per_extra_hour"] == pytest.approx(large["delta_points"] / (hours["large"] - hours["baseline"]))
    assert np.isnan(found.loc["no_gate", "gain_per_extra_hour"]), "no measurable extra time, nothing to divide by"
    assert found.loc["frozen", "trainable"] == 100_000 and found.loc["frozen", "parameters"] == 300_000
    assert found.loc["baseline", "samples"] == 32_000


def test_unknown_cost_is_a_dash_not_zero(sweep):
    bare = dataclasses.replace(sweep, runs=tuple(dataclasses.replace(r, cost={}, record={}) for r in sweep.runs))
    cells = cost_cells(bare, cost_frame(bare, arm_effects(bare)))
    assert cells.rows[1][1:8] == ["–"] * 7
