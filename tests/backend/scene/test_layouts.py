"""Folders as the services deliver them: the right bands, level, date and offset, and nothing else taken for a band."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from affine import Affine

from sunbreak.errors import InputError
from sunbreak.scene import S2_BANDS, Scene

L2A = tuple(band for band in S2_BANDS if band != "B10")
COMMON = {
    "coastal": "B01", "blue": "B02", "green": "B03", "red": "B04", "rededge1": "B05", "rededge2": "B06",
    "rededge3": "B07", "nir": "B08", "nir08": "B8A", "nir09": "B09", "swir16": "B11", "swir22": "B12",
}  # fmt: skip
FINE, MEDIUM = ("B02", "B03", "B04", "B08"), ("B05", "B06", "B07", "B8A", "B11", "B12")


@pytest.fixture
def put(write, make_surface):
    """`put(name, band, shift)` writes a band of 1200 m x 1200 m in its own resolution, or a mask or picture."""

    def save(name: str, band: str, shift: int = 0) -> Path:
        metres = 10 if band in (*FINE, "TCI", "AOT10") else 20 if band in (*MEDIUM, "SCL", "AOT", "WVP") else 60
        size = 1200 // metres
        if band in S2_BANDS:
            values = make_surface(13, size, size)[S2_BANDS.index(band)][None] + np.uint16(shift)
        elif band == "SCL":
            values = np.full((1, size, size), 4, np.uint8)
            values[:, : size // 4] = 9
        else:
            values = np.full((3 if band == "TCI" else 1, size, size), 60, np.uint8 if band == "TCI" else np.uint16)
        return write(name, values, transform=Affine(metres, 0, 600_000, 0, -metres, 5_200_000))

    return save


def bands_read(scene: Scene, make_surface, shift: int = 0) -> None:
    """The fine bands hold what was written as them."""
    with scene.reader() as reader:
        raw = reader.s2(scene.grid.window, FINE).raw
    wanted = make_surface(13, 120, 120)[[S2_BANDS.index(band) for band in FINE]] + np.uint16(shift)
    np.testing.assert_array_equal(raw, wanted)


def earth_search_item(applied: bool, name: str) -> dict:
    """An item as Earth Search gives it: the names of assets are common names, their addresses end in those of files."""
    assets = {
        common: {
            "href": f"https://sentinel-cogs.s3.us-west-2.amazonaws.com/sentinel-s2-l2a-cogs/32/T/QM/2022/9/{name}/{band}.tif",
            "eo:bands": [{"name": common, "common_name": common}],
            "raster:bands": [
                {"nodata": 0, "data_type": "uint16", "scale": 0.0001, "offset": -0.1 if not applied else 0}
            ],
        }
        for common, band in COMMON.items()
    }
    assets["scl"] = {"href": f"https://x/{name}/SCL.tif", "raster:bands": [{"nodata": 0, "data_type": "uint8"}]}
    properties = {
        "datetime": "2022-09-30T10:21:54.123000Z",
        "s2:processing_baseline": "04.00",
        "earthsearch:boa_offset_applied": applied,
        "s2:product_uri": "S2B_MSIL2A_20220930T101649_N0400_R065_T32TQM_20220930T134210.SAFE",
    }
    return {"type": "Feature", "stac_version": "1.0.0", "id": name, "properties": properties, "assets": assets}


@pytest.mark.parametrize("files", ["B02.tif", "blue.tif"])
@pytest.mark.parametrize("applied", [True, False])
@pytest.mark.parametrize("zip_it", [False, True])
def test_a_folder_of_earth_search_with_its_item(put, make_surface, zipped, tmp_path, files, applied, zip_it):
    name = "S2B_32TQM_20220930_0_L2A"
    shift = 0 if applied else 1000
    for common, band in COMMON.items():
        put(f"{name}/{band if files == 'B02.tif' else common}.tif", band, shift)
    for other in ("SCL", "AOT", "WVP", "TCI"):
        put(f"{name}/{other if files == 'B02.tif' else other.lower().replace('tci', 'visual')}.tif", other)
    put(f"{name}/L2A_PVI.tif", "TCI")
    folder = tmp_path / name
    (folder / f"{name}.json").write_text(json.dumps(earth_search_item(applied, name)))
    (folder / "tileinfo_metadata.json").write_text('{"path": "tiles/32/T/QM"}')
    scene = Scene.open(zipped(folder) if zip_it else folder)
    assert (scene.bands, scene.level, scene.has_mask) == (L2A, "L2A", True)
    assert f"{scene.acquired:%Y-%m-%d %H:%M}" == "2022-09-30 10:21"
    assert (scene.radiometry.offset, scene.radiometry.quantification) == (0.0 if applied else -1000.0, 10000.0)
    bands_read(scene, make_surface, shift)
    if not zip_it:
        assert folder / f"{name}.json" in scene.inputs
    assert not scene.warnings


def test_an_item_of_another_folder_and_several_items_say_nothing(put, tmp_path):
    for band in FINE:
        put(f"S2B_32TQM_20220930_0_L2A/{band}.tif", band)
    folder = tmp_path / "S2B_32TQM_20220930_0_L2A"
    item = earth_search_item(False, "x")
    (folder / "other.json").write_text(json.dumps(item | {"assets": {"data": {"href": "./x.tif"}}}))
    assert Scene.open(folder).radiometry.offset == 0
    for name in ("a.json", "b.json"):
        (folder / name).write_text(json.dumps(item))
    scene = Scene.open(folder)
    assert (scene.radiometry.offset, scene.level) == (0, "L2A")
    assert f"{scene.acquired:%Y-%m-%d}" == "2022-09-30"


def planetary_item(name: str) -> dict:
    assets = {
        band: {
            "href": f"https://sentinel2l2a01.blob.core.windows.net/x/{name}_{band}_10m.tif?st=2023&sig=a%2Fb",
            "eo:bands": [{"name": band, "common_name": common}],
        }
        for common, band in COMMON.items()
    }
    properties = {
        "datetime": "2022-09-30T10:16:49.024000Z",
        "s2:processing_baseline": "04.00",
        "s2:product_type": "S2MSI2A",
        "s2:mgrs_tile": "32TQM",
    }
    return {"type": "Feature", "stac_version": "1.0.0", "id": "x", "properties": properties, "assets": assets}


@pytest.mark.parametrize("item", [True, False])
def test_a_folder_of_the_planetary_computer(put, make_surface, tmp_path, item):
    foot = "T32TQM_20220930T101649"
    for band in L2A:
        put(f"download/{foot}_{band}_{10 if band in FINE else 20 if band in MEDIUM else 60}m.tif", band, 1000)
    for other in ("SCL", "AOT", "WVP"):
        put(f"download/{foot}_{other}_20m.tif", other)
    put(f"download/{foot}_TCI_10m.tif", "TCI")
    if item:
        (tmp_path / "download" / "item.json").write_text(json.dumps(planetary_item(foot)))
    scene = Scene.open(tmp_path / "download")
    assert (scene.bands, scene.level, scene.has_mask) == (L2A, "L2A", True)
    assert f"{scene.acquired:%Y-%m-%d %H:%M}" == "2022-09-30 10:16"
    if item:
        assert scene.radiometry.offset == -1000.0 and any("baseline 04.00" in note for note in scene.notes)
    else:  # nothing in this place is dark enough to tell
        assert any("--s2-offset" in text for text in scene.warnings)
        assert Scene.open(tmp_path / "download", s2_offset=-1000.0).bands == L2A
    bands_read(scene, make_surface, 1000)


def test_a_product_of_cdse_with_all_that_lies_in_it(l2a, write_image):
    granule = next((l2a / "GRANULE").iterdir())
    masks = [f"MSK_{kind}_{band}" for kind in ("DETFOO", "QUALIT") for band in ("B02", "B8A")]
    for name in (*masks, "MSK_CLASSI_B00", "MSK_CLDPRB_20m", "MSK_SNWPRB_20m"):
        write_image(granule / "QI_DATA" / f"{name}.jp2", np.zeros((1, 60, 60), np.uint8))
    (granule / "QI_DATA" / "MSK_CLOUDS_B00.gml").write_text("<gml/>")
    write_image(granule / "QI_DATA" / "T32TQM_20220930T101649_PVI.jp2", np.zeros((3, 20, 20), np.uint8))
    scene = Scene.open(l2a)
    assert (scene.bands, scene.level, scene.has_mask, scene.radiometry.offset) == (L2A, "L2A", True, -1000.0)
    assert not any("QI_DATA" in str(path) for path in scene.inputs)
    assert not any("MSK_" in text for text in (*scene.notes, *scene.warnings))  # its SCL is better
    next(granule.rglob("*_SCL_20m.jp2")).unlink()
    next(granule.rglob("*_SCL_60m.jp2")).unlink()
    scene = Scene.open(l2a)
    (note,) = (text for text in scene.notes if "MSK_" in text)
    assert not scene.has_mask and str(granule / "QI_DATA" / "MSK_CLDPRB_20m.jp2") in note
    assert Scene.open(l2a, mask=granule / "QI_DATA" / "MSK_CLDPRB_20m.jp2", mask_coding="percent").has_mask


def test_masks_with_the_name_of_a_band_are_no_bands(put, write_image, tmp_path):
    foot = "T32TQM_20220930T101649"
    for band in S2_BANDS:
        put(f"flat/{foot}_{band}.tif", band)
    for kind in ("DETFOO", "QUALIT", "SATURA", "NODATA", "DEFECT", "TECQUA"):
        write_image(tmp_path / "flat" / f"MSK_{kind}_B02.jp2", np.zeros((1, 120, 120), np.uint8))
    write_image(tmp_path / "flat" / "MSK_CLASSI_B00.jp2", np.zeros((3, 20, 20), np.uint8))
    scene = Scene.open(tmp_path / "flat")
    assert scene.bands == S2_BANDS
    assert sum("MSK_" in note and "left out" in note for note in scene.notes) == 7
    for name in ("MSK_DETFOO_B02", "MSK_CLASSI_B00"):
        with pytest.raises(InputError, match="is a mask of a product") as caught:
            Scene.open(tmp_path / "flat" / f"{name}.jp2")
        assert caught.value.code == "bands-unknown" and "--mask" in caught.value.hint


def test_the_folder_of_masks_of_a_product_is_no_scene(l1c, write_image):
    qi = next((l1c / "GRANULE").iterdir()) / "QI_DATA"
    for band in ("B02", "B03"):
        write_image(qi / f"MSK_DETFOO_{band}.jp2", np.zeros((1, 120, 120), np.uint8))
    with pytest.raises(InputError, match="holds no Sentinel-2 bands") as caught:
        Scene.open(qi)
    assert caught.value.code == "bands-unknown"


EXTRA = ("AOT", "WVP", "SCL", "TCI_R", "TCI_G", "TCI_B", "MSK_CLDPRB", "MSK_SNWPRB", "QA10", "QA20", "QA60")


def test_an_export_of_earth_engine_with_all_its_bands(write, make_surface):
    names = [band.replace("B0", "B") for band in L2A]
    values = np.concatenate([make_surface(12), np.full((len(EXTRA), 40, 50), 4, np.uint16)])
    path = write("20220930T101649_20220930T102030_T32TQM.tif", values, names=[*names, *EXTRA])
    scene = Scene.open(path)
    assert (scene.bands, scene.level, scene.has_mask) == (L2A, "L2A", True)
    assert (f"{scene.acquired:%Y-%m-%d %H:%M}", scene.radiometry.offset) == ("2022-09-30 10:16", 0.0)
    with scene.reader() as reader:
        np.testing.assert_array_equal(reader.s2(scene.grid.window).raw, make_surface(12))


def test_an_export_of_earth_engine_with_one_file_for_each_band(write, make_surface, zipped, tmp_path):
    for band, values in zip(S2_BANDS, make_surface(), strict=True):
        write(f"ee/20220930T101649_T32TQM.{band.replace('B0', 'B')}.tif", values[None])
    write("ee/20220930T101649_T32TQM.QA60.tif", np.zeros((1, 40, 50), np.uint16))
    for given in (tmp_path / "ee", zipped(tmp_path / "ee", inside="", to="download.zip")):
        scene = Scene.open(given)
        assert (scene.bands, scene.level, f"{scene.acquired:%Y-%m-%d}") == (S2_BANDS, "L1C", "2022-09-30")
        assert any("QA60" in note and "left out" in note for note in scene.notes)


@pytest.mark.parametrize("as_list", [False, True])
def test_parts_of_one_export_are_refused_with_how_to_join_them(write, make_surface, tmp_path, as_list):
    paths = [
        write(f"ee/scene-0000000000-{column:010d}.tif", make_surface(), names=S2_BANDS, transform=Affine(10, 0, 6e5 + 10 * column, 0, -10, 5.2e6))
        for column in (0, 50)
    ]  # fmt: skip
    with pytest.raises(InputError, match="2 parts of one export") as caught:
        Scene.open(paths if as_list else tmp_path / "ee")
    assert caught.value.code == "split-export" and "gdalbuildvrt" in caught.value.hint
    assert Scene.open(paths[0]).bands == S2_BANDS  # one part is a scene
    assert "scene-*.tif" in caught.value.hint
