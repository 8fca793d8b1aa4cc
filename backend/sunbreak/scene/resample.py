"""Puts a raster that lies on another grid onto the scene's grid, so a window never depends on how the scene is cut.

GDAL's warper approximates coordinates within the window it is asked for, so neighbouring windows may differ slightly.
Here the exact transform is evaluated on a lattice anchored at the scene's origin and interpolated between: the source
coordinates of a pixel are the same numbers whichever window it is read in.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import rasterio.warp
from numpy.typing import NDArray
from rasterio.windows import Window

from sunbreak.errors import InputError
from sunbreak.scene.georeference import TRANSFORM_ERRORS
from sunbreak.scene.grid import Grid

LATTICE = 32  # pixels; between UTM zones the interpolation error over 320 m is far below 0.001 pixel
_ALIGNED = 0.01  # pixels
_MAX_SUPERSAMPLING = 8
_MAX_FINENESS = 20.0
_CHUNK_PIXELS = 2**16
_PIECE_COLUMNS = 2048

Float = NDArray[np.float64]
T = TypeVar("T", bound=np.generic)


@dataclass(frozen=True)
class Mapping:
    """From pixels of the `target` grid to pixels of the `source` grid (0.5 is the centre of the first pixel)."""

    source: Grid
    target: Grid

    def exact(self, columns: Float, rows: Float) -> tuple[Float, Float]:
        """Source (columns, rows) of target pixel coordinates, all arrays of one shape."""
        x = self.target.transform.c + columns * self.target.transform.a
        y = self.target.transform.f + rows * self.target.transform.e
        if self.source.crs != self.target.crs:
            try:
                xs, ys = rasterio.warp.transform(self.target.crs, self.source.crs, x.ravel(), y.ravel())
            except TRANSFORM_ERRORS:  # none of these places exists in the other CRS
                xs = ys = [math.nan] * x.size
            x, y = np.reshape(xs, columns.shape), np.reshape(ys, columns.shape)
        if self.source.crs.is_geographic:
            # across the antimeridian longitudes jump by 360 degrees: use the value nearest to the source
            left, _, right, _ = self.source.bounds
            middle = (left + right) / 2
            x = middle + (x - middle + 180) % 360 - 180
        inverse = ~self.source.transform
        return inverse.c + x * inverse.a, inverse.f + y * inverse.e

    def shift(self) -> tuple[int, int] | None:
        """(columns, rows) to add to a target pixel to get the source pixel, or None if the pixels do not coincide."""
        width, height = self.target.width, self.target.height
        columns, rows = np.meshgrid(np.linspace(0, width, 3), np.linspace(0, height, 3))
        found_columns, found_rows = self.exact(columns, rows)
        shift_columns, shift_rows = found_columns - columns, found_rows - rows
        column, row = shift_columns[0, 0], shift_rows[0, 0]
        if not (np.isfinite(shift_columns).all() and np.isfinite(shift_rows).all()):
            return None
        whole = (round(float(column)), round(float(row)))
        off = max(np.abs(shift_columns - whole[0]).max(), np.abs(shift_rows - whole[1]).max())
        return whole if off <= _ALIGNED else None

    def coverage(self, window: Window, points: int = 200) -> float:
        """Fraction (0..1) of a target window that lies within the source's outline, from `points` x `points` places."""
        across, down = min(points, int(window.width)), min(points, int(window.height))
        columns, rows = np.meshgrid(
            window.col_off + (np.arange(across) + 0.5) * window.width / across,
            window.row_off + (np.arange(down) + 0.5) * window.height / down,
        )
        found_columns, found_rows = self.exact(columns, rows)
        return float(self._inside(found_columns, found_rows).mean())

    def lattice(self, window: Window) -> Lattice:
        """The exact transform at the lattice nodes around a target window."""
        column, row, width, height = (int(value) for value in window.flatten())
        first_column, first_row = column // LATTICE, row // LATTICE
        last_column, last_row = -(-(column + width) // LATTICE), -(-(row + height) // LATTICE)
        nodes = np.meshgrid(
            np.arange(first_column, last_column + 1) * float(LATTICE),
            np.arange(first_row, last_row + 1) * float(LATTICE),
        )
        return Lattice(first_column, first_row, *self.exact(*nodes))

    @property
    def fineness(self) -> float:
        """How many source pixels (per side) fall into one target pixel; not finite where there is no transform."""
        column, row = self.target.width / 2, self.target.height / 2
        columns, rows = self.exact(np.array([column, column + 1, column]), np.array([row, row, row + 1]))
        across = math.hypot(columns[1] - columns[0], rows[1] - rows[0])
        down = math.hypot(columns[2] - columns[0], rows[2] - rows[0])
        return max(across, down)

    @property
    def reduction(self) -> int:
        """How many source pixels (per side, rounded up) fall into one target pixel; 1 when the source is no finer."""
        ratio = self.fineness
        return 1 if not math.isfinite(ratio) or ratio < 1.5 else min(math.ceil(ratio), _MAX_SUPERSAMPLING)

    def nearest(self, window: Window, read: Callable[[Window], NDArray[T]]) -> NDArray[T] | None:
        """Nearest-neighbour resampling.

        Args:
            window: Target window.
            read: Returns the source window it is given as (row, column).

        Returns:
            (row, column), zero where the source does not lie under the window, or None if it lies nowhere under it.
        """
        lattice = self.lattice(window)
        part = lattice.source_window(self.source)
        if part is None:
            return None
        values = read(part)
        out = np.zeros((int(window.height), int(window.width)), values.dtype)
        for rows in _chunks(window):
            columns, lines = lattice.coordinates(window, rows, (0.5, 0.5))
            inside = self._inside(columns, lines)
            column = _index(np.floor(columns), inside, part.col_off, part.width)
            line = _index(np.floor(lines), inside, part.row_off, part.height)
            np.copyto(out[rows], values[line, column], where=inside)
        return out

    def bilinear(
        self, window: Window, bands: int, read: Callable[[Window], NDArray[np.float32]]
    ) -> NDArray[np.float32]:
        """Bilinear resampling that leaves missing pixels out; a finer source is averaged over the target pixel.

        Args:
            window: Target window.
            bands: Number of bands.
            read: Returns the source window it is given as (band, row, column) with NaN for missing.

        Returns:
            (band, row, column) float32, NaN where less than half of the weight is on valid pixels.
        """
        out = np.full((bands, int(window.height), int(window.width)), np.nan, np.float32)
        # under a rotated source a long strip encloses far more source rows than it needs: cut it across
        for column in range(0, int(window.width), _PIECE_COLUMNS):
            width = min(_PIECE_COLUMNS, int(window.width) - column)
            piece = Window(window.col_off + column, window.row_off, width, window.height)
            self._bilinear_into(out[:, :, column : column + width], piece, read)
        return out

    def _bilinear_into(
        self, out: NDArray[np.float32], window: Window, read: Callable[[Window], NDArray[np.float32]]
    ) -> None:
        lattice = self.lattice(window)
        part = lattice.source_window(self.source)
        if part is None:
            return
        values = read(part).reshape(len(out), -1)
        steps = self.reduction
        places = [((across + 0.5) / steps, (down + 0.5) / steps) for down in range(steps) for across in range(steps)]
        for rows in _chunks(window):
            neighbours = [self._neighbours(*lattice.coordinates(window, rows, at), part) for at in places]
            for band in range(len(out)):
                if len(neighbours) == 1:
                    out[band, rows] = neighbours[0].interpolate(values[band])
                    continue
                samples = np.stack([one.interpolate(values[band]) for one in neighbours])
                valid = np.isfinite(samples)
                count = valid.sum(axis=0, dtype=np.float32)
                mean = np.where(valid, samples, 0).sum(axis=0, dtype=np.float32) / np.maximum(count, 1)
                out[band, rows] = np.where(count >= len(places) / 2, mean, np.nan)

    def _inside(self, columns: Float, rows: Float) -> NDArray[np.bool_]:
        # a comparison with NaN or infinity (no transform there) is False
        with np.errstate(invalid="ignore"):
            inside: NDArray[np.bool_] = (columns >= 0) & (columns <= self.source.width)
            inside &= (rows >= 0) & (rows <= self.source.height)
        return inside

    def _neighbours(self, columns: Float, rows: Float, part: Window) -> Neighbours:
        inside = self._inside(columns, rows)
        columns -= 0.5
        rows -= 0.5
        left, top = np.floor(columns), np.floor(rows)
        with np.errstate(invalid="ignore"):
            across, down = (columns - left).astype(np.float32), (rows - top).astype(np.float32)
        # beyond the centres of the outermost pixels the outermost pixel stands in for the missing neighbour
        lefts, rights = (_index(left + step, inside, part.col_off, part.width) for step in (0, 1))
        tops, bottoms = (_index(top + step, inside, part.row_off, part.height) * int(part.width) for step in (0, 1))
        return Neighbours(inside, (tops + lefts, tops + rights, bottoms + lefts, bottoms + rights), across, down)


@dataclass(frozen=True)
class Lattice:
    """Source coordinates at every `LATTICE`-th target pixel.

    Attributes:
        column: Lattice column of the first node: target column divided by `LATTICE`.
        row: Lattice row of the first node.
        columns: Source columns of the nodes.
        rows: Source rows of the nodes.
    """

    column: int
    row: int
    columns: Float
    rows: Float

    def coordinates(self, window: Window, rows: slice, at: tuple[float, float]) -> tuple[Float, Float]:
        """Source (columns, rows) of target pixels.

        Args:
            window: The target window that the lattice was made for.
            rows: Rows of the window.
            at: The place within the pixel (column, row), 0.5 for its centre.
        """
        column = int(window.col_off) + np.arange(int(window.width))
        row = int(window.row_off) + np.arange(rows.start, rows.stop)
        across = ((column % LATTICE + at[0]) / LATTICE)[None, :]
        down = ((row % LATTICE + at[1]) / LATTICE)[:, None]
        cell_column, cell_row = column // LATTICE - self.column, row // LATTICE - self.row

        def between(nodes: Float) -> Float:
            upper = nodes[cell_row]
            along = upper + (nodes[cell_row + 1] - upper) * down
            step = along[:, 1:] - along[:, :-1]
            found: Float = step[:, cell_column]
            found *= across
            found += along[:, cell_column]
            return found

        with np.errstate(invalid="ignore"):  # nodes without a transform are infinite
            return between(self.columns), between(self.rows)

    def source_window(self, source: Grid) -> Window | None:
        """The part of the source that pixels of the lattice's window can need, or None if there is none."""
        finite = np.isfinite(self.columns) & np.isfinite(self.rows)
        if not finite.any():
            return None
        columns, rows = self.columns[finite], self.rows[finite]
        left, right = max(math.floor(columns.min()) - 1, 0), min(math.ceil(columns.max()) + 1, source.width)
        top, bottom = max(math.floor(rows.min()) - 1, 0), min(math.ceil(rows.max()) + 1, source.height)
        if right <= left or bottom <= top:
            return None
        return Window(left, top, right - left, bottom - top)


@dataclass(frozen=True)
class Neighbours:
    """The four source pixels around each target pixel.

    Attributes:
        inside: Whether the target pixel's centre lies in the source.
        indexes: Flat indexes of upper left, upper right, lower left, lower right.
        across: Weight of the right ones.
        down: Weight of the lower ones.
    """

    inside: NDArray[np.bool_]
    indexes: tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]
    across: NDArray[np.float32]
    down: NDArray[np.float32]

    def interpolate(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Interpolate one band (flat); NaN outside and where less than half of the weight is on valid pixels."""
        upper, right, lower, lower_right = (values.take(index) for index in self.indexes)
        right -= upper
        right *= self.across
        upper += right
        lower_right -= lower
        lower_right *= self.across
        lower += lower_right
        lower -= upper
        lower *= self.down
        upper += lower
        holes = np.isnan(upper) & self.inside
        if holes.any():
            upper[holes] = self._renormalised(values, holes)
        upper[~self.inside] = np.nan
        return upper

    def _renormalised(self, values: NDArray[np.float32], where: NDArray[np.bool_]) -> NDArray[np.float32]:
        across, down = self.across[where], self.down[where]
        weights = ((1 - down) * (1 - across), (1 - down) * across, down * (1 - across), down * across)
        total, weight = np.zeros_like(across), np.zeros_like(across)
        for index, part in zip(self.indexes, weights, strict=True):
            neighbour = values[index[where]]
            valid = np.isfinite(neighbour)
            total += np.where(valid, neighbour, 0) * part
            weight += np.where(valid, part, 0)
        enough = weight >= 0.5
        found: NDArray[np.float32] = np.where(enough, total / np.where(enough, weight, 1), np.nan).astype(np.float32)
        return found


def refuse_too_fine(mapping: Mapping, path: Path) -> None:
    """Refuse a raster with so many pixels to one of the scene that reading them would take all memory.

    Raises:
        InputError: ``too-large``.
    """
    fineness = mapping.fineness
    if math.isfinite(fineness) and fineness > _MAX_FINENESS:
        raise InputError(
            f"{path} has {fineness:.0f} x {fineness:.0f} pixels to one of the scene: too fine to read.",
            "Resample it to the pixels of the scene first: gdalwarp -tr 10 10 -r near in.tif out.tif.",
            code="too-large",
        )


def _chunks(window: Window) -> Iterator[slice]:
    """Runs of rows small enough for the processor's cache."""
    height = int(window.height)
    rows = max(1, _CHUNK_PIXELS // int(window.width))
    for row in range(0, height, rows):
        yield slice(row, min(row + rows, height))


def _index(place: Float, inside: NDArray[np.bool_], offset: float, size: float) -> NDArray[np.intp]:
    """Whole source places as indexes into the part that was read; anything where the pixel is outside."""
    found = np.where(inside, place - offset, 0)
    np.clip(found, 0, size - 1, out=found)
    return found.astype(np.intp)
