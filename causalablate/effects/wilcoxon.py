"""Wilcoxon's signed-rank test, zeros by Pratt's method, for many lesions at once."""

import numpy as np
from scipy.stats import rankdata, wilcoxon

from causalablate.effects.permutation import sign_flip_p

COUNT_UP_TO = 13
"""Non-zero effects up to which all sign patterns are counted, ties and zeros or not."""

EXACT_UP_TO = 50
"""Effects up to which the exact distribution is used where there are no ties and no zeros."""


def wilcoxon_p(effect: np.ndarray) -> np.ndarray:
    """Two-sided p of the effects being symmetric about zero, by signed ranks. 1 where every effect is zero.

    Zeros are ranked and their ranks dropped, so that an effect that shrinks to zero never adds evidence, as it can
    where zeros are dropped first (Pratt). All sign patterns are counted up to 13 non-zero effects, the exact
    distribution is used up to 50 effects without ties and zeros, and beyond that the normal approximation with tie
    correction. What a lesion gets does not depend on the others.

    Args:
        effect: Shape (lesions, rows), independent rows.

    Source: Wilcoxon (1945), Biometrics Bull. 1(6); Pratt (1959), J. Am. Stat. Assoc. 54(287); scipy.
    """
    p = np.ones(effect.shape[0])
    nonzero = (effect != 0).sum(axis=1)
    ranks = rankdata(np.abs(effect), axis=1)
    counted = (nonzero > 0) & (nonzero <= COUNT_UP_TO)
    if counted.any():
        signed = np.sign(effect[counted]) * ranks[counted]
        p[counted] = sign_flip_p(signed, n_permutations=2**COUNT_UP_TO, seed=0)
    whole = (np.diff(np.sort(ranks, axis=1), axis=1) >= 1).all(axis=1) & (nonzero == effect.shape[1])
    exact = whole & (nonzero > COUNT_UP_TO) & (nonzero <= EXACT_UP_TO)
    for rows, method in ((exact, "exact"), ((nonzero > COUNT_UP_TO) & ~exact, "asymptotic")):
        if rows.any():
            p[rows] = wilcoxon(effect[rows], axis=1, zero_method="pratt", correction=False, method=method).pvalue
    return p
