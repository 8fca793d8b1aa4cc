"""The figures of the report on pixels: confusion, areas of the classes, and agreement by cloud cover."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from sunbreak.studies.downstream import drawing
from sunbreak.studies.downstream.figures import draw_by_bin, whiskers_said
from sunbreak.studies.downstream.per_pixel.results import PLACE_TITLES, PixelEvaluation
from sunbreak.studies.downstream.table import INPUT_TITLES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_FIGURES = {"agreement": "Agreement", "macro_f1": "Macro F1"}
CAPTIONS = {
    "pixel_confusion": "Confusion with the classes of the clear images, as fractions of each class there (rows); all "
    "pixels.",
    "pixel_confusion_replaced": "The same for the replaced pixels only.",
    "pixel_areas": "Area of each class in all pixels, and its change against the clear images.",
    "pixel_by_cover": "Agreement with the classes of the clear images, and macro F1, by cloud cover.",
}


def pixel_figures(evaluation: PixelEvaluation) -> dict[str, Callable[[], Figure]]:
    """Functions that draw the figures from the counts, by name."""
    return {
        "pixel_confusion": lambda: _confusions(evaluation, "all"),
        "pixel_confusion_replaced": lambda: _confusions(evaluation, "replaced"),
        "pixel_areas": lambda: _areas(evaluation),
        "pixel_by_cover": lambda: _by_cover(evaluation),
    }


def _confusions(evaluation: PixelEvaluation, place: str) -> Figure:
    versions, classes = evaluation.versions[place], evaluation.counts.classes
    figure = drawing.new(1.8 + 4.9 * len(versions), 5.9)
    panels = figure.subplots(1, len(versions), squeeze=False)[0]
    for axes, (name, found) in zip(panels, versions.items(), strict=True):
        percent = 100 * found.fractions
        image = axes.imshow(percent, cmap="Blues", vmin=0, vmax=100)
        drawing.cells(
            axes, percent, lambda value: f"{value:.0f}" if value >= 0.5 else "·", dark_above=55,
            none="no pixel of this class",
        )  # fmt: skip
        overall = found.overall
        axes.set_title(
            f"{INPUT_TITLES[name]}\nagreement {overall['agreement'].value:.3f}, macro F1 "
            f"{overall['macro_f1'].value:.3f}"
        )
        pixels = found.confusion.sum(axis=1)
        support = [f"{100 * count / max(int(pixels.sum()), 1):.1f} %" for count in pixels]
        drawing.class_axes(
            axes, classes, support if axes is panels[0] else None, "Class on this version",
            "Class on the clear image (fraction of the pixels)",
        )  # fmt: skip
    figure.colorbar(image, ax=list(panels), shrink=0.75, label="Fraction of the class on the clear image, %")
    return figure


def _areas(evaluation: PixelEvaluation) -> Figure:
    areas, classes = evaluation.areas["all"], evaluation.counts.classes
    figure = drawing.new(11, 7.4)
    upper, lower = figure.subplots(2, 1, sharex=True)
    place = np.arange(len(classes))
    for axes, shown in ((upper, areas.fractions), (lower, areas.changes)):
        width = 0.8 / len(areas.fractions)
        for name, found in shown.items():
            index = list(areas.fractions).index(name)
            values, below, above = drawing.whiskers(found)
            axes.bar(
                place + (index - (len(areas.fractions) - 1) / 2) * width, 100 * values, width,
                yerr=(100 * below, 100 * above), color=drawing.COLOURS[name], label=INPUT_TITLES[name],
                edgecolor="white", linewidth=0.5, error_kw={"elinewidth": 1, "capsize": 2, "alpha": 0.6},
            )  # fmt: skip
        axes.grid(axis="y", alpha=0.3)
    upper.set_ylabel("Area, % of all pixels")
    lower.axhline(0, color="#444444", linewidth=0.8)
    lower.set_ylabel("Change against clear, percentage points")
    lower.set_xticks(place, classes, rotation=25, ha="right", rotation_mode="anchor")
    drawing.shared_legend(figure, upper, len(areas.fractions))
    return figure


def _by_cover(evaluation: PixelEvaluation) -> Figure:
    figure = drawing.new(15, 7.6)
    panels = figure.subplots(2, 3, sharex=True)
    for column, (place, title) in enumerate(PLACE_TITLES.items()):
        table = evaluation.by_cover[place]
        for axes, (name, label) in zip(panels[:, column], _FIGURES.items(), strict=True):
            draw_by_bin(axes, table, name, label)
        panels[0, column].set_title(title.capitalize())
        drawing.bin_ticks(panels[1, column], table.binning, counts=True)
        panels[1, column].tick_params(axis="x", labelsize=7.5)
        panels[1, column].set_xlabel("Cloud cover of the cloudy image, %, and (patches in the bin)")
    table = evaluation.by_cover["all"]
    drawing.shared_legend(figure, panels[0, 0], len(table.figures), whiskers_said(table))
    return figure
