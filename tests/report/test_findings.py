import numpy as np

from causalablate.report.findings import findings, headline


def test_headline_counts_verdicts_and_names_the_largest_effect(study):
    text = headline(study.effects, study.kinds)
    rows = study.effects.query("outcome == 'correct' and group == 'all'")
    n = (rows["label"] == "effect").sum()
    worst = rows.loc[rows["ate"].idxmin()]
    assert f"On 280 examples, {n} of 7 lesions have a clear effect on accuracy" in text
    assert "passes.fine=mean takes accuracy from" in text
    assert f"(−{abs(100 * worst['ate']):.1f} points; 95 % interval" in text


def test_headline_without_an_effect_claims_none(study):
    text = headline(study.effects.assign(label="undecided"), study.kinds)
    assert "none of 7 lesions has a clear effect on accuracy; none is within noise, 7 are undecided." in text
    assert "largest" not in text


def test_the_selective_lesion_is_found(study):
    assert any(
        line.startswith("Most selective: query.static=mean moves question type “cue” by −")
        for line in findings(study.effects, study.kinds)
    )


def test_no_selective_lesion_where_all_groups_move_alike(study):
    effects = study.effects[study.effects["lesion"] == "passes.fine=mean"]
    assert not any("selective" in line for line in findings(effects, study.kinds))


def test_a_gain_is_reported_as_a_gain(study):
    effects = study.effects.copy()
    gained = (effects["lesion"] == "lm.layers.1.heads.1=zero") & (effects["group"] == "all")
    effects.loc[gained, ["ate", "label"]] = [0.123, "effect"]
    assert "One lesion improves accuracy, most of all lm.layers.1.heads.1=zero (+12.3 points)." in findings(
        effects, study.kinds
    )


def test_lesions_that_did_not_act_everywhere_are_named(study):
    effects = study.effects.copy()
    effects.loc[effects["lesion"] == "query.static=mean", "fired"] = 0.4
    assert any(
        "1 lesion did not act on every example, least of all query.static=mean (acted on 40.0 %)" in line
        for line in findings(effects, study.kinds)
    )
    assert not any("did not act" in line for line in findings(study.effects, study.kinds))


def test_controls_are_counted(study):
    lines = findings(study.effects, study.kinds)
    assert any(
        line.startswith("Of 4 lesions with size-matched random controls, 1 exceeds all of them;") for line in lines
    )
    effects = study.effects.assign(p_control=np.nan)
    assert not any("controls" in line for line in findings(effects, study.kinds))


def test_a_lesion_that_changes_nothing_at_its_site_is_named(study):
    assert not any("changes nothing" in line for line in findings(study.effects, study.kinds))
    effects = study.effects.copy()
    effects.loc[effects["lesion"] == "passes.fine=mean", "change_norm"] = 0.0
    (line,) = [line for line in findings(effects, study.kinds) if "changes nothing" in line]
    assert "site: passes.fine=mean. There" in line and "such as zero" in line
