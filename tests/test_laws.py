"""The six laws hold on an untrained model in every mode; and each check finds a model that breaks its law."""

import pytest
import torch

from causalablate import laws
from causalablate.laws import LAWS, LawBrokenError
from causalablate.models import load


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.name)
@pytest.mark.parametrize("mode", ["coarse_only", "coarse_fine", "autoregressive"])
def test_laws_hold(make_model, examples, reference, law, mode):
    assert law.check(make_model(mode=mode), examples, reference)


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.name)
def test_laws_hold_on_the_shipped_checkpoint(examples, reference, law):
    assert law.check(load("shipped"), examples[:8], reference)


def check(name):
    return next(law for law in LAWS if law.name == name).check


def test_a_model_that_draws_at_random_breaks_the_first_law(make_model, examples, reference, monkeypatch):
    model = make_model()
    forward = model.module.forward
    monkeypatch.setattr(
        model.module, "forward", lambda **kw: _scaled(forward(**kw), 1 + torch.rand((), generator=generator))
    )
    generator = torch.Generator().manual_seed(0)
    with pytest.raises(LawBrokenError, match="the empty lesion changes logits"):
        check("empty")(model, examples, reference)


def _scaled(output, factor):
    output.logits = output.logits * factor
    return output


def test_a_hook_left_behind_breaks_the_second_law(make_model, examples, reference, monkeypatch):
    model = make_model()
    logits = laws._logits

    def leaves_a_hook(model, inputs):
        model.module.connector.register_forward_hook(lambda *_: None)
        return logits(model, inputs)

    monkeypatch.setattr(laws, "_logits", leaves_a_hook)
    with pytest.raises(LawBrokenError, match="is not what it was"):
        check("restore")(model, examples, reference)


def test_statistics_over_the_batch_break_the_fourth_law(make_model, examples, reference, monkeypatch):
    model = make_model()
    forward = model.module.connector.forward
    monkeypatch.setattr(model.module.connector, "forward", lambda x: forward(x - x.mean(0, keepdim=True)))
    with pytest.raises(LawBrokenError, match="alone and in a batch differ"):
        check("seeded")(model, examples, reference)


def test_a_module_that_reads_what_others_leave_in_a_global_breaks_the_sixth_law(
    make_model, examples, reference, monkeypatch
):
    """The texture's own inputs are the same under the lesion, so it is not run again; yet it would say otherwise."""
    model = make_model()
    left = [0.0]
    mark, see = model.module.passes.coarse.forward, model.module.texture.forward

    def leaves(x):
        left[0] = 0.1 * x.mean().tanh()
        return mark(x)

    monkeypatch.setattr(model.module.passes.coarse, "forward", leaves)
    monkeypatch.setattr(model.module.texture, "forward", lambda x: see(x) + left[0])
    with pytest.raises(LawBrokenError, match="the replayed answer_logprob differs from that of the lesioned model"):
        check("replay")(model, examples, reference)


def test_rows_mixed_beyond_the_probed_example_break_the_sixth_law(make_model, examples, reference, monkeypatch):
    """The layout is probed on one example; a stack must still give what the lesioned model gives."""
    model = make_model()
    monkeypatch.setattr("causalablate.engine.layout._difference", lambda once, many: None)
    forward = model.module.connector.forward
    monkeypatch.setattr(model.module.connector, "forward", lambda x: forward(x - x.mean(0, keepdim=True)))
    with pytest.raises(LawBrokenError, match="stacked lesions differ"):
        check("replay")(model, examples, reference)


def test_the_fingerprint_sees_every_kind_of_change(make_model):
    def changed(how):
        model = make_model()
        before = laws.fingerprint(model.module)
        how(model.module)
        return laws.fingerprint(model.module) != before

    assert not changed(lambda m: None)
    assert changed(lambda m: m.connector.fc1.weight.data.add_(1e-3))
    assert changed(lambda m: m.connector.register_forward_pre_hook(lambda *_: None))
    assert changed(lambda m: m.connector.train())
    assert changed(lambda m: m.connector.fc1.weight.requires_grad_(False))
    assert changed(lambda m: torch.rand(1))
