import numpy as np
import pytest

from causalablate.report.figures.forest import forest
from causalablate.report.figures.heads import head_lesions, places
from causalablate.report.figures.layers_heads import layers_heads


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("lm.layers.2.heads.3=zero", ("lm, zero", 2, 3, "head")),
        ("model.vision.layers.0.mlp=mean", ("model.vision, mean", 0, None, "mlp")),
        ("lm.layers.1.attention=mean", ("lm, mean", 1, None, "attention")),
        ("transformer.h.7.attn", ("transformer", 7, None, "attention")),
        ("blocks.4.attn.heads.11=patch(a=1)", ("patch(a=1)", 4, 11, "head")),
        ("L10H2", ("", 10, 2, "head")),
        ("L3MLP", ("", 3, None, "mlp")),
    ],
)
def test_places_are_told_from_names(name, expected):
    found = places([name, name])
    assert (found[0].panel, found[0].layer, found[0].head, found[0].part) == expected


@pytest.mark.parametrize(
    "name",
    ["lm.layers.1=mean", "lm.layers.{0..2}.mlp=mean", "lm.layers.0.heads.1=zero & lm.layers.0.mlp=zero", "scorers.a"],
)
def test_other_lesions_have_no_place(name):
    assert places([name, name]) == []


def test_heads_alone_are_told_from_other_parts():
    names = ["lm.layers.0.heads.1=zero", "lm.layers.1.mlp=zero", "lm.layers.1.heads.0=zero", "vision.layers.0.mlp=zero"]
    assert [p.lesion for p in head_lesions(names)] == [names[0], names[2]]
    assert head_lesions(names[:2]) == []


def table(study, names, **columns):
    row = study.effects.query("outcome == 'correct' and group == 'all'").iloc[[0]]
    effects = row.loc[row.index.repeat(len(names))].reset_index(drop=True)
    return effects.assign(lesion=names, **columns)


def test_the_map_holds_heads_attentions_and_mlps(study, texts):
    names = [
        "lm.layers.0.heads.1=zero",
        "lm.layers.1.heads.0=zero",
        "lm.layers.1.attention=zero",
        "lm.layers.0.mlp=zero",
    ]
    ate = np.array([-0.31, 0.02, -0.11, -0.07])
    effects = table(study, names, ate=ate, ci_low=ate - 0.05, ci_high=ate + 0.05)
    figure = layers_heads(effects, {}, "correct")
    found = texts(figure)
    assert {"−31.0", "+2.0", "−11.0", "−7.0", "lm, zero", "head", "layer", "attention", "mlp"} <= set(found)
    heads, parts = figure.axes[:2]
    crossing = [(x, y) for line in heads.lines for x, y in line.get_xydata()]
    assert [(int(x), int(y)) for x, y in crossing] == [(0, 1)]
    assert sum(len(line.get_xydata()) for line in parts.lines) == 0


def test_panels_wrap(study, texts):
    names = [
        f"{tower}.layers.{i}.heads.{j}={off}" for tower in "ab" for off in "xy" for i in range(3) for j in range(8)
    ]
    found = texts(layers_heads(table(study, names, ate=-0.25), {}, "correct"))
    assert {"a, x", "a, y", "b, x", "b, y"} <= set(found)
    assert sum(text.startswith("−25") for text in found) >= 96


def test_a_crowded_map_leaves_out_numbers(study, texts):
    names = [f"lm.layers.{i}.heads.{j}=mean" for i in range(18) for j in range(16)]
    figure = layers_heads(table(study, [*names, "lm.layers.0.mlp=mean"], ate=-0.25), {}, "correct")
    found = texts(figure)
    assert {"17", "15", "mlp"} <= set(found)
    assert [text for text in found if text.startswith("−25")] == ["−25"]  # The colour bar's


def test_without_places_there_is_no_map(study):
    assert layers_heads(table(study, ["a=mean", "b=mean"]), {}, "correct") is None


def test_the_forest_shows_the_simultaneous_band_where_there_is_one(study, texts):
    effects = study.effects.copy()
    here = (effects["outcome"] == "correct") & (effects["group"] == "all")
    effects.loc[here, "band_low"], effects.loc[here, "band_high"] = effects["ate"] - 0.9, effects["ate"] + 0.9
    figure = forest(effects, study.kinds, "correct", sesoi=0.005)
    assert any("simultaneous band: holds all 7 at once" in text for text in texts(figure))
    low, high = figure.axes[0].get_xlim()
    assert low < 100 * (effects.loc[here, "ate"].min() - 0.9) and high > 100 * (effects.loc[here, "ate"].max() + 0.9)
    found = texts(forest(effects.assign(band_low=np.nan, band_high=np.nan), study.kinds, "correct"))
    assert not any("simultaneous" in text for text in found)
