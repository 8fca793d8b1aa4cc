"""Shared parts of the figures: colours, markers, axes of classes and bins, cells with numbers.

The colours are those of Okabe and Ito, which are safe for colour blindness. Inputs also differ in markers and dashes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sunbreak.metrics.binning import Binning
from sunbreak.metrics.bootstrap import Estimate

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = {"clear": "#0072B2", "removed": "#D55E00", "removed_raw": "#009E73", "cloudy": "#4d4d4d"}
MARKERS = {"clear": "o", "removed": "s", "removed_raw": "^", "cloudy": "D"}
DASHES = {"clear": "-", "removed": "--", "removed_raw": "-.", "cloudy": ":"}
SPLIT_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#4d4d4d")
SPLIT_HATCHES = ("", "///", "...", "xx", "++")
STYLE: dict[Any, Any] = {
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "legend.frameon": False,
    "svg.hashsalt": "sunbreak",
    "axes.axisbelow": True,
}


def new(width: float, height: float) -> Figure:
    """A figure of this size in inches, drawn by Agg."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def cells(
    axes: Axes,
    values: NDArray[Any],
    write: Callable[[float], str],
    *,
    dark_above: float,
    bold: NDArray[Any] | None = None,
    none: str = "no patch of this class",
) -> None:
    """Write a number into each cell of a matrix, in white above `dark_above`; rows of NaN are hatched, with `none`."""
    for (row, column), value in np.ndenumerate(values):
        if np.isnan(value):
            continue
        weight = "bold" if bold is not None and bold[row, column] else "normal"
        colour = "white" if abs(value) > dark_above else "black"
        axes.text(
            column,
            row,
            write(float(value)),
            ha="center",
            va="center",
            color=colour,
            fontsize=8.5,
            weight=weight,
            in_layout=False,
        )
    for row in np.flatnonzero(np.isnan(values).all(axis=1)):
        axes.axhspan(row - 0.5, row + 0.5, facecolor="#eeeeee", edgecolor="#bbbbbb", hatch="////", linewidth=0)
        axes.text((len(values) - 1) / 2, row, none, ha="center", va="center", fontsize=8.5,
                  bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5})  # fmt: skip


def class_axes(
    axes: Axes,
    classes: Sequence[str],
    support: Sequence[int | str] | None,
    predicted: str = "Predicted class",
    true: str = "True class (patches)",
) -> None:
    """Label predicted classes along x and, if `support` is given, true classes with their support along y."""
    place = np.arange(len(classes))
    axes.set_xticks(place, classes, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_xlabel(predicted)
    if support is None:
        axes.set_yticks(place, [])
    else:
        axes.set_yticks(place, [f"{name} ({count})" for name, count in zip(classes, support, strict=True)])
        axes.set_ylabel(true)
    axes.set_xticks(place[:-1] + 0.5, minor=True)
    axes.set_yticks(place[:-1] + 0.5, minor=True)
    axes.grid(which="minor", color="#dddddd", linewidth=0.6)
    axes.tick_params(which="minor", length=0)
    axes.spines[:].set_visible(True)


def signed(value: float) -> str:
    """A whole number with its sign; a dot for zero."""
    return f"{value:+.0f}".replace("-", "−") if abs(value) >= 0.5 else "·"


def with_interval(found: Estimate) -> str:
    """A signed figure with its interval."""
    return f"{found.value:+.3f} ({found.low:+.3f} to {found.high:+.3f})".replace("-", "−")


def bin_ticks(axes: Axes, bins: Binning, *, counts: bool) -> None:
    """Label the bins along x, with their number of patches if `counts`."""
    titles = [title.removesuffix(" %") for title in bins.titles]
    if counts:
        titles = [f"{title}\n({count})" for title, count in zip(titles, bins.count, strict=True)]
    axes.set_xticks(np.arange(len(titles)), titles, fontsize=9)


def whiskers(found: Sequence[Estimate]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Values, and the lengths of their whiskers below and above."""
    values = np.array([one.value for one in found])
    below = np.array([max(one.value - one.low, 0.0) for one in found])
    above = np.array([max(one.high - one.value, 0.0) for one in found])
    return values, np.nan_to_num(below), np.nan_to_num(above)


def edges(values: Sequence[NDArray[Any]], logarithmic: bool, count: int) -> NDArray[Any]:
    """Edges of bins from the 0.5th to the 99.5th percentile, of equal width (in the logarithm if `logarithmic`).

    The number of bins, 12 to 40, depends on the number of patches `count`.
    """
    everything = np.concatenate(values)
    everything = everything[np.isfinite(everything)]
    if logarithmic:
        everything = np.log10(np.maximum(everything, 1e-6))
    low, high = np.percentile(everything, [0.5, 99.5])
    if high <= low:
        low, high = low - 0.5, high + 0.5
    edges = np.linspace(low, high, int(np.clip(1.5 * np.sqrt(count), 12, 40)) + 1)
    return np.asarray(10**edges if logarithmic else edges)


def plain_log_ticks(axes: Axes, low: float, high: float) -> None:
    """Plain numbers as ticks of a logarithmic x axis; 1, 2 and 5 of each decade if there are few decades."""
    from matplotlib.ticker import LogLocator, NullFormatter

    decades = np.log10(high / low)
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if decades < 3 else (1,), numticks=12))
    axes.xaxis.set_major_formatter("{x:g}" if decades < 7 else "{x:.0e}")
    axes.xaxis.set_minor_formatter(NullFormatter())


def shared_legend(figure: Figure, axes: Axes, entries: int, title: str | None = None) -> None:
    """One legend above all panels, with the entries of one panel."""
    handles, labels = axes.get_legend_handles_labels()
    title = title or "whiskers: 95 % bootstrap intervals"
    figure.legend(handles, labels, loc="outside upper center", ncols=entries, title=title)
