"""Comparison of a cloud mask with a reference mask: the pixels of each class, on the reference's grid.

Both masks may have any coding that is read. They are read in strips of rows, with a margin for the boundary tolerance,
so that memory does not depend on their height.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from sunbreak.clouds.classes import CLEAR, NO_DATA, REPLACED, SHADOW, THICK_CLOUD, THIN_CLOUD, Classes
from sunbreak.clouds.given_masks import decode
from sunbreak.errors import InputError
from sunbreak.metrics.mask_agreement import FIGURES, Agreement, Figures, agreement
from sunbreak.scene.georeference import describe_bounds, grid_of
from sunbreak.scene.grid import Grid
from sunbreak.scene.mask import CloudMask, MaskReader, find_mask
from sunbreak.scene.mask_codings import CodingOption
from sunbreak.sources import raster_source

#: What is evaluated: name to class codes.
CLASSES = {
    "clear": (CLEAR,),
    "thick cloud": (THICK_CLOUD,),
    "thin cloud": (THIN_CLOUD,),
    "cloud": (THICK_CLOUD, THIN_CLOUD),
    "shadow": (SHADOW,),
    "replaced": REPLACED,
}
#: Ending of the names of figures with the boundary tolerance.
TOLERANT = "_tolerant"
_STRIP_PIXELS = 2**21
_STORED = 2**16  # values of a mask are below this
_LARGE = 2**28  # pixels

Checkpoint = Callable[[int, int], None]


@dataclass(frozen=True)
class Codings:
    """What the values of two masks stand for; ``auto`` recognises it.

    Attributes:
        predicted: Coding of the mask to evaluate.
        reference: Coding of the reference.
    """

    predicted: CodingOption = "auto"
    reference: CodingOption = "auto"


@dataclass(frozen=True)
class CloudAgreement:
    """How far masks agree.

    Attributes:
        classes: Counts of each class that both masks tell, in the order of `CLASSES`.
        compared: Pixels that were compared.
        left_out: Pixels of the reference's grid where one of the masks has no data.
        notes: What the files are taken as.
    """

    classes: dict[str, Agreement] = field(default_factory=dict)
    compared: int = 0
    left_out: int = 0
    notes: tuple[str, ...] = ()

    def __add__(self, other: CloudAgreement) -> CloudAgreement:
        """The counts of two pairs together; a class counts in the pairs that tell it."""
        mine, theirs, nothing = self.classes, other.classes, Agreement()
        return CloudAgreement(
            {
                name: mine.get(name, nothing) + theirs.get(name, nothing)
                for name in CLASSES
                if name in mine or name in theirs
            },
            self.compared + other.compared,
            self.left_out + other.left_out,
            tuple(dict.fromkeys((*self.notes, *other.notes))),
        )

    @property
    def not_told(self) -> tuple[str, ...]:
        """The classes that the coding of a mask cannot express."""
        return tuple(name for name in CLASSES if name not in self.classes)


def compare_masks(
    predicted: Path,
    reference: Path,
    *,
    tolerance: int = 0,
    codings: Codings = Codings(),
    checkpoint: Checkpoint = lambda done, total: None,
) -> CloudAgreement:
    """Compare a cloud mask with a reference, on the grid of the reference (nearest neighbour).

    Args:
        predicted: The mask to evaluate, in any coding that is read.
        reference: The reference, such as a human mask.
        tolerance: Boundary tolerance in pixels of the reference, see `sunbreak.metrics.mask_agreement`.
        codings: What the values of the two files stand for.
        checkpoint: Called with the number of finished rows and of all rows; may raise to stop.

    Returns:
        The counts. Classes that one of the masks cannot express are left out, see `told`.

    Raises:
        InputError: everything `find_mask` says; ``no-overlap``; ``all-nodata`` if no pixel has data in both;
            ``bad-option`` if the tolerance is below 0.
    """
    if tolerance < 0:
        raise InputError(f"The tolerance is {tolerance} pixels.", "Give 0 or more.", code="bad-option")
    grid = _grid_of(reference)
    reference_mask, reference_notes = _open(reference, grid, codings.reference)
    predicted_mask, predicted_notes = _open(predicted, grid, codings.predicted, reference)
    names = told(expressed(predicted_mask), expressed(reference_mask))
    counts = dict.fromkeys(names, Agreement())
    compared = 0
    with MaskReader(predicted_mask) as ours, MaskReader(reference_mask) as theirs:
        for window, rows in _strips(grid, tolerance):
            checkpoint(int(window.row_off) + rows.start, grid.height)
            guess, truth = _classes(ours, window), _classes(theirs, window)
            known = (guess != NO_DATA) & (truth != NO_DATA)
            compared += int(np.count_nonzero(known[rows]))
            for name in names:
                which = CLASSES[name]
                counts[name] += agreement(np.isin(guess, which), np.isin(truth, which), known, tolerance, rows)
    checkpoint(grid.height, grid.height)
    if not compared:
        raise InputError(
            f"{predicted}: no pixel has data both here and in {reference}.",
            "Compare masks that hold data at the same place.",
            code="all-nodata",
        )
    notes = tuple(dict.fromkeys((*predicted_notes, *reference_notes)))
    return CloudAgreement(counts, compared, grid.width * grid.height - compared, notes)


def figures_of(found: CloudAgreement, tolerance: int) -> dict[str, Figures]:
    """The figures of each class of `CLASSES` by name, NaN if the class is not told.

    Args:
        found: The counts.
        tolerance: The boundary tolerance that was counted with. If it is not 0 there are also tolerant figures, with
            names that end in `TOLERANT`.
    """
    keys = [*FIGURES, *(f"{key}{TOLERANT}" for key in FIGURES if tolerance)]
    rows = {}
    for name in CLASSES:
        if name in found.classes:
            counts = found.classes[name]
            own = dict(counts.figures())
            if tolerance:
                own.update({f"{key}{TOLERANT}": value for key, value in counts.tolerant_figures().items()})
            rows[name] = own
        else:
            rows[name] = dict.fromkeys(keys, math.nan)
    return rows


def expressed(mask: CloudMask) -> frozenset[int]:
    """The class codes that the coding of a mask can express, whether the file has such a pixel or not."""
    return frozenset(np.unique(decode(mask, np.arange(_STORED, dtype=np.int32))).tolist())


def told(predicted: frozenset[int], reference: frozenset[int]) -> tuple[str, ...]:
    """The classes of `CLASSES` that can be evaluated.

    Thick and thin cloud need codings that tell them apart: in a coding without thin cloud, a pixel of cloud may be
    either. Shadow needs two codings with shadow. Clear and replaced are told, unless the prediction has shadow and the
    reference does not: then the reference cannot say whether a predicted shadow is right.

    Args:
        predicted: Class codes of the prediction's coding, see `expressed`.
        reference: Class codes of the reference's coding.
    """
    both = predicted & reference
    cloud = {THICK_CLOUD, THIN_CLOUD}
    thickness = cloud <= both
    whole = SHADOW in reference or SHADOW not in predicted
    holds = {
        "clear": whole,
        "thick cloud": thickness,
        "thin cloud": thickness,
        "cloud": bool(cloud & predicted) and bool(cloud & reference),
        "shadow": SHADOW in both,
        "replaced": whole,
    }
    return tuple(name for name in CLASSES if holds[name])


def _grid_of(path: Path) -> Grid:
    file = raster_source(path, "mask file")
    file.check(hollow=True)
    with file.open() as dataset:
        grid = grid_of(dataset, file.path)
    if grid.width * grid.height > _LARGE:  # no scene says how large it may be
        file.check()
    return grid


def _open(path: Path, grid: Grid, coding: CodingOption, reference: Path | None = None) -> tuple[CloudMask, list[str]]:
    """A mask laid on a grid, and what it is taken as."""
    try:
        mask, notes, _ = find_mask(path, grid, grid.window, option=coding)
    except InputError as error:
        if error.code != "no-overlap":
            own = "--pred-coding" if reference is not None else "--reference-coding"
            texts = (text.replace("--mask-coding", own) for text in (error.message, error.hint))
            raise InputError(*texts, code=error.code) from None
        raise InputError(
            f"{path} does not overlap {reference}: it covers {describe_bounds(_grid_of(path), grid)}, "
            f"the reference {describe_bounds(grid)}.",
            "Compare masks of the same place.",
            code="no-overlap",
        ) from None
    return mask, notes


def _classes(reader: MaskReader, window: Window) -> Classes:
    """Class codes of a window, no data where the mask does not reach."""
    # 0 stands for "not reached" while the mask is resampled: the codes are stored plus 1, in which NO_DATA becomes 0
    codes: Classes = reader.read(window, _raised) - np.uint8(1)
    return codes


def _raised(mask: CloudMask, stored: NDArray[Any]) -> Classes:
    codes: Classes = decode(mask, stored) + np.uint8(1)
    return codes


def _strips(grid: Grid, margin: int) -> Iterator[tuple[Window, slice]]:
    """Windows of whole rows with a margin above and below, and the rows of each without its margin."""
    step = max(1, _STRIP_PIXELS // grid.width, 2 * margin)
    for first in range(0, grid.height, step):
        stop = min(first + step, grid.height)
        top, bottom = max(first - margin, 0), min(stop + margin, grid.height)
        yield Window(0, top, grid.width, bottom - top), slice(first - top, stop - top)
