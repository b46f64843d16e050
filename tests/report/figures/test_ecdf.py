import numpy as np
import pandas as pd

from causalablate.report.figures.ecdf import ecdf, strongest
from causalablate.table import Counterfactuals


def test_the_share_that_is_unchanged_is_said_and_drawn(study, texts):
    frame = study.table.frame.copy()
    here = (frame["outcome"] == "answer_logprob") & (frame["lesion"] == "passes.fine=mean")
    values = np.repeat([-2.0, 0.0, 0.0, 1.0], 70)
    frame.loc[here, "effect"] = values
    effects = study.effects[study.effects["lesion"] == "passes.fine=mean"]
    figure = ecdf(Counterfactuals(frame), effects, "answer_logprob")
    assert any("25.0 % below, 50.0 % zero, 25.0 % above" in text for text in texts(figure))
    line = next(line for line in figure.axes[0].lines if len(line.get_xdata()) > 280)
    x, y = line.get_xdata(), line.get_ydata()
    assert y[np.searchsorted(x, 0.0, side="right") - 1] == 0.75 and y[np.searchsorted(x, 0.0) - 1] == 0.25


def test_the_largest_effects_are_drawn(study, texts):
    rows = study.effects.query("outcome == 'answer_logprob' and group == 'all'")
    order = rows.loc[rows["ate"].abs().sort_values(ascending=False).index, "lesion"]
    assert strongest(study.effects, "answer_logprob") == list(order[:6])
    found = texts(ecdf(study.table, study.effects, "answer_logprob"))
    assert any("n = 280 examples" in text and "the 6 largest of 7 effects" in text for text in found)
    assert "individual effect on log-probability of the true answer, nats (counterfactual − factual)" in found


def test_a_lesion_that_changes_nothing_can_be_drawn(study, texts):
    frame = study.table.frame.assign(effect=0.0)
    effects = study.effects.assign(ate=0.0)
    assert any("100.0 % zero" in text for text in texts(ecdf(Counterfactuals(frame), effects, "correct")))


def test_long_names_have_room(study, texts):
    long = " & ".join(f"scorers.{name}=uniform" for name in ("participatory", "perspectival", "propositional"))
    frame = pd.DataFrame(study.table.frame).replace({"lesion": {"passes.fine=mean": long}})
    effects = study.effects.replace({"lesion": {"passes.fine=mean": long}})
    assert any(
        "scorers.propositional=uniform" in text for text in texts(ecdf(Counterfactuals(frame), effects, "correct"))
    )
