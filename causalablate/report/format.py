"""Numbers as people read them: decimals chosen from the uncertainty, a true minus sign, short p-values."""

import math
from collections.abc import Iterable

import numpy as np

MINUS = "−"
NOTHING = "–"
MOST_DECIMALS = 5


def decimals(half_widths: Iterable[float]) -> int:
    """Decimals that show the wider intervals of a column (the 0.9 quantile) with two significant digits.

    Args:
        half_widths: Half-widths in the unit that is shown; those not finite or zero are ignored.
    Returns:
        A number of decimals in 0..5, one for a whole column so that its numbers align; 2 when nothing is known.
    """
    known = [abs(w) for w in half_widths if math.isfinite(w) and w != 0]
    if not known:
        return 2
    return int(np.clip(1 - math.floor(math.log10(float(np.quantile(known, 0.9)))), 0, MOST_DECIMALS))


def plain(value: float, places: int) -> str:
    """A number without a plus sign; a dash when it is not finite."""
    if not math.isfinite(value):
        return NOTHING
    text = f"{value:.{places}f}"
    return text.lstrip("-") if float(text) == 0 else text.replace("-", MINUS)


def signed(value: float, places: int) -> str:
    """A number with its sign, zero without one; a dash when it is not finite."""
    text = plain(value, places)
    return f"+{text}" if math.isfinite(value) and float(text.replace(MINUS, "-")) > 0 else text


def interval(low: float, high: float, places: int) -> str:
    """An interval as `[−54.6, −48.3]`; a dash when either end is unknown."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return NOTHING
    return f"[{signed(low, places)}, {signed(high, places)}]"


def p_value(value: float) -> str:
    """A p-value with two significant digits, `< 0.001` below that."""
    if not math.isfinite(value):
        return NOTHING
    if value < 0.001:
        return "< 0.001"
    return f"{value:.3f}" if value < 0.0995 else f"{value:.2f}"


def count(value: float) -> str:
    """A whole number; a dash when it is unknown."""
    return f"{round(value):d}" if math.isfinite(value) else NOTHING


def percent(share: float, places: int = 1) -> str:
    """A share as `86.2 %`."""
    return f"{plain(100 * share, places)} %" if math.isfinite(share) else NOTHING
