"""SEN12MS data sets: joined by place, split by exact scene, damaged and incomplete patches named."""

from __future__ import annotations

from datetime import date

import pytest

from sunbreak.datasets import sen12ms
from sunbreak.datasets.sen12ms import Place
from sunbreak.errors import InputError


def touch(folder, *names) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_both_layouts_are_joined_by_place(tmp_path):
    cr, ms = tmp_path / "cr", tmp_path / "ms"
    touch(
        cr,
        "ROIs1158_spring_s1/s1_1/ROIs1158_spring_s1_1_p30.tif",
        "ROIs1158_spring_s2/s2_1/ROIs1158_spring_s2_1_p30.tif",
        "ROIs1158_spring_s2_cloudy/s2_cloudy_1/ROIs1158_spring_s2_cloudy_1_p30.tif",
    )
    touch(ms, "ROIs1158_spring/lc_1/ROIs1158_spring_lc_1_p30.tif", "ROIs1158_spring/lc_1/ROIs1158_spring_lc_1_p31.tif")
    index = sen12ms.find_patches([cr, ms], need=("s1", "s2", "s2_cloudy", "lc"))
    (patch,) = index.patches
    assert patch.place == Place(1158, 1, 30)
    assert {kind: path.name for kind, path in patch.files.items()} == {
        "s1": "ROIs1158_spring_s1_1_p30.tif",
        "s2": "ROIs1158_spring_s2_1_p30.tif",
        "s2_cloudy": "ROIs1158_spring_s2_cloudy_1_p30.tif",
        "lc": "ROIs1158_spring_lc_1_p30.tif",
    }
    assert index.missing == {Place(1158, 1, 31): ("s1", "s2", "s2_cloudy")}


def test_scene_1_does_not_match_scene_106():
    assert Place(1158, 1, 5).split == "validation"
    assert Place(1158, 106, 5).split == "test"
    assert Place(1158, 10, 5).split == Place(1158, 6, 5).split == "train"
    assert Place(1158, 31, 1).split == "test"
    assert Place(1868, 31, 1).split == "train"
    assert Place(1970, 139, 839).split == "test"


def test_known_damaged_patches_are_excluded_and_named(tmp_path):
    touch(tmp_path, *(f"a/ROIs1868_summer_{kind}_146_p202.tif" for kind in ("s1", "s2", "s2_cloudy")))
    touch(tmp_path, *(f"a/ROIs1868_summer_{kind}_146_p203.tif" for kind in ("s1", "s2", "s2_cloudy")))
    index = sen12ms.find_patches(tmp_path)
    assert index.broken == (Place(1868, 146, 202),)
    assert [patch.place.patch for patch in index.patches] == [203]


@pytest.mark.parametrize(
    "name",
    ["ROIs1158_winter_s2_1_p30.tif", "ROIs1158_spring_s3_1_p30.tif", "ROIs1158_spring_s2_1_p30.tif.aux.xml", "x.tif"],
)
def test_files_with_other_names_are_ignored(name):
    assert sen12ms.parse_name(name) is None


def test_an_empty_or_missing_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match="no patches"):
        sen12ms.find_patches(tmp_path)
    with pytest.raises(InputError, match="no such folder"):
        sen12ms.find_patches(tmp_path / "nowhere")


def test_sequences_come_in_order_of_time(tmp_path):
    touch(
        tmp_path,
        "s2_ROIs1868_73_ImgNo_14_2018-06-21_patch_66.tif",
        "s2_ROIs1868_73_ImgNo_2_2018-01-03_patch_66.tif",
        "s1_ROIs1868_73_ImgNo_2_2018-01-02_patch_66.tif",
    )
    (series,) = sen12ms.find_series(tmp_path).values()
    assert [shot.day for shot in series["s2"]] == [date(2018, 1, 3), date(2018, 6, 21)]
    assert [shot.number for shot in series["s1"]] == [2]


def test_the_real_folders_are_read(shared):
    index = sen12ms.find_patches(shared / "data" / "sen12mscr", need=("s2", "s2_cloudy"))
    assert len(index.patches) == 21
    complete = sen12ms.find_patches(shared / "data" / "sen12mscr")
    assert {patch.place.name for patch in complete.patches} == {"1970_fall_139_p839", "2017_winter_112_p797"}
    (series,) = sen12ms.find_series(shared / "data" / "timeseries").values()
    assert len(series["s2"]) == 16
