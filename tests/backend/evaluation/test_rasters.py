"""Comparing rasters: metrics are those of the arrays, per patch, and rasters that do not match are refused."""

from __future__ import annotations

import numpy as np
import pytest
from rasterio.transform import from_origin

from sunbreak.errors import InputError
from sunbreak.evaluation import rasters as evaluation
from sunbreak.metrics import image
from sunbreak.scene import S2_BANDS


@pytest.fixture
def rasters(write_raster, cloudy_dn):
    clear, cloudy = cloudy_dn(60, 80), cloudy_dn(60, 80, (slice(10, 40), slice(20, 60)))
    cleaned = clear.copy()
    cleaned[:, 10:40, 20:60] += 200
    mask = np.zeros((1, 60, 80), np.uint8)
    mask[:, 10:40, 20:60] = 1
    sigma = np.where(mask == 1, 100, 0).repeat(13, axis=0).astype(np.uint16)
    return {
        "clear": write_raster("clear.tif", clear, bands=S2_BANDS),
        "cloudy": write_raster("cloudy.tif", cloudy, bands=S2_BANDS),
        "cleaned": write_raster("cleaned.tif", cleaned, bands=S2_BANDS),
        "mask": write_raster("mask.tif", mask, nodata=255),
        "sigma": write_raster("sigma.tif", sigma, nodata=65535),
    }, {"clear": clear / 1e4, "cloudy": cloudy / 1e4, "cleaned": cleaned / 1e4, "mask": mask[0] == 1}


def test_metrics_are_those_of_the_arrays_inside_and_outside_clouds(rasters):
    paths, arrays = rasters
    rows = evaluation.compare(paths["cleaned"], paths["clear"], cloudy=paths["cloudy"], mask=paths["mask"])
    assert rows["cleaned"]["psnr"] == pytest.approx(image.psnr(arrays["cleaned"], arrays["clear"]), abs=1e-3)
    assert rows["cleaned"]["psnr_cloud"] == pytest.approx(20 * np.log10(1 / 0.02), abs=1e-3)
    assert rows["cleaned"]["mae"] == pytest.approx(0.02 * 30 * 40 / 4800, abs=1e-6)
    assert rows["cloudy image"]["psnr"] == pytest.approx(image.psnr(arrays["cloudy"], arrays["clear"]), abs=1e-3)
    mean = arrays["cloudy"][:, ~arrays["mask"]].mean(axis=1)
    filled = np.where(arrays["mask"], mean[:, None, None], arrays["cloudy"])
    expected = image.psnr(filled, arrays["clear"], arrays["mask"])
    assert rows["mean colour in clouds"]["psnr_cloud"] == pytest.approx(expected, abs=1e-3)


def test_figures_are_means_over_patches(rasters, monkeypatch):
    paths, arrays = rasters
    monkeypatch.setattr(evaluation, "PATCH", 40)
    rows = evaluation.compare(paths["cleaned"], paths["clear"])
    parts = [(slice(r, r + 40), slice(c, c + 40)) for r in (0, 40) for c in (0, 40)]
    values = [image.psnr(arrays["cleaned"][(slice(None), *p)], arrays["clear"][(slice(None), *p)]) for p in parts]
    finite = [value for value in values if np.isfinite(value)]
    assert rows["cleaned"]["psnr"] == pytest.approx(np.mean(finite), abs=1e-3)


def test_coverage_is_the_fraction_of_truth_within_the_interval(rasters, write_raster):
    paths, _ = rasters
    options = {"mask": paths["mask"], "sigma": paths["sigma"]}
    # every error inside the cloud is 0.02; the layer has no scale here, so sigma is 100: all within
    rows = evaluation.compare(paths["cleaned"], paths["clear"], **options)
    assert rows["coverage in clouds"] == {"68 %": 1.0, "95 %": 1.0}
    small = write_raster("small.tif", np.full((13, 60, 80), 0.015, np.float32), nodata=float("nan"))
    rows = evaluation.compare(paths["cleaned"], paths["clear"], mask=paths["mask"], sigma=small)
    assert rows["coverage in clouds"] == {"68 %": 0.0, "95 %": 1.0}


def test_rasters_of_different_places_or_bands_are_refused(rasters, write_raster, cloudy_dn):
    paths, _ = rasters
    moved = write_raster("moved.tif", cloudy_dn(60, 80), bands=S2_BANDS, transform=from_origin(500010, 5300000, 10, 10))
    with pytest.raises(InputError, match=r"moved\.tif is not on the grid"):
        evaluation.compare(paths["cleaned"], moved)
    fewer = write_raster("fewer.tif", np.delete(cloudy_dn(60, 80), 10, axis=0), bands=S2_BANDS[:10] + S2_BANDS[11:])
    with pytest.raises(InputError, match="B10"):
        evaluation.compare(paths["cleaned"], fewer)
