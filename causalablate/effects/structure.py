"""What the rows of an outcome share. Together with the kind of outcome it decides which methods are valid."""

from enum import StrEnum

from causalablate.effects.paired import Paired


class Structure(StrEnum):
    """What rows share.

    Attributes:
        INDEPENDENT: Nothing: one seed, and no two examples share a cluster.
        CLUSTERS: One seed, and examples that share clusters.
        SEEDS: The same examples under several seeds, sharing clusters or not.
    """

    INDEPENDENT = "independent examples"
    CLUSTERS = "examples that share clusters"
    SEEDS = "several seeds"


def structure_of(paired: Paired) -> Structure:
    """The structure of these rows."""
    if paired.n_seeds > 1:
        return Structure.SEEDS
    return Structure.INDEPENDENT if paired.independent else Structure.CLUSTERS
