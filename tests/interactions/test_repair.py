import numpy as np
import pytest

import causalablate as ca
from causalablate.errors import EffectError
from causalablate.interactions import repair_lesions, repaired_examples, self_repair


def effects_of(model, examples, lesion, later):
    total, direct = repair_lesions(lesion, later)
    table = ca.counterfactuals(model, examples, {"total": total, "direct": direct}, outcomes=["logit_difference"])
    return (table.select(lesion=name).frame["effect"].to_numpy()[None] for name in ("total", "direct"))


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_a_backup_repairs_its_share(backup, share):
    x = np.linspace(1, 4, 16)
    model, examples = backup(share, x)
    total, direct = effects_of(model, examples, ca.do("primary", off="zero"), ["backup"])
    np.testing.assert_allclose(direct[0], -x, rtol=1e-6)
    np.testing.assert_allclose(total[0], -(1 - share) * x, atol=1e-6)
    for interval in ("fieller", "bootstrap"):
        found = self_repair(total, direct, components=["primary"], interval=interval).iloc[0]
        assert found["repaired_share"] == pytest.approx(share, abs=1e-6)
        assert found["repaired"] == pytest.approx(share * x.mean(), abs=1e-5)
        assert found["examples_repaired"] == (1.0 if share else 0.0)
    each = repaired_examples(total, direct, components=["primary"], example=[e.id for e in examples])
    np.testing.assert_allclose(each["repaired"], share * x, atol=1e-6)


def test_a_component_that_is_passed_on_is_not_repaired(backup):
    """The backup's total effect is its direct one: nothing comes later."""
    model, examples = backup(0.5, np.linspace(1, 2, 8))
    lesion = ca.do("primary", off="zero") & ca.do("backup", off="zero")
    (total,) = (
        ca.counterfactuals(model, examples, {"both": lesion}, outcomes=["logit_difference"])
        .frame[["effect"]]
        .to_numpy()
        .T
    )
    found = self_repair(total[None], total[None], components=["both"]).iloc[0]
    assert found["repaired_share"] == 0 == found["ci_low"] == found["ci_high"]


@pytest.mark.parametrize("interval", ["fieller", "bootstrap"])
def test_intervals_cover(interval):
    rng, covered = np.random.default_rng(0), []
    cluster = np.repeat(np.arange(40), 2).astype(str)
    for seed in range(80):
        direct = -1 + 0.5 * rng.normal(size=40).repeat(2) + 0.3 * rng.normal(size=80)
        total = 0.4 * direct + 0.2 * rng.normal(size=40).repeat(2)
        found = self_repair(
            total[None], direct[None], components=["c"], cluster=cluster, interval=interval, resamples=500, seed=seed
        ).iloc[0]
        covered.append(found["ci_low"] <= 0.6 <= found["ci_high"])
    assert 0.90 <= np.mean(covered) <= 0.99


def test_no_share_of_nothing():
    rng = np.random.default_rng(0)
    direct = np.stack([rng.normal(size=50), np.zeros(50), np.full(50, -1.0)])
    total = np.stack([rng.normal(size=50), rng.normal(size=50), np.full(50, -0.5)])
    found = self_repair(total, direct, components=["unsure", "none", "constant"]).set_index("component")
    assert np.isnan(found.loc["unsure", "ci_low"]) and "holds zero" in found.loc["unsure", "interval_method"]
    assert np.isnan(found.loc["none", "repaired_share"]) and "is zero" in found.loc["none", "interval_method"]
    assert found.loc["constant", ["repaired_share", "ci_low", "ci_high"]].tolist() == [0.5, 0.5, 0.5]
    few = self_repair(total[2:, :3], direct[2:, :3], components=["constant"]).iloc[0]
    assert np.isnan(few["ci_low"]) and "too few" in few["interval_method"]
    one = self_repair(total[:1, :1], direct[:1, :1], components=["unsure"]).iloc[0]
    assert np.isnan(one["ci_low"]) and "one cluster" in one["interval_method"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"components": ["a", "b"]}, "shape"),
        ({"direct": np.ones((1, 3))}, "shape"),
        ({"direct": np.full((1, 4), np.nan)}, "not finite"),
        ({"interval": "bca"}, "no interval"),
        ({"level": 1.0}, "level"),
        ({"cluster": ["x"]}, "shape"),
    ],
)
def test_what_cannot_be_compared(change, words):
    with pytest.raises(EffectError, match=words):
        self_repair(**{"total": np.ones((1, 4)), "direct": np.ones((1, 4)), "components": ["a"]} | change)
