import contextlib
import io
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from causalablate.graph.identify.sensitivity import benchmarks, e_value, robustness_value, sensitivity


@pytest.fixture(scope="module")
def runs():
    rng = np.random.default_rng(0)
    batch, size = rng.normal(size=(2, 150))
    lr = 0.5 * batch + 0.2 * size + rng.normal(size=150)
    loss = 0.4 * lr + 0.3 * batch - 0.5 * size + rng.normal(size=150)
    return pd.DataFrame({"batch": batch, "size": size, "lr": lr, "loss": loss})


def dowhys(runs, benchmark):
    from dowhy.causal_refuters.linear_sensitivity_analyzer import LinearSensitivityAnalyzer

    given = ["batch", "size"]
    columns = sm.add_constant(runs[["lr", *given]].set_axis(["x1", "x2", "x3"], axis=1))
    model = SimpleNamespace(model=sm.OLS(runs["loss"], columns).fit(), _observed_common_causes=runs[given])
    with contextlib.redirect_stdout(io.StringIO()):
        return LinearSensitivityAnalyzer(
            model, runs, ["lr"], benchmark_common_causes=[benchmark], common_causes_order=given,
            frac_strength_treatment=[1.0], frac_strength_outcome=[1.0],
        ).check_sensitivity(plot=False)  # fmt: skip


@pytest.mark.parametrize("benchmark", ["batch", "size"])
@pytest.mark.filterwarnings("ignore")
def test_as_dowhy_has_it(runs, benchmark):
    theirs, ours = dowhys(runs, benchmark), sensitivity(runs, "lr", "loss", ["batch", "size"])
    assert ours["partial_r2"] == pytest.approx(float(np.squeeze(theirs.stats["r2yt_w"])))
    assert ours["robustness"] == pytest.approx(float(np.squeeze(theirs.stats["robustness_value"])))
    assert ours["robustness_ci"] == pytest.approx(float(np.squeeze(theirs.stats["robustness_value_alpha"])))
    row = benchmarks(runs, "lr", "loss", ["batch", "size"]).set_index("as_strong_as").loc[benchmark]
    bound = theirs.benchmarking_results.iloc[0]
    assert row["with_treatment"] == pytest.approx(bound["r2tu_w"])
    assert row["with_outcome"] == pytest.approx(bound["r2yu_tw"])
    assert row["effect"] == pytest.approx(bound["bias_adjusted_estimate"])


def test_a_confounder_as_strong_as_the_robustness_value_undoes_the_effect(runs):
    """A column with exactly that partial R2 with treatment and outcome takes the estimate to 0."""
    value = sensitivity(runs, "lr", "loss", [])["robustness"]
    rng = np.random.default_rng(1)
    one = np.ones(len(runs))
    x = runs["lr"] - runs["lr"].mean()
    y = sm.OLS(runs["loss"], np.column_stack((one, x))).fit().resid
    noise = sm.OLS(rng.normal(size=len(x)), np.column_stack((one, x, y))).fit().resid
    unit = [v / np.linalg.norm(v) for v in (x, y, noise)]
    along_y = np.sqrt(value * (1 - value))
    hidden = np.sqrt(value) * unit[0] + along_y * unit[1] + np.sqrt(1 - value - along_y**2) * unit[2]
    full = sm.OLS(runs["loss"], np.column_stack((one, x, hidden))).fit()
    assert full.params.iloc[1] == pytest.approx(0, abs=1e-10)


def test_robustness_by_hand():
    f = 2 / np.sqrt(100)
    assert robustness_value(2, 100) == pytest.approx((np.sqrt(f**4 + 4 * f**2) - f**2) / 2)
    assert robustness_value(-2, 100) == robustness_value(2, 100)
    assert robustness_value(1, 100, level=0.95) == 0.0
    assert 0.99 < robustness_value(1000, 10, level=0.95) < 1


def test_e_value_by_hand():
    ratio = np.exp(0.91 * 0.5)
    first, second = e_value(-1.0, 0.1, 2.0)
    assert first == pytest.approx(ratio + np.sqrt(ratio * (ratio - 1)))
    low = np.exp(0.91 * 0.5 - 1.78 * 0.05)
    assert second == pytest.approx(low + np.sqrt(low * (low - 1)))
    assert e_value(0.1, 1.0, 1.0)[1] == 1.0 and e_value(0.0, 1.0, 1.0) == (1.0, 1.0)


def test_a_cause_that_settles_the_treatment_has_no_bound(runs):
    tied = runs.assign(batch=runs["lr"] + 0.1 * runs["size"])
    row = benchmarks(tied, "lr", "loss", ["batch"]).iloc[0]
    assert np.isnan(row["effect"]) and np.isnan(row["with_treatment"])
