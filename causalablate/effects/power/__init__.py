"""Power: how many examples and seeds a claim needs, and what a finished study could have shown."""

from causalablate.effects.power.curves import power_curves
from causalablate.effects.power.detectable import minimal_detectable_effects
from causalablate.effects.power.flips import connett_n, margin_power, mcnemar_power, miettinen_n
from causalablate.effects.power.means import Claim, Precision, mean_power
from causalablate.effects.power.table import power_table

__all__ = [
    "Claim",
    "Precision",
    "connett_n",
    "margin_power",
    "mcnemar_power",
    "mean_power",
    "miettinen_n",
    "minimal_detectable_effects",
    "power_curves",
    "power_table",
]
