"""A simultaneous band: intervals of all lesions of a family that hold at once, as a forest plot is read."""

import numpy as np

from causalablate.effects.interval_methods import (
    BOOTSTRAPS,
    Intervals,
    adjusted_title,
    from_spread,
    nowhere,
    share_intervals,
)
from causalablate.effects.intervals import automatic, mean_intervals
from causalablate.effects.joint_level import simultaneous_level
from causalablate.effects.kinds import Kind
from causalablate.effects.methods import AUTO, UNDEFINED
from causalablate.effects.paired import Paired
from causalablate.effects.proportion import agresti_coull, wilson, z_value
from causalablate.effects.skewness import outwards
from causalablate.effects.uncertainty import plain_spread, spread_of

NO_BAND = "resampled tails do not reach far enough for a band"


def simultaneous_band(paired: Paired, level: float, method: str = AUTO, *, seed: int = 0) -> Intervals:
    """Intervals that all hold at once with chance `level`, for the lesions of one family.

    They are the intervals of the same method at `simultaneous_level`, with care for what matters only so far out in the
    tails:

    - Bonett-Price adds more than one flip in each direction, in proportion to the square of the normal quantile, as
      Agresti and Coull do;
    - t limits of real outcomes and distances are moved outwards to Hall's, which follow the skewness of the effects;
    - with several seeds, the variance from seeds keeps what the interaction contributes to it (see `two_way_t`).

    Resampled methods have no band: their tails do not reach that far.

    Args:
        paired: The outcomes of one family.
        level: Chance that all intervals hold, in (0, 1).
        method: `auto` or a key of `INTERVALS`, valid for these outcomes or not.
        seed: Seeds the draws.

    Source: Hall (1992), J. R. Stat. Soc. B 54(1), for the limits under skewness.
    """
    name = automatic(paired) if method == AUTO else method
    if name in BOOTSTRAPS:
        return nowhere(paired, UNDEFINED + NO_BAND)
    joint = simultaneous_level(paired, level, seed=seed)
    found = mean_intervals(paired, joint, method)
    if len(paired.lesions) == 1 or np.isnan(found.low).all():
        return found
    if name == "bonett-price":
        added = (z_value(joint) / z_value(level)) ** 2
        return from_spread(paired, spread_of(paired, added, net=False), adjusted_title(paired), joint)
    if paired.n_seeds > 1:
        spread = plain_spread(paired, net=False)
        shares = {"agresti-coull": agresti_coull, "wilson": wilson}
        if name in shares:
            return share_intervals(paired, spread, shares[name], name, joint)
        return from_spread(paired, spread, name, joint)
    return outwards(paired, found, joint) if paired.kind in (Kind.REAL, Kind.DISTANCE) else found
