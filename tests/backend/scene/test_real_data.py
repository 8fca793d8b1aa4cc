"""Real Sentinel data as scenes; skipped where the data is not available."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from rasterio.windows import Window

from sunbreak.errors import InputError
from sunbreak.scene import S2_BANDS, Scene

DATA = Path(__file__).resolve().parents[3] / "../shared/data"
EUROSAT = (*S2_BANDS[:8], "B09", "B10", "B11", "B12", "B8A")

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the shared data is not here")


@pytest.mark.parametrize("name", ["1970_fall_136", "1868_summer_135a", "1868_summer_135b"])
@pytest.mark.parametrize("kind", ["s2", "s2_cloudy"])
def test_scenes_of_the_cloud_removal_data_set_are_dn_without_offset(name: str, kind: str) -> None:
    scene = Scene.open(DATA / f"scenes/{name}_{kind}.tif")
    assert (scene.bands, scene.level, scene.dtype) == (S2_BANDS, "L1C", "uint16")
    assert (scene.radiometry.unit, scene.radiometry.offset) == ("dn", 0)
    assert scene.warnings == ()


def test_the_spanish_scene_in_degrees_opens_with_its_radar() -> None:
    scene = Scene.open(DATA / "scene_spain/S2_L1C_DN.tif", DATA / "scene_spain/S1_VV_VH_dB.tif")
    assert (scene.dtype, scene.level, scene.radiometry.offset) == ("int16", "L1C", 0)
    assert any("7.87 m x 10 m" in text for text in scene.warnings)
    with scene.reader() as reader:
        radar = reader.s1(Window(100, 100, 200, 200))
        median = np.nanmedian(reader.s2(Window(0, 0, 512, 512), ["B08"]).reflectance())
    assert radar.shape == (2, 200, 200)
    assert -13 < np.nanmedian(radar[0]) < -8
    assert np.nanmedian(radar[1]) < np.nanmedian(radar[0])
    assert 0.15 < median < 0.3


def test_a_triplet_reads_bit_for_bit() -> None:
    import rasterio

    base = DATA / "sen12mscr"
    s2 = base / "ROIs1970_fall_s2_cloudy/s2_cloudy_139/ROIs1970_fall_s2_cloudy_139_p839.tif"
    s1 = base / "ROIs1970_fall_s1/s1_139/ROIs1970_fall_s1_139_p839.tif"
    scene = Scene.open(s2, s1)
    with scene.reader() as reader, rasterio.open(s2) as optical, rasterio.open(s1) as radar:
        assert np.array_equal(reader.s2(scene.grid.window).raw, optical.read())
        assert np.array_equal(reader.s1(scene.grid.window), radar.read())


@pytest.mark.parametrize(("name", "offset"), [("282D_485L_3_3", -1000), ("609U_541L_3_0", -1000), ("38D_378R_2_3", 0)])
def test_terramesh_shows_its_baseline_offset_in_l1c_and_none_in_l2a(name: str, offset: float) -> None:
    l1c = Scene.open(DATA / f"terramesh/S2L1C/{name}.tif", DATA / f"terramesh/S1RTC/{name}.tif")
    l2a = Scene.open(DATA / f"terramesh/S2L2A/{name}.tif", DATA / f"terramesh/S1RTC/{name}.tif")
    assert (l1c.level, l1c.radiometry.offset) == ("L1C", offset)
    assert (l2a.level, l2a.radiometry.offset, len(l2a.bands)) == ("L2A", 0, 12)


def test_a_new_zealand_patch_knows_its_date() -> None:
    scene = Scene.open(DATA / "misc/20201002T221611_20201002T221610_T60HWB.tif")
    assert scene.acquired is not None
    assert scene.acquired.isoformat() == "2020-10-02T22:16:11+00:00"
    assert scene.nodata == 0


def test_sixteen_dates_of_one_place_open_without_offset() -> None:
    scenes = [Scene.open(path) for path in sorted((DATA / "timeseries").glob("*.tif"))]
    assert len(scenes) == 16
    assert {scene.radiometry.offset for scene in scenes} == {0}
    assert len({scene.acquired for scene in scenes}) == 16


def test_eurosat_is_read_in_its_own_order_without_names() -> None:
    paths = sorted((DATA / "eurosat").glob("*/*.tif"))[::6]
    for path in paths:
        found = Scene.open(path)
        assert any("by their spectra" in note for note in found.notes)
        assert {source.name: source.index for source in found.stack.sources}["B8A"] == 13
        scene = Scene.open(path, s2_bands=EUROSAT)
        assert (scene.bands, scene.radiometry.offset) == (S2_BANDS, 0)


def test_a_big_earth_net_folder_meets_on_its_10_m_grid() -> None:
    folder = DATA / "bigearthnet/BigEarthNet-S2-Example/S2A_MSIL2A_20170613T101031_87_48"
    scene = Scene.open(folder)
    assert (scene.level, scene.grid.shape, len(scene.bands)) == ("L2A", (120, 120), 12)
    with scene.reader() as reader:
        assert reader.s2(scene.grid.window).valid.all()


def test_netcdf_and_patches_without_georeference_are_refused() -> None:
    with pytest.raises(InputError) as caught:
        Scene.open(next((DATA / "worldcereal").glob("*/S2_L2A_10m*.nc")))
    assert caught.value.code == "unsupported-driver"
    with pytest.raises(InputError) as caught:
        Scene.open(DATA / "triplets/0316_s2.tif")
    assert caught.value.code == "no-crs"
