"""Effects over several seeds: what another training run, or another draw of the noise, would show."""

from causalablate.effects.seeds.components import Components, two_way_components
from causalablate.effects.seeds.interquartile import iqm, iqm_interval, iqm_replicates
from causalablate.effects.seeds.table import seed_effects
from causalablate.effects.seeds.variance import variance_components

__all__ = [
    "Components",
    "iqm",
    "iqm_interval",
    "iqm_replicates",
    "seed_effects",
    "two_way_components",
    "variance_components",
]
