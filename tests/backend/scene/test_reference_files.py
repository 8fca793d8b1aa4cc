"""The acquisitions of a folder are told from radar, masks, pictures, layers and unfinished files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sunbreak.errors import InputError
from sunbreak.scene import S2_BANDS
from sunbreak.scene.reference_files import find_references, is_acquisition, search_folder
from sunbreak.scene.series_opening import open_series


@pytest.fixture
def folder(write, make_surface, make_backscatter, tmp_path) -> Path:
    """Two acquisitions in one file each, one in a folder of bands, and what is none."""
    for day in ("2020-05-01", "2020-06-10"):
        write(f"dates/s2_{day}.tif", make_surface(), names=S2_BANDS)
    for band in ("B02", "B03", "B04", "B08"):
        write(f"dates/2020-07-01/T32_{band}.tif", make_surface(1), names=(band,))
    write("dates/s1_2020-05-02.tif", make_backscatter(), names=("VV", "VH"))
    write("dates/2020-06-11_VV.tif", make_backscatter()[:1])
    write("dates/2020-06-11_VH.tif", make_backscatter()[1:])
    write("dates/unnamed_s1_2020-07-02.tif", make_backscatter())
    write("dates/mask.tif", np.zeros((1, 40, 50), np.uint8))
    write("dates/T32_20200801_B02.tif", make_surface(1), names=("B02",))
    write("dates/TCI.tif", np.full((3, 40, 50), 9, np.uint8))
    write("dates/s2_2020-05-01_cleaned.tif", make_surface(), names=S2_BANDS, tags={"SUNBREAK_ROLE": "cleaned"})
    write("dates/.hidden.tif", make_surface(), names=S2_BANDS)
    write("dates/~s2_2020.tif", make_surface(), names=S2_BANDS)
    write("dates/s2_2020.part.tif", make_surface(), names=S2_BANDS)
    write("dates/out/deeper_2020-08-01.tif", make_surface(), names=S2_BANDS)
    for name in ("s2_quicklook.png", "s2.stac.json", "notes.txt"):
        (tmp_path / "dates" / name).write_text("text")
    return tmp_path / "dates"


def names(paths: list[Path]) -> list[str]:
    return [path.name for path in paths]


def test_a_folder_gives_its_acquisitions_and_their_radar_and_nothing_else(folder):
    references, radar = search_folder(folder)
    assert names(references) == ["2020-07-01", "s2_2020-05-01.tif", "s2_2020-06-10.tif"]
    assert names(radar) == [
        "2020-06-11_VH.tif", "2020-06-11_VV.tif", "s1_2020-05-02.tif", "unnamed_s1_2020-07-02.tif",
    ]  # fmt: skip


def test_what_the_scene_itself_is_made_of_is_left_out(folder):
    own = [folder / "s2_2020-06-10.tif", folder / "2020-07-01" / "T32_B02.tif", folder / "s1_2020-05-02.tif"]
    references, radar = search_folder(folder, own)
    assert names(references) == ["s2_2020-05-01.tif"]
    assert len(radar) == 3
    assert find_references(str(folder), own) == references


def test_everything_that_is_found_opens_with_its_radar(folder, write, make_surface):
    from sunbreak.scene import Scene

    target = Scene.open(write("target_2020-05-20.tif", make_surface(), names=S2_BANDS))
    references, radar = search_folder(folder)
    series = open_series(target, [], found=references, found_s1=radar)
    assert series.days == (-19, 21, 42)
    assert all(other.has_s1 for other in series.others)
    assert not series.warnings


def test_a_raster_with_optical_bands_is_no_radar_whatever_else_it_holds(write, make_surface, tmp_path):
    write("dates/s1_s2_stack.tif", make_surface(4), names=("B04", "B08", "VV", "VH"))
    write("dates/vh_pair.tif", make_surface(2), names=("B04", "B08"))
    references, radar = search_folder(tmp_path / "dates")
    assert (names(references), radar) == (["s1_s2_stack.tif", "vh_pair.tif"], [])


def test_products_and_zipped_products_are_found_so_that_a_warning_can_name_the_latter(tmp_path, write, make_surface):
    name = "S2B_MSIL1C_20220930T101649_N0400_R065_T32TQM_20220930T124210"
    (tmp_path / "dates" / f"{name}.SAFE").mkdir(parents=True)
    (tmp_path / "dates" / f"{name.replace('0930', '0925')}.zip").write_bytes(b"PK\x03\x04")
    assert len(find_references(tmp_path / "dates")) == 2


def test_a_damaged_raster_is_found_so_that_a_warning_can_name_it(folder):
    (folder / "broken_2020-09-01.tif").write_bytes(b"no raster")
    assert "broken_2020-09-01.tif" in names(find_references(folder))


def test_a_folder_that_is_one_acquisition_is_that_acquisition(folder):
    bands = folder / "2020-07-01"
    assert is_acquisition(bands) and find_references(bands) == [bands]
    assert not is_acquisition(folder)


@pytest.mark.parametrize(
    ("name", "code"),
    [("nowhere", "missing-file"), ("out.txt", "not-a-folder"), ("empty", "no-reference")],
)
def test_a_folder_without_acquisitions_is_an_error(tmp_path, name, code):
    (tmp_path / "empty").mkdir()
    (tmp_path / "out.txt").write_text("text")
    with pytest.raises(InputError) as caught:
        find_references(tmp_path / name)
    assert caught.value.code == code and name in str(caught.value) and caught.value.hint
