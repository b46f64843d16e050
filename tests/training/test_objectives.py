import pytest
import torch

from causalablate.examples.questions import WORDS
from causalablate.foveated.model import FoveatedVLM
from causalablate.foveated.sizes import small_config
from causalablate.training.config import ObjectiveSection
from causalablate.training.data import training_batch
from causalablate.training.objectives import WarmupHeads, gaze_loss, main_loss, warmup_loss


@pytest.fixture
def parts():
    torch.manual_seed(0)
    model = FoveatedVLM(small_config(WORDS, width=32, layers=1))
    return model, WarmupHeads(32)


def batch(model, step=0):
    return training_batch(model.config, 14, 0, 0, step)


def test_warm_up_trains_the_encoder_and_can_be_learned(parts):
    model, heads = parts
    optimizer = torch.optim.Adam([*model.vision.parameters(), *heads.parameters()], lr=3e-3)
    losses = []
    for _ in range(30):
        optimizer.zero_grad()
        loss = warmup_loss(model, heads, batch(model))
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.7 * losses[0]
    assert all(p.grad is None for p in model.lm.parameters())


def test_the_main_loss_reaches_every_component(parts):
    model, heads = parts
    main_loss(model, heads, batch(model), ObjectiveSection(autoregressive_share=0), 0.0).backward()
    without = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert without == []


def test_terms_fade(parts):
    model, heads = parts
    plain = ObjectiveSection(gaze_weight=0, cells_weight=0, autoregressive_share=0)
    guided = ObjectiveSection(gaze_weight=1, gaze_fade=0.5, cells_weight=1, cells_fade=0.5, autoregressive_share=0)
    early, late = (main_loss(model, heads, batch(model), guided, p).item() for p in (0.0, 0.5))
    assert early > late == main_loss(model, heads, batch(model), plain, 0.5).item()


def test_the_last_stage_draws_gates_from_their_poles(parts):
    model, heads = parts
    plain, settling = (ObjectiveSection(gates_weight=w, autoregressive_share=0) for w in (0, 1))
    model.opponent.focus_diversify.linear.bias.data.fill_(3.0)
    assert main_loss(model, heads, batch(model), settling, None) > 2 + main_loss(
        model, heads, batch(model), plain, None
    )
    model.zero_grad()
    main_loss(model, heads, batch(model), settling, None).backward()
    assert model.opponent.focus_diversify.linear.bias.grad > 0


def test_a_share_of_steps_is_autoregressive(parts):
    model, heads = parts
    never, always = ObjectiveSection(autoregressive_share=0), ObjectiveSection(autoregressive_share=1)
    assert main_loss(model, heads, batch(model), never, 1.0) != main_loss(model, heads, batch(model), always, 1.0)


def test_gaze_loss_is_least_where_the_target_is():
    target = torch.tensor([[0.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
    there, elsewhere = torch.tensor([[0.0, 9.0, 0.0]] * 2), torch.tensor([[9.0, 0.0, 0.0]] * 2)
    assert gaze_loss(there, target) < 1e-3 < 1 < gaze_loss(elsewhere, target)
    assert gaze_loss(there[1:], target[1:]) == 0


def test_the_warm_up_query_for_the_cue_starts_the_learned_queries(parts):
    model, heads = parts
    heads.hand_over(model)
    assert torch.equal(model.queries.init.weight[0], heads.ask.weight[-1])
    assert torch.equal(model.queries.static.weight, model.queries.init.weight)
    heads.ask.weight.data.zero_()
    assert model.queries.init.weight.abs().sum() > 0
