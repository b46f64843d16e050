"""What experiment and observation together say about necessity and sufficiency, where nobody saw both worlds."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from causalablate.errors import EffectError

ROUNDING = 1e-9
"""How far shares may be from adding up."""


@dataclass(frozen=True)
class CausationBounds:
    """Bounds of the probabilities of causation, arrays of one shape; NaN where the condition never occurred.

    Attributes:
        pn_low: Lower bound of necessity.
        pn_high: Upper bound of necessity.
        ps_low: Lower bound of sufficiency.
        ps_high: Upper bound of sufficiency.
        pns_low: Lower bound of both.
        pns_high: Upper bound of both.
    """

    pn_low: np.ndarray
    pn_high: np.ndarray
    ps_low: np.ndarray
    ps_high: np.ndarray
    pns_low: np.ndarray
    pns_high: np.ndarray


def causation_bounds(
    on: npt.ArrayLike,
    off: npt.ArrayLike,
    *,
    on_right: npt.ArrayLike,
    on_wrong: npt.ArrayLike,
    off_right: npt.ArrayLike,
    off_wrong: npt.ArrayLike,
) -> CausationBounds:
    """Sharp bounds from an experiment and a log of runs, where nobody saw both worlds of one example.

    In the log the component was on or off for reasons that may have to do with the answer (no exogeneity). Necessity is
    then asked of the logged runs that were on and right, sufficiency of those that were off and wrong. With both worlds
    observed, as in a table of counterfactuals, none of this is needed.

    Args:
        on: Share right when the component is switched on, any shape.
        off: Share right when it is switched off, same shape.
        on_right: Share of all logged runs in which it was on and the answer right; likewise the other three, which add
            up to 1.
        on_wrong: On and wrong.
        off_right: Off and right.
        off_wrong: Off and wrong.
    Raises:
        EffectError: Shares do not add up to 1, or no world is compatible with both the experiment and the log.

    Source: Tian & Pearl (2000), Ann. Math. Artif. Intell. 28: the bounds that assume nothing.
    """
    shares = [np.asarray(x, dtype=float) for x in (on, off, on_right, on_wrong, off_right, off_wrong)]
    a, b, xy, x_not_y, not_x_y, neither = np.broadcast_arrays(*shares)
    _check(a, b, xy, x_not_y, not_x_y, neither)
    y = xy + not_x_y
    return CausationBounds(
        pn_low=_bounded(y - b, xy),
        pn_high=_bounded(1 - b - neither, xy),
        ps_low=_bounded(a - y, neither),
        ps_high=_bounded(a - xy, neither),
        pns_low=np.maximum.reduce([np.zeros_like(y), a - b, y - b, a - y]),
        pns_high=np.minimum.reduce([a, 1 - b, xy + neither, a - b + x_not_y + not_x_y]),
    )


def _check(
    on: np.ndarray,
    off: np.ndarray,
    on_right: np.ndarray,
    on_wrong: np.ndarray,
    off_right: np.ndarray,
    off_wrong: np.ndarray,
) -> None:
    shares = np.stack([on, off, on_right, on_wrong, off_right, off_wrong])
    if not ((shares >= -ROUNDING) & (shares <= 1 + ROUNDING)).all():
        raise EffectError("a share lies outside 0 to 1; pass shares of runs, not counts")
    total = on_right + on_wrong + off_right + off_wrong
    if (np.abs(total - 1) > ROUNDING).any():
        raise EffectError(
            f"the four shares of the log add up to {total.flat[np.argmax(np.abs(total - 1))]:.6g}, not to 1; "
            "pass each as a share of all logged runs"
        )
    for name, share, seen, unseen in (
        ("on", on, on_right, off_right + off_wrong),
        ("off", off, off_right, on_right + on_wrong),
    ):
        wrong = (share < seen - ROUNDING) | (share > seen + unseen + ROUNDING)
        if wrong.any():
            at = int(np.argmax(wrong))
            raise EffectError(
                f"with the component {name} the experiment was right in {share.flat[at]:.6g}, but the log allows "
                f"{seen.flat[at]:.6g} to {(seen + unseen).flat[at]:.6g} only; "
                "experiment and log must be about the same examples"
            )


def _bounded(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.clip(np.where(whole > 0, part / whole, np.nan), 0.0, 1.0)
