"""How sure a posterior is of what matters most, in bits, and how much surer more examples would make it."""

from dataclasses import dataclass

import numpy as np
from scipy.special import entr, ndtr

from causalablate.effects.bayes.conditional import posterior_covariance
from causalablate.effects.bayes.posterior import Posterior, root

ALL_DRAWS, DRAWS_PER_LESION = 80_000, 8
"""Draws over all imagined batches, and after each batch per lesion: entropies among many need more to be told apart."""
IN_MEMORY = 2_000_000
"""Numbers drawn at a time."""
POINTS = np.linspace(-8.0, 8.0, 401)
"""Where expectations over a standard normal are evaluated."""


def entropy_bits(p: np.ndarray, axis: int = 0) -> np.ndarray:
    """Shannon entropy in bits of probabilities that sum to 1 along `axis`."""
    return entr(np.clip(p, 0, 1)).sum(axis=axis) / np.log(2)


def top_shares(effects: np.ndarray) -> np.ndarray:
    """How often each lesion has the largest effect in size, shape (..., lesions); ties are shared.

    Args:
        effects: Joint draws, shape (..., draws, lesions).
    """
    size = np.abs(effects)
    largest = size == size.max(axis=-1, keepdims=True)
    return (largest / largest.sum(axis=-1, keepdims=True)).mean(axis=-2)


def top_entropy(shares: np.ndarray, n: int) -> np.ndarray:
    """Entropy in bits of the belief about which lesion is largest, from the shares of `n` draws, shape (..., lesions).

    Entropies of counts are too small; Miller and Madow's correction adds (lesions seen - 1) / (2 n) nats, up to log2 of
    the number of lesions.

    Source: Miller (1955), Note on the bias of information estimates.
    """
    seen = (shares > 0).sum(axis=-1)
    return np.minimum(entropy_bits(shares, axis=-1) + (seen - 1) / (2 * n * np.log(2)), np.log2(shares.shape[-1]))


def label_chances(posterior: Posterior, sesoi: float) -> np.ndarray:
    """P(effect < -sesoi), P(within), P(effect > sesoi) of every lesion, shape (3, lesions)."""
    below, up_to = posterior.below(-sesoi), posterior.below(sesoi)
    return np.stack([below, up_to - below, 1 - up_to])


@dataclass(frozen=True)
class Forecast:
    """What more examples are expected to take off the entropies, bits.

    Attributes:
        top: Off the entropy of which lesion is largest.
        labels: Off the entropy of each lesion's label, shape (lesions,).
    """

    top: float
    labels: np.ndarray


def forecast(
    posterior: Posterior, later: np.ndarray, sesoi: float, rng: np.random.Generator, exact: np.ndarray
) -> Forecast:
    """Expected reduction of entropy once the estimates have the covariance `later`.

    With the scales of the effects at their posterior means all is normal. Now effects are N(m, V); with the estimates'
    covariance `later` they will be N(m', V'), with V' known today and m' ~ N(m, V - V'). Label entropies are averaged
    over m' on a grid, that of the largest lesion by simulation. Neither expectation can be negative: data never
    confuse on average.

    Args:
        posterior: What is believed now.
        later: Covariance of the estimates after the next examples, shape (lesions, lesions).
        sesoi: Smallest effect of interest; NaN leaves the labels NaN.
        rng: Source of the imagined batches.
        exact: Effects of further lesions that are known exactly, shape (others,).

    Source: Raiffa & Schlaifer (1961), Applied Statistical Decision Theory, preposterior analysis; Lindley (1956), Ann.
        Math. Stat. 27(4).
    """
    spread = (posterior.weights @ np.sqrt(posterior.spread)) ** 2
    now = posterior_covariance(posterior.evidence, spread)
    then = posterior_covariance(posterior.evidence, spread, later)
    sd_now, sd_then = np.sqrt(np.diag(now)), np.sqrt(np.minimum(np.diag(then), np.diag(now)))
    moves = np.sqrt(np.maximum(sd_now**2 - sd_then**2, 0.0))
    density, expected = np.exp(-(POINTS**2) / 2), np.zeros(sd_now.size)
    for x, w in zip(POINTS, density / density.sum(), strict=True):
        expected += w * _label_entropy(posterior.mean + moves * x, sd_then, sesoi)
    # Rounded, so that lesions with the same numbers tie.
    labels = np.round(np.maximum(_label_entropy(posterior.mean, sd_now, sesoi) - expected, 0.0), 10)
    return Forecast(_top(posterior.mean, now - then, then, rng, exact), labels)


def _label_entropy(mean: np.ndarray, sd: np.ndarray, sesoi: float) -> np.ndarray:
    sd = np.maximum(sd, np.finfo(float).tiny)
    with np.errstate(over="ignore"):
        below, above = ndtr((-sesoi - mean) / sd), ndtr((mean - sesoi) / sd)
    return entropy_bits(np.stack([below, 1 - below - above, above]))


def _top(mean: np.ndarray, moves: np.ndarray, then: np.ndarray, rng: np.random.Generator, exact: np.ndarray) -> float:
    """Entropy over all imagined draws minus the mean entropy after each imagined batch."""
    each = int(np.clip(DRAWS_PER_LESION * mean.size, 200, 1600))
    n = ALL_DRAWS // each
    futures = mean + rng.standard_normal((n, mean.size)) @ root(moves).T
    noise = rng.standard_normal((each, mean.size)) @ root(then).T
    others = np.broadcast_to(exact, (n, each, exact.size))
    block = max(1, IN_MEMORY // noise.size)
    shares = np.concatenate(
        [
            top_shares(np.concatenate([futures[i : i + block, None] + noise, others[i : i + block]], axis=-1))
            for i in range(0, n, block)
        ]
    )
    before = top_entropy(shares.mean(axis=0), n * each)
    return max(float(before - top_entropy(shares, each).mean()), 0.0)
