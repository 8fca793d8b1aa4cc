"""A layer while it is being written: plain rows on disk at full, half, quarter ... size.

The coarse levels are made from each strip while it is in the cache. The COG driver then makes no overview passes of its
own, which would take half of the time of `LayerSet.finish`. `Staging.describe` combines the levels as a VRT, which the
COG driver copies, with everything that must be in the file before the copy: names, units, nodata, colours, tags.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml  # nosec B405: writes only, parses nothing

import numpy as np
from numpy.typing import NDArray

from sunbreak.drafts import create, open_stored
from sunbreak.layers.encoding import halve
from sunbreak.layers.roles import LayerSpec
from sunbreak.scene.grid import Grid

BLOCK = 512

_GDAL_TYPES = {
    "uint8": "Byte",
    "int8": "Int8",
    "uint16": "UInt16",
    "int16": "Int16",
    "uint32": "UInt32",
    "int32": "Int32",
    "float32": "Float32",
    "float64": "Float64",
}
_COLOURS = {"B04": "Red", "B03": "Green", "B02": "Blue"}


class _Level:
    """One resolution in one file: all rows of band 1, then all rows of band 2, and so on.

    Raises:
        OSError: The file cannot be made, or does not hold the rows that it should start with.
    """

    def __init__(self, path: Path, bands: int, rows: int, cols: int, dtype: np.dtype[Any], first: int | None) -> None:
        self.path = path
        self.bands, self.rows, self.cols, self.dtype = bands, rows, cols, dtype
        self.next_row = first or 0
        self.odd_row: NDArray[Any] | None = None  # an odd last row, which is averaged with the next strip's first
        self._open = create(path) if first is None else open_stored(path, limit=2**63, write=True)
        self._file = self._open.fileno()
        if self.next_row and os.fstat(self._file).st_size < self._place(bands - 1, self.next_row):
            self.close()
            raise OSError(errno.EIO, "rows are missing", str(path))
        if self.next_row % 2 and self.next_row < rows:
            self.odd_row = np.stack([self._row(band, self.next_row - 1) for band in range(bands)])

    @property
    def nbytes(self) -> int:
        return self.bands * self.rows * self.cols * self.dtype.itemsize

    def append(self, strip: NDArray[Any]) -> None:
        for index, band in enumerate(strip):
            os.lseek(self._file, self._place(index, self.next_row), os.SEEK_SET)
            data = np.ascontiguousarray(band).data.cast("B")
            while data:
                data = data[os.write(self._file, data) :]
        self.next_row += strip.shape[1]

    def block(self, row: int, col: int, rows: int, cols: int) -> NDArray[Any]:
        stored = np.memmap(self.path, self.dtype, "r", shape=(self.bands, self.rows, self.cols))
        return np.array(stored[:, row : row + rows, col : col + cols])

    def flush(self) -> None:
        os.fsync(self._file)

    def _row(self, band: int, row: int) -> NDArray[Any]:
        os.lseek(self._file, self._place(band, row), os.SEEK_SET)
        return np.frombuffer(os.read(self._file, self.cols * self.dtype.itemsize), self.dtype)[None]

    def _place(self, band: int, row: int) -> int:
        return (band * self.rows + row) * self.cols * self.dtype.itemsize

    def close(self) -> None:
        if self._file >= 0:
            self._open.close()
            self._file = -1


class Staging:
    """The temporary form of one layer.

    Args:
        folder: Where the files go; they are called after the role.
        spec: How the layer is stored.
        grid: Where it lies.
        first: Rows that the files of an earlier run hold already; None makes new files.
        south_up: The rows of the finished layer go from south to north, those that are written from north to south.

    Raises:
        OSError: The files cannot be made, or do not hold these rows.
    """

    def __init__(
        self, folder: Path, spec: LayerSpec, grid: Grid, first: int | None = None, *, south_up: bool = False
    ) -> None:
        self.folder, self.spec, self.grid, self.south_up = folder, spec, grid, south_up
        dtype = np.dtype(spec.dtype)
        self._levels: list[_Level] = []
        try:
            for number, (rows, cols) in enumerate(level_shapes(grid)):
                path = folder / f"{spec.role}.{number}.raw"
                self._levels.append(_Level(path, len(spec.bands), rows, cols, dtype, first))
                if first is not None:
                    # a level holds a row for each pair of rows of the one before, and for a single last one
                    first = (first + 1) // 2 if first == rows else first // 2
        except OSError:
            self.close()
            raise

    @property
    def next_row(self) -> int:
        """Number of rows written so far."""
        return self._levels[0].next_row

    @property
    def nbytes(self) -> int:
        """Size of all levels on disk once they are complete."""
        return sum(level.nbytes for level in self._levels)

    @property
    def written(self) -> int:
        """How much of `nbytes` is on disk."""
        return sum(level.nbytes * level.next_row // level.rows for level in self._levels)

    def append(self, strip: NDArray[Any]) -> None:
        """Write the next rows: stored numbers (band, row, column).

        Raises:
            OSError: the disk is full or gone.
        """
        for level, coarser in zip(self._levels, [*self._levels[1:], None], strict=True):
            level.append(strip)
            if coarser is None:
                return
            if level.odd_row is not None:
                strip = np.concatenate((level.odd_row, strip), axis=1)
                level.odd_row = None
            whole = strip.shape[1]
            if whole % 2 and level.next_row < level.rows:
                whole -= 1
                level.odd_row = strip[:, whole:].copy()
            if not whole:
                return
            strip = halve(strip[:, :whole], self.spec)

    def block(self, row: int, col: int, rows: int, cols: int) -> NDArray[Any]:
        """What was written at full size in one rectangle, (band, row, column), read back from the disk."""
        return self._levels[0].block(row, col, rows, cols)

    def finished_block(self, row: int, col: int, rows: int, cols: int) -> NDArray[Any]:
        """What the finished layer must hold in one rectangle of its own, (band, row, column)."""
        if not self.south_up:
            return self.block(row, col, rows, cols)
        return self.block(self.grid.height - row - rows, col, rows, cols)[:, ::-1]

    @property
    def finished_grid(self) -> Grid:
        """The grid of the finished layer."""
        return self.grid.turned() if self.south_up else self.grid

    def flush(self) -> None:
        """Flush what has been written to the disk."""
        for level in self._levels:
            level.flush()

    def describe(self, tags: Mapping[str, str]) -> Path:
        """Write the VRT over all levels and return its path.

        Args:
            tags: Tags of the data set, besides the ones that the layer itself asks for.
        """
        self.close()
        for number in range(len(self._levels) - 1, -1, -1):
            root = self._raster(number)
            if number == 0:
                self._annotate(root, tags)
            with create(self._vrt(number)) as file:
                Xml.ElementTree(root).write(file, encoding="utf-8")
        return self._vrt(0)

    def close(self) -> None:
        """Close the files without deleting them."""
        for level in self._levels:
            level.close()

    def discard(self) -> None:
        """Delete the files."""
        self.close()
        for number, level in enumerate(self._levels):
            level.path.unlink(missing_ok=True)
            self._vrt(number).unlink(missing_ok=True)

    def _vrt(self, number: int) -> Path:
        return self.folder / f"{self.spec.role}.{number}.vrt"

    def _raster(self, number: int) -> Xml.Element:
        level = self._levels[number]
        root = Xml.Element("VRTDataset", rasterXSize=str(level.cols), rasterYSize=str(level.rows))
        size = level.dtype.itemsize
        order = "LSB" if np.little_endian else "MSB"
        for band in range(level.bands):
            kind = _GDAL_TYPES[level.dtype.name]
            node = Xml.SubElement(root, "VRTRasterBand", dataType=kind, band=str(band + 1), subClass="VRTRawRasterBand")
            Xml.SubElement(node, "SourceFilename", relativeToVRT="1").text = level.path.name
            row = level.cols * size
            # a raster that is south-up begins with the row that was written last
            _text(node, "ImageOffset", (band * level.rows + (level.rows - 1 if self.south_up else 0)) * row)
            _text(node, "PixelOffset", size)
            _text(node, "LineOffset", -row if self.south_up else row)
            _text(node, "ByteOrder", order)
            if self.spec.nodata is not None:
                _text(node, "NoDataValue", _number(self.spec.nodata))
        return root

    def _annotate(self, root: Xml.Element, tags: Mapping[str, str]) -> None:
        spec = self.spec
        _text(root, "SRS", self.grid.crs.to_wkt())
        gdal_order = self.finished_grid.transform.to_gdal()
        _text(root, "GeoTransform", ", ".join(repr(float(number)) for number in gdal_order))
        _metadata(root, {"AREA_OR_POINT": "Area", **tags})
        for index, (node, name) in enumerate(zip(root.findall("VRTRasterBand"), spec.bands, strict=True)):
            _text(node, "Description", name)
            if spec.unit:
                _text(node, "UnitType", spec.unit)
            if (spec.scale, spec.offset) != (1.0, 0.0):
                _text(node, "Offset", repr(float(spec.offset)))
                _text(node, "Scale", repr(float(spec.scale)))
            if spec.categories:
                self._classes(node)
            else:
                single = "Gray" if len(spec.bands) == 1 else "Undefined"
                _text(node, "ColorInterp", _COLOURS.get(name, single) if spec.role == "cleaned" else single)
            for number in range(1, len(self._levels)):
                overview = Xml.SubElement(node, "Overview")
                Xml.SubElement(overview, "SourceFilename", relativeToVRT="1").text = self._vrt(number).name
                _text(overview, "SourceBand", index + 1)

    def _classes(self, node: Xml.Element) -> None:
        classes = {category.value: category for category in self.spec.categories}
        _metadata(node, {f"CLASS_{value}": category.name for value, category in sorted(classes.items())})
        _text(node, "ColorInterp", "Palette")
        table = Xml.SubElement(node, "ColorTable")
        names = Xml.SubElement(node, "CategoryNames")
        for value in range(max(classes) + 1):
            red, green, blue = classes[value].rgb if value in classes else (0, 0, 0)
            Xml.SubElement(table, "Entry", c1=str(red), c2=str(green), c3=str(blue), c4="255")
            _text(names, "Category", classes[value].name if value in classes else "")


def level_shapes(grid: Grid) -> list[tuple[int, int]]:
    """(rows, columns) of the full size and of every overview, down to the first that fits one block."""
    shapes = [grid.shape]
    while max(shapes[-1]) > BLOCK:
        rows, cols = shapes[-1]
        shapes.append(((rows + 1) // 2, (cols + 1) // 2))
    return shapes


def full_bytes(spec: LayerSpec, grid: Grid) -> int:
    """Bytes of a layer at full size, without overviews, before it is compressed."""
    return grid.height * grid.width * len(spec.bands) * np.dtype(spec.dtype).itemsize


def staged_bytes(spec: LayerSpec, grid: Grid) -> int:
    """Bytes of a layer on disk before it is compressed."""
    pixels = sum(rows * cols for rows, cols in level_shapes(grid))
    return pixels * len(spec.bands) * np.dtype(spec.dtype).itemsize


def _metadata(parent: Xml.Element, items: Mapping[str, str]) -> None:
    node = Xml.SubElement(parent, "Metadata")
    for key, value in items.items():
        Xml.SubElement(node, "MDI", key=key).text = value


def _text(parent: Xml.Element, name: str, value: object) -> None:
    Xml.SubElement(parent, name).text = str(value)


def _number(value: float) -> str:
    if np.isnan(value):
        return "nan"
    return str(int(value)) if float(value).is_integer() else repr(float(value))
