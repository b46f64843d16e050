import numpy as np
import pytest

from causalablate.effects.heterogeneity import failure_modes
from causalablate.report.figures.failures import failures_figure
from causalablate.report.figures.style import save, styled
from causalablate.table import Counterfactuals, Units, rows


@pytest.fixture(scope="module")
def failures():
    rng, n = np.random.default_rng(0), 90
    kind = np.array(["count", "colour", "place"])[np.arange(n) % 3]
    ones = np.ones(n)
    hurt = np.where(kind == "place", rng.random(n) < 0.3, rng.random(n) < 0.95).astype(float)
    units = Units([f"e{i}" for i in range(n)], [f"e{i}" for i in range(n)], {"question_type": list(kind)})
    frame = rows(
        units, study="s", model="m", seed=0, lesion="lm.layers.0=mean", factual={"correct": ones},
        counterfactual={"correct": hurt}, fired=ones.astype(bool), change_norm=ones,
    )  # fmt: skip
    return failure_modes(Counterfactuals(frame))


def texts(figure):
    return [t.get_text() for t in figure.findobj(lambda a: hasattr(a, "get_text")) if t.get_text()]


def test_shows_the_groups_hit_harder_with_their_numbers(failures):
    said = texts(failures_figure(failures, "correct"))
    hit = failures[(failures["stronger"] == "inside") & failures["rank"].notna()]
    assert "question type=place\nunder lm.layers.0=mean" in said
    assert sum("under lm.layers.0" in t for t in said) == len(hit)
    assert f"−{-100 * hit.iloc[0]['ate']:.1f}" in said and "30" in said
    assert any("effect = counterfactual − factual" in t for t in said)
    assert any(t.startswith(f"all {len(hit)} groups") and "(bh)" in t for t in said)


def test_draws_the_bands_which_hold_for_winners(failures):
    figure = failures_figure(failures, "correct")
    hit = failures[(failures["stronger"] == "inside") & failures["rank"].notna()].sort_values("rank")
    drawn = [line.get_xdata() for line in figure.axes[0].lines if line.get_linewidth() == 1.4]
    np.testing.assert_allclose(drawn, 100 * hit[["band_low", "band_high"]].to_numpy())
    assert any("95 % bands" in t for t in texts(figure))


def test_shows_at_most_k(failures):
    figure = failures_figure(failures.assign(stronger="inside"), "correct", k=1)
    assert sum("under lm.layers.0" in t for t in texts(figure)) == 1
    assert any(t.startswith("the 1 surest of 3") for t in texts(figure))


def test_nothing_to_show(failures):
    assert failures_figure(failures, "loss") is None
    assert failures_figure(failures.assign(rank=np.nan), "correct") is None


def test_same_numbers_same_bytes(failures, tmp_path):
    with styled():
        first = [p.read_bytes() for p in save(failures_figure(failures, "correct"), tmp_path / "a")]
        second = [p.read_bytes() for p in save(failures_figure(failures, "correct"), tmp_path / "b")]
    assert first == second and first[0][:4] == b"\x89PNG"
