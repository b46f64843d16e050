"""What an attribution found."""

from dataclasses import dataclass

import pandas as pd

from causalablate.attribution.regions import Regions
from causalablate.effects.rankings import RankAgreement


@dataclass(frozen=True)
class Attribution:
    """Contributions of players to the outcome of every example, and what they rest on.

    Attributes:
        frame: One row per example and player: `example`, `cluster`, `player`, `attribution` in outcome units, its
            standard error from sampling `sampling_se` (0 where nothing is drawn), `single_lesion`: v(all) - v(all but
            the player), minus the exact effect of that player's lesion; and one `group.<name>` column per group.
        population: One row per player and group of examples, `all` first, the largest mean first: `player`, `kind`,
            `group`, `outcome`, `precision`, `n_units`, `n_clusters`, mean `attribution`, its standard error `se` and
            interval `ci_low`, `ci_high` over examples and draws, `interval_method`, `sampling_se` from draws alone,
            and mean `single_lesion` with `single_lesion_se`.
        games: One row per example: `example`, `value_all` with every player present, `value_none` with none,
            `attributed`: the sum of its attributions, and `gap`: attributed - (value_all - value_none).
        agreement: Attributions against exact single lesions; None for `ablation`, which is those.
        method: How it was attributed.
        samples: Permutations or coalitions drawn; 0 where nothing is drawn.
        n_coalitions: Distinct coalitions that were computed.
        how: All that in words.
        level: Coverage of the intervals.
        regions: The grid, where players are regions of the image.
    """

    frame: pd.DataFrame
    population: pd.DataFrame
    games: pd.DataFrame
    agreement: RankAgreement | None
    method: str
    samples: int
    n_coalitions: int
    how: str
    level: float
    regions: Regions | None = None

    def __len__(self) -> int:
        return len(self.frame)
