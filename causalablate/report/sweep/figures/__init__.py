"""Figures of a sweep as PNG files: those that its file asks for, or all that its results support."""

import io
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from causalablate.durable import write_durably
from causalablate.errors import EffectError, nearest
from causalablate.report.figures.style import DPI, file_stem, styled
from causalablate.report.format import NOTHING, plain
from causalablate.report.sweep.arms import (
    ended_runs,
    metric_by_seed,
    metrics_known,
    own_arms,
    record_value,
    select_arms,
)
from causalablate.report.sweep.figures.against import (
    COMPUTE,
    FLOPS,
    PARAMETERS,
    SIZE,
    TOKENS,
    Against,
    differing,
    other_tokens,
    sizes,
)
from causalablate.report.sweep.figures.by_arm import by_arm
from causalablate.report.sweep.figures.maps import attention_maps, maps_of
from causalablate.report.sweep.figures.modes import by_mode, modes_of
from causalablate.report.sweep.figures.over_training import curves_of, over_training
from causalablate.report.sweep.figures.scatter import accuracy_against
from causalablate.training.sweep.figures import (
    AttentionMaps,
    ByMode,
    FigureSection,
    Freeze,
    MetricByArm,
    OverTraining,
    Scaling,
    TokenEfficiency,
)
from causalablate.training.sweep.results import SweepResults

Effects = Callable[[str], pd.DataFrame]
"""Metric to its table of `arm_effects`."""
CURVES = ("accuracy", "val_loss", "loss_ratio", "attention_entropy", "feature_similarity")
FREEZE = "model.freeze"


def default_figures(results: SweepResults) -> tuple[FigureSection, ...]:
    """The figures that the results support: nothing is drawn that would be empty or show one point."""
    known, arms = metrics_known(results), [arm.name for arm in results.arms]
    found: list[FigureSection] = []
    found += [MetricByArm(kind="metric_by_arm", metric=m) for m in ("accuracy", "loss_ratio") if m in known]
    logged = [m for m in CURVES if any(len(x) > 1 for arm in arms for x, _ in curves_of(results, arm, m).values())]
    found += [OverTraining(kind="over_training", metric=m) for m in logged]
    if len(differing(results, (TOKENS,))) > 1:
        found.append(TokenEfficiency(kind="token_efficiency"))
    if maps_of(results, results.baseline):
        found.append(AttentionMaps(kind="attention_maps", arm=results.baseline))
    if len(modes_of(results)) > 1:
        found.append(ByMode(kind="by_mode"))
    if len(differing(results, (PARAMETERS,), SIZE)) > 2:
        found.append(Scaling(kind="scaling"))
    candidates = [a.name for a in results.arms if a.name == results.baseline or set(a.set) == {FREEZE}]
    frozen = tuple(arm for arm in candidates if ended_runs(results, arm))
    if len(frozen) > 1:
        found.append(Freeze(kind="freeze", arms=frozen))
    return tuple(found)


def write_sweep_figures(
    results: SweepResults, sections: Sequence[FigureSection], directory: Path, effects: Effects, *, level: float
) -> tuple[list[tuple[str, Path]], list[str]]:
    """Draw figures and write them, the same bytes for the same results.

    A figure that cannot be drawn does not keep the others from being drawn.

    Args:
        results: The sweep.
        sections: What to draw.
        directory: Where the files go; made if needed.
        effects: Gives the table of a metric.
        level: Of its intervals.
    Returns:
        Title and PNG file of each figure, in the order of the sections, and a sentence for each that was left out.
    Raises:
        LedgerError: The directory cannot be written.
    """
    written: list[tuple[str, Path]] = []
    left_out: list[str] = []
    with styled():
        for section in sections:
            try:
                figure = draw(results, section, effects, level=level)
            except EffectError as error:
                left_out.append(f"The figure {section.kind} could not be drawn: {error}.")
                continue
            if figure is None:
                left_out.append(f"The figure {section.kind} was left out: no run that ended measured what it shows.")
                continue
            stem, taken = _stem(section), {path.stem for _, path in written}
            name = next(s for s in [stem, *(f"{stem}_{i}" for i in range(2, len(sections) + 2))] if s not in taken)
            data = io.BytesIO()
            figure.savefig(data, format="png", dpi=DPI, metadata={"Software": None})
            path = write_durably(directory / f"{name}.png", data.getvalue(), flush=False)
            written.append((section.title or figure.texts[0].get_text(), path))
    return written, left_out


def draw(results: SweepResults, section: FigureSection, effects: Effects, *, level: float = 0.95) -> Figure | None:
    """One figure, or None where the results hold nothing to draw in it.

    Raises:
        EffectError: The section names an arm or a metric that the sweep does not have.
    """
    if isinstance(section, MetricByArm):
        arms = select_arms(results, section.arms)
        if not metrics_known(results):
            return None
        _check_metric(section.metric, metrics_known(results))
        return by_arm(results, effects(section.metric), section.metric, arms, title=section.title, level=level)
    if isinstance(section, OverTraining):
        columns = {name for run in results.runs for row in run.log for name in row}
        if not columns:
            return None
        _check_metric(section.metric, sorted(columns - {"step", "stage", "samples"}))
        return over_training(results, section.metric, own_arms(results, section.arms), title=section.title)
    if isinstance(section, AttentionMaps):
        return attention_maps(results, select_arms(results, [section.arm])[0], title=section.title)
    if isinstance(section, ByMode):
        return by_mode(results, own_arms(results, section.arms), title=section.title) if modes_of(results) else None
    if isinstance(section, Freeze):
        return _freeze(results, section, effects, level)
    if isinstance(section, Scaling):
        arms = sizes(results) if section.arms is None else select_arms(results, section.arms)
        return _against(results, (PARAMETERS,), arms, section.title or "Accuracy against size")
    arms = other_tokens(results) if section.arms is None else select_arms(results, section.arms)
    title = section.title or "Token efficiency: accuracy against visual tokens, and against compute"
    return _against(results, (TOKENS, FLOPS), arms, title)


def _against(results: SweepResults, axes_of: tuple[Against, ...], arms: Sequence[str], title: str) -> Figure | None:
    drawable = [arm for arm in arms if metric_by_seed(results, arm, "accuracy")]
    return accuracy_against(results, axes_of, arms, title, said=(COMPUTE,)) if drawable else None


def _freeze(results: SweepResults, section: Freeze, effects: Effects, level: float) -> Figure:
    arms = select_arms(results, section.arms)
    beside = [
        f"{_number(record_value(results, arm, 'parameters', 'trainable') / 1e3)} k, "
        f"{_number(record_value(results, arm, 'flops_per_sample') / 1e6)} MFLOP"
        for arm in arms
    ]
    title = section.title or "What is frozen: accuracy, trainable parameters, compute"
    said = ("trainable parameters, operations per sample", beside)
    return by_arm(results, effects("accuracy"), "accuracy", arms, title=title, level=level, beside=said)


def _number(value: float) -> str:
    return plain(value, 1) if value == value else NOTHING


def _check_metric(metric: str, known: Sequence[str]) -> None:
    if metric not in known:
        raise EffectError(
            f'no metric "{metric}" to draw{nearest(metric, known)}; the runs have {", ".join(known) or "none"}'
        )


def _stem(section: FigureSection) -> str:
    return file_stem(section.kind, *(str(getattr(section, n)) for n in ("metric", "arm") if hasattr(section, n)))
