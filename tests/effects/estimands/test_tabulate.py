import numpy as np
import pandas as pd
import pytest

from causalablate.effects import population_effects
from causalablate.effects.estimands import COLUMNS, DEFAULT, estimate, quantile
from causalablate.errors import EffectError

pytestmark = pytest.mark.filterwarnings("error")
RNG = np.random.default_rng(0)
N = 40
FACTUAL = {
    "correct": (RNG.random(N) < 0.8).astype(float),
    "loss": RNG.normal(size=N) + 3,
    "kl_to_factual": np.zeros(N),
    "predicted_answer": RNG.integers(0, 3, N).astype(float),
}


def under(k):
    return {
        "correct": FACTUAL["correct"] * (np.arange(N) % 5 > k),
        "loss": FACTUAL["loss"] + 0.2 * k + RNG.normal(size=N),
        "kl_to_factual": RNG.exponential(size=N),
        "predicted_answer": np.where(np.arange(N) % 4 == k, 3.0, FACTUAL["predicted_answer"]),
    }


@pytest.fixture
def study(table):
    return table(
        FACTUAL,
        {"a": under(0), "b": under(1)},
        groups={"half": ["x"] * 20 + ["y"] * 19 + ["lone"]},
        labels={"predicted_answer": ["p", "q", "r", "s"]},
    )


def test_shape_of_the_table(study):
    found = estimate(study, resamples=200)
    assert tuple(found.columns) == COLUMNS
    assert found["outcome"].unique().tolist() == list(FACTUAL)
    first = found[(found["outcome"] == "correct") & (found["lesion"] == "a")]
    assert first["group"].unique().tolist() == ["all", "half=lone", "half=x", "half=y"]
    assert set(first["estimand"]) | set(found[found["outcome"] == "loss"]["estimand"]) == set(DEFAULT)
    assert set(found[found["outcome"] == "predicted_answer"]["estimand"]) == {"ate"}
    assert found.attrs["kinds"]["kl_to_factual"] == "distance" and found.attrs["resamples"] == 200
    undefined = found[found["ci_low"].isna()]
    assert undefined["interval_method"].str.startswith("undefined: ").all()
    assert set(undefined["group"]) >= {"half=lone"}
    assert found[found["estimate"].isna()]["ci_low"].isna().all()
    sizes = found.drop_duplicates("group").set_index("group")[["n_units", "n_clusters", "n_seeds"]]
    assert sizes.loc["half=y"].tolist() == [19, 19, 1]


def test_estimands_come_in_the_order_asked(study):
    asked = ["cohen_dz", quantile(0.25), "ate"]
    found = estimate(study, asked)
    loss = found[(found["outcome"] == "loss") & (found["lesion"] == "b")]
    assert loss["estimand"].tolist() == ["cohen_dz", "quantile(0.25)", "ate"] * 4
    assert "correct" in found["outcome"].to_numpy()


def test_the_numbers_of_population_effects(study):
    effects = population_effects(study)
    found = estimate(study, ["ate"])
    both = effects.merge(found, on=["outcome", "lesion", "group"], suffixes=("", "_here"))
    assert len(both) == len(effects)
    assert (both["ate"] == both["estimate"]).all()
    for limit in ("ci_low", "ci_high"):
        pd.testing.assert_series_equal(both[limit], both[f"{limit}_here"], check_names=False, rtol=0, atol=0)
    assert (both["interval_method"] == both["interval_method_here"]).all()
    for column, name in (("d", "cohen_d"), ("d_z", "cohen_dz"), ("relative_change", "relative_change"), ("pn", "pn")):
        here = estimate(study, [name]).merge(effects, on=["outcome", "lesion", "group"])
        assert here["estimate"].to_numpy() == pytest.approx(here[column].to_numpy(), abs=1e-12, nan_ok=True)


def test_blocks_change_nothing(study, monkeypatch):
    whole = estimate(study, resamples=100, interval="percentile")
    monkeypatch.setattr("causalablate.effects.estimands.tabulate.BLOCK_VALUES", 1)
    pd.testing.assert_frame_equal(estimate(study, resamples=100, interval="percentile"), whole)


def test_clusters_and_seeds_are_resampled_whole(table, joined):
    def seed(s):
        return table(FACTUAL, {"a": under(s)}, seed=s, labels={"predicted_answer": ["p", "q", "r", "s"]})

    clusters = table(
        {"loss": FACTUAL["loss"]}, {"a": {"loss": under(1)["loss"]}}, cluster=[f"c{i // 2}" for i in range(N)]
    )
    for given, expected in (
        (clusters, "percentile bootstrap of clusters"),
        (joined(seed(0), seed(1), seed(2)), "percentile bootstrap of seeds and clusters"),
    ):
        found = estimate(given, ["cohen_d"], interval="percentile", resamples=200)
        assert set(found[found["outcome"] == "loss"]["interval_method"]) == {expected}
    assert set(estimate(clusters, ["ate"], interval="bca")["interval_method"]) == {"BCa bootstrap of clusters"}


def test_bca_says_where_it_is_not_defined(table, joined):
    parts = [table({"loss": FACTUAL["loss"]}, {"a": {"loss": under(1)["loss"]}}, seed=s) for s in range(3)]
    found = estimate(joined(*parts), ["ate", "quantile(0.5)"], interval="bca").set_index("estimand")
    assert "no jackknife over seeds" in found.loc["ate", "interval_method"]
    assert "quantile" in found.loc["quantile(0.5)", "interval_method"]
    assert found["estimate"].notna().all() and found["ci_low"].isna().all()


def test_lesions_on_different_examples(table, joined):
    some = table({"loss": FACTUAL["loss"][:10]}, {"b": {"loss": FACTUAL["loss"][:10] + 1}})
    found = estimate(joined(table({"loss": FACTUAL["loss"]}, {"a": {"loss": under(0)["loss"]}}), some), ["ate"])
    assert found[["lesion", "n_units"]].to_numpy().tolist() == [["a", 40], ["b", 10]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"interval": "percentil"},
            r'no interval "percentil" \(did you mean percentile\?\); there are auto, percentile',
        ),
        ({"level": 0.4}, "level is 0.4; it must lie between 0.5 and 1"),
        ({"resamples": 30}, "30 resamples do not reach the tails of a 0.95 interval; take at least 40"),
        ({"estimands": []}, "no estimands were given"),
        ({"estimands": ["median"]}, 'no estimand "median"'),
    ],
)
def test_refused(study, arguments, message):
    with pytest.raises(EffectError, match=message):
        estimate(study, **arguments)


def test_an_estimand_that_fits_no_outcome(table):
    only = table({"loss": FACTUAL["loss"]}, {"a": {"loss": under(0)["loss"]}})
    with pytest.raises(EffectError, match=r'"pn" is defined on binary outcomes; this table has loss \(real\)'):
        estimate(only, ["ate", "pn"])
    assert "pn" not in estimate(only)["estimand"].to_numpy()
