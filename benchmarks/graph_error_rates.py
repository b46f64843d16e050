"""How often exact interventions err on planted linear graphs: error rates with standard errors, of docs/discovery.md.

    OMP_NUM_THREADS=1 python -m benchmarks.graph_error_rates [--nodes 10 20 40] [--graphs 20 20 10]
        [--noise 0 0.1] [--draws 4] [--examples 200] [--correction by] [--seed 0] [--json]

The same seed prints the same numbers.
"""

import argparse
import json
from collections.abc import Sequence

from benchmarks.recovery.rates import Rate, rates
from causalablate.graph.edges import ADJUST, Correction
from causalablate.progress import progress_bar

COLUMNS = ("nodes", "graphs", "noise", "without a mistake", "dormant edges", "FDR (SE)", "power (SE)")


def error_rates(
    nodes: Sequence[int],
    graphs: Sequence[int],
    noise: Sequence[float],
    draws: int,
    examples: int,
    seed: int,
    correction: Correction = "by",
    *,
    quiet: bool = False,
) -> list[Rate]:
    """Both ways on planted graphs of every size, with every noise."""
    with progress_bar("error rates", sum(graphs), quiet=quiet) as advance:
        sizes = zip(nodes, graphs, strict=True)
        return [row for p, n in sizes for row in rates(p, tuple(noise), n, draws, examples, seed, correction, advance)]


def markdown(rows: Sequence[Rate]) -> str:
    """The rows as a table in Markdown."""
    lines = [f"| way | {' | '.join(COLUMNS)} |", "|---" * (len(COLUMNS) + 1) + "|"]
    return "\n".join([*lines, *(_line(row) for row in rows)])


def _line(row: Rate) -> str:
    shares = f"{row.exact:.2f} | {row.dormant:.2f}"
    fdr, power = f"{row.fdr:.3f} ({row.fdr_se:.3f})", f"{row.power:.3f} ({row.power_se:.3f})"
    return f"| {row.name} | {row.nodes} | {row.graphs} | {row.noise:g} | {shares} | {fdr} | {power} |"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table, as Markdown or as JSON."""
    parser = argparse.ArgumentParser(description="Error rates of exact interventions on planted linear graphs.")
    parser.add_argument("--nodes", type=int, nargs="+", default=[10, 20, 40], help="sizes (10 20 40)")
    parser.add_argument("--graphs", type=int, nargs="+", default=[20, 20, 10], help="graphs of each size (20 20 10)")
    parser.add_argument("--noise", type=float, nargs="+", default=[0, 0.1], help="noise, in SDs of a node (0 0.1)")
    parser.add_argument("--draws", type=int, default=4, help="draws of the noise for each graph (4)")
    parser.add_argument("--examples", type=int, default=200, help="paired examples of each graph (200)")
    parser.add_argument("--correction", choices=list(ADJUST), default="by", help="of the p values of edges (by)")
    parser.add_argument("--seed", type=int, default=0, help="seeds all draws (0)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of Markdown")
    chosen = parser.parse_args(arguments)
    if len(chosen.graphs) != len(chosen.nodes):
        parser.error("--graphs needs one number for each of --nodes")
    if min(chosen.nodes) < 4 or min(*chosen.graphs, chosen.draws) < 1 or min(chosen.noise) < 0:
        parser.error("graphs need 4 nodes or more, --graphs and --draws 1 or more, --noise 0 or more")
    rows = error_rates(
        chosen.nodes, chosen.graphs, chosen.noise, chosen.draws, chosen.examples, chosen.seed, chosen.correction
    )
    if chosen.json:
        facts = {key: getattr(chosen, key) for key in ("draws", "examples", "correction", "seed")}
        print(json.dumps({**facts, "rows": [row.to_json() for row in rows]}, indent=2))
        return
    told = f"{chosen.examples} paired examples, {chosen.draws} draws of the noise for each graph"
    print(f"{told}, correction {chosen.correction}, seed {chosen.seed}\n")
    print(markdown(rows))


if __name__ == "__main__":
    main()
