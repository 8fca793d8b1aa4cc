"""The pixel grid of a run: its CRS, origin, pixel size and shape."""

from __future__ import annotations

from dataclasses import dataclass

from affine import Affine
from rasterio.crs import CRS
from rasterio.windows import Window


@dataclass(frozen=True)
class Grid:
    """A north-up or south-up raster grid without rotation.

    Attributes:
        crs: Coordinate reference system.
        transform: Pixel to map coordinates (rotation terms are zero).
        width: Columns.
        height: Rows.
    """

    crs: CRS
    transform: Affine
    width: int
    height: int

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns)."""
        return self.height, self.width

    @property
    def pixel_size(self) -> tuple[float, float]:
        """Absolute pixel width and height in units of the CRS."""
        return abs(self.transform.a), abs(self.transform.e)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """(left, bottom, right, top) in units of the CRS, whichever way up the raster is."""
        x0, y0 = self.transform.c, self.transform.f
        x1, y1 = x0 + self.width * self.transform.a, y0 + self.height * self.transform.e
        return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)

    @property
    def south_up(self) -> bool:
        """Whether the first row is the southernmost one."""
        return self.transform.e > 0

    def turned(self) -> Grid:
        """The same pixels with their rows in the opposite order."""
        a, _, c, _, e, f = tuple(self.transform)[:6]
        return Grid(self.crs, Affine(a, 0.0, c, 0.0, -e, f + self.height * e), self.width, self.height)

    @property
    def window(self) -> Window:
        """All of it, as a window."""
        return Window(0, 0, self.width, self.height)

    def crop(self, window: Window) -> Grid:
        """The grid of a window with whole-numbered offsets and sizes."""
        col, row = int(window.col_off), int(window.row_off)
        a, _, c, _, e, f = tuple(self.transform)[:6]
        return Grid(self.crs, Affine(a, 0.0, c + col * a, 0.0, e, f + row * e), int(window.width), int(window.height))

    def coarser(self, factor: int) -> Grid:
        """The grid of cells of `factor` x `factor` pixels from the same corner; the last may reach beyond it."""
        if factor == 1:
            return self
        a, _, c, _, e, f = tuple(self.transform)[:6]
        transform = Affine(a * factor, 0.0, c, 0.0, e * factor, f)
        return Grid(self.crs, transform, -(-self.width // factor), -(-self.height // factor))
