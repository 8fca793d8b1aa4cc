"""Simulated patches in the layouts of SEN12MS and SEN12MS-CR: readable, complete and repeatable."""

from __future__ import annotations

import numpy as np
import pytest
import rasterio

from sunbreak.datasets.landcover import simplify_igbp
from sunbreak.datasets.sen12ms import find_patches, parse_name
from sunbreak.datasets.simulation.sen12ms import Sen12msSimulation, places, write_sen12ms
from sunbreak.errors import Cancelled, OutputError

WANTED = Sen12msSimulation(8, 48)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return write_sen12ms(tmp_path_factory.mktemp("simulated"), WANTED)


def read(path):
    with rasterio.open(path) as source:
        return source.read()


def test_the_reader_finds_complete_quadruplets_in_every_split(folders):
    index = find_patches([folders["sen12ms"], folders["sen12mscr"]], ("s1", "s2", "s2_cloudy", "lc"))
    assert len(index.patches) == 8
    assert not index.missing
    assert {split: len(index.split(split)) for split in ("train", "validation", "test")} == {
        "train": 3,
        "validation": 1,
        "test": 4,
    }


def test_files_follow_the_layout_of_each_data_set(folders):
    plain = folders["sen12ms"] / "ROIs1158_spring" / "lc_31" / "ROIs1158_spring_lc_31_p30.tif"
    cloudy = (
        folders["sen12mscr"] / "ROIs1158_spring_s2_cloudy" / "s2_cloudy_31" / "ROIs1158_spring_s2_cloudy_31_p30.tif"
    )
    assert plain.is_file() and cloudy.is_file()
    assert not list(folders["sen12mscr"].rglob("*_lc_*"))
    assert not list(folders["sen12ms"].rglob("*_s2_cloudy_*"))


def test_bands_types_and_classes_match_the_real_data(folders):
    for path in [*folders["sen12ms"].rglob("*.tif"), *folders["sen12mscr"].rglob("*.tif")]:
        kind = parse_name(path.name)[1]
        values = read(path)
        count, dtype = {"s1": (2, "float32"), "lc": (4, "uint16")}.get(kind, (13, "uint16"))
        assert values.shape == (count, 48, 48)
        assert values.dtype == dtype
        if kind == "lc":
            assert set(np.unique(values[0])) <= set(range(1, 18))
            assert simplify_igbp(values[0]).min() >= 1
            # water is classified as water in every layer
            assert (values[1:][:, values[0] == 17] == 3).all()


def test_both_data_sets_have_the_same_clear_image(folders):
    name = "ROIs1158_spring_{}_44_p30.tif"
    clear = [read(next(folders[key].rglob(name.format("s2")))) for key in ("sen12ms", "sen12mscr")]
    assert np.array_equal(*clear)
    covers = []
    for path in folders["sen12mscr"].rglob("*_s2_cloudy_*.tif"):
        other = next(folders["sen12mscr"].rglob(path.name.replace("s2_cloudy", "s2")))
        covers.append((np.abs(read(path).astype(float) - read(other)).mean(axis=0) > 50).mean())
    assert max(covers) > 0.5


def test_no_patch_has_the_name_of_a_broken_patch():
    found = places(4000)
    assert len(set(found)) == len(found) == 4000
    assert {place.split for place in found} == {"train", "validation", "test"}


def test_interrupted_writing_resumes_and_ends_the_same(folders, tmp_path):
    def stop_after_three(done):
        if done == 3:
            raise Cancelled

    with pytest.raises(Cancelled):
        write_sen12ms(tmp_path, WANTED, checkpoint=stop_after_three)
    early = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.tif")}
    assert len(early) == 3 * 6
    again = write_sen12ms(tmp_path, WANTED)
    assert all(path.stat().st_mtime_ns == time for path, time in early.items())
    for key, folder in folders.items():
        mine = {path.relative_to(folder): read(path) for path in folder.rglob("*.tif")}
        theirs = {path.relative_to(again[key]): read(path) for path in again[key].rglob("*.tif")}
        assert mine.keys() == theirs.keys()
        assert all(np.array_equal(values, theirs[name]) for name, values in mine.items())


def test_another_simulation_is_replaced_only_if_allowed(tmp_path):
    write_sen12ms(tmp_path, Sen12msSimulation(3, 32))
    with pytest.raises(OutputError, match="exists already"):
        write_sen12ms(tmp_path, Sen12msSimulation(2, 32))
    write_sen12ms(tmp_path, Sen12msSimulation(2, 32), overwrite=True)
    assert len(list(tmp_path.rglob("*_lc_*.tif"))) == 2


def test_a_real_data_set_is_never_replaced(tmp_path):
    (tmp_path / "SEN12MS").mkdir()
    with pytest.raises(OutputError, match="exists already"):
        write_sen12ms(tmp_path, Sen12msSimulation(2, 32), overwrite=True)
