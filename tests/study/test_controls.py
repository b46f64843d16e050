from causalablate.intervention import do
from causalablate.offs import Mean, Zero
from causalablate.study.controls import random_heads


def towers(lesion):
    return sorted(address.split(".")[0] for address, _ in lesion)


def test_controls_match_in_number_tower_and_off(fake):
    lesion = do({"lm.layers.0.heads.0": "zero", "lm.layers.1.heads.2": "mean", "vision.layers.0.heads.1": "mean"})
    controls = random_heads(lesion, fake.COMPONENTS, n=10, seed=0)
    assert len(set(controls)) == 10
    for control in controls:
        assert towers(control) == ["lm", "lm", "vision"]
        assert {address for address, _ in control}.isdisjoint(address for address, _ in lesion)
        assert sorted(str(how) for a, how in control if a.startswith("lm")) == ["mean", "zero"]
        assert [how for a, how in control if a.startswith("vision")] == [Mean()]


def test_a_small_tower_gives_all_its_other_heads(fake):
    controls = random_heads(do("lm.layers.0.heads.0", off="zero"), fake.COMPONENTS, n=20, seed=0)
    others = {a for a in fake.COMPONENTS if a.startswith("lm") and a != "lm.layers.0.heads.0"}
    assert {control.parts for control in controls} == {((address, Zero()),) for address in others}


def test_controls_of_most_heads_may_share_some_but_are_never_the_lesion(fake):
    lesion = do(*[f"lm.layers.{layer}.heads.{head}" for layer in (0, 1) for head in (0, 1, 2)], off="zero")
    controls = random_heads(lesion, fake.COMPONENTS, n=100, seed=0)
    assert len(controls) == 27  # all sets of 6 among 8 heads but the lesion itself
    assert lesion not in controls


def test_a_glob_counts_as_the_heads_it_matches(fake):
    controls = random_heads(do("lm.layers.0.heads.*", off="zero"), fake.COMPONENTS, n=3, seed=0)
    assert [control.parts for control in controls] == [
        do("lm.layers.1.heads.0", *[f"lm.layers.1.heads.{i}" for i in (1, 2, 3)], off="zero").parts
    ]


def test_there_are_none_for_a_whole_tower_or_for_other_components(fake):
    assert random_heads(do("lm.layers.*.heads.*", off="zero"), fake.COMPONENTS, n=5, seed=0) == []
    assert random_heads(do("passes.fine", off="mean"), fake.COMPONENTS, n=5, seed=0) == []
    mixed = do({"passes.fine": "mean", "lm.layers.0.heads.0": "zero"})
    assert random_heads(mixed, fake.COMPONENTS, n=5, seed=0) == []


def test_the_draw_depends_on_seed_and_lesion_alone(fake):
    lesion = do("lm.layers.0.heads.0", "lm.layers.0.heads.1", off="zero")
    first = random_heads(lesion, fake.COMPONENTS, n=5, seed=0)
    assert random_heads(lesion, fake.COMPONENTS, n=5, seed=0) == first
    assert random_heads(lesion, fake.COMPONENTS, n=5, seed=1) != first
