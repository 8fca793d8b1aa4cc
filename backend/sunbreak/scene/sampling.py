"""Samples a few windows of a raster instead of all of it: enough to determine units, offsets and band order.

Windows are read at full resolution, not from overviews: overviews may be averaged, stale, or missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rasterio.windows import Window

from sunbreak.sources import RasterSource

_SMALL = 2**20  # pixels; a raster up to this size is read whole
_STRIP_PIXELS = 2**22


def sample_density(files: Iterable[RasterSource]) -> tuple[int, int]:
    """How many windows a side, and of how many pixels: in JPEG 2000 each costs tiles of 1024 x 1024 in each band.

    Args:
        files: What is read, possibly in archives or through virtual rasters.
    """
    names = (path for file in files for path in (file.path, *file.files))
    return (3, 128) if any(path.suffix.lower() in (".jp2", ".j2k") for path in names) else (5, 64)


def sample_windows(part: Window, per_side: int = 5, size: int = 64) -> Iterator[Window]:
    """Windows of `size` pixels spread evenly over a part of a raster, or all of a small part."""
    left, top, width, height = (int(value) for value in part.flatten())
    if width * height <= _SMALL:
        yield Window(left, top, width, height)
        return
    columns, rows = ({_start(index, per_side, side, size) for index in range(per_side)} for side in (width, height))
    for row in sorted(rows):
        for column in sorted(columns):
            yield Window(left + column, top + row, min(size, width - column), min(size, height - row))


def border_windows(part: Window, per_side: int = 5, size: int = 64) -> Iterator[Window]:
    """Windows of `size` pixels along the border of a part of a raster, corners included; none of a small part."""
    left, top, width, height = (int(value) for value in part.flatten())
    if width * height <= _SMALL:
        return
    last = per_side - 1
    columns, rows = ([max(0, side - size) * index // last for index in range(per_side)] for side in (width, height))
    for number, row in enumerate(rows):
        for column in columns if number in (0, last) else (columns[0], columns[-1]):
            yield Window(left + column, top + row, min(size, width - column), min(size, height - row))


def strips(part: Window) -> Iterator[Window]:
    """All of a part of a raster, as strips of whole rows."""
    left, top, width, height = (int(value) for value in part.flatten())
    rows = max(1, min(height, _STRIP_PIXELS // width))
    for row in range(0, height, rows):
        yield Window(left, top + row, width, min(rows, height - row))


def whole_blocks(part: Window, block: tuple[int, int]) -> Iterator[Window]:
    """All of a part of a raster, as `strips` where its blocks (rows, columns) are low, else block by block.

    Of high blocks every strip would decode a whole row of blocks again, which does not fit GDAL's cache.
    """
    left, top, width, height = (int(value) for value in part.flatten())
    rows, columns = block
    if rows <= max(1, _STRIP_PIXELS // width):
        yield from strips(part)
        return
    for row in range(top // rows * rows, top + height, rows):
        first, last = max(row, top), min(row + rows, top + height)
        for column in range(left // columns * columns, left + width, columns):
            start, stop = max(column, left), min(column + columns, left + width)
            yield from strips(Window(start, first, stop - start, last - first))


def _start(index: int, count: int, side: int, size: int) -> int:
    return max(0, min(int((index + 0.5) * side / count) - size // 2, side - size))
