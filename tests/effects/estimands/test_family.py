"""What every estimand must do, run over the whole table."""

import numpy as np
import pytest

from causalablate.effects import Kind
from causalablate.effects.estimands import DEFAULT, ESTIMANDS, QUANTILES, Estimand, estimand, quantile
from causalablate.effects.estimands.base import jackknife, replicates, value
from causalablate.effects.estimands.tabulate import limits
from causalablate.errors import EffectError

EVERY = [*ESTIMANDS.values(), *(make(q) for make in QUANTILES.values() for q in (0.2, 0.5))]
CASES = [pytest.param(e, kind, id=f"{e.name}-{kind}") for e in EVERY for kind in e.kinds]
STRUCTURES = {
    "rows": {},
    "clusters": {"cluster": np.repeat(np.arange(20), 3)},
    "seeds": {"cluster": np.tile(np.arange(15), 4), "seed": np.repeat(np.arange(4), 15)},
}
AUTO = {"interval": "auto", "level": 0.95, "resamples": 400, "seed": 0}

pytestmark = pytest.mark.filterwarnings("error")


def sample(paired, kind, lesions=3, rows=60, **structure):
    rng = np.random.default_rng(4)
    if kind is Kind.BINARY:
        factual = np.broadcast_to(rng.random(rows) < 0.7, (lesions, rows)).astype(float)
        counterfactual = np.where(rng.random((lesions, rows)) < 0.3, rng.random((lesions, rows)) < 0.5, factual)
    elif kind is Kind.CATEGORICAL:
        factual, counterfactual = rng.integers(0, 4, (2, lesions, rows))
    else:
        factual = np.broadcast_to(rng.normal(size=rows) - 3, (lesions, rows)) * (kind is Kind.REAL)
        counterfactual = factual + rng.exponential(size=(lesions, rows))
    return paired(factual, counterfactual, kind, **structure)


def test_rows_of_the_table_are_named_by_what_they_hold():
    assert all(name == e.name and e.unit and e.meaning and e.kinds for name, e in ESTIMANDS.items())
    assert all(estimand(e.name) == e for e in ESTIMANDS.values())
    assert all(estimand(f"{name}(0.9)").name == f"{name}(0.9)" for name in QUANTILES)
    assert [estimand(name).name for name in DEFAULT] == list(DEFAULT)


@pytest.mark.parametrize("structure", STRUCTURES)
@pytest.mark.parametrize(("what", "kind"), CASES)
def test_the_interval_holds_the_estimate_and_widens_with_the_level(paired, what, kind, structure):
    data = sample(paired, kind, **STRUCTURES[structure])
    estimates, found = value(what, data), limits(what, data, **AUTO)
    wide = limits(what, data, **{**AUTO, "level": 0.99})
    known = np.isfinite(found.low)
    assert np.isfinite(estimates).all() and estimates.shape == (3,)
    assert all(method.startswith("undefined") for method in found.method[~known])
    assert known.all() or what.quantile == 0.2
    assert ((found.low <= estimates) & (estimates <= found.high))[known].all()
    both = known & np.isfinite(wide.low)
    assert ((wide.low <= found.low) & (found.high <= wide.high))[both].all()


@pytest.mark.parametrize(("what", "kind"), CASES)
def test_a_lesion_does_not_depend_on_the_others(paired, what, kind):
    data = sample(paired, kind)
    turned = paired(data.factual[::-1], data.counterfactual[::-1], kind)
    for interval in ("auto", "percentile"):
        here, there = (limits(what, d, **{**AUTO, "interval": interval}) for d in (data, turned))
        assert there.low[::-1] == pytest.approx(here.low, abs=1e-12, nan_ok=True)
        assert there.high[::-1] == pytest.approx(here.high, abs=1e-12, nan_ok=True)


@pytest.mark.parametrize(("what", "kind"), CASES)
def test_the_bootstrap_and_the_default_roughly_agree(paired, what, kind):
    data = sample(paired, kind, rows=400)
    found = limits(what, data, **AUTO)
    drawn = limits(what, data, **{**AUTO, "interval": "percentile", "resamples": 1000})
    assert drawn.high - drawn.low == pytest.approx(found.high - found.low, rel=0.35)
    assert (np.abs(drawn.low - found.low) < 0.4 * (found.high - found.low)).all()


@pytest.mark.parametrize(("what", "kind"), [c for c in CASES if c.values[0].quantile is None])
def test_the_jackknife_leaves_one_cluster_out(paired, what, kind):
    data = sample(paired, kind, **STRUCTURES["clusters"])
    got = jackknife(what, data)
    assert got.shape == (3, 20)
    # SDs keep the divisor of the whole sample, and g its correction: a few percent of 57 rows.
    without = value(what, data.restrict(data.cluster != 7))
    assert got[:, 7] == pytest.approx(without, rel=0.02 if "d" in what.unit.lower() else 1e-9)


@pytest.mark.parametrize(("what", "kind"), CASES)
def test_an_inert_lesion_has_no_effect(paired, what, kind):
    data = sample(paired, kind, lesions=1)
    inert = paired(data.factual, data.factual, kind)
    got, found = value(what, inert)[0], limits(what, inert, **AUTO)
    if np.isnan(got):
        assert found.method[0] == f"undefined: {what.missing}" and np.isnan(found.low[0])
    else:
        assert got == (1.0 if what.unit == "ratio" else 0.0)
        assert found.low[0] <= got <= found.high[0] or found.method[0].startswith("undefined")


@pytest.mark.parametrize("interval", ["auto", "percentile", "bca"])
@pytest.mark.parametrize(("what", "kind"), CASES)
def test_one_row_is_answered(paired, what, kind, interval):
    for factual, counterfactual in ((0.0, 1.0), (1.0, 0.0), (0.0, 0.0), (1.0, 1.0)):
        data = paired([factual], [counterfactual], kind)
        found = limits(what, data, **{**AUTO, "interval": interval})
        assert np.isnan(found.low[0]) == np.isnan(found.high[0]) == found.method[0].startswith("undefined")
        assert np.isnan(found.low[0]) >= np.isnan(value(what, data)[0])


@pytest.mark.parametrize("structure", STRUCTURES)
@pytest.mark.parametrize("interval", ["auto", "percentile", "bca"])
@pytest.mark.parametrize("what", [e for e in EVERY if Kind.BINARY in e.kinds], ids=lambda e: e.name)
def test_all_flips_one_way_are_answered(paired, what, interval, structure):
    ones, zeros = np.ones(60), np.zeros(60)
    some = np.arange(60) < 6
    for factual, counterfactual in ((ones, zeros), (zeros, ones), (ones, some), (some, zeros), (some, ones)):
        data = paired(factual, counterfactual, Kind.BINARY, **STRUCTURES[structure])
        found = limits(what, data, **{**AUTO, "interval": interval})
        assert np.isnan(found.low[0]) == np.isnan(found.high[0]) == found.method[0].startswith("undefined")


def test_same_seed_same_bytes(paired):
    data = sample(paired, Kind.REAL)
    q = quantile(0.5)
    first, again, other = (replicates(q, data, resamples=50, seed=s) for s in (1, 1, 2))
    assert first.tobytes() == again.tobytes() != other.tobytes()


@pytest.mark.parametrize("text", ["quantile(0.9)", " quantile( 0.9 ) ", "quantile(.9)", "quantile(9e-1)"])
def test_text(text):
    assert estimand(text).name == "quantile(0.9)"
    assert isinstance(estimand(estimand(text)), Estimand)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cohens_d", r'no estimand "cohens_d" \(did you mean cohen_d.*there are ate, .*quantile\(q\)'),
        ("quantile", r'"quantile": quantile needs the share of rows below it, e.g. quantile\(0.9\)'),
        ("quantile(x)", r'"quantile\(x\)": quantile needs the share'),
        ("quantile(1)", r"quantile\(1\): a quantile lies between 0 and 1"),
        ("quantile_treatment_effect(-0.5)", "a quantile lies between 0 and 1"),
        ("ate(0.5)", r'"ate\(0.5\)": ate takes no number; write ate'),
        ("", "no estimand"),
    ],
)
def test_refused_text(text, message):
    with pytest.raises(EffectError, match=message):
        estimand(text)
