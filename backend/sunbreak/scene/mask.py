"""A cloud mask that the user already has, in any of the codings of `sunbreak.scene.mask_codings`, on any grid.

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
from rasterio.io import DatasetReader
from rasterio.windows import Window

from sunbreak.errors import InputError
from sunbreak.scene.georeference import describe_bounds, grid_of
from sunbreak.scene.grid import Grid
from sunbreak.scene.mask_codings import CodingOption, MaskCoding
from sunbreak.scene.mask_recognition import (
    ROLE_TAG,
    Place,
    check_planes,
    codings_of,
    declared,
    find_place,
    recognise,
    sum_of_planes,
    survey,
)
from sunbreak.scene.nodata import usable_scale
from sunbreak.scene.resample import Mapping, refuse_too_fine
from sunbreak.scene.sampling import strips
from sunbreak.sources import RasterSource, raster_source, unread_sidecars
from sunbreak.sources.gdal import environment

# a mask of so many times the scene's pixels, and so many at all, is looked at only where the scene is
_LARGER, _LARGE = 16, 2**27


@dataclass(frozen=True)
class CloudMask:
    """A mask file and the coding of its values.

    Attributes:
        file: The file.
        coding: What the values stand for.
        nodata: The declared nodata value: not cloud.
        scale: With `offset`, from stored values to probability.
        offset: See `scale`.
        mapping: From the scene's whole grid to the mask's.
        of_product: It came with the scene, nobody chose it.
        bands: The band that is read; of a coding in planes one for each plane, 0 where it is missing.
        option: How its coding was asked for.
    """

    file: RasterSource
    coding: MaskCoding
    nodata: float | None
    scale: float
    offset: float
    mapping: Mapping
    of_product: bool = False
    bands: tuple[int, ...] = (1,)
    option: CodingOption = "auto"


#: Turns stored values (row, column) of a mask into class codes of the same shape; 0 is clear.
Decoder = Callable[[CloudMask, NDArray[Any]], NDArray[np.uint8]]


def find_mask(
    given: Path | str,
    grid: Grid,
    crop: Window,
    *,
    option: CodingOption = "auto",
    band: int | None = None,
    of_product: bool = False,
) -> tuple[CloudMask, list[str], list[str]]:
    """Open a mask and recognise its coding. All of it is read: one stray value changes its meaning.

    Of a mask that is far larger than the scene only the part under the scene is.

    Args:
        given: What the user named.
        grid: The scene's whole grid.
        crop: The part of it that is worked on.
        option: The coding that the user says it has.
        band: The band that it is; found by its name if not given.
        of_product: It came with the scene.

    Returns:
        The mask, notes and warnings.

    Raises:
        InputError: everything `RasterSource` and `grid_of` say; ``bad-option``, ``mask-bands``, ``mask-values``,
            ``bad-scale``, ``too-large``, ``no-overlap``.
    """
    file = raster_source(given, "mask file")
    path = file.path
    file.check(hollow=True)
    with file.open() as dataset:
        role = dataset.tags().get(ROLE_TAG, "")
        place = Place((band,), codings_of(option)) if band else find_place(path, dataset.descriptions, option, role)
        mapping = Mapping(grid_of(dataset, path), grid)
        refuse_too_fine(mapping, path)
        for number in filter(None, place.bands):
            usable_scale(dataset, number, path)  # said with the name of the file, which GDAL does not know of a VRT
        with file.reading(), environment():
            coding = _coding(path, dataset, place, option, _surveyed(file, dataset, mapping, grid))
        nodata, scale, offset = (None, 1.0, 0.0) if coding.planes else declared(dataset, place.bands[0])
        called = [(dataset.descriptions[number - 1] or str(number))[:40] for number in place.bands if number]
        where = "" if dataset.count == 1 else f", band{'s' if len(called) > 1 else ''} {', '.join(called)},"
    coverage = mapping.coverage(crop)
    if coverage == 0:
        raise InputError(
            f"{path} does not overlap the scene: it covers {describe_bounds(mapping.source, grid)}, "
            f"the scene {describe_bounds(grid.crop(crop))}.",
            "Give a mask of the same place.",
            code="no-overlap",
        )
    warnings = [] if coverage > 0.995 else [f"The mask covers {coverage:.0%} of the scene; the rest counts as clear."]
    note = f"{path.name}{where} is taken as {coding.title}."
    mask = CloudMask(file, coding, nodata, scale, offset, mapping, of_product, place.bands, option)
    if not _holds_values(mask, crop):
        warnings.append(f"The mask {path.name} holds no data in the scene: it marks no pixel as cloud.")
    noted, warned = file.remarks()
    warnings += unread_sidecars(path) + warned
    notes = [*noted, note]
    if coding.largest and (scale, offset) != (1.0, 0.0):
        notes.append(f"{path.name}: its scale {scale:g} and offset {offset:g} are applied.")
    if nodata and (coding.largest or coding.meaning(nodata) in ("clear", "no data")):
        notes.append(f"{path.name}: its declared nodata value {nodata:g} marks no cloud.")
    if mapping.shift() is None:
        notes.append(f"{path.name} lies on another grid: each pixel of the scene takes the nearest value of the mask.")
    return mask, notes, warnings


def _holds_values(mask: CloudMask, crop: Window) -> bool:
    """Whether any pixel of the part that is worked on has a value that does not stand for missing data."""
    if mask.coding.planes:  # their zeros and ones have no word for it
        return True
    missing = [value for value, meaning in mask.coding.values if meaning == "no data"]

    def known(_: CloudMask, raw: NDArray[Any]) -> NDArray[np.uint8]:
        values: NDArray[np.bool_] = np.isfinite(raw) & ~np.isin(raw, missing)
        if mask.nodata:
            values &= raw != mask.nodata
        return values.view(np.uint8)

    with MaskReader(mask) as reader:
        return any(reader.read(window, known).any() for window in strips(crop))


def _surveyed(file: RasterSource, dataset: DatasetReader, mapping: Mapping, grid: Grid) -> Window:
    """The part of a mask whose values decide on its coding: all, or what lies under the scene if that is far smaller.

    Raises:
        InputError: ``too-large`` if a mask far larger than the scene stores next to nothing.
    """
    whole = Window(0, 0, dataset.width, dataset.height)
    pixels = dataset.width * dataset.height
    if pixels <= _LARGER * grid.width * grid.height:
        return whole
    file.check()
    if pixels <= _LARGE:
        return whole
    return mapping.lattice(grid.window).source_window(mapping.source) or Window(0, 0, 1, 1)


def _coding(path: Path, dataset: DatasetReader, place: Place, option: str, part: Window) -> MaskCoding:
    if place.told and place.told[0].planes:
        check_planes(path, place.told[0], place.bands, [survey(dataset, band, part) for band in place.bands if band])
        return place.told[0]
    return recognise(path, place, survey(dataset, place.bands[0], part), option)


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
            codes = self.mask.mapping.nearest(window, lambda part: decode(self.mask, self._stored(part)))
        if codes is None:
            return np.zeros((int(window.height), int(window.width)), np.uint8)
        return codes

    def _stored(self, window: Window) -> NDArray[Any]:
        if self.mask.coding.planes:
            return sum_of_planes(self._dataset, self.mask.bands, window)
        stored: NDArray[Any] = self._dataset.read(self.mask.bands[0], window=window)
        return stored
