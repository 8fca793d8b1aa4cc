"""Reads Sentinel-1 in dB on the scene's grid. `radar_files` finds the files and bands.

Resampling averages neighbours, and only power may be averaged: dB is converted to linear power, resampled and
converted back.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from rasterio.io import DatasetReader
from rasterio.windows import Window

from sunbreak.scene.resample import Mapping
from sunbreak.sources import RasterSource
from sunbreak.sources.gdal import environment, read_bands

RadarUnit = Literal["db", "linear", "amplitude"]


@dataclass(frozen=True)
class RadarBand:
    """One polarisation: its file, band index (from 1), declared nodata and the file's own scale and offset."""

    file: RasterSource
    index: int
    nodata: float | None
    scale: float
    offset: float


@dataclass(frozen=True)
class RadarPair:
    """VV and VH of a scene.

    Attributes:
        bands: VV, then VH.
        mappings: From the scene's whole grid to the grid of each band.
        shifts: (columns, rows) where pixels coincide and no resampling is needed, else None.
        unit: What is stored.
        acquired: Date of acquisition, where known.
    """

    bands: tuple[RadarBand, RadarBand]
    mappings: tuple[Mapping, Mapping]
    shifts: tuple[tuple[int, int] | None, tuple[int, int] | None]
    unit: RadarUnit
    acquired: datetime | None

    @property
    def files(self) -> tuple[RasterSource, ...]:
        """The files, each once."""
        return tuple(dict.fromkeys(band.file for band in self.bands))


class RadarReader:
    """Open handles on the files of a `RadarPair`. For one thread."""

    def __init__(self, pair: RadarPair) -> None:
        self.pair = pair
        self._exit = ExitStack()
        self._datasets: dict[RasterSource, DatasetReader] = {}

    def __enter__(self) -> RadarReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._datasets.clear()
        self._exit.close()

    def read(self, window: Window) -> NDArray[np.float32]:
        """(2, row, column) float32 in dB for a window of the scene's whole grid, NaN where there is none."""
        out = np.full((2, int(window.height), int(window.width)), np.nan, np.float32)
        one_file = len(self.pair.files) == 1
        with environment():
            for group in [(0, 1)] if one_file else [(0,), (1,)]:
                self._fill(out, window, group)
        return out

    def _fill(self, out: NDArray[np.float32], window: Window, group: Sequence[int]) -> None:
        pair = self.pair
        mapping, shift = pair.mappings[group[0]], pair.shifts[group[0]]
        if shift is None:
            power = mapping.bilinear(window, len(group), lambda part: self._power(part, group))
            out[list(group)] = _to_db(power)
            return
        column, row = int(window.col_off) + shift[0], int(window.row_off) + shift[1]
        left, top = max(column, 0), max(row, 0)
        right = min(column + int(window.width), mapping.source.width)
        bottom = min(row + int(window.height), mapping.source.height)
        if right <= left or bottom <= top:
            return
        values = self._stored(Window(left, top, right - left, bottom - top), group)
        if pair.unit != "db":
            values = _to_db(values)
        out[group[0] : group[-1] + 1, top - row : bottom - row, left - column : right - column] = values

    def _power(self, part: Window, group: Sequence[int]) -> NDArray[np.float32]:
        values = self._stored(part, group)
        if self.pair.unit == "db":
            values *= np.float32(0.1)
            with np.errstate(over="ignore"):
                np.power(np.float32(10), values, out=values)
            values[np.isinf(values)] = np.nan
        return values

    def _stored(self, part: Window, group: Sequence[int]) -> NDArray[np.float32]:
        """Numbers of the file's own grid, in dB or as power, (band, row, column), NaN where missing or no power."""
        bands = [self.pair.bands[index] for index in group]
        file = bands[0].file
        if file not in self._datasets:
            self._datasets[file] = self._exit.enter_context(file.open())
        with file.reading():
            raw = read_bands(self._datasets[file], [band.index for band in bands], part)
        values = np.empty(raw.shape, np.float32)
        for out, one, band in zip(values, raw, bands, strict=True):
            out[:] = calibrated(one, band)
        del raw
        if self.pair.unit != "db":
            values[values <= 0] = np.nan
            if self.pair.unit == "amplitude":
                values *= values
        elif len(group) == 2:
            # exports fill the swath's edge with zeros; 0 dB in both polarisations at once is no measurement
            values[:, (values == 0).all(axis=0)] = np.nan
        return values


def calibrated(raw: NDArray[Any], band: RadarBand) -> NDArray[np.float32]:
    """Stored numbers as a new float32 array, with the file's own scale and offset applied and NaN for nodata."""
    values = raw.astype(np.float32)
    if band.nodata is not None and not np.isnan(band.nodata):
        values[raw == raw.dtype.type(band.nodata)] = np.nan
    if band.scale != 1.0 or band.offset != 0.0:
        values = values * np.float32(band.scale) + np.float32(band.offset)
    values[~np.isfinite(values)] = np.nan
    return values


def _to_db(power: NDArray[np.float32]) -> NDArray[np.float32]:
    with np.errstate(divide="ignore", invalid="ignore"):
        db: NDArray[np.float32] = np.log10(np.where(power > 0, power, np.float32(np.nan)))
    db *= np.float32(10)
    return db
