"""Agreement of two masks of one class: pixel counts, and precision, recall, F1, balanced accuracy and IoU from them.

Counts of parts of an image add up to those of the image. With a boundary tolerance, a difference of a few pixels along
the outline of a cloud is no error.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.bool_]
Figures = dict[str, float]

ALL_ROWS = slice(None)
#: Names of the figures.
FIGURES = ("precision", "recall", "f1", "balanced_accuracy", "iou")


@dataclass(frozen=True)
class Confusion:
    """Pixels of a class against all others.

    Attributes:
        tp: In the class in both.
        fp: In the class in the prediction only.
        fn: In the class in the reference only.
        tn: In the class in neither.
    """

    tp: int = 0
    fp: int = 0
    fn: int = 0
    tn: int = 0

    def __add__(self, other: Confusion) -> Confusion:
        """The counts of two images together."""
        return Confusion(self.tp + other.tp, self.fp + other.fp, self.fn + other.fn, self.tn + other.tn)

    @property
    def pixels(self) -> int:
        """How many pixels were compared."""
        return self.tp + self.fp + self.fn + self.tn


@dataclass(frozen=True)
class Agreement:
    """What is counted for one class.

    Attributes:
        exact: Every compared pixel.
        inner: The compared pixels that do not lie at a boundary of the reference.
        right: Pixels of the prediction's class with the reference's class within the tolerance.
        found: Pixels of the reference's class with the prediction's class within the tolerance.
    """

    exact: Confusion = field(default_factory=Confusion)
    inner: Confusion = field(default_factory=Confusion)
    right: int = 0
    found: int = 0

    def __add__(self, other: Agreement) -> Agreement:
        """The counts of two images together."""
        return Agreement(
            self.exact + other.exact, self.inner + other.inner, self.right + other.right, self.found + other.found
        )

    def figures(self) -> Figures:
        """Figures of every compared pixel, see `FIGURES`.

        Returns:
            Precision TP / (TP + FP), recall TP / (TP + FN), F1 as their harmonic mean, balanced accuracy as the mean of
            recall and specificity TN / (TN + FP), IoU TP / (TP + FP + FN). NaN where a figure is not defined. F1 is 0
            where the class is in one of the masks only.

        Source:
            Balanced accuracy: Brodersen et al. 2010, ICPR. Cloud masks: Aybar et al. 2022, Scientific Data 9.
        """
        return self._figures(self.exact, self.exact.tp, self.exact.tp)

    def tolerant_figures(self) -> Figures:
        """Figures with the boundary tolerance that was counted with, see `FIGURES`.

        Returns:
            Precision is the fraction of the predicted pixels that have a reference pixel of the class within the
            tolerance, recall the fraction of the reference pixels that have a predicted pixel within it, F1 their
            harmonic mean. Balanced accuracy and IoU are those of the pixels that do not lie at a boundary of the
            reference.

        Source:
            Correctness and completeness with a buffer: Heipke et al. 1997, IAPRS 32. F1 of boundaries: Csurka et al.
            2013, BMVC.
        """
        return self._figures(self.inner, self.right, self.found)

    def _figures(self, part: Confusion, right: int, found: int) -> Figures:
        predicted, reference = self.exact.tp + self.exact.fp, self.exact.tp + self.exact.fn
        precision, recall = _ratio(right, predicted), _ratio(found, reference)
        return {
            "precision": precision,
            "recall": recall,
            "f1": _harmonic_mean(precision, recall),
            "balanced_accuracy": (_ratio(part.tp, part.tp + part.fn) + _ratio(part.tn, part.tn + part.fp)) / 2,
            "iou": _ratio(part.tp, part.tp + part.fp + part.fn),
        }


def agreement(
    predicted: Pixels, reference: Pixels, known: Pixels, tolerance: int = 0, rows: slice = ALL_ROWS
) -> Agreement:
    """Count the pixels of one class.

    Distances are Euclidean, between the centres of pixels. Only compared pixels count as neighbours. A pixel lies at a
    boundary of the reference if a compared pixel of the other kind (in the class or not, as the reference says) lies
    within the tolerance. With the tolerance 1 these are the two pixels at both sides of an edge.

    Args:
        predicted: (row, column), whether the prediction is of the class.
        reference: (row, column), whether the reference is of the class.
        known: (row, column), whether the pixel is compared.
        tolerance: Boundary tolerance in pixels.
        rows: Rows to count. The others are a margin; it must hold `tolerance` rows, or reach the edge of the image.
    """
    predicted, reference = predicted & known, reference & known
    exact = _confusion(predicted[rows], reference[rows], known[rows])
    if tolerance == 0:
        return Agreement(exact, exact, exact.tp, exact.tp)
    near = within(reference, tolerance)
    at_boundary = np.where(reference, within(known & ~reference, tolerance), near)
    inner = (known & ~at_boundary)[rows]
    return Agreement(
        exact,
        _confusion(predicted[rows] & inner, reference[rows] & inner, inner),
        int(np.count_nonzero((predicted & near)[rows])),
        int(np.count_nonzero((reference & within(predicted, tolerance))[rows])),
    )


def within(pixels: Pixels, radius: int) -> Pixels:
    """Where a pixel lies within a radius.

    Args:
        pixels: (row, column).
        radius: Euclidean distance of the centres, in pixels.

    Returns:
        (row, column), True where a True pixel of `pixels` is `radius` or less away: dilation with a disc.
    """
    rows = len(pixels)
    found: Pixels = np.zeros_like(pixels)
    widened, width = pixels, 0
    # the rows of the disc, from its ends to its middle; each is at least as wide as the one before
    for down in range(radius, -1, -1):
        while width < math.isqrt(radius**2 - down**2):
            narrower, widened = widened, widened.copy()
            widened[:, 1:] |= narrower[:, :-1]
            widened[:, :-1] |= narrower[:, 1:]
            width += 1
        if down < rows:
            found[down:] |= widened[: rows - down]
            found[: rows - down] |= widened[down:]
    return found


def _confusion(predicted: Pixels, reference: Pixels, known: Pixels) -> Confusion:
    """The counts of pixels; both classes lie within `known`."""
    both = int(np.count_nonzero(predicted & reference))
    fp, fn = int(np.count_nonzero(predicted)) - both, int(np.count_nonzero(reference)) - both
    return Confusion(both, fp, fn, int(np.count_nonzero(known)) - both - fp - fn)


def _ratio(above: int, below: int) -> float:
    return above / below if below else math.nan


def _harmonic_mean(precision: float, recall: float) -> float:
    if math.isnan(precision) and math.isnan(recall):
        return math.nan
    if math.isnan(precision) or math.isnan(recall) or precision + recall == 0:
        return 0.0
    return 2 * precision * recall / (precision + recall)
