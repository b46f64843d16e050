"""`causalablate graph`: who acts through whom, from exact interventions."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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
    Stack,
    TrustRemoteCode,
)

if TYPE_CHECKING:
    from pandas import DataFrame

    from causalablate.graph.matrices import Transfer
    from causalablate.graph.network import ComponentGraph

AUTO = "auto"
SHOWN_ROWS = 40
"""Edges that the terminal shows."""


def graph(
    checkpoint: Checkpoint,
    nodes: Annotated[
        list[str] | None,
        typer.Argument(help="Addresses or globs that share no part. Default: the components that hold no other."),
    ] = None,
    off: Annotated[
        str, typer.Option(help="How nodes are off, as in a study file: mean, '{kind: noise, std: 3}', ...")
    ] = "mean",
    outcomes: Annotated[str, typer.Option(help="Outcomes, comma-separated; each is a node.")] = "answer_logprob",
    possible: Annotated[
        bool, typer.Option("--possible", help="Only the ways that data can take: one forward, nothing measured.")
    ] = False,
    contexts: Annotated[
        str,
        typer.Option(
            help="Look for dormant edges under these lesions too: comma-separated addresses, or auto: nodes of pairs "
            "that together do more than their sum, which takes a run of all pairs."
        ),
    ] = "",
    predict: Annotated[
        int,
        typer.Option(min=0, help="Measure this many pairs of lesions, and score what the graph predicts of them."),
    ] = 0,
    examples: Examples = "digits",
    n: Number = 128,
    reference: ReferenceSet = "digits",
    sesoi: Annotated[
        float, typer.Option(min=0.0, help="Smallest edge of interest, in units of the target's own full change.")
    ] = 0.0,
    level: Annotated[float, typer.Option(help="Two-sided coverage of intervals.")] = 0.95,
    correction: Annotated[
        str,
        typer.Option(help="What the p of edges is adjusted for: by or bh (false discovery rate) or holm (familywise)."),
    ] = "by",
    batch_size: Annotated[int, typer.Option(min=1, help="Examples per forward pass.")] = 64,
    seed: Seed = 0,
    device: Device = "cpu",
    dtype: Dtype = "float32",
    trust_remote_code: TrustRemoteCode = False,
    labels: Labels = "",
    stack: Stack = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Directory for a page, figures, tables and the graph as files.")
    ] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Who acts on whom: the ways that data can take, and what goes along them. Nothing is kept between runs."""
    from functools import partial

    from causalablate.cli.lists import names_from_text
    from causalablate.cli.values import examples_from_text, labels_from_text, off_from_text
    from causalablate.graph.computational import computational_graph
    from causalablate.graph.edges import component_graph
    from causalablate.graph.transfer import transfer
    from causalablate.intervention import do
    from causalablate.models import load

    model = load(
        checkpoint, dtype=dtype, device=device, trust_remote_code=trust_remote_code, labels=labels_from_text(labels)
    )
    asked = examples_from_text(examples, n=n, split="test", seed=seed)
    named, how = names_from_text(outcomes), off_from_text(off)
    facts = {"model": checkpoint, "examples": f"{len(asked):,} of {examples}", "outcomes": ", ".join(named)}
    if possible:
        ways = computational_graph(model, asked, nodes or None, outcomes=named)
        _show(ways, None, None, level, facts, out, as_json)
        return
    settings: dict[str, Any] = {
        "off": how,
        "reference": examples_from_text(reference, n=n, split="validation", seed=seed),
        "seed": seed,
        "batch_size": batch_size,
        "stack": stack,
        "quiet": quiet,
    }
    measure = partial(transfer, model, asked, nodes or None, outcomes=named, **settings)
    found = measure()
    under: Sequence[str] = names_from_text(contexts)
    if under == [AUTO]:
        from causalablate.graph.dormant import contexts_of, pair_excess

        under = contexts_of(pair_excess(model, asked, nodes or None, outcome=named[0], **settings))
    there = [measure(context=do(node, off=how), totals=False) for node in under]
    estimated = component_graph(
        found, there, sesoi=sesoi, level=level, correction=correction, seed=seed  # type: ignore[arg-type]  # checked there
    )  # fmt: skip
    facts |= {"off": str(how), "reference": reference, "contexts": ", ".join(under) or "none", "seed": str(seed)}
    scores = None
    if predict:
        from causalablate.graph.abstraction import abstraction, measure_pairs

        pairs = measure_pairs(model, asked, nodes or None, outcome=named[0], n_pairs=predict, **settings)
        scores = abstraction(pairs, level=level, seed=seed).scores
    _show(estimated, found, scores, level, facts, out, as_json)


def _show(
    graph: "ComponentGraph",
    found: "Transfer | None",
    scores: "DataFrame | None",
    level: float,
    facts: dict[str, str],
    out: Path | None,
    as_json: bool,
) -> None:
    from dataclasses import replace

    from causalablate.cli.console import print_cells, print_json, print_table
    from causalablate.report.graph.matrices import total_effects
    from causalablate.report.graph.tables import edge_cells, graph_findings, node_cells, total_frame

    paths = None
    if out is not None:
        from causalablate.report.graph.write import write_graph_report

        paths = write_graph_report(out, graph, found, facts=facts, predictions=scores, level=level)
    totals = total_frame(found, level)
    if as_json:
        print_json(
            {
                "order": graph.order,
                "outcomes": graph.outcomes,
                "notes": graph.notes,
                "edges": [vars(edge) for edge in graph.edges],
                "total_effects": totals.to_dict(orient="records"),
                "predictions": [] if scores is None else scores.to_dict(orient="records"),
                "files": [str(path) for path in paths.all] if paths else [],
            }
        )
        return
    cells = edge_cells(graph)
    print_cells(replace(cells, rows=cells.rows[:SHOWN_ROWS]))
    if len(cells.rows) > SHOWN_ROWS:
        print(f"and {len(cells.rows) - SHOWN_ROWS:,} more edges; --out writes all of them, --json prints them")
    print_cells(node_cells(graph, totals))
    if scores is not None:
        print_table(
            "pairs of lesions that were held out, predicted example by example; gain: error less than additivity's",
            ["method", "R²", "interval", "mean error", "gain", "interval"],
            [
                [
                    str(row["method"]), f"{row['r2']:.3f}", f"[{row['r2_low']:.3f}, {row['r2_high']:.3f}]",
                    f"{row['mae']:.3f}", f"{row['gain']:+.3f}", f"[{row['gain_low']:+.3f}, {row['gain_high']:+.3f}]",
                ]
                for _, row in scores.iterrows()
            ],
            [False, *[True] * 5],
        )  # fmt: skip
    for sentence in graph_findings(graph, found.graph if found else None, total_effects(found) if found else {}):
        print(sentence)
    if paths:
        print(f"page: {paths.page}; graph for other programs: {', '.join(path.name for path in paths.graphs)}")
