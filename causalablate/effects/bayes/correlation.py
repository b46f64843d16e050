"""Correlation between lesions, shrunk as far as its own noise asks for."""

import numpy as np


def shrunk_correlation(sums: np.ndarray) -> np.ndarray:
    """Correlation between rows of centred totals, shrunk towards none as far as their noise asks for.

    With more lesions than clusters the sample correlation is singular and claims to know some contrasts
    exactly; with few flips, one example that flips under two lesions makes them look like one. The optimal intensity
    depends on the data alone and vanishes as clusters grow, and shrinking correlations leaves every standard error
    as it is.

    Args:
        sums: Shape (lesions, k), each row with mean zero. Rows of zeros correlate with nothing.
    Returns:
        Shape (lesions, lesions), positive semidefinite with ones on the diagonal.

    Source: Ledoit & Wolf (2004), J. Multivar. Anal. 88(2); for correlations Schaefer & Strimmer (2005), Stat. Appl.
        Genet. Mol. Biol. 4(1).
    """
    size = np.sqrt(np.mean(sums**2, axis=1, keepdims=True))
    x = np.divide(sums, size, out=np.zeros_like(sums), where=size > 0)
    correlation = x @ x.T / x.shape[1]
    correlation *= 1 - intensity(x[size[:, 0] > 0])
    np.fill_diagonal(correlation, 1.0)
    return correlation


def intensity(x: np.ndarray) -> float:
    """Optimal weight of no correlation, for rows of mean zero and mean square one, shape (lesions, k).

    Summed sampling variance of the correlations over their summed squares. The diagonal, which is known to be one, is
    in neither; the intensity of scikit-learn's Ledoit-Wolf counts it, and would erase the correlations of rare
    flips, whose fourth moments are large.
    """
    p, k = x.shape
    if p < 2:
        return 0.0
    squares = float(((x @ x.T / k) ** 2).sum()) - p
    # The sum over pairs of mean(x_i^2 x_j^2) needs no (lesions, lesions) product.
    products = (float(((x**2).sum(axis=0) ** 2).sum()) - float((x**4).sum())) / k
    return min(1.0, max(0.0, products - squares) / k / squares) if squares > 1e-12 * p else 0.0
