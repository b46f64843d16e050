"""Recover planted linear graphs by exact intervention and by causal discovery: the table of docs/discovery.md.

    OMP_NUM_THREADS=1 python -m benchmarks.graph_recovery [--nodes 10 20 40] [--noise 0 0.1] [--graphs 3]
        [--examples 200] [--limit 60] [--seed 0] [--json]

The same seed prints the same numbers but for the seconds.
"""

import argparse
import json
from collections.abc import Sequence

from benchmarks.recovery.rows import Row, compare, names, warm_up
from causalablate.progress import progress_bar

COLUMNS = ("nodes", "noise", "SHD", "SID", "FDR", "power", "adjacent FDR", "adjacent power", "seconds")


def recover(
    nodes: Sequence[int],
    noise: Sequence[float],
    graphs: int,
    examples: int,
    limit: float,
    seed: int,
    *,
    quiet: bool = False,
) -> list[Row]:
    """All ways on planted graphs of every size, with every noise."""
    warm_up()
    with progress_bar("recovery", len(nodes) * len(noise) * graphs * len(names()), quiet=quiet) as advance:
        return [row for p in nodes for sd in noise for row in compare(p, sd, graphs, examples, limit, seed, advance)]


def markdown(rows: Sequence[Row], graphs: int, limit: float) -> str:
    """The rows as a table in Markdown."""
    lines = [f"| way | {' | '.join(COLUMNS)} |", "|---" * (len(COLUMNS) + 1) + "|"]
    return "\n".join([*lines, *(_line(row, graphs, limit) for row in rows)])


def _line(row: Row, graphs: int, limit: float) -> str:
    if not row.done:
        return f"| {row.name} | {row.nodes} | {row.noise:g} | | | | | | | over {limit:g} |"
    sid = "" if row.sid_low != row.sid_low else f"{row.sid_low:.0f}"
    sid += f"–{row.sid_high:.0f}" if sid and row.sid_high != row.sid_low else ""
    seconds = f"{row.seconds:.2f}" + ("" if row.done == graphs else f" ({row.done} of {graphs})")
    shares = " | ".join(f"{x:.2f}" for x in (row.fdr, row.power, row.adjacent_fdr, row.adjacent_power))
    return f"| {row.name} | {row.nodes} | {row.noise:g} | {row.shd:.1f} | {sid} | {shares} | {seconds} |"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table, as Markdown or as JSON."""
    parser = argparse.ArgumentParser(description="Recovery of planted linear graphs.")
    parser.add_argument("--nodes", type=int, nargs="+", default=[10, 20, 40], help="sizes (10 20 40)")
    parser.add_argument(
        "--noise", type=float, nargs="+", default=[0.0, 0.1], help="noise of measurement, in SDs (0 0.1)"
    )
    parser.add_argument("--graphs", type=int, default=3, help="graphs of each size (3)")
    parser.add_argument("--examples", type=int, default=200, help="paired examples of each (200)")
    parser.add_argument("--limit", type=float, default=60, help="CPU seconds for a way and a graph (60)")
    parser.add_argument("--seed", type=int, default=0, help="seeds all draws (0)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of Markdown")
    chosen = parser.parse_args(arguments)
    if min(chosen.nodes) < 4 or chosen.graphs < 1 or min(chosen.noise) < 0 or chosen.limit <= 0:
        parser.error("graphs need 4 nodes or more, --graphs 1 or more, --noise 0 or more, --limit above 0")
    rows = recover(chosen.nodes, chosen.noise, chosen.graphs, chosen.examples, chosen.limit, chosen.seed)
    if chosen.json:
        facts = {key: getattr(chosen, key) for key in ("graphs", "examples", "limit", "seed")}
        print(json.dumps({**facts, "rows": [row.to_json() for row in rows]}, indent=2))
        return
    print(f"{chosen.graphs} graphs of each size, {chosen.examples} paired examples, seed {chosen.seed}\n")
    print(markdown(rows, chosen.graphs, chosen.limit))


if __name__ == "__main__":
    main()
