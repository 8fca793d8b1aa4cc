"""Baselines from other dates: their clouds are found, they are brought onto the grid, and wrong ones are refused."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from rasterio.transform import from_origin
from rasterio.windows import Window

from sunbreak.errors import InputError
from sunbreak.evaluation import blocks, comparison, rasters
from sunbreak.evaluation.other_dates import TITLES, GivenDates, open_baselines
from sunbreak.events import Silent
from sunbreak.metrics import image
from sunbreak.metrics.temporal_fills import FILLS, OtherDate
from sunbreak.scene import S2_BANDS, Scene

ROWS, COLUMNS = 120, 150
CLOUD = (slice(30, 80), slice(40, 110))
OTHER_CLOUD = (slice(30, 60), slice(40, 75))


class Place:
    """A cloudy scene of 1 June, its truth, and other dates: 10 days before (cloudy), 20 after, 60 after."""

    def __init__(self, write, make):
        self.truth, self.cloudy = make(ROWS, COLUMNS), make(ROWS, COLUMNS, CLOUD)
        self.cleaned = self.cloudy.copy()
        self.inside = np.zeros((ROWS, COLUMNS), np.bool_)
        self.inside[CLOUD] = True
        self.cleaned[:, self.inside] = self.truth[:, self.inside] + 150
        near = (self.truth * 1.1 + 20).astype(np.uint16)
        near[(slice(None), *OTHER_CLOUD)] = make(ROWS, COLUMNS, OTHER_CLOUD)[(slice(None), *OTHER_CLOUD)]
        self.dns = {
            "S2_2020-05-22": near,
            "S2_2020-06-21": (self.truth * 0.8 + 50).astype(np.uint16),
            "S2_2020-07-31": (self.truth * 1.3).astype(np.uint16),
        }
        self.files = {name: write(f"dates/{name}.tif", dn, bands=S2_BANDS, nodata=0) for name, dn in self.dns.items()}
        self.paths = {
            "cleaned": write("dates/S2_2020-06-01_cleaned.tif", self.cleaned, bands=S2_BANDS, nodata=0),
            "truth": write("dates/S2_2020-06-03_truth.tif", self.truth, bands=S2_BANDS, nodata=0),
            "cloudy": write("dates/S2_2020-06-01.tif", self.cloudy, bands=S2_BANDS, nodata=0),
            "mask": write("mask.tif", self.inside[None].astype(np.uint8)),
        }

    def compare(self, *references, **options):
        given = {"cloudy": self.paths["cloudy"], "mask": self.paths["mask"]} | options
        return rasters.compare(self.paths["cleaned"], self.paths["truth"], dates=GivenDates(references), **given)

    def open(self):
        cleaned = Scene.open(self.paths["cleaned"], mask=self.paths["mask"])
        return cleaned, Scene.open(self.paths["cloudy"]), Scene.open(self.paths["truth"])

    def reflectance(self, name):
        return (self.dns[name] / 1e4).astype(np.float32)


@pytest.fixture
def place(write_raster, cloudy_dn):
    return Place(write_raster, cloudy_dn)


def test_each_fill_gets_the_figures_of_its_arrays(place):
    names = ("S2_2020-06-21", "S2_2020-07-31")
    rows = place.compare(*(place.files[name] for name in names))
    assert set(TITLES.values()) < set(rows)
    truth, before = (place.truth / 1e4).astype(np.float32), (place.cloudy / 1e4).astype(np.float32)
    whole = np.ones((ROWS, COLUMNS), np.bool_)
    dates = [OtherDate(place.reflectance(name), whole, days) for name, days in zip(names, (20, 60), strict=True)]
    for name in ("mosaic_mean", "mosaic_median", "nearest_date", "linear_in_time"):
        expected = image.psnr(np.clip(FILLS[name](before, place.inside, dates, None), 0, 1), truth, place.inside)
        assert rows[TITLES[name]]["psnr_cloud"] == pytest.approx(expected, abs=1e-3)
    # a gain and an offset undo what was done to the truth, up to whole DN
    assert rows[TITLES["nearest_gain_offset"]]["psnr_cloud"] > 70 > rows[TITLES["nearest_date"]]["psnr_cloud"] + 25
    alone = rasters.compare(place.paths["cleaned"], place.paths["truth"], mask=place.paths["mask"])
    assert rows["cleaned"] == pytest.approx(alone["cleaned"], rel=0, abs=0, nan_ok=True)


def test_the_clouds_of_another_date_are_found_and_not_copied(place):
    scenes = place.open()
    given = GivenDates((place.files["S2_2020-05-22"], place.files["S2_2020-07-31"]))
    baselines = open_baselines(*scenes, given)
    window = Window(0, 0, COLUMNS, ROWS)
    with baselines.reader() as reader:
        dates = reader.dates(window)
        filled = reader.fill(window, (place.cloudy / 1e4).astype(np.float32), place.inside)["nearest_date"]
    assert [date.days for date in dates] == [-10, 60]
    assert not dates[0].clear[OTHER_CLOUD].any()
    assert dates[0].clear[90:, :].mean() > 0.99
    assert dates[1].clear.all()
    np.testing.assert_array_equal(
        filled[(slice(None), *OTHER_CLOUD)], place.reflectance("S2_2020-07-31")[(slice(None), *OTHER_CLOUD)]
    )
    np.testing.assert_array_equal(filled[:, 75:80, 90:110], place.reflectance("S2_2020-05-22")[:, 75:80, 90:110])
    assert baselines.overlap.clear_pixels == tuple(int(date.clear.sum()) for date in dates)


def test_a_date_that_covers_a_part_is_brought_onto_the_grid(place, write_raster):
    part = place.dns["S2_2020-06-21"][:, :, 70:]
    shifted = write_raster(
        "part_2020-06-21.tif", part, bands=S2_BANDS, nodata=0, transform=from_origin(500700, 5300000, 10, 10)
    )
    baselines = open_baselines(*place.open(), GivenDates((shifted,)))
    before = (place.cloudy / 1e4).astype(np.float32)
    with baselines.reader() as reader:
        # a window of the scene has the values of the whole scene
        filled = reader.fill(Window(30, 20, 90, 70), before[:, 20:90, 30:120], place.inside[20:90, 30:120])
    colour = before[:, ~place.inside].mean(axis=1)
    for name in ("nearest_date", "mosaic_mean", "least_cloudy"):
        np.testing.assert_allclose(
            filled[name][:, 10:60, 10:40], np.broadcast_to(colour[:, None, None], (13, 50, 30)), atol=1e-6
        )
        expected = place.reflectance("S2_2020-06-21")[:, 30:80, 70:110]
        np.testing.assert_array_equal(filled[name][:, 10:60, 40:80], expected)


@pytest.mark.parametrize("patch", [40, 256])
def test_the_comparison_of_whole_rasters_has_the_same_rows_whatever_the_blocks(place, tmp_path, monkeypatch, patch):
    monkeypatch.setattr(blocks, "PATCH", patch)
    cleaned, cloudy, truth = place.open()
    given = GivenDates(tuple(place.files.values()))
    result = comparison.compare_rasters(cleaned, truth, tmp_path / "out", Silent(), cloudy=cloudy, dates=given)
    with open_baselines(cleaned, cloudy, truth, given).reader() as reader:
        fills = reader.fill(Window(0, 0, COLUMNS, ROWS), (place.cloudy / 1e4).astype(np.float32), place.inside)
    target = (place.truth / 1e4).astype(np.float32)
    for name, filled in fills.items():
        expected = image.psnr(np.clip(filled, 0, 1), target, place.inside)
        assert result.numbers[f"{name}_psnr_inside"] == pytest.approx(expected, rel=1e-5)
        assert result.numbers[f"{name}_ssim"] == pytest.approx(image.ssim(np.clip(filled, 0, 1), target), rel=1e-5)
    assert result.numbers["psnr_inside"] == pytest.approx(-20 * np.log10(0.015), abs=1e-3)
    page = Path(result.numbers["report"]).read_text(encoding="utf-8")
    assert "S2_2020-05-22.tif (10 days before), S2_2020-06-21.tif (20 days after)" in page
    assert "linear in time, inside the mask" in page
    best = min(fills, key=lambda name: result.numbers[f"{name}_mae_inside"])
    assert f"The best fill from other dates ({TITLES[best]}) has {result.numbers[f'{best}_mae_inside']:.4f}." in page
    with Path(result.numbers["table"]).open(encoding="utf-8") as file:
        table = [row for row in csv.DictReader(file) if row["raster"] == "mosaic_mean" and row["region"] == "inside"]
    assert [row["band"] for row in table] == ["", *S2_BANDS]


def test_without_the_cloudy_scene_or_its_mask_one_line_says_what_to_give(place):
    reference = place.files["S2_2020-06-21"]
    with pytest.raises(InputError, match="without the scene before cleaning") as caught:
        place.compare(reference, cloudy=None)
    assert "--cloudy" in caught.value.hint
    with pytest.raises(InputError, match="without a cloud mask") as caught:
        place.compare(reference, mask=None)
    assert "--mask" in caught.value.hint


def test_the_answer_and_the_scene_itself_are_no_other_dates(place):
    with pytest.raises(InputError) as caught:
        place.compare(place.paths["truth"])
    assert caught.value.code == "reference-is-target"
    with pytest.raises(InputError) as caught:
        place.compare(place.paths["cloudy"])
    assert caught.value.code == "reference-is-scene"


def test_dates_that_lack_a_band_are_left_out_and_at_least_one_must_remain(place, write_raster):
    four = [S2_BANDS.index(band) for band in ("B02", "B03", "B04", "B08")]
    lacking = write_raster("four_2020-06-11.tif", place.truth[four], bands=tuple(S2_BANDS[i] for i in four), nodata=0)
    with pytest.raises(InputError) as caught:
        place.compare(lacking)
    assert caught.value.code == "no-reference"
    with_it, without = (
        place.compare(*given, place.files["S2_2020-06-21"])[TITLES["mosaic_mean"]] for given in ((lacking,), ())
    )
    assert with_it["psnr_cloud"] == without["psnr_cloud"]
