"""Compare every lesion of a sweep's baselines with retraining without the component."""

from pathlib import Path

from causalablate.training.retraining.arms import Selected, Sweep, compared_arms
from causalablate.training.retraining.files import read_comparison, write_comparison
from causalablate.training.retraining.measure import Measurements
from causalablate.training.retraining.result import Facts, RetrainingComparison
from causalablate.training.retraining.section import CompareSection

UNITS = "units"


def compare_sweep(
    results: Sweep, section: CompareSection, out: str | Path, *, quiet: bool = False
) -> RetrainingComparison:
    """Measure lesions and retrained models on the same examples with the same noise, and compare them.

    For every arm that differs from the baseline in `without` alone, and every capacity control, which also widens the
    connector: the baseline of each seed under that lesion, and the model of the seed trained without the component,
    from which it is still absent. Finished units are kept in `out/units` and never computed again; both tables are
    written as `lesion.parquet` and `retraining.parquet`.

    Args:
        results: The sweep's results.
        section: On what they are compared; relative paths are from the working directory.
        out: A directory of the comparison.
        quiet: Show no progress bar.
    Raises:
        TrainingError: No arm can be compared.
        CheckpointError: A checkpoint is missing or damaged.
        InertLesionError: A lesion never acts.
        LedgerError: The directory cannot be written.
        OutcomeError: An outcome is NaN or infinite, or not defined for the model.
    """
    out = Path(out)
    selected = compared_arms(results)
    measured = Measurements(section, selected.arms, out / UNITS)
    measured.finish(quiet=quiet)
    tables = measured.lesion_table(results.name), measured.retraining_table(results.name)
    write_comparison(out, *tables, _facts(results.name, section, selected))
    return read_comparison(out)


def _facts(title: str, section: CompareSection, selected: Selected) -> Facts:
    plain = {arm.lesion: arm.name for arm in selected.arms if not arm.control}
    return Facts(
        title=title,
        arms={arm.name: arm.arm for arm in selected.arms},
        controls={arm.name: plain.get(arm.lesion, "") for arm in selected.arms if arm.control},
        level=section.level,
        sesoi=section.sesoi,
        seed=section.seed,
        left_out=selected.left_out,
        notes=selected.notes,
    )
