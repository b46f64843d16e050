"""`causalablate generate`: what a lesion does to generated answers, or to a choice among given ones."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from causalablate.cli.lesion import Off
from causalablate.cli.options import (
    AsJson,
    Checkpoint,
    Device,
    Dtype,
    Examples,
    Number,
    Quiet,
    Seed,
    TrustRemoteCode,
)

if TYPE_CHECKING:
    from pandas import DataFrame

    from causalablate.generation import Sampling
    from causalablate.generation.matching import Match

_SHOWN = 10


def generate(
    checkpoint: Checkpoint,
    components: Annotated[list[str], typer.Argument(help="Addresses or globs; all of them are off together.")],
    off: Off,
    examples: Examples = "digits",
    n: Number = 64,
    when: Annotated[str, typer.Option(help="Where the lesion acts: prefill, decode or both.")] = "both",
    match: Annotated[str, typer.Option(help="What makes an answer right: exact, vqa or numeric.")] = "vqa",
    tolerance: Annotated[float, typer.Option(help="With --match numeric: largest difference, as a share.")] = 0.0,
    options: Annotated[
        str | None,
        typer.Option(help="Score these answers, comma-separated, instead; `all`: every true answer of the examples."),
    ] = None,
    max_new_tokens: Annotated[int, typer.Option(min=1, help="Most tokens of an answer.")] = 32,
    temperature: Annotated[float, typer.Option(help="Draw tokens at this temperature; 0: the likeliest.")] = 0.0,
    top_k: Annotated[int | None, typer.Option(help="Draw from the k likeliest tokens.")] = None,
    top_p: Annotated[float | None, typer.Option(help="Draw from the likeliest tokens of this probability.")] = None,
    reference: Annotated[
        str | None, typer.Option(help="Where means, spreads and donors come from: a directory of examples.")
    ] = None,
    seed: Seed = 0,
    batch_size: Annotated[int, typer.Option(min=1, help="Most examples per forward.")] = 16,
    device: Device = "cpu",
    dtype: Dtype = "float32",
    trust_remote_code: TrustRemoteCode = False,
    level: Annotated[float, typer.Option(help="Two-sided coverage of the interval.")] = 0.95,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Generate answers without and with a lesion, under the same sampling noise, and print what changed."""
    from causalablate.cli.console import print_cells, print_json
    from causalablate.cli.values import examples_from_text, off_from_text
    from causalablate.effects import population_effects
    from causalablate.generation import choose
    from causalablate.generation import generate as generated
    from causalablate.intervention import do
    from causalablate.models import load
    from causalablate.report.tables import all_cells

    lesion = do(components[0], *components[1:], off=off_from_text(off))
    matches, sample = _match(match, tolerance), _sampling(temperature, top_k, top_p)
    model = load(checkpoint, dtype=dtype, device=device, trust_remote_code=trust_remote_code)
    asked = examples_from_text(examples, n=n, split="test", seed=seed)
    shared: dict[str, Any] = {
        "when": when,
        "reference": examples_from_text(reference, n=n, split="validation", seed=seed) if reference else None,
        "seed": seed,
        "batch_size": batch_size,
        "quiet": quiet,
    }
    if options is None:
        found = generated(model, asked, lesion, sample=sample, max_new_tokens=max_new_tokens, match=matches, **shared)
        table, details, what = found.table, found.texts, "texts"
    else:
        chosen = choose(model, asked, lesion, options=None if options == "all" else options.split(","), **shared)
        table, details, what = chosen.table, chosen.scores, "scores"
    effects = population_effects(table, level=level, seed=seed)
    if as_json:
        told = details.astype(object).where(details.notna(), None)
        print_json({"effects": effects.to_dict(orient="records"), what: told.to_dict(orient="records")})
        return
    print(f"{lesion} on {len(asked):,} examples, {when}; effect = counterfactual - factual")
    for cells in all_cells(effects, {}):
        print_cells(cells)
    if options is None:
        _print_texts(details)


def _match(name: str, tolerance: float) -> "Match":
    from causalablate.errors import OutcomeError
    from causalablate.generation import Numeric
    from causalablate.generation.matching import match_for

    if tolerance and name != "numeric":
        raise OutcomeError(f"--tolerance {tolerance:g} is for numbers, and --match is {name}; add --match numeric")
    return Numeric(relative=tolerance) if tolerance else match_for(name)


def _sampling(temperature: float, top_k: int | None, top_p: float | None) -> "Sampling | None":
    from causalablate.errors import OutcomeError
    from causalablate.generation import Sampling

    if temperature == 0:
        if top_k is not None or top_p is not None:
            raise OutcomeError("--top-k and --top-p are for drawing tokens; add --temperature, e.g. --temperature 1")
        return None
    return Sampling(temperature, top_k, top_p)


def _print_texts(texts: "DataFrame") -> None:
    from causalablate.cli.console import print_table

    parted = texts[texts["parted_at"].notna()]
    print_table(
        f"the worlds part in {len(parted):,} of {len(texts):,} answers",
        ["example", "factual", "counterfactual", "parted at token"],
        [
            [row.example, row.factual, row.counterfactual, str(row.parted_at)]
            for row in parted.head(_SHOWN).itertuples(index=False)
        ],
        [False, False, False, True],
    )
