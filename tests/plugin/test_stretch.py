"""Cleaned scenes are shown in natural colours."""

from __future__ import annotations

import pytest

pytest.importorskip("qgis.core", reason="QGIS's Python modules cannot be imported: run with QGIS's interpreter")

import numpy as np
from algorithms import write_raster

NAMES = ("B02", "B03", "B04", "B08")


@pytest.fixture
def shown(plugin, tmp_path):
    """Makes a layer from (band, row, column) reflectance, stretches it, and returns black and white of each band."""
    from qgis.core import QgsMultiBandColorRenderer, QgsRasterLayer

    from sunbreak.plugin.stretch import natural_colours

    def show(values, bands=(3, 2, 1), known=None, nodata=None):
        path = write_raster(tmp_path / "scene.tif", values, bands=NAMES, nodata=nodata)
        layer = QgsRasterLayer(str(path), "scene")
        layer.setRenderer(QgsMultiBandColorRenderer(layer.dataProvider(), *bands))
        natural_colours(layer, {} if known is None else known)
        renderer = layer.renderer()
        stretches = (
            renderer.redContrastEnhancement(),
            renderer.greenContrastEnhancement(),
            renderer.blueContrastEnhancement(),
        )
        return [(s.minimumValue(), s.maximumValue()) for s in stretches if s is not None]

    return show


def scene(*ranges):
    """(band, 100, 100) with values that rise evenly through the range of each band."""
    even = np.linspace(0, 1, 10_000, dtype="float32").reshape(100, 100)
    return np.stack([low + (high - low) * even for low, high in ranges])


LAND = ((0.09, 0.13), (0.06, 0.14), (0.04, 0.16), (0.05, 0.4))


def test_each_band_reaches_from_its_dark_to_its_bright_land(shown):
    (red, green, blue) = shown(scene(*LAND))
    assert red == pytest.approx((0.041, 0.204), abs=0.002)
    assert green == pytest.approx((0.061, 0.189), abs=0.002)
    # the haze of the air is black; a smaller range is enlarged less than to the full
    assert blue == pytest.approx((0.09, 0.175), abs=0.002)


def test_water_alone_is_not_stretched_until_noise_shows(shown):
    assert shown(scene(*[(0.05, 0.06)] * 4)) == [pytest.approx((0.05, 0.11), abs=0.001)] * 3


def test_clouds_that_are_left_do_not_darken_the_land(shown):
    values = scene(*LAND)
    values[:, :30] = 0.8
    assert [white for _, white in shown(values)] == pytest.approx([0.3, 0.3, 0.3])


def test_snow_everywhere_is_white(shown):
    assert shown(scene(*[(0.7, 0.9)] * 4)) == [pytest.approx((0.15, 0.3))] * 3


def test_vegetation_has_room_in_the_near_infrared(shown):
    (infrared, red, green) = shown(scene(*LAND), bands=(4, 3, 2))
    assert infrared == pytest.approx((0.053, 0.529), abs=0.003)
    assert 0.3 > red[1] > green[1]


def test_pixels_without_data_do_not_count(shown):
    values = scene(*LAND)
    values[:, 50:] = -1
    assert shown(values, nodata=-1)[0][0] == pytest.approx(0.041, abs=0.002)


def test_a_scene_without_data_keeps_its_style(shown):
    assert shown(np.full((4, 100, 100), -1, "float32"), nodata=-1) == []


def test_scenes_that_share_their_stretch_look_alike(shown):
    known = {}
    first = shown(scene(*LAND), known=known)
    assert shown(scene(*LAND) + 0.05, known=known) == first
    assert set(known) == {"B04", "B03", "B02"}
