"""The conformance suite finds a family that is wrong: each fault here is one that such code has had."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from causalablate.models import Model, load
from causalablate.offs import Zero
from tests.families import conformance, llava
from tests.families.conformance import Subject


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("llava")
    llava.build(path)
    return path


def subject_with(path, **vision):
    """LLaVA with another description of its vision tower."""
    loaded = load(path)
    found = loaded.adapter.anatomy
    wrong = replace(found, towers=(replace(found.towers[0], **vision), *found.towers[1:]))
    subject = Subject("wrong", path)
    subject.__dict__["cold"] = Model(loaded.module, replace(loaded.adapter, anatomy=wrong))
    return subject


def test_the_family_is_right_as_it_is(path):
    for check in (conformance.anatomy, conformance.reaches, conformance.cold_and_warm):
        assert check(subject_with(path))


def test_heads_of_the_wrong_width(path):
    with pytest.raises(AssertionError, match="do not tile"):
        conformance.anatomy(subject_with(path, heads=2))


def test_a_layer_that_runs_and_is_not_read(path):
    with pytest.raises(AssertionError, match=r"nothing happens without vision\.layers\.2"):
        conformance.reaches(subject_with(path, n_layers=3))


def test_an_image_that_passes_by_the_connector(path, monkeypatch):
    subject = subject_with(path)
    model = subject.model.module.model
    whole = model.multi_modal_projector.forward
    # A second way for the image, outside of the module that is named.
    monkeypatch.setattr(model, "multi_modal_projector", _Doubled(model.multi_modal_projector, whole))
    subject.model.components = load(path).components
    with pytest.raises(AssertionError, match="the image passes by: connector"):
        conformance.anatomy(subject)


class _Doubled(nn.Module):
    """Adds a copy of what the projector says behind it; hooks of the projector see the half."""

    def __init__(self, projector, forward):
        super().__init__()
        self.linear_1, self.linear_2 = projector.linear_1, projector.linear_2
        self.inner = [forward]

    def forward(self, x):
        return self.inner[0](x)

    def __call__(self, x):
        return super().__call__(x) + self.inner[0](x)


def test_padding_that_is_attended_to(path, monkeypatch):
    subject = Subject("wrong", path)
    adapter = type(subject.model.adapter)
    encode = adapter.encode

    def everything(self, module, examples):
        inputs = encode(self, module, examples)
        return inputs | {"attention_mask": torch.ones_like(inputs["attention_mask"])}

    monkeypatch.setattr(adapter, "encode", everything)
    with pytest.raises(AssertionError, match=r"differs by .* in a batch"):
        conformance.padding(subject)


def test_a_lesion_that_does_half_of_its_work(path, monkeypatch):
    monkeypatch.setattr(Zero, "apply", lambda self, x, context: 0.5 * x)
    with pytest.raises(AssertionError, match=r"vision\.layers\.0"):
        conformance.plain_hooks(Subject("wrong", path, every=False))


def test_an_edit_that_comes_after_the_hidden_states_were_collected(path, monkeypatch):
    register = nn.Module.register_forward_hook

    def last_in_line(self, hook, **options):
        return register(self, hook, **options | {"prepend": False})

    monkeypatch.setattr(nn.Module, "register_forward_hook", last_in_line)
    with pytest.raises(AssertionError, match="differs in a warm model"):
        conformance.cold_and_warm(Subject("wrong", path))
