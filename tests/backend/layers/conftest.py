"""A grid and layers for the tests of this package."""

from __future__ import annotations

import pytest
from affine import Affine
from rasterio.crs import CRS

from sunbreak.scene import Grid


@pytest.fixture
def grid() -> Grid:
    """1100 x 700 pixels, so that there are overviews and cut blocks."""
    return Grid(CRS.from_epsg(32632), Affine(10, 0, 500000, 0, -10, 5300000), 1100, 700)
