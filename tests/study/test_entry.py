import pytest
from pydantic import ValidationError

from causalablate.errors import ComponentNotFoundError, LesionError
from causalablate.intervention import do
from causalablate.offs import Mean, Noise, Zero
from causalablate.study import LesionEntry


def names(entry, components):
    return [name for name, _ in LesionEntry(**entry).lesions(components)]


def test_do_is_one_joint_lesion(fake):
    entry = LesionEntry(do={"passes.fine": "mean", "scorers.*": {"kind": "noise", "std": 3}})
    [(name, lesion)] = entry.lesions(fake.COMPONENTS)
    assert lesion == do({"passes.fine": Mean(), "scorers.*": Noise(3.0)})
    assert name == lesion.name


def test_each_is_one_lesion_per_match_and_off(fake):
    assert names(
        {"each": ["scorers.*", "passes.fine", "scorers.entropy"], "off": ["zero", "mean"]}, fake.COMPONENTS
    ) == [
        "scorers.salience=zero",
        "scorers.entropy=zero",
        "passes.fine=zero",
        "scorers.salience=mean",
        "scorers.entropy=mean",
        "passes.fine=mean",
    ]


def test_a_name_stands_in_for_the_canonical_text(fake):
    assert names({"do": {"scorers.*": "uniform"}, "name": "no scorer"}, fake.COMPONENTS) == ["no scorer"]


def test_a_lesion_is_an_entry():
    lesion = do({"passes.fine": "mean"})
    assert LesionEntry.model_validate(lesion) == LesionEntry(do={"passes.fine": "mean"})


@pytest.mark.parametrize(
    "entry",
    [
        {"do": {"a": "zero", "b": {"kind": "noise", "std": 2.0}}, "name": "both"},
        {"each": "a.*", "off": "mean"},
        {"each": ["a.*", "b"], "off": ["zero", {"kind": "scale", "factor": 2.0}]},
        {"each": "a", "off": {"kind": "value", "value": 0.5}},
    ],
)
def test_the_plain_form_is_what_was_written(entry):
    assert LesionEntry(**entry).model_dump(mode="json") == entry


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({}, "exactly one of do"),
        ({"do": {"a": "zero"}, "each": "a", "off": "zero"}, "exactly one of do"),
        ({"do": {"a": "zero"}, "off": "zero"}, "beside each component"),
        ({"each": "a"}, "each needs off"),
        ({"each": "a", "off": "zero", "name": "x"}, "name is for do"),
        ({"do": {}}, "at least 1"),
        ({"each": [], "off": "zero"}, "at least 1"),
        ({"do": {"a": "men"}}, r"expected zero, mean, .* got \"men\" \(did you mean mean\?\)"),
        ({"do": {"a": None}}, "got nothing"),
        ({"do": {"a": 3}}, "got 3"),
        ({"do": {"a": {"std": 3}}}, "got nothing"),
        ({"do": {"a": {"kind": "noise", "sdt": 3}}}, r"no parameter \"sdt\" \(did you mean std\?\)"),
        ({"do": {"a": {"kind": "noise", "std": -1}}}, "at least 0"),
    ],
)
def test_malformed_entries_say_what_is_wrong(entry, message):
    with pytest.raises(ValidationError, match=message):
        LesionEntry(**entry)


def test_a_glob_without_match_names_the_nearest(fake):
    with pytest.raises(ComponentNotFoundError, match="scorers has salience, entropy"):
        names({"each": "scorers.salient", "off": "zero"}, fake.COMPONENTS)


@pytest.mark.parametrize("entry", [{"each": "passes.fine", "off": "uniform"}, {"do": {"passes.fine": "fixed_min"}}])
def test_an_off_that_a_component_refuses_is_found_before_anything_runs(fake, entry):
    with pytest.raises(LesionError, match=r"passes\.fine cannot be off by"):
        names(entry, fake.COMPONENTS)


def test_offs_lists_every_off():
    entry = LesionEntry(each="a", off=["zero", "mean"])
    assert entry.offs == [Zero(), Mean()]
