import torch

from causalablate.foveated.sizes import small_config
from causalablate.foveated.views import Views


def views():
    return Views(small_config(["a"]))


def frame():
    return torch.rand(2, 3, 48, 48, generator=torch.Generator().manual_seed(0))


def fovea(seen, budgets, noise):
    return seen.fovea(seen.pyramid(frame()), budgets, noise)


ZERO = torch.zeros(2, 3, 48, 48)


def test_the_full_budget_shows_the_frame_itself():
    torch.testing.assert_close(fovea(views(), torch.full((2, 16), 400.0), ZERO), frame())


def test_the_minimum_budget_is_the_periphery():
    seen = views()
    torch.testing.assert_close(fovea(seen, torch.full((2, 16), 64.0), ZERO), seen.periphery(frame(), ZERO))


def test_a_level_costs_its_budget():
    weights = views().fovea.level_weights(torch.tensor([[64.0, 144.0, 256.0, 400.0]]))
    torch.testing.assert_close(weights[0], torch.eye(4), atol=1e-5, rtol=0)


def test_more_budget_shows_more():
    errors = [
        (fovea(views(), torch.full((2, 16), b), ZERO) - frame()).square().mean() for b in (64.0, 100.0, 200.0, 300.0)
    ]
    assert errors == sorted(errors, reverse=True)


def test_a_budget_changes_its_own_patch_only():
    budgets = torch.full((2, 16), 64.0)
    budgets[:, 5] = 400.0
    changed = (fovea(views(), budgets, ZERO) - views().periphery(frame(), ZERO)).abs().amax((0, 1)) > 1e-6
    assert changed[12:24, 12:24].all() and changed.sum() == 144


def test_forced_budgets_out_of_range_are_clamped():
    seen = views()
    assert torch.equal(fovea(seen, torch.full((2, 16), 1e6), ZERO), fovea(seen, torch.full((2, 16), 400.0), ZERO))
    assert torch.equal(fovea(seen, torch.full((2, 16), -5.0), ZERO), fovea(seen, torch.full((2, 16), 64.0), ZERO))


def test_noise_is_added_after_downsampling():
    noise = torch.randn(2, 3, 48, 48)
    seen = views()
    torch.testing.assert_close(seen.periphery(frame(), noise) - seen.periphery(frame(), ZERO), 0.1 * noise)


def test_budgets_pass_a_gradient():
    budgets = torch.full((2, 16), 100.0, requires_grad=True)
    fovea(views(), budgets, ZERO).square().sum().backward()
    assert (budgets.grad.abs() > 0).all()
