"""Pairs of SEN12MS-CR: usable pairs, and one line per kind of problem."""

from __future__ import annotations

import numpy as np
import pytest

from sunbreak.datasets.sen12ms import Place, series_split
from sunbreak.datasets.sen12mscr import find_pairs
from sunbreak.errors import InputError


@pytest.fixture
def place(write_raster, cloudy_dn, radar_db):
    """Write the files of a place, in the layout of SEN12MS-CR or in that of SEN12MS."""

    def write(
        scene, patch, *, seed=1158, season="spring", kinds=("s1", "s2", "s2_cloudy"), side=20, bands=13, plain=False
    ):
        for kind in kinds:
            values = radar_db(side, side) if kind == "s1" else cloudy_dn(side, side)[:bands]
            base = f"ROIs{seed}_{season}"
            folder = base if plain else f"{base}_{kind}"
            write_raster(f"{folder}/{kind}_{scene}/{base}_{kind}_{scene}_p{patch}.tif", values)

    return write


def test_unusable_pairs_are_reported_by_kind_with_count_and_example(tmp_path, place):
    place(1, 30)
    place(106, 30, kinds=("s2", "s2_cloudy"))
    place(9, 30, kinds=("s2", "s2_cloudy"))
    place(9, 31, kinds=("s1", "s2"))
    place(9, 32, kinds=("s2_cloudy",))
    place(31, 684)
    place(8, 30, bands=12)
    place(8, 31)
    broken = tmp_path / "ROIs1158_spring_s2_cloudy/s2_cloudy_8/ROIs1158_spring_s2_cloudy_8_p31.tif"
    broken.write_text("no picture")
    found = find_pairs(tmp_path)
    assert [patch.place.name for patch in found.patches] == [
        "1158_spring_1_p30",
        "1158_spring_9_p30",
        "1158_spring_106_p30",
    ]
    damaged, s2, cloudy, unusable, blind = found.remarks
    assert (
        damaged.startswith("Left out, damaged in the published archives")
        and "1, such as 1158_spring_31_p684" in damaged
    )
    assert s2 == "Left out without s2: 1 places, such as 1158_spring_9_p32."
    assert cloudy == "Left out without s2_cloudy: 1 places, such as 1158_spring_9_p31."
    assert "2 pairs, such as" in unusable and "ROIs1158_spring_s2_8_p30.tif: has 12 bands, not 13." in unusable
    assert blind == "Without radar (s1): 2 of 3 pairs, such as 1158_spring_9_p30."


def test_a_file_that_is_not_a_raster_is_named(tmp_path, place):
    place(8, 31)
    broken = tmp_path / "ROIs1158_spring_s1/s1_8/ROIs1158_spring_s1_8_p31.tif"
    broken.write_bytes(b"")
    with pytest.raises(InputError) as caught:
        find_pairs(tmp_path)
    assert str(broken) in caught.value.message
    assert "cannot be read" in caught.value.message


def test_both_layouts_are_read(tmp_path, place):
    place(1, 30, plain=True)
    place(1, 31)
    assert [patch.place.patch for patch in find_pairs(tmp_path).patches] == [30, 31]


def test_files_of_one_place_need_one_size_of_at_least_a_tile(tmp_path, place, write_raster, radar_db):
    place(1, 30)
    write_raster("ROIs1158_spring_s1/s1_1/ROIs1158_spring_s1_1_p30.tif", radar_db(10, 20))
    with pytest.raises(InputError, match=r"differ in size \(s1 20 x 10, s2 20 x 20"):
        find_pairs(tmp_path)
    place(1, 30)
    with pytest.raises(InputError, match="20 x 20 pixels, fewer than a tile of 64"):
        find_pairs(tmp_path, least=64)


def test_a_folder_without_pairs_is_refused_with_the_reason(tmp_path, place):
    place(1, 30, kinds=("s1", "s2"))
    with pytest.raises(InputError, match="1158_spring_1_p30 lacks s2_cloudy"):
        find_pairs(tmp_path)
    place(1, 30)
    with pytest.raises(InputError, match="no cloudy and clear pairs"):
        find_pairs(tmp_path, ["1158_spring_1_p30"])


def test_the_splits_of_the_authors_and_of_glf_cr_share_their_test_scenes():
    assert Place(1158, 17, 1).split_of("official") == "validation"
    assert Place(1158, 17, 1).split_of("glf-cr") == "train"
    assert Place(1158, 132, 1).split_of("official") == "train"
    assert Place(1158, 132, 1).split_of("glf-cr") == "validation"
    for seed, scene in ((1158, 106), (1868, 73), (1970, 139), (2017, 63)):
        assert Place(seed, scene, 1).split_of("official") == Place(seed, scene, 1).split_of("glf-cr") == "test"
    # 17 is held out; 1 and 170 do not match 17
    assert {Place(1158, scene, 1).split_of("official") for scene in (1, 7, 170, 117)} == {"train"}
    assert series_split(1868, 100) == "test" and Place(1868, 100, 1).split_of("official") == "train"
    assert series_split(1868, 17) == "validation" and series_split(1868, 170) == "train"


def test_reading_headers_can_be_cancelled(tmp_path, place):
    place(1, 30)
    seen = []
    find_pairs(tmp_path, checkpoint=lambda done, total: seen.append((done, total)))
    assert seen == [(0, 1), (1, 1)]
    assert np.all(np.diff([done for done, _ in seen]) > 0)
