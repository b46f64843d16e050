"""Nothing of the model is changed, whatever ends the screening, and whatever the caller's gradient mode is."""

import pytest
import torch
from torch import nn

from causalablate.errors import OutcomeError
from causalablate.intervention import do
from causalablate.laws import fingerprint
from causalablate.offs import Zero
from causalablate.screening import screen
from causalablate.screening.differentiable import differentiable


@pytest.fixture
def lived_in(make_model):
    """A model in the middle of somebody's training: some parts train, some are frozen, some gradients are there."""
    model = make_model()
    model.module.lm.train()
    model.module.connector.requires_grad_(False)
    for p in model.module.scorers.parameters():
        p.grad = torch.ones_like(p)
    return model


def state(module):
    gradients = [None if p.grad is None else p.grad.numpy().tobytes() for p in module.parameters()]
    return fingerprint(module), gradients, torch.is_grad_enabled()


@pytest.mark.parametrize("error", [None, RuntimeError, KeyboardInterrupt])
def test_the_model_is_what_it_was(lived_in, examples, monkeypatch, error):
    before = state(lived_in.module)
    apply = Zero.apply

    def interrupted(self, x, context):
        if error is not None and context.component.address == "lm.layers.1.mlp":
            raise error("in the middle of a forward")
        return apply(self, x, context)

    monkeypatch.setattr(Zero, "apply", interrupted)
    asked = ["passes.*", "scorers.*", "lm.layers.*.mlp"]
    if error is None:
        screen(lived_in, examples, asked, off="zero", confirm=2, sample=1)
    else:
        with pytest.raises(error):
            screen(lived_in, examples, asked, off="zero", confirm=2, sample=1)
    assert state(lived_in.module) == before


def test_an_interrupt_in_the_backward_leaves_nothing_behind(lived_in, examples, monkeypatch):
    before = state(lived_in.module)

    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(torch.autograd, "grad", interrupted)
    with pytest.raises(KeyboardInterrupt):
        screen(lived_in, examples, "passes.*", off="zero")
    assert state(lived_in.module) == before


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_the_callers_gradient_mode_does_not_matter(model, examples, mode):
    def run():
        return screen(model, examples, "passes.*", off="zero", confirm=1, sample=0)

    with mode():
        inside = run()
    assert inside.approximate.any() and inside.approximate.tobytes() == run().approximate.tobytes()


def test_parameters_are_constants_inside(make_model):
    module = make_model().module.train()
    with torch.no_grad(), differentiable(module):
        assert torch.is_grad_enabled() and not module.training
        assert not any(p.requires_grad for p in module.parameters())
    assert module.training and all(p.requires_grad for p in module.parameters())


def test_draws_inside_leave_the_stream_alone():
    module = nn.Linear(1, 1)
    before = torch.get_rng_state()
    with differentiable(module):
        torch.rand(3)
    assert torch.equal(before, torch.get_rng_state())


def test_weights_made_in_inference_mode_are_refused(linear, toys):
    with torch.inference_mode():
        linear.module.head = nn.Linear(6, 2).double()
    with pytest.raises(OutcomeError, match="load the model outside that block"):
        screen(linear, toys, do("once", off="zero"))
