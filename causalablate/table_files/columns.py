"""Which columns of a file are which: required, optional, groups, and what a name may have been meant to be."""

import difflib
from collections.abc import Mapping, Sequence

import pyarrow as pa

from causalablate.errors import EffectError, nearest
from causalablate.table import COLUMNS, GROUP

REQUIRED = ("lesion", "example", "outcome", "factual", "counterfactual")
CATEGORICAL = "categorical"
OPTIONAL = (*(name for name in COLUMNS if name not in REQUIRED), CATEGORICAL)
_TYPO = 0.8


def chosen_columns(table: pa.Table, renamed: Mapping[str, str], source: str) -> pa.Table:
    """The columns that a table of counterfactuals is made of, under our names; others are left out.

    Args:
        table: The columns of the file.
        renamed: Name in the file to our name.
        source: The file, for messages.
    Raises:
        EffectError: A name of `renamed` is unknown or used twice, a required column is missing, or a column is called
            almost like one that would be used.
    """
    _check_renamed(table.column_names, renamed, source)
    table = table.rename_columns([renamed.get(name, name) for name in table.column_names])
    names = table.column_names
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        raise EffectError(_missing(missing, names, source))
    used = [name for name in names if name in REQUIRED or name in OPTIONAL or name.startswith(GROUP)]
    for name in sorted(set(names) - set(used)):
        meant = difflib.get_close_matches(name, [c for c in OPTIONAL if c not in names], n=1, cutoff=_TYPO)
        if meant:
            raise EffectError(
                f'{source} has a column "{name}", which is not used; if it is "{meant[0]}", say so: --columns '
                f"{name}={meant[0]}; if it is not, --columns {name}={GROUP}{name} keeps it as a group"
            )
    return table.select(used)


def _check_renamed(names: Sequence[str], renamed: Mapping[str, str], source: str) -> None:
    ours = (*REQUIRED, *OPTIONAL)
    for theirs, our in renamed.items():
        if theirs not in names:
            raise EffectError(f'{source} has no column "{theirs}"{nearest(theirs, names)}; it has {", ".join(names)}')
        if our not in ours and not our.startswith(GROUP):
            raise EffectError(
                f'"{theirs}" cannot become "{our}"{nearest(our, ours)}; a table has the columns {", ".join(ours)}, and '
                f"{GROUP}NAME for groups"
            )
    after = [renamed.get(name, name) for name in names]
    if twice := sorted({our for our in renamed.values() if after.count(our) > 1}):
        both = " and ".join(name for name in names if renamed.get(name, name) == twice[0])
        raise EffectError(f'{source}: the columns {both} would both be "{twice[0]}"; name one of them')


def _missing(missing: Sequence[str], names: Sequence[str], source: str) -> str:
    text = f"{source} lacks the column{'s' * (len(missing) > 1)} {', '.join(missing)}; it has {', '.join(names)}. "
    worlds = {"factual", "counterfactual"} & set(missing)
    wide = [name for name in names if any(world in name.lower() for world in ("factual", "baseline", "ablated"))]
    if worlds and wide and set(wide) - set(REQUIRED):
        return text + (
            f"Each row holds one outcome in both worlds: put {' and '.join(wide[:2])} into the columns factual and "
            "counterfactual, with the name of the outcome in the column outcome."
        )
    if worlds:
        return text + (
            "Each row holds both worlds: where the table has one row per world, put the values of the same lesion, "
            "example and outcome side by side first, as columns factual and counterfactual."
        )
    unused = [name for name in names if name not in (*REQUIRED, *OPTIONAL) and not name.startswith(GROUP)]
    theirs = next(iter([*difflib.get_close_matches(missing[0], unused, n=1), *unused]), "theirs")
    return text + (
        f"If a column has another name, say so: --columns {theirs}={missing[0]} on the command line, "
        f'columns={{"{theirs}": "{missing[0]}"}} in Python.'
    )
