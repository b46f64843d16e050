"""`causalablate cost`: what components cost, and what is left without them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from causalablate.cli.options import AsJson, Checkpoint, Device, Dtype, Examples, Labels, Out, Seed, TrustRemoteCode

if TYPE_CHECKING:
    import pandas as pd

HOOKS = (
    "A lesion works by hooks, so a lesioned model is no faster. These are what the components' own modules take: "
    "what would be saved if they were really taken out."
)


def cost(
    checkpoint: Checkpoint,
    components: Annotated[list[str] | None, typer.Argument(help="Addresses or globs. Default: all.")] = None,
    table: Annotated[
        Path | None, typer.Option(help="Table or results directory: cost and outcome of its lesions, and the front.")
    ] = None,
    outcome: Annotated[str, typer.Option(help="Outcome of the table to hold against cost.")] = "correct",
    by: Annotated[str, typer.Option(help="Cost to hold against: flops, parameters, or time_s with --time.")] = "flops",
    examples: Examples = "digits",
    n: Annotated[int, typer.Option("--n", min=1, help="Examples whose operations are counted.")] = 16,
    time: Annotated[int, typer.Option("--time", min=0, help="Repetitions whose times are measured. 0: none.")] = 0,
    seed: Seed = 0,
    device: Device = "cpu",
    dtype: Dtype = "float32",
    trust_remote_code: TrustRemoteCode = False,
    labels: Labels = "",
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Count parameters and operations of components; with a table, what each lesion leaves against what it saves."""
    from causalablate.cli.console import print_json
    from causalablate.cli.sources import read_source
    from causalablate.cli.values import examples_from_text, labels_from_text
    from causalablate.cost import component_costs
    from causalablate.effects.comparisons import pareto
    from causalablate.errors import EffectError
    from causalablate.models import load

    if table is not None and components:
        raise EffectError("with --table the lesions of the table are measured; leave the components out")
    measured = read_source(table).without_controls() if table is not None else None
    model = load(
        checkpoint, dtype=dtype, device=device, trust_remote_code=trust_remote_code, labels=labels_from_text(labels)
    )
    asked = examples_from_text(examples, n=n, split="test", seed=seed)
    lesions = measured.lesions if measured is not None else components or ["**"]
    costs = component_costs(model, lesions, asked, repetitions=time)
    points = pareto(measured, costs, outcome=outcome, cost=by, seed=seed) if measured is not None else None
    files = _write(out, costs, points) if out is not None else []
    if as_json:
        shown = {"total": costs.attrs["total"], "costs": costs.to_dict(orient="records")}
        if points is not None:
            shown["points"] = points.to_dict(orient="records")
        print_json(shown | {"files": [str(path) for path in files]})
        return
    _print(costs, points, timed=time > 0)
    if files:
        print(f"written: {', '.join(map(str, files))}")


def _print(costs: "pd.DataFrame", points: "pd.DataFrame | None", *, timed: bool) -> None:
    from causalablate.cli.console import print_cells
    from causalablate.report.views import Shown, significant, view_cells

    total = costs.attrs["total"]
    parameters, flops = (significant(total[what]) for what in ("parameters", "flops"))
    spent = f", {1000 * total['time_s']:.3g} ms" if timed else ""
    print(f"the whole model: {parameters} parameters; per example {flops} FLOPs{spent}")
    print(HOOKS)
    if points is None:
        rows = costs.assign(
            outcome="cost",
            parameters_percent=100 * costs["parameters"] / total["parameters"],
            flops_percent=100 * costs["flops"] / total["flops"],
            time_ms=1000 * costs["time_s"],
        )
        title = f"{len(costs)} components"
        columns = "kind parameters parameters_percent flops flops_percent time_ms note"
    else:
        on_front = points["on_front"].map({True: "yes", False: ""})
        rows = points.assign(outcome=points.attrs["outcome"], on_front=on_front)
        title = f"against {points.attrs['cost']}, the cheapest first"
        columns = "cost_left share_saved value value_low on_front front_share beaten_by note"
    for cells in view_cells(Shown(title, rows, columns.split())):
        print_cells(cells)


def _write(out: Path, costs: "pd.DataFrame", points: "pd.DataFrame | None") -> list[Path]:
    from causalablate.durable import write_durably
    from causalablate.report.figures.pareto import pareto_figure
    from causalablate.report.figures.style import save, styled

    written = [write_durably(out / "costs.csv", costs.to_csv(index=False, lineterminator="\n").encode(), flush=False)]
    if points is not None:
        csv = points.to_csv(index=False, lineterminator="\n")
        written.append(write_durably(out / "pareto.csv", csv.encode(), flush=False))
        with styled():
            written += save(pareto_figure(points), out / "pareto")
    return written
