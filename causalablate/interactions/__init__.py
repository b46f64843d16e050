"""What lesions do together beyond what each does: designs over lesions, interactions, indices, self-repair."""

from causalablate.interactions.additivity import additivity
from causalablate.interactions.design import Design
from causalablate.interactions.designs import (
    drawn,
    factorial,
    fractional,
    full,
    neighbours,
    repair_lesions,
    screened,
)
from causalablate.interactions.effects import interaction_effects
from causalablate.interactions.fractional import alias_table, resolution
from causalablate.interactions.indices import INDICES
from causalablate.interactions.label import INDEPENDENCE, INTERACTION, REDUNDANCY, SYNERGY
from causalablate.interactions.moebius import moebius
from causalablate.interactions.repair import repaired_examples, self_repair
from causalablate.interactions.result import ALL_INDICES, Interactions, interaction_table, interactions

__all__ = [
    "ALL_INDICES",
    "INDEPENDENCE",
    "INDICES",
    "INTERACTION",
    "REDUNDANCY",
    "SYNERGY",
    "Design",
    "Interactions",
    "additivity",
    "alias_table",
    "drawn",
    "factorial",
    "fractional",
    "full",
    "interaction_effects",
    "interaction_table",
    "interactions",
    "moebius",
    "neighbours",
    "repair_lesions",
    "repaired_examples",
    "resolution",
    "screened",
    "self_repair",
]
