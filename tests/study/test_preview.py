from causalablate.study import preview, run


def test_it_counts_the_work_and_what_is_left(fake, tmp_path):
    plan = fake.plan(lesions=[{"do": {"lm.layers.0.heads.0": "zero"}}], controls={"components": 3})
    before = preview(plan, fake.FakeReplay(delay=0.01), tmp_path / "out")
    assert (before.n_lesions, before.n_controls, before.n_examples) == (1, 3, 50)
    assert (before.n_units, before.n_done) == (15, 0)
    assert (before.n_forwards, before.n_forwards_left) == (250, 250)
    assert 0.5 <= before.seconds_left < 5  # 50 batches of at least 10 ms
    assert not (tmp_path / "out").exists()

    run(plan, fake.FakeReplay(), tmp_path / "out", quiet=True)
    after = preview(plan, fake.FakeReplay(), tmp_path / "out")
    assert (after.n_done, after.n_forwards_left, after.seconds_left) == (15, 0, 0)
