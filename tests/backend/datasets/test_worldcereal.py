"""WorldCereal sites: one grid of 10 m, radar averaged as power, clear dates not from noisy classes alone."""

from __future__ import annotations

import os
import sys
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from rasterio.crs import CRS

from sunbreak.datasets.worldcereal import SiteFiles, clear_dates, find_sites, pairs, read_site
from sunbreak.errors import InputError

h5py = pytest.importorskip("h5py")

FINE, COARSE = ("B02", "B03", "B04", "B08"), ("B05", "B06", "B07", "B8A", "B11", "B12")
SIDE = 8
DAYS = (0, 5, 10, 60)


def write(path: Path, step: float, days, variables: dict, start: str = "2018-03-01 10:50:00") -> Path:
    count = round(SIDE * 10 / step)
    with h5py.File(path, "w") as file:
        file["x"] = 500000 + step * (np.arange(count) + 0.5)
        file["y"] = 5600000 - step * (np.arange(count) + 0.5)
        file["timestamp"] = np.array(days, np.int64) * 86400
        file["timestamp"].attrs["units"] = f"seconds since {start}"
        file["spatial_ref"] = 0
        file["spatial_ref"].attrs["crs_wkt"] = CRS.from_epsg(32631).to_wkt()
        for name, values in variables.items():
            file[name] = values
            file[name].attrs["_FillValue"] = values.dtype.type(0)
            if name in ("VV", "VH"):
                file[name].attrs["scale_factor"] = 1e-4
    return path


@pytest.fixture
def arrays():
    half, dates = SIDE // 2, len(DAYS)
    fine = {band: np.full((dates, SIDE, SIDE), 500, np.uint16) for band in FINE}
    coarse = {band: np.full((dates, half, half), 1000, np.uint16) for band in COARSE}
    coarse["SCL"] = np.full((dates, half, half), 4, np.uint8)
    radar = {"VV": np.full((2, half, half), -100000, np.int32), "VH": np.full((2, half, half), -170000, np.int32)}
    return fine, coarse, radar


@pytest.fixture
def site_files(tmp_path, arrays):
    def make(coarse_days=DAYS) -> SiteFiles:
        fine, coarse, radar = arrays
        tail = "ABC_32631_2018-03-01_2018-06-01.nc"
        write(tmp_path / f"S2_L2A_10m_{tail}", 10, DAYS, fine)
        write(tmp_path / f"S2_L2A_20m_{tail}", 20, coarse_days, coarse)
        write(tmp_path / f"S1_GRD-ASCENDING_20m_{tail}", 20, (1, 7), radar)
        (files,) = find_sites(tmp_path)
        return files

    return make


def read(files: SiteFiles):
    return read_site(files.s2, files.s1)


def test_a_site_is_on_the_grid_of_its_10_m_bands(site_files):
    site = read(site_files())
    assert site.name == "ABC"
    assert site.bands == ("B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B11", "B12")
    assert site.s2.shape == (4, 10, SIDE, SIDE) and site.scl.shape == site.valid.shape == (4, SIDE, SIDE)
    assert site.grid.bounds == (500000, 5599920, 500080, 5600000)
    assert site.grid.crs == CRS.from_epsg(32631)
    assert site.days == (date(2018, 3, 1), date(2018, 3, 6), date(2018, 3, 11), date(2018, 4, 30))
    assert site.s1_days == (date(2018, 3, 2), date(2018, 3, 8))
    assert site.valid.all()


def test_20_m_bands_are_interpolated_between_pixel_centres(site_files, arrays):
    arrays[1]["B05"][:, :, 1:] = 2000
    site = read(site_files())
    row = site.s2[0, site.bands.index("B05"), 3]
    np.testing.assert_array_equal(row, [1000, 1250, 1750, 2000, 2000, 2000, 2000, 2000])


def test_radar_is_averaged_as_power_not_as_decibels(site_files, arrays):
    arrays[2]["VV"][0, :, :2] = -200000  # -20 dB beside -10 dB
    site = read(site_files())
    expected = 10 * np.log10(0.75 * 0.01 + 0.25 * 0.1)
    np.testing.assert_allclose(
        site.s1[0, 0, 4, 2:6], [-20, expected, 10 * np.log10(0.25 * 0.01 + 0.75 * 0.1), -10], atol=1e-4
    )
    np.testing.assert_allclose(site.s1[0, 1], -17, atol=1e-4)


def test_missing_radar_is_nan_and_does_not_affect_its_neighbours(site_files, arrays):
    arrays[2]["VV"][0, :, :2] = 0
    vv = read(site_files()).s1[0, 0]
    assert np.isnan(vv[:, :4]).all()
    np.testing.assert_allclose(vv[:, 4:], -10, atol=1e-4)


def test_a_pixel_without_a_value_in_one_band_or_without_a_class_is_invalid(site_files, arrays):
    arrays[0]["B08"][1, 2, 3] = 0
    arrays[1]["SCL"][2, 0, 0] = 1
    site = read(site_files())
    assert not site.valid[1, 2, 3] and site.valid[1].sum() == SIDE * SIDE - 1
    assert not site.valid[2, :2, :2].any() and site.valid[2].sum() == SIDE * SIDE - 4
    assert (site.s2[1, :, 2, 3] == 0).all()
    assert site.valid[[0, 3]].all()


def test_shadow_cloud_cirrus_and_snow_are_cloudy_and_ground_is_not(site_files, arrays):
    arrays[1]["SCL"][0] = [[3, 8, 9, 10], [11, 11, 4, 7], [2, 5, 6, 4], [4] * 4]
    cloudy = read(site_files()).cloudy()[0]
    assert cloudy[:2].all() and cloudy[2:4, :4].all()
    assert not cloudy[2:4, 4:].any() and not cloudy[4:].any()


def test_clear_dates_are_sorted_by_distance_up_to_a_limit(site_files, arrays):
    arrays[1]["SCL"][1, :2] = 9
    found = pairs(read(site_files()), max_days=30)
    assert [pair.cover for pair in found] == [0, 0.5, 0, 0]
    assert [pair.clear for pair in found] == [(2,), (0, 2), (0,), ()]
    assert [pair.radar for pair in found] == [0, 1, 1, None]
    assert found[1].cloudy[:4].all() and not found[1].cloudy[4:].any()


def test_a_thin_cloud_missed_by_the_classification_is_not_clear(site_files, arrays):
    arrays[0]["B02"][2] = 1200
    assert clear_dates(read(site_files())) == (0, 1, 3)


def test_a_date_that_is_mostly_unclassified_is_not_clear(site_files, arrays):
    arrays[1]["SCL"][3] = 7
    assert clear_dates(read(site_files())) == (0, 1, 2)


def test_two_files_of_one_site_need_the_same_dates(site_files):
    with pytest.raises(InputError, match="dates differ from those of S2_L2A_10m_ABC"):
        read(site_files(coarse_days=(0, 5, 10, 61)))


def test_a_missing_band_is_named(site_files, arrays):
    del arrays[0]["B02"]
    with pytest.raises(InputError, match=r"S2_L2A_10m_ABC.*: has no B02"):
        read(site_files())


def test_a_folder_without_sites_is_refused(site_files, tmp_path, monkeypatch):
    files = site_files()
    with pytest.raises(InputError, match="no sites of WorldCereal"):
        find_sites(tmp_path / "empty")
    with pytest.raises(InputError, match=r"gone\.nc: there is no such file"):
        read_site(files.s2, tmp_path / "gone.nc")
    files.s1.write_bytes(b"no NetCDF")
    with pytest.raises(InputError, match="cannot be read as NetCDF4"):
        read(files)
    files.s1.unlink()
    with pytest.raises(InputError, match="no Sentinel-1 beside it"):
        find_sites(tmp_path)
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(InputError, match="needs h5py, which is not installed") as caught:
        read(files)
    assert "sunbreak[training]" in caught.value.hint


def test_the_real_sites_match_their_provenance(shared):
    first, second = (read(files) for files in find_sites(shared / "data" / "worldcereal"))
    assert [len(site.days) for site in (first, second)] == [118, 72]
    assert [len(site.s1_days) for site in (first, second)] == [159, 80]
    for site in (first, second):
        assert site.s2.shape[1:] == (10, 64, 64) and site.s1.shape[1:] == (2, 64, 64)
        assert np.isfinite(site.s1).all() and site.valid.mean() > 0.9999
        vv, vh = site.s1.mean(axis=(0, 2, 3))
        assert -12 < vv < -6 and -20 < vh < vv - 5
        nir, red = (site.s2[list(clear_dates(site)), site.bands.index(band)].mean() for band in ("B08", "B04"))
        assert nir > 3 * red
    # pixels classified as snow in Belgium in September are clouds
    assert first.cloudy()[97].mean() > 0.95
    assert 97 not in clear_dates(first)


@pytest.mark.parametrize("link", ["external", "virtual", "huge"])
def test_a_variable_that_lies_elsewhere_or_claims_too_much_is_refused(site_files, tmp_path, link):
    files = site_files()
    other = tmp_path / "other.h5"
    with h5py.File(other, "w") as file:
        file["B02"] = np.ones((4, SIDE, SIDE), np.uint16)
    path = next(tmp_path.glob("S2_L2A_10m_*"))
    with h5py.File(path, "r+") as file:
        del file["B02"]
        if link == "external":
            file["B02"] = h5py.ExternalLink(str(other), "/B02")
        elif link == "virtual":
            layout = h5py.VirtualLayout((4, SIDE, SIDE), np.uint16)
            layout[:] = h5py.VirtualSource(str(other), "B02", (4, SIDE, SIDE))
            file.create_virtual_dataset("B02", layout)
        else:
            file.create_dataset("B02", (4, 100_000, 100_000), np.uint16, chunks=(1, 100, 100), compression="gzip")
    with pytest.raises(InputError) as caught:
        read(files)
    assert caught.value.code == "damaged" and f"{path}: B02 " in caught.value.message


@pytest.mark.parametrize("name", ["B02", "B05", "SCL", "x", "timestamp", "spatial_ref", "sunAzimuthAngles"])
@pytest.mark.parametrize("fine", [True, False])
def test_a_link_to_a_pipe_is_refused_and_not_followed(site_files, tmp_path, name, fine):
    files = site_files()
    os.mkfifo(tmp_path / "pipe")
    path = next(tmp_path.glob("S2_L2A_10m_*" if fine else "S2_L2A_20m_*"))
    with h5py.File(path, "r+") as file:
        if name in file:
            del file[name]
        file[name] = h5py.ExternalLink(str(tmp_path / "pipe"), "/x")
    if (name, fine) in {("SCL", True), ("sunAzimuthAngles", True), ("B02", False)}:  # read from the other file
        assert read(files).days
        return
    with pytest.raises(InputError, match=f"{name} does not lie in the file itself|its dates differ"):
        read(files)


@pytest.mark.parametrize("link", ["external", "huge", "of another size", "a text"])
def test_angles_of_the_sun_lie_in_the_file_and_are_one_for_each_date(site_files, tmp_path, link):
    files = site_files()
    other = tmp_path / "other.h5"
    with h5py.File(other, "w") as file:
        file["sunZenithAngles"] = np.ones(len(DAYS))
    path = next(tmp_path.glob("S2_L2A_20m_*"))
    with h5py.File(path, "r+") as file:
        if link == "external":
            file["sunZenithAngles"] = h5py.ExternalLink(str(other), "/sunZenithAngles")
        elif link == "huge":
            file.create_dataset("sunZenithAngles", (10**10,), np.uint8, chunks=(1000,), compression="gzip")
        else:
            file["sunZenithAngles"] = np.ones(9) if link == "of another size" else "noon"
    with pytest.raises(InputError):
        read(files)


@pytest.mark.parametrize("name", ["x", "y", "timestamp"])
@pytest.mark.parametrize(
    "values", [np.zeros(1), np.float64(5), np.full(6, np.nan), np.array([b"a", b"b"]), np.zeros((3, 3))]
)
def test_a_grid_or_dates_of_another_form_are_refused_in_one_line(site_files, tmp_path, name, values):
    files = site_files()
    path = next(tmp_path.glob("S2_L2A_10m_*"))
    with h5py.File(path, "r+") as file:
        units = dict(file[name].attrs)
        del file[name]
        file[name] = values
        file[name].attrs.update(units)
    with pytest.raises(InputError) as caught:
        read(files)
    assert "\n" not in caught.value.message


def test_a_site_that_is_a_pipe_is_refused(site_files, tmp_path):
    files = site_files()
    path = next(tmp_path.glob("S1_*"))
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(InputError, match="named pipe"):
        read(files)
