"""Comparing two rasters: metrics of the whole image, layers on its grid, a page, and refusals in one line."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin

from sunbreak.errors import Cancelled, InputError, OutputError
from sunbreak.evaluation import blocks, comparison
from sunbreak.events import Cancellation, Silent
from sunbreak.metrics import detail, image
from sunbreak.scene import S2_BANDS, Scene

ROWS, COLUMNS = 70, 90
CLOUD = (slice(10, 40), slice(20, 60))


@pytest.fixture
def data(write_raster, cloudy_dn):
    clear, cloudy = cloudy_dn(ROWS, COLUMNS), cloudy_dn(ROWS, COLUMNS, CLOUD)
    rng = np.random.default_rng(5)
    cleaned = cloudy.copy()
    inside = (slice(None), *CLOUD)
    cleaned[inside] = np.clip(clear[inside] + rng.normal(150, 100, clear[inside].shape), 1, None).astype(np.uint16)
    cleaned[:, :4, :6] = 0
    mask = np.zeros((1, ROWS, COLUMNS), np.uint8)
    mask[(0, *CLOUD)] = 1
    known = np.ones((ROWS, COLUMNS), np.bool_)
    known[:4, :6] = False
    return SimpleNamespace(
        cleaned=write_raster("S2 cleaned.tif", cleaned, bands=S2_BANDS, nodata=0),
        clear=write_raster("clear.tif", clear, bands=S2_BANDS, nodata=0),
        cloudy=write_raster("cloudy.tif", cloudy, bands=S2_BANDS, nodata=0),
        mask=write_raster("mask.tif", mask, nodata=255),
        a=np.where(known, cleaned / 1e4, np.nan).astype(np.float32),
        b=np.where(known, clear / 1e4, np.nan).astype(np.float32),
        c=np.where(known, cloudy / 1e4, np.nan).astype(np.float32),
        inside=mask[0] == 1,
        known=known,
    )


class Remembering(Silent):
    def __init__(self):
        super().__init__(Cancellation())
        self.said = []

    def _emit(self, event, **fields):
        self.said.append({"event": event, **fields})


def compare(data, folder, reporter=None, **options):
    cloudy = options.pop("cloudy", None)
    return comparison.compare_rasters(
        Scene.open(options.pop("predicted", data.cleaned), mask=options.pop("mask", None)),
        Scene.open(options.pop("target", data.clear)),
        folder,
        reporter or Silent(),
        cloudy=Scene.open(cloudy) if cloudy else None,
        **options,
    )


def smooth(values):
    return np.isfinite(detail.gradient_magnitude(values)[0])


@pytest.mark.parametrize("patch", [16, 30, 256])
def test_metrics_are_those_of_the_whole_image_for_any_patch_size(data, tmp_path, monkeypatch, patch):
    monkeypatch.setattr(blocks, "PATCH", patch)
    numbers = compare(data, tmp_path / "out", mask=data.mask).numbers
    a, b = data.a, data.b
    assert numbers["ssim"] == pytest.approx(image.ssim(a, b), rel=1e-9)
    assert numbers["psnr"] == pytest.approx(image.psnr(a, b), rel=1e-6)
    assert numbers["sam"] == pytest.approx(image.sam_degrees(a, b), rel=1e-5)
    assert numbers["mae"] == pytest.approx(image.mae(a, b), rel=1e-5)
    assert numbers["rmse"] == pytest.approx(image.rmse(a, b), rel=1e-5)
    assert numbers["detail_gradient"] == pytest.approx(detail.gradient_ratio(a, b, smooth(a)), rel=1e-6)
    assert numbers["psnr_inside"] == pytest.approx(image.psnr(a, b, data.inside), rel=1e-6)
    assert numbers["rmse_outside"] == 0
    assert "psnr_outside" not in numbers  # infinite: JSON cannot express it
    red = S2_BANDS.index("B04")
    assert numbers["psnr_B04"] == pytest.approx(image.psnr(a[[red]], b[[red]]), rel=1e-6)
    assert numbers["mae_inside_B04"] == pytest.approx(image.mae(a[[red]], b[[red]], data.inside), rel=1e-5)
    assert numbers["compared_share"] == pytest.approx(1 - 24 / (ROWS * COLUMNS))
    assert numbers["mask_share"] == pytest.approx(30 * 40 / (ROWS * COLUMNS - 24))


def test_the_cloudy_scene_is_a_baseline(data, tmp_path):
    result = compare(data, tmp_path / "out", mask=data.mask, cloudy=data.cloudy)
    numbers = result.numbers
    assert numbers["cloudy_psnr_inside"] == pytest.approx(image.psnr(data.c, data.b, data.inside), rel=1e-6)
    assert numbers["cloudy_psnr_inside"] < numbers["psnr_inside"] - 10
    page = (tmp_path / "out" / "S2 cleaned_comparison.html").read_text(encoding="utf-8")
    gain = 1 - numbers["mae_inside"] / numbers["cloudy_mae_inside"]
    assert f"{gain:.0%} less than before cleaning" in page


def test_error_layers_hold_each_pixel_on_the_grid_of_the_scene(data, tmp_path, monkeypatch):
    monkeypatch.setattr(blocks, "PATCH", 20)
    layers = compare(data, tmp_path / "out").layers
    assert set(layers) == {"error", "spectral_angle"}
    expected = {"error": np.abs(data.a - data.b).mean(axis=0), "spectral_angle": image.spectral_angles(data.a, data.b)}
    for role, path in layers.items():
        assert path.name == f"S2 cleaned_{role}.tif"
        with rasterio.open(path) as file, rasterio.open(data.clear) as scene:
            assert (file.transform, file.crs, file.shape) == (scene.transform, scene.crs, scene.shape)
            stored, scale = file.read(1), file.scales[0]
            assert file.units[0] == {"error": "reflectance", "spectral_angle": "degree"}[role]
            assert (stored == file.nodata).tolist() == (~data.known).tolist()
            assert np.abs(stored * scale - expected[role])[data.known].max() <= scale * 0.51
        assert path.with_suffix(".qml").is_file()
        assert path.with_suffix("").with_name(path.stem + ".stac.json").is_file()


def test_the_page_is_one_file_with_metrics_and_pictures(data, tmp_path):
    result = compare(data, tmp_path / "out", mask=data.mask, cloudy=data.cloudy)
    page = (tmp_path / "out" / "S2 cleaned_comparison.html").read_text(encoding="utf-8")
    assert page.count("data:image/png;base64,") == 5
    assert f"{result.numbers['psnr']:.2f}" in page
    assert "Bands, inside the mask" in page
    assert "Peak signal-to-noise ratio" in page
    assert str(tmp_path) not in page
    assert "http" not in page


def test_the_table_has_every_figure(data, tmp_path):
    result = compare(data, tmp_path / "out", mask=data.mask, cloudy=data.cloudy)
    with Path(result.numbers["table"]).open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * 3 * (1 + 13)
    row = next(r for r in rows if (r["raster"], r["region"], r["band"]) == ("prediction", "inside", "B08"))
    assert float(row["rmse"]) == pytest.approx(result.numbers["rmse_inside_B08"], rel=1e-5)
    assert row["sam"] == ""


def test_identical_rasters_are_reported_as_identical(data, tmp_path):
    reporter = Remembering()
    result = compare(data, tmp_path / "out", reporter, target=data.cleaned)
    assert result.numbers["rmse"] == 0
    assert result.numbers["ssim"] == pytest.approx(1)
    assert any("identical at all compared pixels" in event.get("text", "") for event in reporter.said)
    json.loads(json.dumps(reporter.said[-1], allow_nan=False))  # the result line is JSON for every reader


def test_rasters_in_other_units_are_compared_in_reflectance(data, write_raster, tmp_path):
    stored = np.nan_to_num(data.b, nan=-1)
    floats = write_raster("floats.tif", stored, bands=S2_BANDS, nodata=-1)
    one = compare(data, tmp_path / "one").numbers
    other = compare(data, tmp_path / "other", target=floats).numbers
    assert other["psnr"] == pytest.approx(one["psnr"], rel=1e-4)


def test_a_forgotten_offset_is_suspected(data, write_raster, tmp_path):
    with rasterio.open(data.clear) as file:
        shifted = (file.read() + 1000).astype(np.uint16)
    reporter = Remembering()
    paths = write_raster("shifted.tif", shifted, bands=S2_BANDS)
    comparison.compare_rasters(
        Scene.open(paths, s2_offset=0), Scene.open(data.clear, s2_offset=0), tmp_path / "out", reporter
    )
    assert any("--s2-offset" in event.get("text", "") for event in reporter.said if event.get("level") == "warning")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"transform": from_origin(500010, 5300000, 10, 10)}, r"shifted \+10 east"),
        ({"transform": from_origin(500000, 5300000, 20, 20)}, "pixels are 20 wide"),
        ({"crs": "EPSG:32633"}, "in EPSG:32633, the other in EPSG:32632"),
    ],
)
def test_another_grid_is_refused_with_the_difference(data, write_raster, cloudy_dn, tmp_path, change, said):
    other = write_raster("other.tif", cloudy_dn(ROWS, COLUMNS), bands=S2_BANDS, **change)
    with pytest.raises(InputError, match=said) as caught:
        compare(data, tmp_path / "out", target=other)
    assert caught.value.code == "grids-differ"
    assert str(other) in caught.value.message
    assert not (tmp_path / "out").exists()


def test_another_size_and_other_bands_are_refused(data, write_raster, cloudy_dn, tmp_path):
    smaller = write_raster("smaller.tif", cloudy_dn(ROWS - 5, COLUMNS), bands=S2_BANDS)
    with pytest.raises(InputError, match="90 x 65 pixels, the other 90 x 70"):
        compare(data, tmp_path / "out", target=smaller)
    keep = [i for i, band in enumerate(S2_BANDS) if band != "B10"]
    fewer = write_raster("fewer.tif", cloudy_dn(ROWS, COLUMNS)[keep], bands=tuple(S2_BANDS[i] for i in keep))
    with pytest.raises(InputError, match=r"has 12 bands and .* has 13: B10 only in S2 cleaned.tif") as caught:
        compare(data, tmp_path / "out", target=fewer)
    assert caught.value.code == "bands-differ"


def test_rasters_without_common_data_are_refused_without_leftovers(data, write_raster, cloudy_dn, tmp_path):
    left, right = cloudy_dn(ROWS, COLUMNS), cloudy_dn(ROWS, COLUMNS)
    left[:, :, :45], right[:, :, 45:] = 0, 0
    one = write_raster("left.tif", left, bands=S2_BANDS, nodata=0)
    two = write_raster("right.tif", right, bands=S2_BANDS, nodata=0)
    with pytest.raises(InputError, match="no pixel is known both here and in") as caught:
        compare(data, tmp_path / "out", predicted=one, target=two)
    assert caught.value.code == "all-nodata"
    assert not (tmp_path / "out").exists()


def test_existing_results_are_kept_without_overwrite(data, tmp_path):
    compare(data, tmp_path / "out")
    with pytest.raises(OutputError, match="exists already"):
        compare(data, tmp_path / "out")
    compare(data, tmp_path / "out", overwrite=True)


def test_cancelling_leaves_no_files(data, tmp_path, monkeypatch):
    monkeypatch.setattr(blocks, "PATCH", 16)

    class Hasty(Silent):
        def progress(self, done, total, unit="tiles"):
            self.cancellation.request()

    with pytest.raises(Cancelled):
        compare(data, tmp_path / "out", Hasty())
    assert not (tmp_path / "out").exists()
