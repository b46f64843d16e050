"""`python -m tests.families`: run the conformance suite and write what it verified into docs/models.md."""

import json
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import torch
from transformers.utils import logging

from tests.families.conformance import CHECKS, Subject
from tests.families.table import BUILDERS

PAGE = Path(__file__).parents[2] / "docs" / "models.md"
BEGIN, END = "<!-- families: begin -->", "<!-- families: end -->"
HEAD = ("family", "`model_type`", "vision", "connector", "language model", "also", "as plain hooks", "padded", "laws")
PLURALS = {"mlp": "MLPs", "query": "queries", "tokens": "token groups", "cross": "cross-attentions"}


def row(name: str, path: Path) -> tuple[list[str], list[str]]:
    """One family's row of the table, and what failed."""
    BUILDERS[name].build(path)
    subject = Subject(name, path, options=getattr(BUILDERS[name], "OPTIONS", {}))
    found = [name, f"`{json.loads((path / 'config.json').read_text())['model_type']}`"]
    try:
        found += _parts(subject)
    except Exception as error:
        return [*found, *["**does not load**"] * (len(HEAD) - len(found))], [f"{name}: {error}"]
    seen, failed = {}, []
    for check, run in CHECKS.items():
        try:
            seen[check] = run(subject)
        except Exception as error:
            seen[check] = f"**fails**: {check}"
            failed.append(f"{name}: {check}: {error}")
    hooks = next((seen[c] for c in ("anatomy", "reaches", "cold_and_warm") if "fails" in seen[c]), seen["plain_hooks"])
    return [*found, hooks, seen["padding"], seen["laws"]], failed


def _parts(subject: Subject) -> list[str]:
    """Kinds of components: vision, connector, language model, and what else."""
    others = [tower for tower in dict.fromkeys(tower for tower, _ in subject.kinds) if tower not in ("vision", "lm")]
    return [
        _kinds(subject, "vision"),
        "yes" if ("", "connector") in subject.kinds else "–",
        _kinds(subject, "lm"),
        "; ".join(filter(None, (_kinds(subject, tower) for tower in others))) or "–",
    ]


def _kinds(subject: Subject, tower: str) -> str:
    """`2 layers, 8 heads, 2 MLPs` of one tower."""
    counts = Counter(
        {kind: len(parts) for (of, kind), parts in subject.kinds.items() if of == tower and kind != "connector"}
    )
    named = ", ".join(f"{n} {kind if n == 1 else PLURALS.get(kind, f'{kind}s')}" for kind, n in counts.items())
    return f"{tower}: {named}" if named and tower not in ("", "vision", "lm") else named or ("" if not tower else "–")


def line(cells: Sequence[str]) -> str:
    """One line of a Markdown table."""
    return f"| {' | '.join(cells)} |"


def main() -> int:
    """Check every family; 0 if all conform."""
    torch.set_num_threads(1)
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    lines, failed = [line(HEAD), line(("---",) * len(HEAD))], list[str]()
    print(*lines, sep="\n", flush=True)
    for name in sorted(BUILDERS):
        with tempfile.TemporaryDirectory() as folder:
            cells, problems = row(name, Path(folder))
        lines.append(line(cells))
        print(lines[-1], flush=True)
        failed += problems
    print(*failed, sep="\n", file=sys.stderr)
    if PAGE.is_file() and BEGIN in (page := PAGE.read_text(encoding="utf-8")):
        before, _, rest = page.partition(BEGIN)
        after, table = rest.partition(END)[2], "\n".join(lines)
        PAGE.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}", encoding="utf-8")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
