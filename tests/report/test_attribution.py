"""An attribution as people read it: table, sentences, figures and files."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.text import Text

from causalablate.effects.rankings import rank_agreement
from causalablate.report.attribution import attribution_cells, attribution_findings, write_attribution
from causalablate.report.figures.attribution import Picture, attribution_figure, region_figure
from causalablate.report.figures.style import styled

HOW = "Shapley sampling with 32 permutations: 100 distinct coalitions of 6 players"
IMAGE = np.full((12, 18, 3), 200, dtype=np.uint8)


def attributed(names, n=20, outcome="answer_logprob", sampling_se=0.02):
    """A synthetic attribution: players add 0, 1, 2 ... less and less surely."""
    rng, k = np.random.default_rng(0), len(names)
    values = np.arange(k)[:, None] + 0.3 * rng.normal(size=(k, n))
    single = 2 * values + 0.2 * rng.normal(size=(k, n))
    examples = [f"e{i}" for i in range(n)]
    frame = pd.DataFrame(
        {"example": np.repeat(examples, k), "player": list(names) * n, "attribution": values.T.reshape(-1)}
    )
    mean, se = values.mean(axis=1), values.std(axis=1) / np.sqrt(n)
    population = pd.DataFrame(
        {
            "player": names,
            "kind": "head",
            "group": "all",
            "outcome": outcome,
            "n_units": n,
            "attribution": mean,
            "ci_low": mean - 2 * se,
            "ci_high": mean + 2 * se,
            "sampling_se": sampling_se,
            "single_lesion": single.mean(axis=1),
        }
    ).sort_values("attribution", ascending=False, ignore_index=True)
    population = pd.concat([population, population.assign(group="question_type=location", n_units=5)])
    total = values.sum(axis=0)
    games = pd.DataFrame(
        {"example": examples, "value_all": total - 5, "value_none": -5.0, "attributed": total + 1e-6, "gap": 1e-6}
    )
    return frame, population, games, rank_agreement(values, single, np.arange(n), k=min(3, k))


PLAYERS = [f"lm.layers.0.heads.{i}" for i in range(6)]
REGIONS = [f"region.{r}.{c}" for r in range(2) for c in range(3)]


def texts(figure):
    return [text.get_text() for text in figure.findobj(Text)]


def test_the_table_has_the_largest_first_and_says_what_was_sampled():
    _, population, _, _ = attributed(PLAYERS)
    cells = attribution_cells(population)
    assert cells.header == ["player", "attribution", "interval", "s.e. of sampling", "−effect of single lesion"]
    assert [row[0] for row in cells.rows] == PLAYERS[::-1]
    assert cells.rows[0][1].startswith("+5.") and cells.rows[0][3] == "0.02" and cells.rows[0][4].startswith("+9.9")
    assert "in nats" in cells.title and "n = 20" in cells.title
    assert "location" in attribution_cells(population, "question_type=location").title
    certain = attribution_cells(attributed(PLAYERS, sampling_se=0.0)[1])
    assert {row[3] for row in certain.rows} == {"–"}
    shares = attribution_cells(attributed(PLAYERS, outcome="correct")[1])
    assert shares.rows[0][1].startswith("+5") and "points" in shares.title


def test_the_sentences_say_what_adds_up_and_what_agrees():
    _, population, games, found = attributed(PLAYERS)
    text = " ".join(attribution_findings(population, games, found, HOW))
    assert HOW in text and "on 20 examples" in text
    assert "with none −5" in text and "the largest gap is 1.0e-06 nats" in text
    assert "rank correlation of the means (Spearman) 1.00 [" in text and "of the 3 largest they share 3" in text
    alone = " ".join(attribution_findings(population, games.assign(gap=7.0), None, HOW))
    assert "what differs is interaction" in alone and "7" in alone and "Spearman" not in alone


@pytest.mark.parametrize("names", [PLAYERS, ["p" * 30 + f".{i}=mean & " + "q" * 30 for i in range(3)], ["one"]])
def test_every_player_is_drawn_within_the_figure(names):
    rows = attributed(names)[1].query("group == 'all'")
    with styled():
        figure = attribution_figure(rows, HOW, 0.95)
        figure.canvas.draw()
        box, ticks = figure.bbox, set(figure.axes[0].get_xticklabels())  # those out of view are not drawn
        for text in figure.findobj(Text):
            if text.get_text().strip() and text not in ticks:
                extent = text.get_window_extent()
                assert extent.x0 >= box.x0 - 1 and extent.x1 <= box.x1 + 1, text.get_text()
    (axes,) = figure.axes
    markers = [line for line in axes.lines if line.get_marker() in ("o", "D")]
    assert len(markers) == 2 * len(names)
    assert "share of log-probability of the true answer, nats" in texts(figure)


def test_regions_are_drawn_where_they_are():
    frame, population, _, _ = attributed(REGIONS)
    rows = population.query("group == 'all'")
    pictures = [Picture(f"e{i}", IMAGE, f"what is here: {i}") for i in range(5)]
    with styled():
        figure = region_figure(rows, frame, (2, 3), pictures, HOW)
        figure.canvas.draw()
    assert len(figure.axes) == 6
    (mean,) = figure.axes[0].images
    expected = rows.set_index("player")["attribution"].loc[REGIONS].to_numpy().reshape(2, 3)
    assert np.asarray(mean.get_array()) == pytest.approx(expected)
    image, heat = figure.axes[2].images
    assert (image.get_array() == IMAGE).all() and list(image.get_extent()) == [0, 18, 12, 0]
    assert list(heat.get_extent()) == [0, 18, 12, 0]
    own = frame.query("example == 'e1'")["attribution"].to_numpy().reshape(2, 3)
    assert np.asarray(heat.get_array()) == pytest.approx(own) and heat.get_alpha() < 1
    assert "mean of 20 examples" in texts(figure) and "what is here: 4" in texts(figure)
    colours = mean.cmap(mean.norm(np.array([-1.0, 1.0])))
    assert to_hex(colours[0]) != to_hex(colours[1]) and mean.norm.vmin == -mean.norm.vmax


def test_files_have_the_same_bytes_again(tmp_path):
    frame, population, games, found = attributed(REGIONS)
    given = (frame, population, games, found, HOW)
    pictures = [Picture("e0", IMAGE, "what: this")]
    one, two = (write_attribution(tmp_path / d, *given, grid=(2, 3), pictures=pictures) for d in "ab")
    names = sorted(p.name for p in (tmp_path / "a").iterdir())
    assert names == sorted(
        ["attributions.csv", "population.csv", "games.csv", "attribution.md"]
        + [f"{stem}.{kind}" for stem in ("attribution", "regions") for kind in ("png", "svg")]
    )
    assert all((tmp_path / "a" / n).read_bytes() == (tmp_path / "b" / n).read_bytes() for n in names)
    assert len(pd.read_csv(one.examples)) == 120 and len(pd.read_csv(one.population)) == 12
    text = one.markdown.read_text()
    assert "](attribution.png)" in text and "](regions.png)" in text and "location" in text
    assert len(two.figures) == 4
