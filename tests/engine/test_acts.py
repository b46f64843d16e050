"""`<address>#<n>`: a component at one of the times that a forward comes by it."""

import numpy as np
import pytest
import torch
from torch import nn

import causalablate as ca
from causalablate.errors import ComponentNotFoundError, InertLesionError
from causalablate.replay import Replay


class Thrice(nn.Module):
    """Adds the same part three times, and reads it twice more through another."""

    def __init__(self):
        super().__init__()
        self.part, self.other = nn.Linear(3, 3), nn.Linear(3, 2)

    def forward(self, x):
        for _ in range(3):
            x = x + self.part(x)
        return self.other(x)


@pytest.fixture(scope="module")
def repeated():
    torch.manual_seed(0)
    return ca.wrap(Thrice(), {"part": "part", "other": "other"}, answers=["no", "yes"])


@pytest.fixture(scope="module")
def numbers():
    return ca.tensors(torch.randn(6, 3, generator=torch.Generator().manual_seed(1)), ["no", "yes"] * 3)


def by_hand(model, x, off):
    """Log-probabilities where the part is off in the passes listed, counted from 1."""
    inner = next(m for m in model.module.modules() if isinstance(m, Thrice))
    for n in (1, 2, 3):
        x = x + (0 if n in off else inner.part(x))
    return inner.other(x).log_softmax(-1)


@pytest.mark.parametrize("stack", [None, 1])
def test_each_time_is_a_lesion_of_its_own(repeated, numbers, stack):
    asked = [("part#1", {1}), ("part#2", {2}), ("part#3", {3}), ("part", {1, 2, 3})]
    lesions = [ca.do(address, off="zero") for address, _ in asked] + [ca.do("part#1", "part#3", off="zero")]
    table = ca.counterfactuals(repeated, numbers, lesions, outcomes=["answer_logprob"], stack=stack)
    wanted = {}
    batch = next(iter(repeated.batches(numbers, 6)))
    (x,) = batch.inputs.values()
    answer = [i % 2 for i in range(6)]
    for address, off in [*asked, ("both", {1, 3})]:
        with torch.no_grad():
            wanted[address] = by_hand(repeated, x, off)[range(6), answer].numpy()
    for lesion, (address, _) in zip(lesions, [*asked, ("both", set())], strict=True):
        found = table.select(lesion=lesion.name).frame["counterfactual"].to_numpy()
        np.testing.assert_allclose(found, wanted[address], atol=1e-6)


def test_the_narrower_of_two_has_the_last_word(repeated, numbers):
    mixed = ca.do({"part": "zero", "part#2": {"kind": "scale", "factor": 1.0}})
    every = ca.do("part#1", "part#3", off="zero")
    replay = Replay(repeated, numbers, outcomes=["answer_logprob"])
    found = replay.sweep([mixed, every], slice(0, 6))
    assert not np.array_equal(found[mixed].values["answer_logprob"], replay.factual(slice(0, 6))["answer_logprob"])


def test_changes_by_component(repeated, numbers):
    replay = Replay(repeated, numbers, outcomes=["answer_logprob"])
    both = ca.do("part#1", "other", off="zero")
    found = replay.sweep([both], slice(0, 6))[both]
    assert set(found.changes) == {"part#1", "other"}
    together = np.sqrt(sum(norm.astype(float) ** 2 for norm in found.changes.values()))
    np.testing.assert_allclose(found.change_norm, together, rtol=1e-6)


def test_what_others_say_under_a_lesion(repeated, numbers):
    replay = Replay(repeated, numbers, outcomes=["answer_logprob"])
    first, second = ca.do("part#1", off="zero"), ca.do("part#3", off="zero")
    nodes = [repeated.components[a] for a in ("part#1", "part#2", "part#3", "other")]
    found = dict(replay.measured([first, second], nodes, slice(1, 5), lambda there, here: (there - here).norm(dim=1)))
    assert all(v.shape == (4,) for w in found.values() for v in w.values())
    assert all((found[first][a] > 0).all() for a in ("part#1", "part#2", "part#3", "other"))
    assert not found[second]["part#1"].any() and not found[second]["part#2"].any()
    assert (found[second]["part#3"] > 0).all() and (found[second]["other"] > 0).all()


def test_what_is_not_there(repeated, numbers):
    with pytest.raises(InertLesionError, match="fewer than 4 times"):
        ca.counterfactuals(repeated, numbers, ca.do("part#4", off="zero"))
    for wrong in ("part#0", "part#x", "part#"):
        with pytest.raises(ComponentNotFoundError, match="the first is part#1"):
            ca.counterfactuals(repeated, numbers, ca.do(wrong, off="zero"))


def test_components_of_several_places(model):
    components = model.components
    assert components["tokens.image#2"].address == "tokens.image#2"
    assert components["lm.layers.0.mlp#2@image"].sites[0].group == "image"
    examples, reference = ca.digits(8), ca.digits(16, split="validation")
    lesions = [ca.do(a, off="mean") for a in ("tokens.image#1", "tokens.image#2", "tokens.image", "passes.fine#1")]
    found = Replay(model, examples, reference=reference).sweep(lesions, slice(0, 8))
    first, second, whole, _ = (found[lesion].change_norm for lesion in lesions)
    assert (first > 0).all() and (second > 0).all() and (first < whole).all()
