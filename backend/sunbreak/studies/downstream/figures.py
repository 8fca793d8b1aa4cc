"""The figures of the report, numbered as in paper 1, as PNG and SVG.

They are drawn by matplotlib without its global state. Whiskers are 95 % bootstrap intervals.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sunbreak.extras import require
from sunbreak.metrics.binning import cover_bins
from sunbreak.metrics.separability import PAPER_SCORES, logit_scores
from sunbreak.studies.downstream import drawing
from sunbreak.studies.downstream.results import BinTable, Difference, Evaluation, InputFigures
from sunbreak.studies.downstream.table import INPUT_TITLES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# bins with fewer patches than this are shaded
_FEW = 10
_FIGURE_TITLES = {
    "f1": "Macro F1",
    "precision": "Macro precision",
    "recall": "Macro recall",
    "confidence": "Mean confidence",
}
_SCORE_AXES = {
    "max_probability": ("Maximum probability", False),
    "cross_entropy": ("Cross-entropy to the true class, nats (log scale)", True),
    "precision": ("Precision: sum of exp(logit) (log scale)", True),
    "logit_sum": ("Sum of the logits", False),
}


def draw_figures(
    plan: Mapping[str, Callable[[], Figure]], folder: Path, checkpoint: Callable[[], None] = lambda: None
) -> dict[str, Path]:
    """Draw figures into a folder.

    Args:
        plan: Functions that draw them, by name.
        folder: Folder for the figures; created if missing.
        checkpoint: Called before each figure; may raise to stop.

    Returns:
        PNG files by name, in the order of the report; an SVG file is beside each.

    Raises:
        InputError: matplotlib is not installed.
    """
    require("matplotlib", "reports", "Drawing the figures")
    import matplotlib as mpl

    folder.mkdir(parents=True, exist_ok=True)
    paths = {}
    with mpl.rc_context(drawing.STYLE):
        for name, draw in plan.items():
            checkpoint()
            figure = draw()
            paths[name] = folder / f"{name}.png"
            figure.savefig(paths[name], dpi=150, metadata={"Software": None})
            figure.set_layout_engine("none")  # keeps the layout for the second file
            figure.savefig(folder / f"{name}.svg", metadata={"Date": None})
    return paths


def planned_figures(evaluation: Evaluation) -> dict[str, Callable[[], Figure]]:
    """Functions that draw the figures from the table, by name, in the order of the report."""
    inputs = evaluation.inputs
    plan: dict[str, Callable[[], Figure]] = {
        "fig1_cover": lambda: _cover_histogram(evaluation),
        "fig2_classes": lambda: _class_distribution(evaluation),
    }
    main = [name for name in inputs if name != "removed_raw" or "removed" not in inputs]
    plan["fig5_confusion"] = lambda: _confusions(evaluation, main)
    if {"removed", "removed_raw"} <= set(inputs):
        plan["fig5_confusion_raw"] = lambda: _confusions(evaluation, ["removed", "removed_raw"])
    plan["fig6_difference"] = lambda: _differences(evaluation)
    for mode, figures in evaluation.modes.items():
        plan[f"fig7_by_cover_{mode}"] = lambda found=figures.by_cover: _by_cover(found)  # type: ignore[misc]
        for name, table in figures.by_ssim.items():
            plan[f"fig8_by_ssim_{name}_{mode}"] = lambda found=table, of=name: _by_ssim(found, of)  # type: ignore[misc]
    plan["fig9_scores"] = lambda: _score_distributions(evaluation)
    plan["reliability"] = lambda: _reliability(evaluation)
    return plan


def _cover_histogram(evaluation: Evaluation) -> Figure:
    bins = cover_bins(evaluation.table.cover, "corrected")
    figure = drawing.new(8, 4)
    axes = figure.subplots()
    colours = ["#E69F00", *[drawing.COLOURS["clear"]] * (len(bins.titles) - 1)]
    bars = axes.bar(np.arange(len(bins.titles)), bins.count, color=colours, width=0.85)
    axes.bar_label(bars, padding=2)
    drawing.bin_ticks(axes, bins, counts=False)
    axes.set_xlabel("Cloud cover of the cloudy image, % (bins closed on the right; 0 has its own bin)")
    axes.set_ylabel("Patches")
    axes.set_title(f"Cloud cover of the {len(evaluation.table)} patches of the split '{evaluation.split}'")
    return figure


def _class_distribution(evaluation: Evaluation) -> Figure:
    figure = drawing.new(9, 4.5)
    axes = figure.subplots()
    place = np.arange(len(evaluation.table.classes))
    splits = list(evaluation.class_counts.items())
    width = 0.8 / len(splits)
    for index, (split, counts) in enumerate(splits):
        style = index % len(drawing.SPLIT_COLOURS)
        axes.bar(
            place + (index - (len(splits) - 1) / 2) * width,
            100 * counts / max(int(counts.sum()), 1),
            width,
            label=f"{split} ({int(counts.sum())} patches)",
            color=drawing.SPLIT_COLOURS[style],
            hatch=drawing.SPLIT_HATCHES[style],
            edgecolor="white",
            linewidth=0.5,
        )
    absent = np.sum([counts for _, counts in splits], axis=0) == 0
    for index in np.flatnonzero(absent):
        axes.text(index, 0.4, "no patch", ha="center", va="bottom", rotation=90, color="#4d4d4d", fontsize=9)
    axes.set_xticks(place, evaluation.table.classes, rotation=35, ha="right", rotation_mode="anchor")
    axes.set_xlabel("Class")
    axes.set_ylabel("Patches of the split, %")
    axes.set_title("Class distribution by split")
    axes.grid(axis="y", alpha=0.3)
    axes.legend()
    return figure


def _confusions(evaluation: Evaluation, names: Sequence[str]) -> Figure:
    classes = evaluation.table.classes
    figure = drawing.new(1.4 + 4.9 * len(names), 5.9)
    panels = figure.subplots(1, len(names), squeeze=False)[0]
    for axes, name in zip(panels, names, strict=True):
        found = evaluation.inputs[name]
        image = axes.imshow(100 * found.shares, cmap="Blues", vmin=0, vmax=100)
        drawing.cells(axes, 100 * found.shares, lambda value: f"{value:.0f}" if value >= 0.5 else "·", dark_above=55)
        f1 = found.macro["supported"]["f1"]
        axes.set_title(f"{INPUT_TITLES[name]}\nmacro F1 {f1.value:.3f}, accuracy {found.overall['accuracy'].value:.3f}")
        drawing.class_axes(axes, classes, _supports(found) if axes is panels[0] else None)
    figure.colorbar(image, ax=list(panels), shrink=0.75, label="Fraction of the true class, %")
    return figure


def _differences(evaluation: Evaluation) -> Figure:
    shown = [found for found in evaluation.differences if found.first == "clear"]
    figure = drawing.new(1.4 + 4.9 * len(shown), 6)
    panels = figure.subplots(1, len(shown), squeeze=False)[0]
    support = _supports(evaluation.inputs["clear"])
    for axes, found in zip(panels, shown, strict=True):
        image = axes.imshow(100 * found.shares, cmap="PuOr_r", vmin=-100, vmax=100)
        drawing.cells(axes, 100 * found.shares, drawing.signed, dark_above=60, bold=_certain(found))
        drop = found.figures["macro_f1_supported"]
        axes.set_title(
            f"{INPUT_TITLES[found.second]} minus {INPUT_TITLES[found.first].lower()}\nmacro F1 "
            f"{drawing.with_interval(drop)}"
        )
        drawing.class_axes(axes, evaluation.table.classes, support if axes is panels[0] else None)
    figure.colorbar(image, ax=list(panels), shrink=0.75, label="Change of the fraction, percentage points")
    figure.supxlabel("bold: the 95 % bootstrap interval does not contain 0", fontsize=10)
    return figure


def _by_cover(found: BinTable) -> Figure:
    figure = drawing.new(13, 7.6)
    panels = figure.subplots(2, 2, sharex=True)
    for axes, name in zip(panels.flat, _FIGURE_TITLES, strict=True):
        draw_by_bin(axes, found, name, _FIGURE_TITLES[name])
    for axes in panels[1]:
        drawing.bin_ticks(axes, found.binning, counts=True)
        axes.set_xlabel("Cloud cover of the cloudy image, %, and (patches in the bin)")
    drawing.shared_legend(figure, panels.flat[0], len(found.figures), whiskers_said(found))
    return figure


def _by_ssim(found: BinTable, of: str) -> Figure:
    figure = drawing.new(13, 4.2)
    panels = figure.subplots(1, 4)
    for axes, name in zip(panels, _FIGURE_TITLES, strict=True):
        draw_by_bin(axes, found, name, _FIGURE_TITLES[name])
        drawing.bin_ticks(axes, found.binning, counts=True)
    figure.supxlabel(f"SSIM of {INPUT_TITLES[of].lower()} against clear, and (patches in the bin)", fontsize=10)
    drawing.shared_legend(figure, panels[0], len(found.figures), whiskers_said(found))
    return figure


def whiskers_said(found: BinTable) -> str:
    """What whiskers and shades of `draw_by_bin` mean."""
    few = bool((found.binning.count < _FEW).any())
    return "whiskers: 95 % bootstrap intervals" + (f"; shaded: fewer than {_FEW} patches" if few else "")


def draw_by_bin(axes: Axes, found: BinTable, name: str, label: str) -> None:
    """Draw one figure of all inputs by bin, with `label` along y; bins with few patches are shaded."""
    place = np.arange(len(found.binning.titles))
    for few in np.flatnonzero(found.binning.count < _FEW):
        axes.axvspan(few - 0.5, few + 0.5, color="#f0f0f0", linewidth=0, zorder=0)
    step = 0.13
    for index, (key, figures) in enumerate(found.figures.items()):
        values, below, above = drawing.whiskers(figures[name])
        drawn = axes.errorbar(
            place + (index - (len(found.figures) - 1) / 2) * step,
            values,
            yerr=(below, above),
            color=drawing.COLOURS[key],
            marker=drawing.MARKERS[key],
            linestyle=drawing.DASHES[key],
            linewidth=1.4,
            markersize=5.5,
            elinewidth=1.1,
            capsize=2,
            label=INPUT_TITLES[key],
        )
        # whiskers are lighter than lines
        for part in (*drawn[1], *drawn[2]):
            part.set_alpha(0.5)
    axes.set_xlim(-0.5, len(place) - 0.5)
    axes.set_ylim(-0.02, 1.02)
    axes.set_ylabel(label)
    axes.grid(axis="y", alpha=0.3)


def _score_distributions(evaluation: Evaluation) -> Figure:
    from matplotlib.ticker import LogLocator

    figure = drawing.new(12, 7.4)
    panels = figure.subplots(2, 2)
    scores = {name: logit_scores(evaluation.table.logits[name], evaluation.table.label) for name in evaluation.inputs}
    for axes, score in zip(panels.flat, PAPER_SCORES, strict=True):
        label, logarithmic = _SCORE_AXES[score.name]
        edges = drawing.edges([found[score.name] for found in scores.values()], logarithmic, len(evaluation.table))
        for name, found in scores.items():
            values = np.clip(found[score.name], edges[0], edges[-1])
            shares = 100 * np.histogram(values, edges)[0] / len(values)
            axes.stairs(
                shares,
                edges,
                color=drawing.COLOURS[name],
                linestyle=drawing.DASHES[name],
                linewidth=1.7,
                label=INPUT_TITLES[name],
            )
            axes.plot(
                np.median(values), -0.025, marker=drawing.MARKERS[name], color=drawing.COLOURS[name], markersize=7,
                clip_on=False, transform=axes.get_xaxis_transform(), zorder=5,
            )  # fmt: skip
        if logarithmic:
            axes.set_xscale("log")
            drawing.plain_log_ticks(axes, edges[0], edges[-1])
        axes.set_xlim(edges[0], edges[-1])
        if score.name == "max_probability":
            # on a linear axis, one confident input would flatten the others
            axes.set_yscale("log")
            axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axes.yaxis.set_major_formatter("{x:g}")
            axes.set_ylabel("Patches of the input, % per bin (log scale)")
        else:
            axes.set_ylim(bottom=0)
            axes.set_ylabel("Patches of the input, % per bin")
        axes.tick_params(axis="x", pad=7)
        axes.set_xlabel(label)
        axes.set_title(score.title)
        axes.grid(axis="y", alpha=0.3)
    drawing.shared_legend(
        figure,
        panels.flat[0],
        len(scores),
        f"{len(evaluation.table)} patches each; marks: medians; the outermost bins include all values beyond",
    )
    return figure


def _reliability(evaluation: Evaluation) -> Figure:
    names = list(evaluation.inputs)
    figure = drawing.new(1 + 3.6 * len(names), 5.6)
    panels = figure.subplots(2, len(names), sharex=True, squeeze=False, height_ratios=(3, 1))
    most = max(found.reliability.count.max() for found in evaluation.inputs.values())
    for column, name in enumerate(names):
        found = evaluation.inputs[name]
        bins = found.reliability
        upper, lower = panels[0, column], panels[1, column]
        upper.plot([0, 1], [0, 1], color="#999999", linewidth=1)
        values, below, above = drawing.whiskers(found.reliability_accuracy)
        style = {"color": drawing.COLOURS[name], "marker": drawing.MARKERS[name], "linestyle": "none"}
        upper.errorbar(bins.confidence, values, yerr=(below, above), markersize=5.5, elinewidth=1.1, capsize=2, **style)
        error = found.overall["calibration_error"]
        upper.set_title(f"{INPUT_TITLES[name]}\nECE {error.value:.3f} ({error.low:.3f}–{error.high:.3f})")
        upper.set_xlim(-0.02, 1.02)
        upper.set_ylim(-0.02, 1.02)
        upper.set_aspect("equal")
        upper.grid(alpha=0.3)
        lower.bar(
            bins.edges[:-1],
            bins.count,
            np.diff(bins.edges),
            align="edge",
            color=drawing.COLOURS[name],
            edgecolor="white",
        )
        lower.set_ylim(0, 1.05 * most)
        lower.set_xlabel("Confidence (max. probability)")
    panels[0, 0].set_ylabel("Fraction correct")
    panels[1, 0].set_ylabel("Patches")
    return figure


def _supports(found: InputFigures) -> list[int]:
    return [int(count) for count in found.confusion.sum(axis=1)]


def _certain(found: Difference) -> NDArray[np.bool_]:
    return np.asarray((found.shares_low > 0) | (found.shares_high < 0))
