"""Running means of many lesions on the same units, and how uncertain they and their differences are."""

import numpy as np

from causalablate.effects.sequential.asymptotic import log_e_value, t_needed
from causalablate.effects.sequential.population import Population

MIN_ROWS, MIN_UNITS = 64, 8
"""Nothing asymptotic is said on fewer examples, or fewer units."""
PSEUDO_UNITS = 2.0
"""Standard errors are those of a sample that also held this many units as large as the largest yet seen, one in each
direction: the idea of the Bonett-Price interval, for outcomes that have no natural size. Without it a lesion that does
much to few examples looks certain to do nothing until the first of them is drawn."""
LAST_UNITS = 0.1
"""With the share of a finite set that is left, pseudo-units shrink no further than this: a single large unit among the
last ones moves the mean by as much as before, however few they are."""


def pseudo_squares(largest: float) -> float:
    """Sum of squares of the pseudo-units, from the largest absolute unit total seen of any lesion."""
    return PSEUDO_UNITS * largest**2


class Moments:
    """Sums that means, variances and covariances of all lesions follow from.

    Attributes:
        seen: Units.
        rows: Rows in them.
        largest: Largest absolute unit total of each lesion so far, shape (lesions,).
    """

    def __init__(self, n_lesions: int, population: Population) -> None:
        self._population = population
        self.seen = 0
        self.rows = 0.0
        self.largest = np.zeros(n_lesions)
        self._overall = 0.0
        self._sum, self._with_rows = np.zeros(n_lesions), np.zeros(n_lesions)
        self._products = np.zeros((n_lesions, n_lesions))
        self._rows_squared = 0.0

    def observe(self, totals: np.ndarray, rows: np.ndarray) -> None:
        """Add units: totals of shape (lesions, units), rows of shape (units,)."""
        self.seen += len(rows)
        self.rows += float(rows.sum())
        self.largest = np.maximum(self.largest, np.abs(totals).max(axis=1))
        self._overall = max(self._overall, float(self.largest.max()))
        self._sum = self._sum + totals.sum(axis=1)
        self._with_rows = self._with_rows + totals @ rows
        self._products = self._products + totals @ totals.T
        self._rows_squared += float(rows @ rows)

    def keep(self, which: np.ndarray) -> None:
        """Go on with some lesions only, a mask or indices. The largest unit of all stays known."""
        self.largest, self._sum, self._with_rows = self.largest[which], self._sum[which], self._with_rows[which]
        self._products = self._products[which][:, which]

    @property
    def enough(self) -> bool:
        """Whether there is data enough for asymptotic statements."""
        return self.seen >= MIN_UNITS and self.rows >= MIN_ROWS

    @property
    def means(self) -> np.ndarray:
        """Mean over rows, shape (lesions,)."""
        return self._sum / self.rows

    @property
    def pseudo(self) -> float:
        """Sum of squares of the pseudo-units: as large as the largest of any lesion, those that have left included."""
        return pseudo_squares(self._overall)

    def _information(self) -> float:
        return self.seen / self._population.left(self.seen)

    def _se(self, squares: np.ndarray, added: float | np.ndarray) -> np.ndarray:
        """Standard error of a mean from the residual sum of squares of unit totals, and that of pseudo-units."""
        left = self._population.left(self.seen)
        padded = left * np.maximum(squares, 0.0) + max(left, LAST_UNITS) * added
        return np.sqrt(padded * self.seen / (self.seen - 1)) / self.rows

    def _residual_products(self) -> np.ndarray:
        mean = self.means
        across = np.outer(mean, self._with_rows)
        return self._products - across - across.T + self._rows_squared * np.outer(mean, mean)

    def standard_errors(self, added: float | np.ndarray) -> np.ndarray:
        """Standard errors of the means, shape (lesions,); `added` is the sum of squares of pseudo-units."""
        mean = self.means
        squares = np.diag(self._products) - 2 * mean * self._with_rows + self._rows_squared * np.square(mean)
        return self._se(squares, added)

    def half_widths(self, log_e: float, added: float | np.ndarray) -> np.ndarray:
        """Half-widths of anytime-valid intervals, shape (lesions,): the null values whose log e-value is `log_e`."""
        return t_needed(log_e, self.seen - 1, self._information()) * self.standard_errors(added)

    def log_e_greater(self, null: float, sign: float) -> np.ndarray:
        """Log e-values against "sign x mean is at most `null`", shape (lesions,)."""
        return self._log_e(sign * self.means - null, self.standard_errors(self.pseudo))

    def log_e_sums(self, first: float, second: float, null: float) -> np.ndarray:
        """Log e-values against "first x mean_i + second x mean_j is at most `null`", shape (lesions, lesions).

        The two lesions' effects on one unit are taken together, so what they share does not count as uncertainty.
        """
        products, mean = self._residual_products(), self.means
        own = np.diag(products)
        squares = first**2 * own[:, None] + second**2 * own[None, :] + 2 * first * second * products
        difference = first * mean[:, None] + second * mean[None, :] - null
        return self._log_e(difference, self._se(squares, self.pseudo))

    def _log_e(self, difference: np.ndarray, se: np.ndarray) -> np.ndarray:
        # Without any variation, all effects of all lesions so far are zero: no evidence.
        with np.errstate(divide="ignore", invalid="ignore"):
            t = np.where(se > 0, difference / se, 0.0)
        return log_e_value(t, self.seen - 1, self._information())
