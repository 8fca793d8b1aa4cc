"""A place on several dates: a target scene, and other scenes brought onto its grid.

A run reads a series. That of one date is the scene itself, read by the same calls. Other dates may lie on any grid.
They are resampled as Sentinel-1 is, so that a window never depends on how the scene is cut.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from sunbreak.errors import InputError
from sunbreak.scene.georeference import describe_bounds
from sunbreak.scene.grid import Grid
from sunbreak.scene.mask import Decoder
from sunbreak.scene.radiometry import Radiometry
from sunbreak.scene.reader import S2Block, SceneReader
from sunbreak.scene.resample import Mapping
from sunbreak.scene.scene import Scene


@dataclass(frozen=True)
class DateRows:
    """Rows of one date on the target's grid.

    Attributes:
        optical: Sentinel-2, all bands of that date's scene; as stored where its pixels are the target's, else
            reflectance.
        radar: Sentinel-1, (2, row, column) dB with NaN where there is none, or None for a date without it.
        classes: Class codes of the mask that was given with it, (row, column) uint8, or None for a date without one.
    """

    optical: S2Block
    radar: NDArray[np.float32] | None
    classes: NDArray[np.uint8] | None


@dataclass(frozen=True)
class SceneSeries:
    """A scene and others of the same place. Holds no open files and can travel between processes.

    Attributes:
        target: The scene whose grid, bands and numbers count.
        others: Scenes of other dates, on any grid.
        notes: What is known about the other dates, one sentence each.
        warnings: What is unusual about the other dates, one sentence each.
    """

    target: Scene
    others: tuple[Scene, ...] = ()
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse other dates of another place.

        Raises:
            InputError: ``no-overlap`` if one does not lie under the target.
        """
        column, row = self.target.origin
        crop = Window(column, row, self.target.grid.width, self.target.grid.height)
        for other, mapping in zip(self.others, self.mappings, strict=True):
            if mapping.coverage(crop) == 0:
                raise elsewhere(other.inputs[0], other.grid, self.grid)

    @classmethod
    def of(cls, given: Scene | SceneSeries) -> SceneSeries:
        """The series itself, or that of one date."""
        return given if isinstance(given, SceneSeries) else cls(given)

    @property
    def grid(self) -> Grid:
        """The target's grid."""
        return self.target.grid

    @property
    def dates(self) -> tuple[datetime | None, ...]:
        """When each member was acquired, the target first; None where that is not known."""
        return self.target.acquired, *(other.acquired for other in self.others)

    @property
    def days(self) -> tuple[int | None, ...]:
        """Days from the target to each other date, negative before it; None where a date is not known."""
        return tuple(days_between(self.target.acquired, other.acquired) for other in self.others)

    @property
    def inputs(self) -> tuple[Path, ...]:
        """Every file that is read, the target's first."""
        return tuple(dict.fromkeys(path for scene in (self.target, *self.others) for path in scene.inputs))

    @cached_property
    def mappings(self) -> tuple[Mapping, ...]:
        """From the target's whole grid to the grid of each other date."""
        return tuple(Mapping(other.grid, self.target.stack.grid) for other in self.others)

    def reader(self) -> SeriesReader:
        """Open the files for reading: a context manager, for one thread."""
        return SeriesReader(self)


def elsewhere(name: Path, grid: Grid, target: Grid) -> InputError:
    """The error (``no-overlap``) for another date that does not lie under the target."""
    return InputError(
        f"{name} does not overlap the scene: it covers {describe_bounds(grid, target)}, the scene "
        f"{describe_bounds(target)}.",
        "Give another date of the same place.",
        code="no-overlap",
    )


def days_between(first: datetime | None, second: datetime | None) -> int | None:
    """Days from one date to another; None where one is not known."""
    return None if first is None or second is None else (second.date() - first.date()).days


class SeriesReader(SceneReader):
    """Open handles on the files of a `SceneSeries`; a context manager, for one thread.

    It is a reader of the target too.
    """

    def __init__(self, series: SceneSeries) -> None:
        super().__init__(series.target)
        self.series = series
        pairs = zip(series.others, series.mappings, strict=True)
        self._others = [_OtherDate(scene, mapping) for scene, mapping in pairs]
        for other in self._others:
            self._exit.callback(other.reader.close)

    def read(self, first: int, stop: int, decode: Decoder) -> list[DateRows]:
        """The rows [first, stop) of every date, the target first.

        Args:
            first: The first row of the target.
            stop: The row after the last one.
            decode: Turns stored values of masks into class codes, see `sunbreak.clouds.given_masks`.

        Raises:
            InputError: ``damaged`` if a file cannot be decoded.
        """
        window = Window(0, first, self.series.grid.width, stop - first)
        return [self.member(0, window, decode), *self.others(window, decode)]

    def others(self, window: Window, decode: Decoder) -> list[DateRows]:
        """A window of the target in every other date; arguments and errors as for `read`."""
        place = self._on_file(window)
        return [other.read(place, decode) for other in self._others]

    def member(self, number: int, window: Window, decode: Decoder) -> DateRows:
        """A window of the target in one date, 0 for the target itself; arguments and errors as for `read`."""
        if number:
            return self._others[number - 1].read(self._on_file(window), decode)
        scene = self.series.target
        radar = self.s1(window) if scene.has_s1 else None
        return DateRows(self.s2(window), radar, self.mask(window, decode) if scene.has_mask else None)

    def laid_under(self, number: int, window: Window, read: Callable[[Window], NDArray[np.uint8]]) -> NDArray[np.uint8]:
        """Codes on the grid of another date, brought under a window of the target (nearest neighbour).

        Args:
            number: Of the other date.
            window: Of the target.
            read: Returns the window of the other date's grid that it is given, (row, column).

        Returns:
            (row, column), 0 where the other date does not reach.
        """
        found = self.series.mappings[number].nearest(self._on_file(window), read)
        return np.zeros((int(window.height), int(window.width)), np.uint8) if found is None else found


class _OtherDate:
    """One other date: its files, and how the target's pixels lie in them."""

    def __init__(self, scene: Scene, mapping: Mapping) -> None:
        self.scene, self.mapping, self.shift = scene, mapping, mapping.shift()
        self.reader = scene.reader()

    def read(self, window: Window, decode: Decoder) -> DateRows:
        """A window of the target's whole grid."""
        scene, mapping = self.scene, self.mapping
        shape = int(window.height), int(window.width)
        classes = radar = None
        if scene.has_mask:
            classes = mapping.nearest(window, lambda part: self.reader.mask(part, decode))
            classes = np.zeros(shape, np.uint8) if classes is None else classes
        if self.shift is not None:
            block, radar = self._as_stored(window, self.shift)
            return DateRows(block, radar, classes)
        if scene.has_s1:
            radar = _to_db(mapping.bilinear(window, 2, self._power))
        reflectance = mapping.bilinear(window, len(scene.bands), lambda part: self.reader.s2(part).reflectance())
        valid = np.asarray(np.isfinite(reflectance).all(axis=0))
        return DateRows(S2Block(reflectance, valid, Radiometry("reflectance", 0.0, 1.0)), radar, classes)

    def _as_stored(self, window: Window, shift: tuple[int, int]) -> tuple[S2Block, NDArray[np.float32] | None]:
        """Sentinel-2 and Sentinel-1 where the pixels coincide; beyond this date's grid nothing is valid."""
        scene, shape = self.scene, (int(window.height), int(window.width))
        column, row = int(window.col_off) + shift[0], int(window.row_off) + shift[1]
        whole = 0 <= column <= scene.grid.width - shape[1] and 0 <= row <= scene.grid.height - shape[0]
        if whole:
            part = Window(column, row, shape[1], shape[0])
            return self.reader.s2(part), self.reader.s1(part) if scene.has_s1 else None
        left, top = max(column, 0), max(row, 0)
        right, bottom = min(column + shape[1], scene.grid.width), min(row + shape[0], scene.grid.height)
        raw = np.zeros((len(scene.bands), *shape), scene.dtype)
        valid = np.zeros(shape, bool)
        radar = np.full((2, *shape), np.nan, np.float32) if scene.has_s1 else None
        if right > left and bottom > top:
            part = Window(left, top, right - left, bottom - top)
            there = slice(top - row, bottom - row), slice(left - column, right - column)
            block = self.reader.s2(part)
            raw[:, there[0], there[1]], valid[there] = block.raw, block.valid
            if radar is not None:
                radar[:, there[0], there[1]] = self.reader.s1(part)
        return S2Block(raw, valid, scene.radiometry), radar

    def _power(self, part: Window) -> NDArray[np.float32]:
        """Radar is averaged as power."""
        power: NDArray[np.float32] = np.power(np.float32(10), self.reader.s1(part) * np.float32(0.1))
        return power


def _to_db(power: NDArray[np.float32]) -> NDArray[np.float32]:
    with np.errstate(divide="ignore", invalid="ignore"):
        db: NDArray[np.float32] = np.float32(10) * np.log10(power)
    return db
