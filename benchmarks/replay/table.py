"""The figures of a race as Markdown."""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

HEADER = (
    "| method | lesions run | CPU s | wall s | times plain loop | times nnsight | of matmul peak | of limit "
    "| memory added, MiB | largest difference |"
)
CLOCKS = {"cpu": "CPU", "wall": "wall"}


def section(found: Mapping[str, Any]) -> str:
    """One workload: heading, table, limit, notes."""
    limit, machine = found["limit"], found["machine"]
    scaled = any(row["lesions"] < found["lesions"] for row in found["methods"] if "not_run" not in row)
    lines = [
        f"### {found['workload']}, {found['case']} ({found['device']}, {found['dtype']}, off by {found['off']})",
        "",
        f"{_sentence(found['title'])}. {_machine(machine)}. Seconds of the whole sweep, "
        f"median of {found['repetitions']} turn{'s' if found['repetitions'] > 1 else ''} of each method; the other "
        f"columns count {CLOCKS[found['clock']]} time."
        + (" * scaled up from evenly spread lesions." if scaled else ""),
        "",
        *_table(found),
        "",
        f"Limit: {limit['needed_flops'] / 1e12:.3g} of the plain loop's {limit['plain_flops'] / 1e12:.3g} TFLOP must "
        f"be computed ({limit['saved']:.2f} times fewer); at the measured {limit['peak'] / 1e9:.0f} GFLOP/s that takes "
        f"{_seconds(limit['seconds'])} s. No exact method can exceed {limit['ratio_to_plain']:.2f} times the plain "
        "loop here. "
        f"Largest effect of a lesion: {found['largest_effect']:.2g} nats.",
        "",
        *(f"- {row['name']}: {row['note']}." for row in found["methods"] if "not_run" not in row),
        *(f"- {row['name']}: not run, {row['not_run']}." for row in found["methods"] if "not_run" in row),
    ]
    return "\n".join(lines)


def _table(found: Mapping[str, Any]) -> Sequence[str]:
    rows = [_row(row, found["lesions"]) for row in found["methods"] if "not_run" not in row]
    return [HEADER, "|---" * (HEADER.count("|") - 1) + "|", *rows]


def _row(row: Mapping[str, Any], lesions: int) -> str:
    star = "*" if row["lesions"] < lesions else ""
    cells = [
        row["name"],
        f"{row['lesions']} of {lesions}",
        *(f"{_seconds(median(row[clock]))}{star}" for clock in ("cpu_seconds", "wall_seconds")),
        f"{row['times_plain']:.2f}",
        "" if row["times_nnsight"] is None else f"{row['times_nnsight']:.2f}",
        f"{row['of_peak']:.0%}",
        f"{row['of_limit']:.0%}",
        f"{row['added_bytes'] / 2**20:,.0f}",
        "0" if row["max_difference"] == 0 else f"{row['max_difference']:.1g}",
    ]
    return f"| {' | '.join(cells)} |"


def _seconds(value: float) -> str:
    return f"{value:.3g}" if value < 100 else f"{value:,.0f}"


def _machine(machine: Mapping[str, Any]) -> str:
    return (
        f"{machine['processor']}, {machine['threads']} thread{'s' if machine['threads'] > 1 else ''}, "
        f"torch {machine['torch']}, transformers {machine['transformers']}"
    )


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
