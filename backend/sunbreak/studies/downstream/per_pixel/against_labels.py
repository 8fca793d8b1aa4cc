"""The label of a patch, from its land-cover map, against the class of most of its pixels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sunbreak.metrics import bootstrap, classification
from sunbreak.metrics.bootstrap import Draws, Estimate
from sunbreak.models.legends import DYNAMIC_WORLD, SIMPLIFIED_IGBP, TO_SIMPLIFIED_IGBP
from sunbreak.studies.downstream.per_pixel.counting import PixelCounts


@dataclass(frozen=True)
class LabelFigures:
    """Labels against the majority class of one version.

    Attributes:
        confusion: Patches, (label, majority class), both simplified IGBP.
        accuracy: Fraction of the patches whose majority class is their label; patches whose label has no counterpart
            among the classes of the network do not count.
        macro_f1: Mean F1 of the labels that have a counterpart and occur.
        patches: Number of patches that count.
        without: Number of patches whose label has no counterpart.
    """

    confusion: NDArray[np.int64]
    accuracy: Estimate
    macro_f1: Estimate
    patches: int
    without: int


def counterparts(classes: tuple[str, ...]) -> tuple[int, ...] | None:
    """The simplified IGBP class of each class of a network, as indices from 0; None for other classes."""
    if classes == tuple(kind.name for kind in DYNAMIC_WORLD):
        return TO_SIMPLIFIED_IGBP
    if classes == tuple(kind.name for kind in SIMPLIFIED_IGBP):
        return tuple(range(len(classes)))
    return None


def compare_with_labels(
    counts: PixelCounts, totals: Mapping[str, NDArray[np.int64]], draws: Draws
) -> dict[str, LabelFigures]:
    """Compare labels with majority classes; patches without a valid pixel are left out.

    Of several classes with most pixels, the first one counts.

    Args:
        counts: The counts of the patches.
        totals: By version: pixels of each patch, (patch, class on the clear image, class).
        draws: The resamples.

    Returns:
        By version, `clear` first; empty if the classes of the network have no counterpart.
    """
    found = counterparts(counts.classes)
    if found is None:
        return {}
    to_label = np.array(found)
    pixels = {"clear": next(iter(totals.values())).sum(axis=2), **{name: t.sum(axis=1) for name, t in totals.items()}}
    there = pixels["clear"].sum(axis=1) > 0
    return {
        name: _figures(counts.label[there], to_label[areas[there].argmax(axis=1)], to_label, draws[:, there])
        for name, areas in pixels.items()
    }


def _figures(
    labels: NDArray[np.int64], majority: NDArray[np.int64], possible: NDArray[np.int64], draws: Draws
) -> LabelFigures:
    classes = len(SIMPLIFIED_IGBP)
    counted = np.isin(labels, possible)
    inside = (labels[counted], majority[counted], classes)
    matrix = classification.confusion(*inside)
    drawn = classification.resampled_confusions(*inside, np.ascontiguousarray(draws[:, counted]))
    f1 = (classification.macro(one, "supported")["f1"] for one in (matrix, drawn))
    return LabelFigures(
        confusion=classification.confusion(labels, majority, classes),
        accuracy=bootstrap.estimate(float(classification.accuracy(matrix)), classification.accuracy(drawn)),
        macro_f1=bootstrap.estimate(float(next(f1)), next(f1)),
        patches=int(counted.sum()),
        without=int((~counted).sum()),
    )
