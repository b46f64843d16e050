"""What the tables of this package share: the order of their rows, and the check of their level."""

import pandas as pd

from causalablate.errors import EffectError
from causalablate.table import Counterfactuals


def in_order(rows: pd.DataFrame, table: Counterfactuals) -> pd.DataFrame:
    """Sort rows by outcome and lesion as they first appear in the table; otherwise they keep their order."""
    outcomes, lesions = ({name: i for i, name in enumerate(names)} for names in (table.outcomes, table.lesions))
    keys = pd.DataFrame({"outcome": rows["outcome"].map(outcomes), "lesion": rows["lesion"].map(lesions)})
    return rows.loc[keys.sort_values(["outcome", "lesion"], kind="stable").index].reset_index(drop=True)


def check_level(level: float) -> None:
    """Refuse a level that is not between 0.5 and 1.

    Raises:
        EffectError: It is not.
    """
    if not 0.5 < level < 1:
        raise EffectError(f"level is {level}; it must lie between 0.5 and 1, e.g. 0.95")
