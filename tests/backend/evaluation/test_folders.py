"""Folders of rasters: files are paired by name, and metrics are means over the pairs."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from sunbreak.errors import InputError
from sunbreak.evaluation.folders import compare_folders, match, place_of, write_table
from sunbreak.metrics import image
from sunbreak.scene import S2_BANDS


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("ROIs1158_spring_s2_cloudy_31_p30_cleaned.tif", "1158_spring_31_p30"),
        ("ROIs1158_spring_s2_31_p30.tif", "1158_spring_31_p30"),
        ("17_s2_cloudy_cleaned.tif", "17"),
        ("17_s2.tif", "17"),
        ("demo_s2_clear.tif", "demo"),
        ("demo_s2_cloudy_cleaned.tif", "demo"),
        ("scene.tif", "scene"),
        ("1158_spring_31_p30_removed.tif", "1158_spring_31_p30"),
    ],
)
def test_a_name_without_its_kind_is_the_place(name, place):
    assert place_of(Path(name)) == place


@pytest.fixture
def folders(tmp_path, write_raster, cloudy_dn):
    for number in (1, 2):
        clear = cloudy_dn(40, 40, seed=number)
        mask = np.zeros((1, 40, 40), np.uint8)
        mask[:, 5:20, 5:20] = 1
        cleaned = np.where(mask == 1, clear + 100 * number, clear).astype(np.uint16)
        write_raster(f"clear/{number}_s2.tif", clear, bands=S2_BANDS)
        write_raster(f"cleaned/{number}_s2_cloudy_cleaned.tif", cleaned, bands=S2_BANDS)
        write_raster(f"cleaned/{number}_s2_cloudy_cloud_mask.tif", mask, nodata=255)
        write_raster(
            f"cleaned/{number}_s2_cloudy_uncertainty.tif", np.full((13, 40, 40), 0.015, np.float32), nodata=np.nan
        )
    write_raster("cleaned/3_s2_cloudy_cleaned.tif", cloudy_dn(40, 40), bands=S2_BANDS)
    return tmp_path / "cleaned", tmp_path / "clear"


def test_metrics_are_means_over_pairs_and_use_layers_beside_them(folders, tmp_path):
    pairs, alone = match(*folders)
    assert [pair.name for pair in pairs] == ["1", "2"] and alone == ["3_s2_cloudy_cleaned.tif"]
    means, single = compare_folders(pairs)
    inside = [20 * np.log10(1 / 0.01), 20 * np.log10(1 / 0.02)]
    assert means["cleaned"]["psnr_cloud"] == pytest.approx(np.mean(inside), abs=1e-3)
    # 0.01 lies within 0.015 and 0.02 does not; within 1.96 times that, both do
    assert means["coverage in clouds"] == {"68 %": 0.5, "95 %": 1.0}
    with write_table(tmp_path / "out" / "patches.csv", single).open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["method"] == "cleaned"]
    assert [row["patch"] for row in rows] == ["1", "2"]
    assert [float(row["psnr_cloud"]) for row in rows] == pytest.approx(inside, abs=1e-3)


def test_the_cloudy_scenes_can_be_a_third_folder(folders, write_raster, cloudy_dn, tmp_path):
    cloudy = {n: cloudy_dn(40, 40, (slice(5, 20), slice(5, 20)), seed=n) for n in (1, 2)}
    for number, values in cloudy.items():
        write_raster(f"cloudy/{number}_s2_cloudy.tif", values, bands=S2_BANDS)
    pairs, _ = match(*folders, tmp_path / "cloudy")
    means, _ = compare_folders(pairs)
    expected = [image.psnr(values / 1e4, cloudy_dn(40, 40, seed=number) / 1e4) for number, values in cloudy.items()]
    assert means["cloudy image"]["psnr"] == pytest.approx(np.mean(expected), abs=1e-3)


def test_folders_without_matching_names_are_refused(folders, tmp_path, write_raster, cloudy_dn):
    write_raster("other/z.tif", cloudy_dn(9, 9))
    with pytest.raises(InputError, match=r"would belong to 1\.tif"):
        match(folders[0], tmp_path / "other")
    write_raster("clear/more/1_s2.tif", cloudy_dn(9, 9))
    with pytest.raises(InputError, match=r"1_s2\.tif and 1_s2\.tif both belong to 1"):
        match(*folders)
    with pytest.raises(InputError, match="not a folder"):
        match(folders[0], tmp_path / "clear" / "2_s2.tif")
