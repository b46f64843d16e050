"""The table of estimands, and how they are written in text."""

import re
from collections.abc import Callable

from causalablate.effects.estimands.base import Estimand
from causalablate.effects.estimands.means import ATE, RELATIVE_CHANGE, RISK_DIFFERENCE
from causalablate.effects.estimands.quantiles import quantile, quantile_treatment_effect
from causalablate.effects.estimands.ratios import ODDS_RATIO, RISK_RATIO
from causalablate.effects.estimands.shares import (
    CONDITIONAL_ODDS_RATIO,
    FLIP_RATE_DOWN,
    FLIP_RATE_UP,
    FLIP_RATE_UP_IF_WRONG,
    PN,
    PNS,
    PS,
)
from causalablate.effects.estimands.standardised import COHEN_D, COHEN_DZ, HEDGES_G
from causalablate.errors import EffectError, nearest

ESTIMANDS: dict[str, Estimand] = {
    e.name: e
    for e in (
        ATE,
        RELATIVE_CHANGE,
        RISK_DIFFERENCE,
        RISK_RATIO,
        ODDS_RATIO,
        CONDITIONAL_ODDS_RATIO,
        FLIP_RATE_DOWN,
        FLIP_RATE_UP,
        FLIP_RATE_UP_IF_WRONG,
        PN,
        PS,
        PNS,
        COHEN_D,
        COHEN_DZ,
        HEDGES_G,
    )
}

QUANTILES: dict[str, Callable[[float], Estimand]] = {
    "quantile": quantile,
    "quantile_treatment_effect": quantile_treatment_effect,
}
"""Estimands with a parameter, written `quantile(0.9)`."""

DEFAULT = (*ESTIMANDS, "quantile(0.1)", "quantile(0.5)", "quantile(0.9)", "quantile_treatment_effect(0.5)")
"""What `estimate` estimates unless told."""

WRITTEN = re.compile(r"\s*(\w+)\s*(?:\(\s*([^()\s]+)\s*\))?\s*")


def estimand(spec: Estimand | str) -> Estimand:
    """Make an estimand from its text, e.g. `ate` or `quantile(0.9)`.

    Raises:
        EffectError: The name is unknown, or its number is missing, superfluous or out of range.
    """
    if isinstance(spec, Estimand):
        return spec
    known = [*ESTIMANDS, *(f"{name}(q)" for name in QUANTILES)]
    written = WRITTEN.fullmatch(spec)
    name, number = written.groups() if written else (spec, None)
    if name in ESTIMANDS and number is None:
        return ESTIMANDS[name]
    if name in ESTIMANDS:
        raise EffectError(f'"{spec}": {name} takes no number; write {name}')
    if name not in QUANTILES:
        raise EffectError(
            f'no estimand "{spec}"{nearest(name, [*ESTIMANDS, *QUANTILES])}; there are {", ".join(known)}'
        )
    try:
        return QUANTILES[name](float(number or ""))
    except ValueError:
        raise EffectError(f'"{spec}": {name} needs the share of rows below it, e.g. {name}(0.9)') from None
