import pytest
import torch

from causalablate.errors import StudyError
from causalablate.examples import digits
from causalablate.examples.questions import WORDS
from causalablate.foveated.model import FoveatedVLM
from causalablate.foveated.sizes import small_config
from causalablate.models import Model
from causalablate.models.foveated import FoveatedAdapter
from causalablate.replay import Replay
from causalablate.study import find_study, plan_study
from causalablate.study.shipped import LIBRARY, shipped_studies

NAMES = {"demo", "scorers", "opponent", "passes", "queries", "allocator", "texture", "heads", "layers", "tokens"}


@pytest.fixture(scope="module")
def replay():
    """A model with the layers and heads of the shipped one, and few examples."""
    torch.manual_seed(0)
    model = Model(FoveatedVLM(small_config(WORDS, width=32)).eval(), FoveatedAdapter())
    return Replay(model, digits(7), reference=digits(16, split="validation"))


def test_the_library_holds_what_the_documentation_names():
    assert set(shipped_studies()) == NAMES


@pytest.mark.parametrize("name", sorted(NAMES))
def test_every_lesion_of_the_library_acts_and_changes_something(name, replay):
    study = find_study(name)
    assert study.name == name
    assert "?" in study.description
    plan = plan_study(study, replay.model.components, study.examples.n)
    asked = [planned for planned in plan.lesions if not planned.control]
    replay.prepare([planned.lesion for planned in asked])
    for planned in asked:
        world = replay.counterfactual(planned.lesion, slice(0, 7))
        assert world.fired.all()
        assert world.change_norm.max() > 0, f"{planned.name} leaves every activation as it is"


def test_the_demo_lesions_every_kind_of_component(replay):
    plan = plan_study(find_study("demo"), replay.model.components, 7)
    kinds = {planned.kind for planned in plan.lesions}
    assert kinds == {component.kind for component in replay.model.components.values()}


def test_heads_are_compared_with_random_heads(replay):
    plan = plan_study(find_study("heads"), replay.model.components, 7)
    sizes = {name: len(controls) for name, controls in plan.controls["components"].items()}
    assert set(sizes) == {planned.name for planned in plan.lesions if not planned.control}
    assert sizes["lm.layers.0.heads.0=mean"] == 11
    assert sizes["all heads of lm.layers.0"] == 20


def test_a_study_is_found_by_name_by_path_and_with_another_checkpoint(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert find_study("scorers") == find_study(LIBRARY / "scorers.yaml")
    assert find_study("scorers", model="ckpt").model == str((tmp_path / "ckpt").resolve())
    (tmp_path / "scorers").write_text("name: mine\nlesions: [{do: {a: zero}}]\n")
    assert find_study("scorers").name == "mine"


def test_an_unknown_name_lists_the_library():
    with pytest.raises(
        StudyError, match=r'no file and no shipped study "scorer" \(did you mean scorers.*there are alloc'
    ):
        find_study("scorer")
    with pytest.raises(StudyError, match=r"nowhere/scorers\.yaml: no such file"):
        find_study("nowhere/scorers.yaml")
