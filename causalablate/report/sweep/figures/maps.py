"""Where the queries look on fixed examples: the allocation, the static query, the dynamic query."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure

from causalablate.report.figures.style import INK, QUIET, SIZE, SMALL, canvas, text_inches, titled
from causalablate.report.format import percent
from causalablate.report.sweep.arms import ended_runs
from causalablate.training.sweep.results import SweepResults

KEYS = ("allocation", "static", "dynamic")
NAMES = {
    "allocation": "allocation,\nlast frame",
    "static": "static query,\nfirst frame",
    "dynamic": "dynamic query,\nlast frame",
}
CELL, GAP, LEFT, TOP, BOTTOM, BAR = 0.74, 0.08, 1.35, 0.85, 0.45, 0.09
"""Inches: side of a map, space between them, margins, width of a colour bar."""
HEAT = LinearSegmentedColormap.from_list("heat", ["#ffffff", "#cfe3f2", "#5ba3d0", "#0067a5", "#00263d"])


def maps_of(results: SweepResults, arm: str) -> tuple[int, dict[str, np.ndarray]] | None:
    """Seed and maps of the first run of an arm that ended and kept them; None where there is none."""
    for run in ended_runs(results, arm):
        held = results.maps(arm, run.seed)
        if set(KEYS) <= set(held) and any(np.isfinite(held[key][-1:]).any() for key in KEYS):
            return run.seed, held
    return None


def attention_maps(results: SweepResults, arm: str, *, title: str | None = None) -> Figure | None:
    """Draw the maps of the last evaluation of an arm: a column per example, a row per map.

    Each map is a share of its whole, tokens or attention, so that its patches sum to 100 %. The two queries share a
    colour scale. The static query reads the first frame and the dynamic query the last; below each example stands how
    far the two are apart: half the sum of absolute differences of their shares, 0 % where they look at the same
    patches, 100 % where they have none in common. What the mode of an arm does not have stays empty.

    Args:
        results: The sweep.
        arm: Whose maps.
        title: Instead of the figure's own.
    Returns:
        None where no run of the arm kept maps.
    """
    found = maps_of(results, arm)
    if found is None:
        return None
    seed, held = found
    shares = {key: _shares(held[key][-1]) for key in KEYS}
    n = len(shares["static"])
    ids = [str(i) for i in held.get("ids", np.arange(n))]
    step = f", step {int(held['steps'][-1]):,}" if "steps" in held else ""
    apart = 0.5 * np.abs(shares["static"] - shares["dynamic"]).sum(axis=1)
    name = title or f"Static against dynamic query: {arm}"
    note = (
        f"seed {seed}{step}; shares of tokens and of attention, %; apart: total variation between the two queries"
        + (f", mean {100 * apart.mean():.0f} %" if np.isfinite(apart).all() else "")
    )
    width = max(LEFT + n * CELL + (n - 1) * GAP + 0.75, text_inches(note, SMALL) + 0.3)
    height = TOP + len(shares) * (CELL + GAP) + BOTTOM
    figure = canvas(width, height)
    scales = _scales(shares)
    for row, (key, values) in enumerate(shares.items()):
        y = height - TOP - (row + 1) * CELL - row * GAP
        for i in range(n):
            x = LEFT + i * (CELL + GAP)
            axes = figure.add_axes((x / width, y / height, CELL / width, CELL / height))
            _map(axes, values[i], scales[key])
            if row == 0:
                axes.set_title(_id(ids[i]), fontsize=6.5, color=QUIET, pad=3, parse_math=False)
            if key == "dynamic":
                axes.set_xlabel(percent(apart[i], 0), fontsize=SMALL, color=INK, labelpad=3)
        figure.text((LEFT - 0.12) / width, (y + CELL / 2) / height, NAMES[key], ha="right", va="center", size=SMALL)
        if not np.isfinite(values).any():
            continue
        bar = figure.add_axes(((LEFT + n * (CELL + GAP) + 0.02) / width, y / height, BAR / width, CELL / height))
        _bar(bar, scales[key])
    figure.text(
        (LEFT - 0.12) / width, (BOTTOM - 0.06) / height, "apart", ha="right", va="center", size=SMALL, color=INK
    )
    titled(figure, name, note)
    return figure


def _shares(values: np.ndarray) -> np.ndarray:
    """Each row as shares that sum to one, shape (examples, patches); NaN where there is nothing to share."""
    values = np.asarray(values, dtype=float)
    total = values.sum(axis=1, keepdims=True)
    return np.where(total > 0, values / np.where(total > 0, total, 1.0), np.nan)


def _scales(shares: Mapping[str, np.ndarray]) -> dict[str, Normalize]:
    def scale(*keys: str) -> Normalize:
        values = np.concatenate([shares[key].ravel() for key in keys])
        return Normalize(0.0, float(np.max(values[np.isfinite(values)], initial=0.0)) or 1.0)

    return {"allocation": scale("allocation"), "static": (queries := scale("static", "dynamic")), "dynamic": queries}


def _map(axes: Axes, patches: np.ndarray, scale: Normalize) -> None:
    rows = next(r for r in range(int(np.sqrt(patches.size)), 0, -1) if patches.size % r == 0)
    axes.imshow(patches.reshape(rows, -1), cmap=HEAT, norm=scale, interpolation="nearest", aspect="auto")
    axes.set(xticks=[], yticks=[])
    if not np.isfinite(patches).any():
        axes.text(0.5, 0.5, "none", ha="center", va="center", size=SMALL, color=QUIET, transform=axes.transAxes)
    for side in axes.spines.values():
        side.set(visible=True, color=QUIET, linewidth=0.5)


def _bar(axes: Axes, scale: Normalize) -> None:
    most = 100 * float(scale.vmax or 1)
    axes.imshow(np.linspace(0, 1, 64)[::-1, None], cmap=HEAT, aspect="auto", extent=(0, 1, 0, most))
    axes.yaxis.tick_right()
    axes.set(xticks=[], yticks=[0, most])
    axes.set_yticklabels(["0", f"{most:.0f} %"], fontsize=SIZE - 2)
    axes.tick_params(length=2, pad=2)
    for side in axes.spines.values():
        side.set(visible=True, color=QUIET, linewidth=0.5)


def _id(text: str) -> str:
    return text if len(text) <= 10 else "…" + text[-8:]
