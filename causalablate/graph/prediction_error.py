"""How well the effects of held-out lesions were predicted."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from causalablate.effects.intervals import mean_intervals
from causalablate.effects.kinds import Kind
from causalablate.effects.paired import Paired
from causalablate.errors import EffectError

COLUMNS = ("lesion", "n", "rmse", "rmse_null", "mse", "ci_low", "ci_high", "skill")


def interventional_error(
    predicted: Mapping[str, np.ndarray],
    observed: Mapping[str, np.ndarray],
    *,
    cluster: Sequence[str] | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Compare predicted with observed effects of lesions that the prediction has not seen.

    Args:
        predicted: Lesion to effects, shape (examples,), in outcome units.
        observed: The same lesions and examples.
        cluster: Cluster of each example.
        level: Two-sided coverage.
    Returns:
        One row per lesion, and one named `all` for all of them: `n` examples, the root mean squared error `rmse`, that
        of predicting no effect `rmse_null`, the mean squared error `mse` with its interval `ci_low`, `ci_high` over
        examples, and `skill` = 1 - mse / mse of predicting no effect: 1 is perfect, 0 no better than nothing; NaN where
        nothing was observed to change.
    Raises:
        EffectError: Lesions or examples of the two differ, or an effect is not finite.
    """
    if not observed or set(predicted) != set(observed):
        other = sorted(set(predicted) ^ set(observed))
        raise EffectError(
            f"predicted and observed must hold the same lesions, at least one; they differ in {other[:4]}"
        )
    names = list(observed)
    shapes = {np.shape(effects[name]) for effects in (predicted, observed) for name in names}
    if len(shapes) != 1 or len(next(iter(shapes))) != 1 or not next(iter(shapes))[0]:
        raise EffectError(
            f"every lesion needs one effect per example, of the same examples; shapes are {sorted(shapes)}"
        )
    guess, seen = (np.stack([np.asarray(effects[name], float) for name in names]) for effects in (predicted, observed))
    if not (np.isfinite(guess).all() and np.isfinite(seen).all()):
        raise EffectError("an effect is not finite; leave those examples out of both")
    error, null = (guess - seen) ** 2, seen**2
    error, null = (np.vstack([x, x.mean(axis=0)]) for x in (error, null))
    low, high = _intervals(error, (*names, "all"), cluster, level)
    mse, mse_null = error.mean(axis=1), null.mean(axis=1)
    skill = 1 - np.divide(mse, mse_null, out=np.full(len(mse), np.nan), where=mse_null > 0)
    columns = ((*names, "all"), seen.shape[1], np.sqrt(mse), np.sqrt(mse_null), mse, low, high, skill)
    return pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)))


def _intervals(
    values: np.ndarray, names: tuple[str, ...], cluster: Sequence[str] | None, level: float
) -> tuple[np.ndarray, np.ndarray]:
    """Limits of the mean of each row."""
    n, nothing = values.shape[1], np.zeros_like(values)
    codes = np.arange(n) if cluster is None else pd.factorize(pd.Series(list(cluster), dtype=object))[0]
    if codes.size != n:
        raise EffectError(f"{codes.size} clusters for {n} examples; say for each example what it belongs to")
    fired = np.ones_like(values, dtype=bool)
    paired = Paired(
        "squared error", Kind.REAL, names, nothing, values, values, fired, values, np.arange(n), codes, np.zeros(n, int)
    )
    found = mean_intervals(paired, level)
    return np.maximum(found.low, 0), found.high
