import pytest

from causalablate.errors import ComponentNotFoundError, StudyError
from causalablate.study import plan_study

HEAD = "lm.layers.0.heads.0"


def test_lesions_come_in_the_order_of_the_study_each_once(fake):
    plan = fake.plan(
        lesions=[
            {"do": {"passes.fine": "mean"}},
            {"each": "scorers.*", "off": "zero"},
            {"each": "**.entropy", "off": "zero"},
        ]
    )
    assert [p.name for p in plan.lesions] == ["passes.fine=mean", "scorers.salience=zero", "scorers.entropy=zero"]
    assert [p.kind for p in plan.lesions] == ["pass", "scorer", "scorer"]


def test_units_cover_every_example_of_every_lesion_once(fake):
    plan = fake.plan(n=50)  # batches of 5, 4 batches a unit
    assert plan.shards == [(0, 20), (20, 40), (40, 50)]
    units = list(plan.units)
    assert len(units) == len(set(units)) == plan.n_units == 3 * 6
    assert [unit.lesion for unit in units[:3]] == [None] * 3
    assert plan.n_forwards == 50 * 6


def test_shards_do_not_move_when_examples_are_added(fake):
    assert fake.plan(n=45).shards[:2] == fake.plan(n=200).shards[:2]


def test_controls_are_planned_once_and_named_for_each_lesion(fake):
    plan = fake.plan(lesions=[{"each": "lm.layers.*.heads.*", "off": "zero"}], controls={"components": 4})
    assert len(plan.lesions) == 8  # every control is a lesion of the study
    assert not any(p.control for p in plan.lesions)
    assert list(plan.controls) == ["components"]
    assert all(len(set(names)) == 4 and name not in names for name, names in plan.controls["components"].items())

    plan = fake.plan(
        lesions=[{"do": {HEAD: "zero"}, "name": "mine"}, {"do": {"passes.fine": "mean"}}], controls={"components": 4}
    )
    assert [p.control for p in plan.lesions] == [False, False, True, True, True, True]
    assert plan.controls == {"components": {"mine": [p.name for p in plan.lesions[2:]]}}


def test_a_control_that_is_a_lesion_under_another_name_keeps_that_name(fake):
    others = [a for a in fake.COMPONENTS if a.startswith("lm") and a != HEAD]
    plan = fake.plan(
        lesions=[{"do": {HEAD: "zero"}}] + [{"do": {a: "zero"}, "name": f"other {i}"} for i, a in enumerate(others)],
        controls={"components": 20},
    )
    assert sorted(plan.controls["components"][f"{HEAD}=zero"]) == [f"other {i}" for i in range(7)]
    assert len(plan.lesions) == 8


def test_kinds_of_control_stand_side_by_side_and_a_lesion_has_those_that_it_can_have(fake):
    lesions = [
        {"do": {HEAD: "resample"}, "name": "a head"},
        {"do": {"passes.fine": "mean"}, "name": "a pass"},
        {"do": {"opponent.focus": "fixed_min"}, "name": "a gate"},
    ]
    plan = fake.plan(lesions=lesions, controls={"components": 3, "directions": 2, "donors": 1})
    assert {kind: list(some) for kind, some in plan.controls.items()} == {
        "components": ["a head"],
        "directions": ["a head", "a pass"],
        "donors": ["a head"],
    }
    assert plan.controls["directions"]["a pass"] == [
        "passes.fine=direction(mean)",
        "passes.fine=direction(mean, draw=1)",
    ]
    assert plan.controls["donors"]["a head"] == [f"{HEAD}=resample(draw=1)"]
    assert len(plan.lesions) == len({p.lesion for p in plan.lesions}) == 3 + 3 + 4 + 1
    assert [p.name for p in plan.lesions if not p.control] == ["a head", "a pass", "a gate"]


def test_controls_that_no_lesion_can_have_are_refused(fake):
    with pytest.raises(
        StudyError, match=r"controls\.donors: no lesion .* can have such controls.*none of its parts is"
    ):
        fake.plan(lesions=[{"do": {HEAD: "zero"}}], controls={"components": 2, "donors": 2})
    with pytest.raises(StudyError, match=r"controls\.components: .*no other component of kind pass can be off by mean"):
        fake.plan(lesions=[{"do": {"passes.fine": "mean"}}], controls={"components": 2})


def test_names_are_unambiguous(fake):
    with pytest.raises(StudyError, match='two lesions are named "a"'):
        fake.plan(lesions=[{"do": {"passes.fine": "zero"}, "name": "a"}, {"do": {HEAD: "zero"}, "name": "a"}])
    with pytest.raises(StudyError, match="is listed twice, as"):
        fake.plan(lesions=[{"do": {"passes.fine": "zero"}}, {"do": {"passes.fine": "zero"}, "name": "a"}])


def test_the_id_is_of_the_contents(fake):
    assert fake.plan().id == fake.plan().id
    assert len({fake.plan().id, fake.plan(n=51).id, fake.plan(seed=1).id}) == 3


def test_an_unknown_component_is_found_while_planning(fake):
    with pytest.raises(ComponentNotFoundError, match=r'no component "lm\.layers\.7\.heads\.0"'):
        plan_study(fake.study(lesions=[{"each": "lm.layers.7.heads.0", "off": "zero"}]), fake.COMPONENTS, 10)
