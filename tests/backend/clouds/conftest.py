"""The demo scene as reflectance: real land with clouds and their shadows, as large as one tile of the networks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio

from sunbreak.clouds.blocks import block_mean

DEMO = Path(__file__).resolve().parents[3] / "resources" / "demo" / "demo_s2_cloudy.tif"


@pytest.fixture(scope="session")
def demo_image() -> np.ndarray:
    """(13, 768, 768) at 10 m; not to be changed."""
    with rasterio.open(DEMO) as source:
        return source.read().astype(np.float32) / np.float32(1e4)


@pytest.fixture(scope="session")
def demo_cells(demo_image) -> np.ndarray:
    """The six bands of the networks, (6, 256, 256) at 30 m; not to be changed."""
    return block_mean(demo_image[[1, 2, 3, 7, 11, 12]], 3)
