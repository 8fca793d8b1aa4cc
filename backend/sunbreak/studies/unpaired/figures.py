"""The figures of the report as PNG: translations there and back (1a), distance by epoch (1b), example pairs (2)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image as Pictures

from sunbreak.extras import require
from sunbreak.metrics.bootstrap import Estimate
from sunbreak.studies.unpaired.examples import picture
from sunbreak.studies.unpaired.known_truth import FIGURES
from sunbreak.studies.unpaired.unpaired_study import Results

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLOURS = {"cleared": "#D55E00", "cloudy": "#4d4d4d", "clear": "#0072B2"}
_STYLE = {
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "legend.frameon": False,
}
_ROWS = 5
_LEAST_PIXELS = 240


def draw_all(results: Results, folder: Path, checkpoint: Callable[[], None] = lambda: None) -> dict[str, Path]:
    """Draw the figures into `folder`. Returns their paths by name.

    Raises:
        InputError: matplotlib is not installed.
    """
    require("matplotlib", "reports", "Drawing the figures")
    import matplotlib as mpl

    folder.mkdir(parents=True, exist_ok=True)
    plan: dict[str, Callable[[Results], Figure]] = {
        "fig1a_columns": _columns,
        "fig1b_distance": _curve,
        "fig2_pairs": _pairs,
    }
    if results.pairs is not None and results.pairs.rows:
        plan["quality"] = _quality
    made = {}
    with mpl.rc_context(_STYLE):  # type: ignore[arg-type]
        for name, draw in plan.items():
            checkpoint()
            made[name] = folder / f"{name}.png"
            draw(results).savefig(made[name], dpi=110, metadata={"Software": None})
    return made


def _new(width: float, height: float) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _columns(results: Results) -> Figure:
    shown, channels = results.examples, results.size.translation.channels
    columns = {"x: cloudy": shown.cloudy, "G(x, z): cleared": shown.cleared, "G(x, z'): cleared": shown.other,
               "restored": shown.restored}  # fmt: skip
    if shown.truth is not None:
        columns["truth"] = shown.truth
    rows = min(_ROWS, len(shown.names))
    figure = _new(2.1 * len(columns), 2.1 * rows + 0.4)
    panels = figure.subplots(rows, len(columns), squeeze=False)
    for row in range(rows):
        for axes, (title, images) in zip(panels[row], columns.items(), strict=True):
            _show(axes, picture(images[row], channels), title if row == 0 else "")
    return figure


def _pairs(results: Results) -> Figure:
    shown, channels = results.examples, results.size.translation.channels
    across = min(3, len(shown.names))
    rows = len(shown.names) // across
    parts = {"a) cloudy validation patches": shown.cloudy, "b) the same patches, cleared": shown.cleared}
    if shown.truth is not None:
        parts["c) truth"] = shown.truth
    figure = _new(4.2 * len(parts), 1.4 * rows + 0.4)
    for part, (title, images) in zip(figure.subfigures(1, len(parts), squeeze=False)[0], parts.items(), strict=True):
        part.suptitle(title, fontsize=11)
        for axes, image in zip(part.subplots(rows, across, squeeze=False).flat, images, strict=False):
            _show(axes, picture(image, channels), "")
    return figure


def _curve(results: Results) -> Figure:
    from matplotlib.ticker import MaxNLocator

    epochs = [row["epoch"] for row in results.epochs]
    figure = _new(8, 6)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    values = np.array([row["frechet"] for row in results.epochs])
    ends = [np.array([row[key] for row in results.epochs]) for key in ("frechet_low", "frechet_high")]
    upper.fill_between(epochs, *ends, color=_COLOURS["cleared"], alpha=0.25, linewidth=0)
    upper.plot(epochs, values, color=_COLOURS["cleared"], marker="o", label="cleared against clear")
    baseline, floor = results.baseline, results.floor
    upper.axhline(
        baseline.frechet.value, color=_COLOURS["cloudy"], linestyle=":", label="cloudy against clear (baseline)"
    )
    upper.axhline(
        baseline.frechet.value / 2, color=_COLOURS["cloudy"], linestyle=(0, (1, 4)), label="half of the baseline"
    )
    upper.axhline(
        floor.frechet.value, color=_COLOURS["clear"], linestyle="--", label="other clear patches against clear"
    )
    upper.set_yscale("log")
    upper.set_ylabel("Frechet distance (log scale)")
    upper.set_title(
        f"{baseline.width} features of {baseline.layer}; {baseline.counts[0]} and {baseline.counts[1]} validation "
        "patches"
    )
    upper.legend(fontsize=9, loc="center right", frameon=True, framealpha=0.9)
    scores = np.array([row["score"] for row in results.epochs])
    lower.plot(epochs, scores, color=_COLOURS["cleared"], marker="o", label="cleared")
    lower.axhline(results.final.reference_score.value, color=_COLOURS["clear"], linestyle="--", label="clear")
    lower.axhspan(
        min(1.0, float(scores.min())), results.final.bound, color="#cccccc", alpha=0.5, label="counts as collapsed"
    )
    lower.set_ylabel("Diversity (score)")
    lower.set_xlabel("Epoch")
    lower.xaxis.set_major_locator(MaxNLocator(integer=True))
    lower.legend(fontsize=9)
    for axes in (upper, lower):
        axes.grid(axis="y", alpha=0.3)
    return figure


def _quality(results: Results) -> Figure:
    if results.pairs is None:
        raise ValueError("there are no pairs to draw")
    rows = results.pairs.rows
    figure = _new(11, 0.45 * len(rows) + 1.2)
    panels = figure.subplots(1, len(FIGURES), sharey=True)
    place = np.arange(len(rows))[::-1]
    for axes, (key, title) in zip(panels, FIGURES.items(), strict=True):
        found: list[Estimate] = [figures[key] for figures in rows.values()]
        value = np.array([one.value for one in found])
        error = np.abs(np.array([[one.value - one.low, one.high - one.value] for one in found]).T)
        axes.errorbar(value, place, xerr=np.nan_to_num(error), fmt="o", color=_COLOURS["clear"], capsize=2)
        axes.set_yticks(place, list(rows))
        axes.set_title(title)
        axes.grid(axis="x", alpha=0.3)
    return figure


def _show(axes: Axes, pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], title: str) -> None:
    factor = max(1, _LEAST_PIXELS // pixels.shape[0])
    size = pixels.shape[1] * factor, pixels.shape[0] * factor
    axes.imshow(Pictures.fromarray(pixels).resize(size, Pictures.Resampling.NEAREST))
    axes.set_axis_off()
    if title:
        axes.set_title(title, loc="center", fontsize=10)
