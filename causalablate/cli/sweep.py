"""`causalablate sweep`: the top k, or all that matter, of many components, with as few forwards as it takes."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from causalablate.cli.lesion import ReferenceSet
from causalablate.cli.options import (
    AsJson,
    Checkpoint,
    Device,
    Dtype,
    Examples,
    Labels,
    Number,
    Quiet,
    Seed,
    TrustRemoteCode,
)

if TYPE_CHECKING:
    from causalablate.adaptive import AdaptiveSweep
    from causalablate.component import ComponentMap
    from causalablate.intervention import Lesion

INTERRUPTED = 130
SHOWN_OUTSIDE = 10
"""Lesions outside the answer that the table shows."""


def sweep(
    checkpoint: Checkpoint,
    components: Annotated[
        list[str] | None,
        typer.Argument(help="Addresses or globs, each component off alone. Default: all that admit their off."),
    ] = None,
    off: Annotated[
        list[str] | None,
        typer.Option(
            help="How they are off, e.g. mean (the default); `edge=knockout` says it for one kind. Repeatable."
        ),
    ] = None,
    top: Annotated[int | None, typer.Option(min=1, help="Find so many largest effects.")] = None,
    fdr: Annotated[float | None, typer.Option(help="Find all that matter, at this false discovery rate.")] = None,
    smallest: Annotated[
        float | None, typer.Option(help="With --fdr: smallest effect of interest, in outcome units.")
    ] = None,
    tolerance: Annotated[
        float, typer.Option(help="With --top: by how much a member may fall short of the last place, in outcome units.")
    ] = 0.0,
    direction: Annotated[str, typer.Option(help="Effects that count: both (by size), decrease or increase.")] = "both",
    outcome: Annotated[str, typer.Option(help="The outcome.")] = "answer_logprob",
    examples: Examples = "digits",
    n: Number = 1000,
    reference: ReferenceSet = "digits",
    population: Annotated[
        bool, typer.Option("--population", help="Mean effects of the population, not of these very examples.")
    ] = False,
    batch_size: Annotated[int, typer.Option(min=1, help="Examples between two looks: more run faster each.")] = 16,
    level: Annotated[float, typer.Option(help="Coverage of each component's interval.")] = 0.95,
    seed: Seed = 0,
    device: Device = "cpu",
    dtype: Dtype = "float32",
    trust_remote_code: TrustRemoteCode = False,
    labels: Labels = "",
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Find the components with the largest effects, or all that matter, and stop as soon as that is known."""
    from causalablate.adaptive import Discoveries, TopK, adaptive_sweep, direction_of
    from causalablate.cli.console import print_json
    from causalablate.cli.values import examples_from_text, labels_from_text
    from causalablate.errors import LesionError
    from causalablate.models import load
    from causalablate.replay import Replay

    if (top is None) == (fdr is None):
        raise LesionError("say what to find: either --top 10 or --fdr 0.05")
    signs = direction_of(direction)
    question = TopK(top, signs, tolerance) if top is not None else Discoveries(fdr or 0.0, smallest, signs)
    model = load(
        checkpoint,
        dtype=dtype,
        device=device,
        trust_remote_code=trust_remote_code,
        labels=labels_from_text(labels),
    )
    lesions, left_out = _lesions(model.components, components, off or ["mean"])
    replay = Replay(
        model,
        examples_from_text(examples, n=n, split="test", seed=seed).shuffled(seed),
        outcomes=[outcome],
        reference=examples_from_text(reference, n=512, split="validation", seed=seed),
        seed=seed,
        batch_size=batch_size,
    )
    found = adaptive_sweep(
        replay,
        lesions,
        question,
        target="population" if population else "examples",
        level=level,
        quiet=quiet,
    )
    if as_json:
        print_json({**found.to_json(), "left_out": left_out})
    else:
        _show(found)
        if left_out:
            print(f"left out, as they do not admit their off: {', '.join(left_out)}")
    if found.interrupted:
        raise SystemExit(INTERRUPTED)


def _lesions(
    components: "ComponentMap", globs: Sequence[str] | None, offs: Sequence[str]
) -> tuple[list["Lesion"], list[str]]:
    """One lesion per component, and those left out: what refuses its off is an error only by its own address."""
    from causalablate.cli.values import off_from_text
    from causalablate.errors import LesionError, nearest
    from causalablate.intervention import do

    by_kind, plain = {}, None
    for text in offs:
        kind = re.match(r"(\w+)=(.+)", text, re.DOTALL)
        if kind is None:
            plain = off_from_text(text)
        elif kind[1] not in components.kinds():
            known = components.kinds()
            raise LesionError(
                f'no kind of component "{kind[1]}"{nearest(kind[1], known)}; there are {", ".join(known)}'
            )
        else:
            by_kind[kind[1]] = off_from_text(kind[2])
    matches = {c.address: c for glob in globs or ["**"] for c in components.select(glob)}
    found, left_out = [], []
    for component in matches.values():
        how = by_kind.get(component.kind, plain)
        if how is None:
            raise LesionError(f"{component.address} is a {component.kind}: say how it is off, e.g. --off mean")
        refused = how.refuses(component)
        if refused is None:
            found.append(do(component.address, off=how))
        elif component.address not in (globs or ()):
            left_out.append(component.address)
        else:
            raise LesionError(
                f"{component.address} cannot be off by {how}: {refused}. "
                f"Say how, e.g. --off {component.kind}=..., or leave it out"
            )
    return found, left_out


def _show(found: "AdaptiveSweep") -> None:
    from causalablate.cli.console import print_table

    frame = found.frame
    shown = frame.head(int(frame["chosen"].sum()) + SHOWN_OUTSIDE)
    rows = [
        [
            "*" if row.chosen else "",
            row.lesion,
            f"{row.estimate:+.4f}",
            f"[{row.ci_low:+.4f}, {row.ci_high:+.4f}]",
            f"{row.n_examples:,}",
            row.why,
        ]
        for row in shown.itertuples()
    ]
    print_table(
        f"mean effect on {found.outcome}, counterfactual - factual (* the answer)",
        ["", "lesion", "effect", f"{100 * found.level:g} % anytime-valid", "examples", "why it left"],
        rows,
        [False, False, True, True, True, False],
    )
    if len(frame) > len(shown):
        print(f"and {len(frame) - len(shown)} more with smaller effects (--json prints all)")
    print(
        f"{found.forwards:,} lesioned forwards instead of {found.full_forwards:,}: {100 * found.share:.1f} %; "
        f"one observation is one {found.unit}"
    )
    if found.interrupted:
        print("interrupted: the order above is only the present one")
    elif not found.decided:
        print("the examples were used up before every lesion's place was settled")
    print(found.guarantee)
