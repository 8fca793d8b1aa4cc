"""Sentinel-2 files as one stack of bands on the finest grid among them.

One multi-band file, a folder of single-band files and a list of them all become a `BandStack`: for each canonical band
the file and index it is read from. Coarser bands are resampled bilinearly; bands on the grid itself are read as they
are stored.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.io import DatasetReader
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window

from sunbreak.errors import InputError
from sunbreak.scene.grid import Grid
from sunbreak.sources import RasterSource
from sunbreak.sources.gdal import environment, read_bands

Zeros = Literal["all", "visible", "any", "none"]

_VISIBLE = ("B02", "B03", "B04")


@dataclass(frozen=True)
class BandSource:
    """Where one band is read from.

    Attributes:
        name: Canonical band name.
        file: The file.
        index: The band in it, from 1.
        nodata: The nodata value that the file declares, if its dtype can hold it.
        resampled: Whether the file's grid is not the stack's.
    """

    name: str
    file: RasterSource
    index: int
    nodata: float | None
    resampled: bool


@dataclass(frozen=True)
class ValiditySource:
    """Where a file says which pixels hold data: a band, or the mask inside the file.

    Attributes:
        file: The file, on the stack's grid.
        index: The band, from 1, that is 0 where there is no data; None for the mask inside the file.
    """

    file: RasterSource
    index: int | None


@dataclass(frozen=True)
class BandStack:
    """The bands of one scene on one grid, in native order.

    Attributes:
        grid: The grid.
        sources: Where the bands are read from.
        dtype: Of the stored numbers of all bands.
        masks: Where the files say which pixels hold data.
        fill: A number that stands for no data in all bands at once, though no file declares it.
        zeros: Which bands are 0 where an integer file that declares nothing holds no data: all bands, all visible
            bands, any but B10, or none, since 0 is data.
        turned: Whether the rows of the grid are in the opposite order of those in the files.
    """

    grid: Grid
    sources: tuple[BandSource, ...]
    dtype: str
    masks: tuple[ValiditySource, ...] = ()
    fill: float | None = None
    zeros: Zeros = "all"
    turned: bool = False

    @property
    def bands(self) -> tuple[str, ...]:
        """Canonical names."""
        return tuple(source.name for source in self.sources)

    @property
    def files(self) -> tuple[RasterSource, ...]:
        """The files, each once."""
        return tuple(dict.fromkeys(source.file for source in self.sources))

    @property
    def declared_nodata(self) -> float | None:
        """The first nodata value that a file declares."""
        return next((source.nodata for source in self.sources if source.nodata is not None), None)

    @property
    def nodata(self) -> float:
        """What stands for no data: declared, found, or what the dtype suggests."""
        if self.declared_nodata is not None:
            return self.declared_nodata
        if self.fill is not None:
            return self.fill
        return float("nan") if np.dtype(self.dtype).kind == "f" else 0.0

    @property
    def title(self) -> str:
        """The one file; of several the folder: none of them stands for a band that another would hold."""
        first = self.sources[0].file
        return first.identity if len(self.files) == 1 else str(first.path.parent)

    def lacking(self, bands: Sequence[str]) -> str:
        """Names of bands that are not there, with those of their files where every band has its own."""
        first = self.sources[0]
        name = first.file.path.name
        if len(self.files) < 2 or name.count(first.name) != 1:
            return ", ".join(bands)
        return ", ".join(f"{band} (no file {name.replace(first.name, band)})" for band in bands)

    def select(self, bands: Sequence[str] | None) -> tuple[BandSource, ...]:
        """The sources of `bands`, in that order.

        Raises:
            InputError: ``band-missing``.
        """
        if bands is None:
            return self.sources
        known = {source.name: source for source in self.sources}
        missing = [name for name in bands if name not in known]
        if missing:
            raise InputError(
                f"{self.title} has no band {self.lacking(missing)}.", f"It has {', '.join(known)}.", code="band-missing"
            )
        return tuple(known[name] for name in bands)

    def valid(self, raw: NDArray[Any], sources: Sequence[BandSource]) -> NDArray[np.bool_]:
        """Which pixels of (band, row, column) are valid.

        A pixel is invalid if a band is not finite, if a band other than B10 equals the nodata value declared for it,
        if all bands are `fill`, or, in integer data that declares none, if the bands of `zeros` are 0. B10 is
        legitimately 0 in L1C.
        """
        valid = np.ones(raw.shape[1:], bool)
        if raw.dtype.kind == "f":
            for band in raw:
                valid &= np.isfinite(band)
        only_cirrus = all(source.name == "B10" for source in sources)
        if all(source.nodata is None for source in sources):
            if raw.dtype.kind != "f" and self.zeros != "none":
                valid = self._without_zeros(raw, sources)
        else:
            for band, source in zip(raw, sources, strict=True):
                if source.nodata is not None and not np.isnan(source.nodata) and (source.name != "B10" or only_cirrus):
                    valid &= band != raw.dtype.type(source.nodata)
        if self.fill is not None and not only_cirrus:
            filled = np.ones(raw.shape[1:], bool)
            for band, source in zip(raw, sources, strict=True):
                if source.name != "B10":
                    filled &= band == raw.dtype.type(self.fill)
            valid &= ~filled
        return valid

    def _without_zeros(self, raw: NDArray[Any], sources: Sequence[BandSource]) -> NDArray[np.bool_]:
        """Where an integer file that declares no nodata value holds data."""
        valid = np.zeros(raw.shape[1:], bool)
        for band in raw:
            valid |= band != 0
        told = [place for place, source in enumerate(sources) if source.name != "B10"]
        if self.zeros == "any":
            for place in told:
                valid &= raw[place] != 0
        elif self.zeros == "visible":
            seen = [place for place in told if sources[place].name in _VISIBLE]
            if seen:
                visible = np.zeros(raw.shape[1:], bool)
                for place in seen:
                    visible |= raw[place] != 0
                valid &= visible
        return valid


class StackReader:
    """Open handles on the files of a `BandStack`. For one thread."""

    def __init__(self, stack: BandStack) -> None:
        self.stack = stack
        self._exit = ExitStack()
        self._datasets: dict[RasterSource, DatasetReader] = {}
        self._warped: dict[tuple[RasterSource, bool], WarpedVRT] = {}

    def __enter__(self) -> StackReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._datasets.clear()
        self._warped.clear()
        self._exit.close()

    def read(self, window: Window, sources: Sequence[BandSource]) -> NDArray[Any]:
        """Raw numbers (band, row, column) of a window of the stack's grid, in the stack's dtype.

        Where a mask of the files says that there is no data, they are `BandStack.nodata`.

        Raises:
            InputError: ``damaged`` if a file cannot be decoded.
        """
        raw = np.empty((len(sources), int(window.height), int(window.width)), self.stack.dtype)
        with environment():
            start = 0
            while start < len(sources):
                # neighbours in one file are read in one call: pixel-interleaved files are decoded once, not once a band
                stop = start + 1
                while stop < len(sources) and _together(sources[start], sources[stop]):
                    stop += 1
                self._read_into(raw[start:stop], window, sources[start:stop])
                start = stop
            for mask in self.stack.masks:
                hidden = self._mask(mask, window) == 0
                if hidden.any():
                    raw[:, hidden] = raw.dtype.type(self.stack.nodata)
        return raw

    def _mask(self, mask: ValiditySource, window: Window) -> NDArray[Any]:
        """(row, column), 0 where there is no data."""
        with mask.file.reading():
            dataset, part = self._dataset(mask.file), self._in_files(window)
            found: NDArray[Any] = (
                dataset.dataset_mask(window=part) if mask.index is None else dataset.read(mask.index, window=part)
            )
        return found[::-1] if self.stack.turned else found

    def _in_files(self, window: Window) -> Window:
        """Where a window of the grid lies in files whose pixels are those of the grid."""
        if not self.stack.turned:
            return window
        column, row, width, height = (int(value) for value in window.flatten())
        return Window(column, self.stack.grid.height - row - height, width, height)

    def _read_into(self, out: NDArray[Any], window: Window, sources: Sequence[BandSource]) -> None:
        first = sources[0]
        with first.file.reading():
            dataset = self._warp(first) if first.resampled else self._dataset(first.file)
            indexes = [source.index for source in sources]
            if self.stack.turned and not first.resampled:
                np.copyto(out, read_bands(dataset, indexes, self._in_files(window))[:, ::-1], casting="unsafe")
            elif {dataset.dtypes[index - 1] for index in indexes} == {out.dtype.name}:
                dataset.read(indexes, window=window, out=out)
            else:
                np.copyto(out, read_bands(dataset, indexes, window), casting="unsafe")

    def _dataset(self, file: RasterSource) -> DatasetReader:
        if file not in self._datasets:
            self._datasets[file] = self._exit.enter_context(file.open())
        return self._datasets[file]

    def _warp(self, source: BandSource) -> WarpedVRT:
        dataset = self._dataset(source.file)
        # zeros at the swath's edge must not be interpolated into the image; in B10 they are measurements
        nodata = source.nodata if source.nodata is not None else self.stack.fill
        if nodata is None and source.name != "B10":
            nodata = 0 if np.dtype(dataset.dtypes[source.index - 1]).kind in "iu" else float("nan")
        key = (source.file, source.name == "B10")
        if key not in self._warped:
            grid = self.stack.grid
            self._warped[key] = self._exit.enter_context(
                WarpedVRT(
                    dataset,
                    crs=grid.crs,
                    transform=grid.transform,
                    width=grid.width,
                    height=grid.height,
                    resampling=Resampling.bilinear,
                    src_nodata=nodata,
                    nodata=nodata,
                )
            )
        return self._warped[key]


def _together(one: BandSource, other: BandSource) -> bool:
    return one.file == other.file and not one.resampled and not other.resampled
