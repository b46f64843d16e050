"""`causalablate attribute`: what each component, or each region of the image, adds to the outcome of each example."""

from pathlib import Path
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
    Quiet,
    Seed,
    Stack,
    TrustRemoteCode,
)

if TYPE_CHECKING:
    from causalablate.attribution import Attribution, Regions
    from causalablate.component import ComponentMap
    from causalablate.examples import ExampleSet
    from causalablate.intervention import Lesion
    from causalablate.offs import Off

SHOWN = 7
"""Examples over whose images regions are drawn."""


def attribute(
    checkpoint: Checkpoint,
    players: Annotated[
        list[str] | None, typer.Option(help="Addresses or globs: one player per matching component. Repeatable.")
    ] = None,
    group: Annotated[
        list[str] | None,
        typer.Option(help="NAME=GLOB,GLOB: all matching components together are one player. Repeatable."),
    ] = None,
    grid: Annotated[
        str | None, typer.Option(help="Instead of components, regions of the image: ROWSxCOLUMNS, e.g. 4x4.")
    ] = None,
    fill: Annotated[str, typer.Option(help="With --grid: what covers an absent region, mean or blur.")] = "mean",
    off: Annotated[
        str | None, typer.Option(help="How components are off when absent: mean, zero, '{kind: noise, std: 3}', ...")
    ] = None,
    method: Annotated[
        str, typer.Option(help="shapley-sampling, kernel-shap, exact (up to 12 players) or ablation.")
    ] = "shapley-sampling",
    samples: Annotated[
        int | None, typer.Option(help="Permutations (shapley-sampling) or coalitions (kernel-shap) to draw.")
    ] = None,
    outcome: Annotated[str, typer.Option(help="The value of a coalition.")] = "answer_logprob",
    top: Annotated[int, typer.Option(help="How many of the largest to compare with the largest single lesions.")] = 5,
    examples: Examples = "digits",
    n: Annotated[int, typer.Option("--n", min=1, help="Number of examples, each with its own game.")] = 64,
    reference: ReferenceSet = "digits",
    batch_size: Annotated[int, typer.Option(min=1, help="Examples per forward pass.")] = 64,
    stack: Stack = None,
    level: Annotated[float, typer.Option(help="Two-sided coverage of the intervals.")] = 0.95,
    seed: Seed = 0,
    device: Device = "cpu",
    dtype: Dtype = "float32",
    trust_remote_code: TrustRemoteCode = False,
    labels: Labels = "",
    out: Annotated[Path | None, typer.Option("--out", help="Directory for tables of all examples and figures.")] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Share the outcome of each example out among components or image regions: Shapley values and single lesions."""
    from causalablate.attribution import attribute as attribution_of
    from causalablate.cli.values import examples_from_text, labels_from_text, off_from_text
    from causalablate.errors import LesionError
    from causalablate.models import load

    if (grid is None) == (not players and not group):
        raise LesionError("say who plays: components with --players and --group, or regions of the image with --grid")
    if grid is None and off is None:
        raise LesionError("say how absent components are off, e.g. --off mean")
    model = load(
        checkpoint, dtype=dtype, device=device, trust_remote_code=trust_remote_code, labels=labels_from_text(labels)
    )
    how = off_from_text(off) if off is not None else None
    asked = examples_from_text(examples, n=n, split="test", seed=seed)
    found = attribution_of(
        model,
        asked,
        _regions(grid, fill) if grid is not None else _lesions(model.components, players or [], group or [], how),
        off=how if grid is not None else None,
        method=method,
        samples=samples,
        outcome=outcome,
        reference=examples_from_text(reference, n=512, split="validation", seed=seed),
        top=top,
        level=level,
        seed=seed,
        batch_size=batch_size,
        stack=stack,
        quiet=quiet,
    )
    _show(found, asked, out, as_json)


def _regions(grid: str, fill: str) -> "Regions":
    import re

    from causalablate.attribution import Regions
    from causalablate.errors import LesionError

    size = re.fullmatch(r"(\d+)x(\d+)", grid)
    if size is None:
        raise LesionError(f"--grid {grid!r} is not a grid; write rows and columns, e.g. 4x4")
    return Regions(int(size[1]), int(size[2]), fill)


def _lesions(components: "ComponentMap", globs: list[str], groups: list[str], how: "Off | None") -> "dict[str, Lesion]":
    """What is off when each player is absent: one component by its address, or a group by its name."""
    from causalablate.errors import LesionError
    from causalablate.intervention import do

    players = {c.address: do(c.address, off=how) for glob in globs for c in components.select(glob)}
    for text in groups:
        name, equals, members = text.partition("=")
        if not name or not equals or not members:
            raise LesionError(f"--group {text!r} is not a group; write NAME=GLOB,GLOB, e.g. 'early=lm.layers.0.**'")
        if name in players:
            raise LesionError(f'two players are called "{name}"; give the group another name')
        players[name] = do(*members.split(","), off=how)
    return players


def _show(found: "Attribution", examples: "ExampleSet", out: Path | None, as_json: bool) -> None:
    import dataclasses

    from causalablate.cli.console import print_cells, print_json
    from causalablate.report.attribution import attribution_cells, attribution_findings, write_attribution
    from causalablate.report.figures.attribution import Picture

    files = None
    shown = examples[:SHOWN] if found.regions else ()
    if out is not None:
        files = write_attribution(
            out,
            found.frame,
            found.population,
            found.games,
            found.agreement,
            found.how,
            level=found.level,
            grid=(found.regions.rows, found.regions.columns) if found.regions else None,
            pictures=[Picture(e.id, e.images[0], f"{e.question}: {e.answer}") for e in shown],
        )
    if as_json:
        print_json(
            {
                "method": found.method,
                "samples": found.samples,
                "coalitions": found.n_coalitions,
                "population": found.population.to_dict(orient="records"),
                "games": found.games.to_dict(orient="records"),
                "attributions": found.frame.to_dict(orient="records"),
                "agreement": dataclasses.asdict(found.agreement) if found.agreement else None,
                "files": [
                    str(p) for p in (files.examples, files.population, files.games, files.markdown, *files.figures)
                ]
                if files
                else [],
            }
        )
        return
    print_cells(attribution_cells(found.population))
    for sentence in attribution_findings(found.population, found.games, found.agreement, found.how):
        print(sentence)
    if files:
        print(f"all examples: {files.examples}; figure: {files.figures[0]}")
