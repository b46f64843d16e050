import pytest
import torch

from causalablate.examples.questions import WORDS
from causalablate.foveated.model import FoveatedVLM
from causalablate.foveated.sizes import small_config
from causalablate.training.config import OptimizerSection, StageSection
from causalablate.training.objectives import WarmupHeads
from causalablate.training.optimizer import GROUPS, learning_rate, make_optimizer, set_learning_rate


def optimizer(config=None, **switches):
    model = FoveatedVLM(small_config(WORDS, width=16, layers=1, **switches))
    return model, make_optimizer(model, WarmupHeads(16), config or OptimizerSection())


def test_every_parameter_is_in_one_group_and_vectors_do_not_decay():
    model, made = optimizer()
    grouped = [p for group in made.param_groups for p in group["params"]]
    assert len(grouped) == len({id(p) for p in grouped})
    assert {id(p) for p in model.parameters()} <= {id(p) for p in grouped}
    assert {group["name"] for group in made.param_groups} == set(GROUPS)
    for group in made.param_groups:
        assert all((p.ndim > 1) == (group["weight_decay"] > 0) for p in group["params"])


def test_frozen_parameters_are_left_out():
    _, made = optimizer(freeze=["vision"])
    assert "vision" not in {group["name"] for group in made.param_groups}


def test_rates_are_scaled_by_group():
    config = OptimizerSection(group_scale={"vision": 0.1})
    _, made = optimizer(config)
    rates = set_learning_rate(made, config, 1e-3)
    assert rates["vision"] == pytest.approx(1e-4) and rates["lm"] == pytest.approx(1e-3)
    assert all(group["lr"] == rates[group["name"]] for group in made.param_groups)


def test_the_rate_warms_up_and_ends_at_its_final_share():
    stage = StageSection(steps=100, learning_rate=1.0, warmup_steps=10, final_share=0.1)
    rates = [learning_rate(stage, step) for step in range(100)]
    assert rates[0] == pytest.approx(0.1) and max(rates) == rates[9] == rates[10] == 1.0
    assert rates[10:] == sorted(rates[10:], reverse=True) and rates[-1] == pytest.approx(0.1, abs=1e-3)
    assert torch.tensor(rates).min() > 0
