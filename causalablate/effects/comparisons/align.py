"""Two tables brought together: what they have in common, and whether it is the same examples."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import pandas as pd

from causalablate.effects.blocks import paired_blocks
from causalablate.effects.paired import Paired
from causalablate.errors import EffectError, nearest
from causalablate.table import GROUP, Counterfactuals


@dataclass(frozen=True)
class Aligned:
    """Rows of two tables that are compared.

    Attributes:
        first: Rows of the first table.
        second: Rows of the second, lesions named as in the first.
        paired: Both hold the same examples under each lesion and outcome.
        same_seeds: Both hold the same seeds, or one seed each: rows correspond one to one.
        left_out: By table name, the outcomes, lesions and number of examples that only it has.
    """

    first: Counterfactuals
    second: Counterfactuals
    paired: bool
    same_seeds: bool
    left_out: Mapping[str, Mapping[str, object]]


def align(
    first: Counterfactuals,
    second: Counterfactuals,
    names: tuple[str, str],
    lesions: Mapping[str, str] | None,
    paired: bool | None,
) -> Aligned:
    """Keep the outcomes, lesions and, where they are shared, examples that both tables have.

    Args:
        first: A table.
        second: Another.
        names: What they are called, for messages.
        lesions: Lesion of the first to lesion of the second; None: those of one name.
        paired: Whether one example id is one example; None: it is where any are shared.
    Raises:
        EffectError: Nothing is in common, a lesion is unknown, or shared examples differ in cluster or group.
    """
    second = _renamed(first, second, names, lesions)
    left = {name: _only(one, other) for name, one, other in ((names[0], first, second), (names[1], second, first))}
    _need_common("outcome", first.outcomes, second.outcomes, names)
    _need_common("lesion", first.lesions, second.lesions, names)
    a, b = (
        own.frame[own.frame["outcome"].isin(other.outcomes) & own.frame["lesion"].isin(other.lesions)]
        for own, other in ((first, second), (second, first))
    )
    shared = set(a["example"].unique()) & set(b["example"].unique())
    if paired and not shared:
        raise EffectError(
            f"{names[0]} and {names[1]} share no example ({a['example'].iloc[0]}, ... and {b['example'].iloc[0]}, "
            "...), so they cannot be paired; leave paired out to compare two samples"
        )
    if paired is False or not shared:
        groups = [c for c in a if c.startswith(GROUP) and c in b]
        tables = [Counterfactuals(_with_groups(x, groups), t.labels) for x, t in ((a, first), (b, second))]
        return Aligned(tables[0], tables[1], False, False, left)
    a, b, same_seeds = _same_rows(a, b, names)
    return Aligned(Counterfactuals(a, first.labels), Counterfactuals(b, second.labels), True, same_seeds, left)


def blocks(aligned: Aligned) -> Iterator[tuple[Paired, Paired]]:
    """Blocks of both tables with the same outcome and lesions; with the same units in the same order where paired."""
    others = paired_blocks(aligned.second)
    for one in paired_blocks(aligned.first):
        for other in others:
            common = [name for name in one.lesions if name in other.lesions]
            if one.outcome == other.outcome and common:
                yield _lesions(one, common), _lesions(other, common)


def _lesions(block: Paired, names: list[str]) -> Paired:
    at = [block.lesions.index(name) for name in names]
    columns = ("factual", "counterfactual", "effect", "fired", "change_norm")
    return replace(block, lesions=tuple(names), **{name: getattr(block, name)[at] for name in columns})


def _renamed(
    first: Counterfactuals, second: Counterfactuals, names: tuple[str, str], lesions: Mapping[str, str] | None
) -> Counterfactuals:
    if lesions is None:
        return second
    for table, name, asked in ((first, names[0], lesions.keys()), (second, names[1], lesions.values())):
        known = table.lesions
        for lesion in asked:
            if lesion not in known:
                raise EffectError(f'no lesion "{lesion}" in {name}{nearest(lesion, known)}; it has {_some(known)}')
    if len(set(lesions.values())) < len(lesions):
        raise EffectError("two lesions of the first table are matched with one of the second; compare them one by one")
    back = {theirs: ours for ours, theirs in lesions.items()}
    frame = second.frame[second.frame["lesion"].isin(back)]
    return Counterfactuals(frame.assign(lesion=frame["lesion"].map(back)).reset_index(drop=True), second.labels)


def _only(table: Counterfactuals, other: Counterfactuals) -> dict[str, object]:
    outcomes, lesions, examples = set(other.outcomes), set(other.lesions), set(other.frame["example"].unique())
    return {
        "outcomes": [name for name in table.outcomes if name not in outcomes],
        "lesions": [name for name in table.lesions if name not in lesions],
        "n_examples": len(set(table.frame["example"].unique()) - examples),
    }


def _need_common(what: str, ours: list[str], theirs: list[str], names: tuple[str, str]) -> None:
    if not set(ours) & set(theirs):
        hint = "; match them with lesions={...}" if what == "lesion" else ""
        raise EffectError(
            f"the tables have no {what} in common: {names[0]} has {_some(ours)}; {names[1]} has {_some(theirs)}{hint}"
        )


def _some(names: list[str], most: int = 8) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def _same_rows(a: pd.DataFrame, b: pd.DataFrame, names: tuple[str, str]) -> tuple[pd.DataFrame, pd.DataFrame, bool]:
    """The rows of both whose example is in both, in one order; and whether seeds correspond too."""
    seeds = [sorted(x["seed"].unique()) for x in (a, b)]
    keys = ["example", "outcome", "lesion"]
    same_seeds = seeds[0] == seeds[1]
    if same_seeds:
        keys.append("seed")
    index = [pd.MultiIndex.from_frame(x[keys]) for x in (a, b)]
    a, b = a[index[0].isin(index[1])], b[index[1].isin(index[0])]
    groups = [c for c in a if c.startswith(GROUP) and c in b]
    first = a.drop_duplicates("example").set_index("example")
    second = b.drop_duplicates("example").set_index("example").reindex(first.index)
    for column in ["cluster", *groups]:
        differs = ~((first[column] == second[column]) | (first[column].isna() & second[column].isna()))
        if differs.any():
            name = str(first.index[differs.to_numpy().argmax()])
            raise EffectError(
                f'example "{name}" has {column} "{first.loc[name, column]}" in {names[0]} and '
                f'"{second.loc[name, column]}" in {names[1]}: one id, two examples. Give paired=False to compare two '
                "samples, or drop that column"
            )
    order = {name: i for i, name in enumerate(first.index)}

    def ordered(x: pd.DataFrame) -> pd.DataFrame:
        rows = _with_groups(x, groups).assign(_order=x["example"].map(order))
        return rows.sort_values(["_order", "seed"], kind="stable").drop(columns="_order").reset_index(drop=True)

    return ordered(a), ordered(b), same_seeds or all(len(s) == 1 for s in seeds)


def _with_groups(frame: pd.DataFrame, groups: list[str]) -> pd.DataFrame:
    """Without the group columns that the other table lacks."""
    dropped = [c for c in frame if c.startswith(GROUP) and c not in groups]
    return frame.drop(columns=dropped).reset_index(drop=True)
