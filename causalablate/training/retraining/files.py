"""A comparison as files: both tables in Parquet, and what they were made of; read back without a model."""

import json
from dataclasses import asdict
from pathlib import Path

from causalablate.durable import write_durably
from causalablate.errors import LedgerError
from causalablate.table import Counterfactuals
from causalablate.table_files import read_table, write_table
from causalablate.training.retraining.result import Facts, RetrainingComparison, comparison

LESION, RETRAINING, FACTS = "lesion.parquet", "retraining.parquet", "comparison.json"


def write_comparison(out: Path, lesion: Counterfactuals, retraining: Counterfactuals, facts: Facts) -> None:
    """Write both tables and the facts.

    Raises:
        LedgerError: The directory cannot be written.
    """
    write_table(lesion, out / LESION)
    write_table(retraining, out / RETRAINING)
    write_durably(out / FACTS, (json.dumps(asdict(facts), indent=2, ensure_ascii=False) + "\n").encode())


def read_comparison(out: str | Path) -> RetrainingComparison:
    """Read what `compare_sweep` wrote, and compute its effects.

    Raises:
        LedgerError: The directory holds no comparison, or a file of it is damaged.
        EffectError: A table is damaged.
    """
    out = Path(out)
    try:
        known = json.loads((out / FACTS).read_text(encoding="utf-8"))
        facts = Facts(**{**known, "notes": tuple(known["notes"])})
    except FileNotFoundError as error:
        raise LedgerError(
            f"{out} holds no comparison of lesions with retraining; make it with a sweep that has a `compare` section"
        ) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LedgerError(f"{out / FACTS} is damaged ({error!r}); run the same command again") from error
    return comparison(read_table(out / LESION), read_table(out / RETRAINING), facts)
