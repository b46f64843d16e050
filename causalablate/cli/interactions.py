"""`causalablate interactions`: what lesions do together beyond what each does."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from causalablate.cli.lesion import Off, ReferenceSet
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
    Stack,
    TrustRemoteCode,
)

if TYPE_CHECKING:
    import pandas as pd

    from causalablate.interactions import Design
    from causalablate.intervention import Lesion

DESIGNS = ("pairs", "full", "fractional", "screened")
SHOWN_ROWS = 40
"""Interactions that the terminal shows."""


def interactions(
    checkpoint: Checkpoint,
    components: Annotated[list[str], typer.Argument(help="Addresses or globs; each matching component is a factor.")],
    off: Off,
    design: Annotated[
        str,
        typer.Option(
            help="pairs: all sets of up to --order; full: all sets; fractional: a part, by --generator; screened: all "
            "sets of up to --order of the --top factors with the largest single effects."
        ),
    ] = "pairs",
    order: Annotated[int, typer.Option(min=2, help="Most factors whose interaction is asked for.")] = 2,
    top: Annotated[int, typer.Option(min=2, help="With --design screened: how many factors.")] = 8,
    generator: Annotated[
        list[str] | None,
        typer.Option(help="With --design fractional: FACTOR=FACTOR*FACTOR*..., what it is off with. Repeatable."),
    ] = None,
    index: Annotated[
        str | None,
        typer.Option(
            help="intact: with all else on (the default); average: over the runs (the default of fractional); with "
            "--design full also moebius, SV, SII, STI, FSI, BII."
        ),
    ] = None,
    outcome: Annotated[str, typer.Option(help="Outcomes, comma-separated; no categories.")] = "answer_logprob",
    sesoi: Annotated[
        str, typer.Option(help="Smallest interaction of interest: a number, or outcome=number,... Default: 0.005.")
    ] = "",
    level: Annotated[float, typer.Option(help="Two-sided coverage of intervals.")] = 0.95,
    correction: Annotated[str, typer.Option(help="What labels stand on: holm, bonferroni, bh or by.")] = "holm",
    examples: Examples = "digits",
    n: Number = 128,
    reference: ReferenceSet = "digits",
    batch_size: Annotated[int, typer.Option(min=1, help="Examples per forward pass.")] = 64,
    seed: Seed = 0,
    device: Device = "cpu",
    dtype: Dtype = "float32",
    trust_remote_code: TrustRemoteCode = False,
    labels: Labels = "",
    stack: Stack = None,
    out: Annotated[Path | None, typer.Option("--out", help="Directory for the table and the heat maps.")] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Synergy, redundancy or independence: lesion components together and apart. Nothing is kept between runs."""
    from functools import partial

    from causalablate.cli.lists import amounts_from_text, names_from_text
    from causalablate.cli.values import examples_from_text, labels_from_text, off_from_text
    from causalablate.counterfactual import counterfactuals
    from causalablate.errors import EffectError, nearest
    from causalablate.interactions import interaction_effects
    from causalablate.intervention import do
    from causalablate.models import load

    if design not in DESIGNS:
        raise EffectError(f'no design "{design}"{nearest(design, DESIGNS)}; there are {", ".join(DESIGNS)}')
    if (design == "fractional") != bool(generator):
        raise EffectError("--generator says which factors go together in --design fractional: give both, or neither")
    model = load(
        checkpoint, dtype=dtype, device=device, trust_remote_code=trust_remote_code, labels=labels_from_text(labels)
    )
    how = off_from_text(off)
    factors = {c.address: do(c.address, off=how) for glob in components for c in model.components.select(glob)}
    run = partial(
        counterfactuals,
        model,
        examples_from_text(examples, n=n, split="test", seed=seed),
        outcomes=names_from_text(outcome),
        reference=examples_from_text(reference, n=n, split="validation", seed=seed),
        seed=seed,
        batch_size=batch_size,
        stack=stack,
        quiet=quiet,
    )
    ranking = _single_effects(run(factors).frame, names_from_text(outcome)[0]) if design == "screened" else {}
    planned = _design(design, factors, order, top, ranking, generator or [])
    effects = interaction_effects(
        run(planned.lesions),
        planned,
        index=index or ("average" if design == "fractional" else "intact"),
        order=range(2, order + 1),
        level=level,
        correction=correction,
        sesoi=amounts_from_text(sesoi, "--sesoi") or 0.005,
        seed=seed,
    )
    _show(effects, planned, out, as_json)


def _single_effects(frame: "pd.DataFrame", outcome: str) -> dict[str, float]:
    """Mean effect of every lesion alone on the first outcome."""
    means = frame[frame["outcome"] == outcome].groupby("lesion", sort=False)["effect"].mean()
    return {str(name): float(value) for name, value in means.items()}


def _design(
    design: str,
    factors: Mapping[str, "Lesion"],
    order: int,
    top: int,
    ranking: Mapping[str, float],
    generators: Sequence[str],
) -> "Design":
    from causalablate.interactions import factorial, fractional, full, screened

    if design == "full":
        return full(factors)
    if design == "fractional":
        return fractional(factors, dict(map(_generator, generators)))
    if design == "screened":
        return screened(factors, ranking, top=top, order=order)
    return factorial(factors, order=order)


def _generator(text: str) -> tuple[str, list[str]]:
    from causalablate.errors import EffectError

    name, equals, product = (part.strip() for part in text.partition("="))
    if not (name and equals and product):
        raise EffectError(f"--generator {text!r} is not a generator; write FACTOR=FACTOR*FACTOR")
    return name, [factor.strip() for factor in product.split("*")]


def _show(effects: "pd.DataFrame", design: "Design", out: Path | None, as_json: bool) -> None:
    from dataclasses import replace

    from causalablate.cli.console import print_cells, print_json
    from causalablate.report.graph.interactions import interaction_cells, interaction_findings, write_interactions

    files = write_interactions(out, effects) if out is not None else None
    if as_json:
        print_json(
            {
                "sign": "effect = counterfactual - factual",
                "factors": design.factors,
                "runs": len(design),
                "settings": effects.attrs,
                "interactions": effects.to_dict(orient="records"),
                "files": [str(path) for path in (files.csv, *files.figures)] if files else [],
            }
        )
        return
    print(f"{len(design.factors)} factors, {len(design):,} runs")
    for outcome in dict.fromkeys(effects["outcome"]):
        cells = interaction_cells(effects, outcome)
        print_cells(replace(cells, rows=cells.rows[:SHOWN_ROWS]))
        if len(cells.rows) > SHOWN_ROWS:
            print(f"and {len(cells.rows) - SHOWN_ROWS:,} more; --out writes all of them, --json prints them")
        for sentence in interaction_findings(effects, outcome):
            print(sentence)
    if files:
        print(f"all numbers: {files.csv}" + (f"; figure: {files.figures[0]}" if files.figures else ""))
