from causalablate.report.retraining import retraining_findings


def test_sentences_say_what_the_numbers_do(found):
    first, *lines = retraining_findings(found)
    assert first == (
        "Of 4 components, each retrained without over 3 seeds and compared on 400 examples, the lesion overstates what "
        "2 are worth to accuracy and understates 1; for 1 the two are alike within the margin, and 0 are undecided."
    )
    row = found.frame.query("outcome == 'correct' and group == 'all' and arm == 'arm1'").iloc[0]
    assert lines[0].startswith(
        f"Most overstated: scorers.participatory=zero moves accuracy by −{-100 * row['ate_lesion']:.1f} points as a "
        f"lesion and by 0.0 when the model is trained without it, 0 % of the lesion's effect; compensation "
        f"+{100 * row['compensation']:.1f} (95 % interval +{100 * row['ci_low']:.1f} to +{100 * row['ci_high']:.1f})"
    )
    # The lesion's own interval holds zero, so there is no share to name.
    assert lines[1].startswith("Most understated: allocator=uniform") and "%" not in lines[1].partition(";")[0]
    assert "shown to be worse on accuracy, most of all without passes.fine=zero" in lines[2]
    assert "rank correlation of 0.63" in lines[3] and "of the 2 largest effects 1 is in common" in lines[3]
    assert "1 of 1 retrained models differs from the smaller one" in lines[4]
    assert len(lines) == 5


def test_one_seed_and_no_controls(few):
    lines = retraining_findings(few)
    assert "each retrained without over 1 seed and" in lines[0]
    assert not any("re-spent" in line for line in lines)
