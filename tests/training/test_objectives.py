import copy

import pytest
import torch

from causalablate.examples.questions import WORDS
from causalablate.foveated.model import FoveatedVLM
from causalablate.foveated.opponent import GATES
from causalablate.foveated.sizes import small_config
from causalablate.training.config import ObjectiveSection
from causalablate.training.data import training_batch
from causalablate.training.objectives import (
    WarmupHeads,
    answers_loss,
    answers_task,
    contrastive_loss,
    gaze_loss,
    warmup_loss,
    warmup_task,
)


@pytest.fixture
def parts():
    torch.manual_seed(0)
    model = FoveatedVLM(small_config(WORDS, width=32, layers=1))
    return model, WarmupHeads(32)


def batch(model, step=0):
    return training_batch(model.config, 14, 0, 0, step)


def main_loss(model, heads, batch, weights, progress, held=()):
    task = answers_task(model.config, batch, weights, progress, held)
    return answers_loss(model(**task.inputs, mode=task.mode), heads, task, model.config, held)


def test_warm_up_trains_the_encoder_and_can_be_learned(parts):
    model, heads = parts
    optimizer = torch.optim.Adam([*model.vision.parameters(), *heads.parameters()], lr=3e-3)
    losses = []
    for _ in range(30):
        optimizer.zero_grad()
        loss = warmup_loss(model, heads, warmup_task(model.config, batch(model)))
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


def test_the_contrastive_term_pushes_the_two_readings_apart_up_to_its_margin(parts):
    similarity = torch.tensor([0.9, 0.3, -0.5], requires_grad=True)
    loss = contrastive_loss(similarity, 0.5)
    loss.backward()
    assert loss.item() == pytest.approx(0.4 / 3) and similarity.grad.tolist() == pytest.approx([1 / 3, 0, 0])
    model, heads = parts
    plain = ObjectiveSection(gaze_weight=0, cells_weight=0, autoregressive_share=0)
    apart = plain.model_copy(update={"contrastive_weight": 2.0, "contrastive_margin": -1.0})
    similar = model(**batch(model).inputs).feature_similarity.mean()
    added = main_loss(model, heads, batch(model), apart, 0.0) - main_loss(model, heads, batch(model), plain, 0.0)
    assert added.item() == pytest.approx(2 * (similar.item() + 1), abs=1e-4)


def test_the_entropy_term_makes_the_allocation_sharper(parts):
    model, heads = parts
    sharp = ObjectiveSection(gaze_weight=0, cells_weight=0, autoregressive_share=0, entropy_weight=5.0)
    before = model(**batch(model).inputs).attention_entropy.mean().item()
    optimizer = torch.optim.Adam([*model.allocator.parameters(), *model.scorers.parameters()], lr=1e-2)
    for _ in range(10):
        optimizer.zero_grad()
        main_loss(model, heads, batch(model), sharp, None).backward()
        optimizer.step()
    assert model(**batch(model).inputs).attention_entropy.mean().item() < before - 0.05


def test_a_term_that_would_guide_what_is_held_off_is_left_out(parts):
    model, heads = parts
    weights = ObjectiveSection(autoregressive_share=0, cells_weight=0, gates_weight=1)
    assert "gaze" not in answers_task(model.config, batch(model), weights, 0.0, {"allocator"}).weights
    gates = {f"opponent.{name}" for name in GATES}
    plain = weights.model_copy(update={"gates_weight": 0.0})
    without = main_loss(model, heads, batch(model), weights, None, gates)
    assert without.item() == pytest.approx(main_loss(model, heads, batch(model), plain, None).item())


def test_only_a_model_that_can_do_both_is_trained_in_two_modes(parts):
    model, _ = parts
    always = ObjectiveSection(autoregressive_share=1)
    config = copy.deepcopy(model.config)
    assert answers_task(config, batch(model), always, 0.0).mode == "autoregressive"
    config.mode = "coarse_only"
    assert answers_task(config, batch(model), always, 0.0).mode == "coarse_only"


def test_the_loss_of_a_step_is_the_mean_over_its_rows(parts):
    model, heads = parts
    weights = ObjectiveSection(
        autoregressive_share=0, contrastive_weight=1, contrastive_margin=-1, entropy_weight=1, gates_weight=1
    )
    for progress in (0.0, None):
        task = answers_task(model.config, batch(model), weights, progress)

        def loss(part):
            return answers_loss(model(**part.inputs, mode=part.mode), heads, part, model.config).item()

        halves = [loss(task.rows(rows, torch.device("cpu"))) for rows in (slice(0, 4), slice(4, 14))]
        assert (4 * halves[0] + 10 * halves[1]) / 14 == pytest.approx(loss(task), abs=1e-4)
    task = warmup_task(model.config, batch(model))
    halves = [warmup_loss(model, heads, task.rows(rows, torch.device("cpu"))) for rows in (slice(0, 4), slice(4, 14))]
    assert (4 * halves[0] + 10 * halves[1]).item() / 14 == pytest.approx(
        warmup_loss(model, heads, task).item(), abs=1e-4
    )
