"""A cloud mask that the user already has: a scene classification (SCL), a binary mask or a probability, on any grid.

This module finds and reads it. What its values mean is told by a decoder that the caller hands in: the class codes are
those of `sunbreak.clouds`.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from sunbreak.errors import InputError
from sunbreak.scene.georeference import describe_bounds, grid_of
from sunbreak.scene.grid import Grid
from sunbreak.scene.mask_codings import MaskCoding, recognise
from sunbreak.scene.resample import Mapping
from sunbreak.sources import RasterSource, raster_source
from sunbreak.sources.gdal import environment


@dataclass(frozen=True)
class CloudMask:
    """A mask file and the coding of its values.

    Attributes:
        file: The file; its first band is read.
        coding: What the values stand for.
        nodata: The declared nodata value: not cloud.
        scale: With `offset`, from stored values to probability.
        offset: See `scale`.
        mapping: From the scene's whole grid to the mask's.
        of_product: It came with the scene, nobody chose it.
    """

    file: RasterSource
    coding: MaskCoding
    nodata: float | None
    scale: float
    offset: float
    mapping: Mapping
    of_product: bool = False


#: Turns stored values (row, column) of a mask into class codes of the same shape; 0 is clear.
Decoder = Callable[[CloudMask, NDArray[Any]], NDArray[np.uint8]]


def find_mask(
    given: Path | str, grid: Grid, crop: Window, *, of_product: bool = False
) -> tuple[CloudMask, list[str], list[str]]:
    """Open a mask and recognise its coding. All of it is read: one stray value changes its meaning.

    Args:
        given: What the user named.
        grid: The scene's whole grid.
        crop: The part of it that is worked on.
        of_product: It came with the scene.

    Returns:
        The mask, notes and warnings.

    Raises:
        InputError: everything `RasterSource` and `grid_of` say; ``mask-bands``, ``mask-values``, ``no-overlap``.
    """
    file = raster_source(given, "mask file")
    path = file.path
    file.check()
    with file.open() as dataset:
        if dataset.count != 1:
            raise InputError(
                f"{path} has {dataset.count} bands; a mask has one.", "Give the mask alone.", code="mask-bands"
            )
        mapping = Mapping(grid_of(dataset, path), grid)
        scale, offset = float(dataset.scales[0]) or 1.0, float(dataset.offsets[0])
        nodata = dataset.nodata
        with file.reading(), environment():
            coding = recognise(path, dataset, scale, offset)
    coverage = mapping.coverage(crop)
    if coverage == 0:
        raise InputError(
            f"{path} does not overlap the scene: it covers {describe_bounds(mapping.source, grid)}, "
            f"the scene {describe_bounds(grid.crop(crop))}.",
            "Give a mask of the same place.",
            code="no-overlap",
        )
    warnings = [] if coverage > 0.995 else [f"The mask covers {coverage:.0%} of the scene; the rest counts as clear."]
    note = f"{path.name} is taken as {coding.title}."
    return CloudMask(file, coding, nodata, scale, offset, mapping, of_product), [note], warnings


class MaskReader:
    """An open handle on a `CloudMask`. For one thread."""

    def __init__(self, mask: CloudMask) -> None:
        self.mask = mask
        self._exit = ExitStack()
        self._dataset = self._exit.enter_context(mask.file.open())

    def __enter__(self) -> MaskReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._exit.close()

    def read(self, window: Window, decode: Decoder) -> NDArray[np.uint8]:
        """Class codes of a window of the scene's whole grid (nearest neighbour).

        Args:
            window: The window.
            decode: Turns stored values into class codes.

        Returns:
            (row, column); 0, which is clear, where the mask does not reach.
        """
        with environment(), self.mask.file.reading():
            codes = self.mask.mapping.nearest(
                window, lambda part: decode(self.mask, self._dataset.read(1, window=part))
            )
        if codes is None:
            return np.zeros((int(window.height), int(window.width)), np.uint8)
        return codes
