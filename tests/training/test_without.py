"""Components held off while a model trains."""

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from causalablate.counterfactual import counterfactuals
from causalablate.errors import ComponentNotFoundError, InertLesionError
from causalablate.examples import digits
from causalablate.examples.questions import WORDS
from causalablate.foveated.model import FoveatedVLM
from causalablate.foveated.sizes import small_config
from causalablate.intervention import do
from causalablate.models import load
from causalablate.training.config import ObjectiveSection, TrainingConfig
from causalablate.training.data import training_batch
from causalablate.training.evaluate import measure
from causalablate.training.objective import Objective
from causalablate.training.objectives import WarmupHeads, answers_task, warmup_task
from causalablate.training.trainer import train
from causalablate.training.without import Without


def objective(parts, **switches):
    torch.manual_seed(0)
    model = FoveatedVLM(small_config(WORDS, width=16, layers=2, **switches))
    return Objective(model, WarmupHeads(16), Without(model, do(parts)))


def untrained(made, task):
    made.zero_grad()
    made(task, [str(i) for i in range(len(task))]).backward()
    return {name for name, p in made.model.named_parameters() if p.grad is None}


def answers(made, share=0.0):
    config = made.model.config
    return answers_task(config, training_batch(config, 14, 0, 1, 0), ObjectiveSection(autoregressive_share=share), 0.0)


@pytest.mark.parametrize(
    ("parts", "only"),
    [
        ({"scorers.participatory": "zero"}, "scorers.participatory."),
        ({"query.dynamic": {"kind": "replace", "component": "query.static"}}, None),
        ({"vision.layers.1.mlp": "zero"}, "vision.dinov2.encoder.layer.1.mlp."),
        ({"opponent.*": {"kind": "value", "value": 0.5}}, "opponent."),
        ({"allocator": "uniform"}, "allocator."),
    ],
)
def test_gradients_flow_around_what_is_held_off(parts, only):
    made = objective(parts)
    gone = untrained(made, answers(made))
    if only is None:
        assert not any(name.startswith("queries.static") for name in gone)
    else:
        own = {name for name, _ in made.model.named_parameters() if name.startswith(only)}
        assert own and (own <= gone or only == "allocator.")
    assert not any(name.startswith(("connector", "lm.", "passes.fine")) for name in gone)


def test_a_component_that_says_what_its_off_says_is_not_trained_either():
    made = objective({"opponent.focus_diversify": {"kind": "value", "value": 0.5}})
    gate = made.model.opponent.focus_diversify
    for parameter in gate.parameters():
        parameter.data.zero_()  # a gate of exactly 0.5
    assert {f"opponent.focus_diversify.{n}" for n, _ in gate.named_parameters()} <= untrained(made, answers(made))


def test_the_warm_up_goes_without_too():
    made = objective({"vision.layers.1": "zero", "scorers.*": "zero"})
    task = warmup_task(made.model.config, training_batch(made.model.config, 14, 0, 0, 0))
    gone = untrained(made, task)
    layers = {name for name, _ in made.model.named_parameters() if name.startswith("vision.dinov2.encoder.layer.1.")}
    assert layers <= gone and not any(name.startswith("vision.dinov2.encoder.layer.0.") for name in gone)
    assert made.model.forward.__func__ is FoveatedVLM.forward


def test_where_a_mode_does_not_reach_it_nothing_is_held_off():
    made = objective({"query.static": "zero"})
    made(answers(made, share=1.0), [str(i) for i in range(14)])
    with pytest.raises(InertLesionError, match=r"query\.static=zero never acted"):
        made.without.check()
    made(answers(made), [str(i) for i in range(14)])
    made.without.check()


def test_what_is_drawn_depends_on_the_name_of_the_row():
    made = objective({"scorers.participatory": "shuffle"})
    one, same, other = (made(answers(made), [f"{k}.{i}" for i in range(14)]).item() for k in (0, 0, 1))
    assert one == same != other


def test_a_run_without_is_what_its_lesion_says(tiny, tmp_path):
    off = {"scorers.participatory": "zero", "vision.layers.0.mlp": "zero"}
    folder = train(tiny(without=off), tmp_path, quiet=True)
    model, examples = load(folder), digits(28, split="test")
    table = counterfactuals(model, examples, {"without": do(off)}, outcomes=["answer_logprob", "correct"])
    made = Without(model.module, do(off))
    found = measure(model.module, examples, without=made, batch_size=10)
    frame = table.frame.set_index(["outcome", "example"])["counterfactual"]
    logprob = frame["answer_logprob"][list(found.ids)].to_numpy()
    assert np.allclose(found.answer_logprob, logprob, atol=1e-5)
    assert np.array_equal(found.correct, frame["correct"][list(found.ids)].to_numpy() > 0.5)
    assert not np.allclose(found.answer_logprob, measure(model.module, examples).answer_logprob, atol=1e-3)
    with np.load(tmp_path / "outcomes.npz") as saved:
        assert len(saved["ids"]) == len(saved["correct"]) == len(saved["answer_logprob"]) == 14


def test_what_a_run_goes_without_stays_as_it_began(tiny, tmp_path):
    torch.manual_seed(0)
    began = FoveatedVLM(small_config(WORDS, width=16, layers=1)).scorers.participatory.state_dict()
    config = tiny(without={"scorers.participatory": "zero"}, optimizer={"weight_decay": 0.1})
    kept = FoveatedVLM.from_pretrained(train(config, tmp_path, quiet=True)).scorers.participatory.state_dict()
    assert all(torch.equal(kept[name], tensor) for name, tensor in began.items())


@pytest.mark.parametrize("off", ["mean", "resample", {"kind": "noise", "std": 2.0}, "patch"])
def test_offs_that_refer_to_activations_are_refused(off):
    with pytest.raises(ValidationError, match="while the model trains"):
        TrainingConfig.model_validate({"name": "x", "without": {"connector": off}})


def test_a_component_that_is_not_there_is_named(tiny, tmp_path):
    with pytest.raises(ComponentNotFoundError, match="participatory"):
        train(tiny(without={"scorers.participatry": "zero"}), tmp_path, quiet=True)
