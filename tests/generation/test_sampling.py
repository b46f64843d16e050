import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

from causalablate.errors import OutcomeError
from causalablate.generation import Sampling
from causalablate.generation.sampling import gumbel

LOGITS = torch.tensor([[2.0, 1.0, 0.5, 0.0, -1.0, -2.0]])


def drawn(sampling, logits, n, seed=0):
    """Tokens of n examples with the same logits."""
    keys = [f"e{i}" for i in range(n)]
    return sampling.pick(logits.expand(n, -1), keys, 0, seed)


@pytest.mark.parametrize(
    ("sampling", "warpers"),
    [
        (Sampling(), []),
        (Sampling(0.7), [TemperatureLogitsWarper(0.7)]),
        (Sampling(1.5, top_k=3), [TemperatureLogitsWarper(1.5), TopKLogitsWarper(3)]),
        (Sampling(1.0, top_p=0.8), [TopPLogitsWarper(0.8)]),
        (Sampling(2.0, 4, 0.7), [TemperatureLogitsWarper(2.0), TopKLogitsWarper(4), TopPLogitsWarper(0.7)]),
    ],
)
def test_tokens_have_the_probabilities_that_transformers_gives_them(sampling, warpers):
    scores = LOGITS.clone()
    for warp in warpers:
        scores = warp(None, scores)
    expected = scores.softmax(-1)[0].numpy()
    n = 4000
    shares = np.bincount(drawn(sampling, LOGITS, n).numpy(), minlength=6) / n
    assert (shares[expected == 0] == 0).all()
    assert (np.abs(shares - expected) <= 4.5 * np.sqrt(expected * (1 - expected) / n)).all()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.01, 0.99), st.integers(1, 12), st.floats(0.2, 3))
def test_the_tokens_kept_are_those_that_transformers_keeps(seed, top_p, top_k, temperature):
    logits = torch.randn(3, 10, generator=torch.Generator().manual_seed(seed)) * 2
    theirs = TemperatureLogitsWarper(temperature)(None, logits.double())
    theirs = TopPLogitsWarper(top_p)(None, TopKLogitsWarper(top_k)(None, theirs))
    ours = Sampling(temperature, top_k, top_p)._kept(logits.double() / temperature)
    assert torch.equal(ours.isinf(), theirs.isinf())


def test_the_noise_is_standard_gumbel_and_a_function_of_its_place():
    noise = gumbel(20_000, 0, "e0", 0)
    assert noise.mean() == pytest.approx(np.euler_gamma, abs=0.04)
    assert noise.var() == pytest.approx(np.pi**2 / 6, abs=0.08)
    assert torch.equal(noise, gumbel(20_000, 0, "e0", 0))
    for other in ((1, "e0", 0), (0, "e1", 0), (0, "e0", 1)):
        assert abs(np.corrcoef(noise, gumbel(20_000, *other))[0, 1]) < 0.03


def test_a_token_is_given_up_only_for_one_that_gained_on_it():
    """Counterfactual stability of the Gumbel-max model (Oberst & Sontag 2019, definition 2)."""
    generator = torch.Generator().manual_seed(0)
    before, n = torch.randn(1, 8, generator=generator), 400
    after = before + 0.5 * torch.randn(1, 8, generator=generator)
    a, b = drawn(Sampling(), before, n), drawn(Sampling(), after, n)
    gain = (after - before)[0]
    assert (a != b).any()
    assert (gain[b] >= gain[a])[a != b].all()
    apart = drawn(Sampling(), after, n, seed=1)  # independent noise parts them far more often
    assert (a != b).sum() < 0.7 * (a != apart).sum()


def test_a_low_temperature_is_greedy():
    assert (drawn(Sampling(1e-4), LOGITS, 50) == 0).all()


@pytest.mark.parametrize(
    "wrong", [{"temperature": 0.0}, {"temperature": float("inf")}, {"top_k": 0}, {"top_p": 0.0}, {"top_p": 1.1}]
)
def test_what_makes_no_sense_is_refused(wrong):
    with pytest.raises(OutcomeError, match=next(iter(wrong))):
        Sampling(**wrong)
