"""Sentinel-2 products are given as their .SAFE folder, or as the metadata file in it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
import rasterio.shutil
from affine import Affine

from sunbreak.clouds.classes import replaced
from sunbreak.clouds.given_masks import given_classes
from sunbreak.errors import InputError
from sunbreak.scene import S2_BANDS, Scene
from sunbreak.scene.radiometry import Radiometry
from sunbreak.scene.reference_files import find_references
from sunbreak.scene.series_opening import open_series

NAME = "S2B_MSIL1C_20220930T101649_N0400_R065_T32TQM_20220930T124210"
GRANULE = "GRANULE/L1C_T32TQM_A029072_20220930T101649/IMG_DATA"
FINE, MEDIUM = ("B02", "B03", "B04", "B08"), ("B05", "B06", "B07", "B8A", "B11", "B12")
FOOT = "T32TQM_20220930T101649"


def metadata(offsets: list[int], quantification: int = 10000) -> str:
    images = "".join(f"<IMAGE_FILE>{GRANULE}/{FOOT}_{band}</IMAGE_FILE>\n" for band in (*S2_BANDS, "TCI"))
    added = "".join(
        f'<RADIO_ADD_OFFSET band_id="{i}">{offset}</RADIO_ADD_OFFSET>\n' for i, offset in enumerate(offsets)
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<n1:Level-1C_User_Product xmlns:n1="https://psd-14.sentinel2.eo.esa.int/PSD/User_Product_Level-1C.xsd">
<n1:General_Info><Product_Info>
<PRODUCT_START_TIME>2022-09-30T10:16:49.024Z</PRODUCT_START_TIME>
<PRODUCT_URI>{NAME}.SAFE</PRODUCT_URI>
<PROCESSING_BASELINE>04.00</PROCESSING_BASELINE>
{images}</Product_Info>
<Product_Image_Characteristics><QUANTIFICATION_VALUE unit="none">{quantification}</QUANTIFICATION_VALUE>
<Radiometric_Offset_List>{added}</Radiometric_Offset_List></Product_Image_Characteristics></n1:General_Info>
</n1:Level-1C_User_Product>
"""


@pytest.fixture
def bands(make_surface) -> dict[str, np.ndarray]:
    """A place of 1200 x 1200 m in each band's own resolution; the offset is in."""
    sizes = {band: 120 if band in FINE else 60 if band in MEDIUM else 20 for band in S2_BANDS}
    return {band: make_surface(13, size, size)[S2_BANDS.index(band)] + 1000 for band, size in sizes.items()}


@pytest.fixture
def product(bands, write, tmp_path) -> Path:
    """A product of level 1C as it is downloaded."""
    folder = tmp_path / f"{NAME}.SAFE"
    images = folder / GRANULE
    images.mkdir(parents=True)
    for band, values in bands.items():
        size = 1200 / len(values)
        plain = write("plain.tif", values[None], transform=Affine(size, 0, 600_000, 0, -size, 5_200_000))
        with rasterio.open(plain) as source:
            target = images / f"{FOOT}_{band}.jp2"
            rasterio.shutil.copy(source, target, driver="JP2OpenJPEG", quality=100, reversible="YES")
        plain.unlink()
    (folder / "MTD_MSIL1C.xml").write_text(metadata([-1000] * 13))
    return folder


def refused(given: Path) -> InputError:
    with pytest.raises(InputError) as caught:
        Scene.open(given)
    return caught.value


def test_a_product_is_its_bands_its_level_its_date_and_its_offset(product, bands):
    scene = Scene.open(product)
    assert (scene.bands, scene.level, scene.stem) == (S2_BANDS, "L1C", FOOT)
    assert scene.grid.shape == (120, 120)
    assert f"{scene.acquired:%Y-%m-%d %H:%M}" == "2022-09-30 10:16"
    assert scene.radiometry == Radiometry("dn", -1000.0, 10000.0)
    assert not scene.warnings
    with scene.reader() as reader:
        raw = reader.s2(scene.grid.window, FINE).raw
    np.testing.assert_array_equal(raw, np.stack([bands[band] for band in FINE]))


def test_the_metadata_file_and_the_folder_of_bands_stand_for_the_product_too(product):
    whole = Scene.open(product)
    (product / "manifest.safe").write_text("<xml/>")
    for given in (product / "MTD_MSIL1C.xml", product / "manifest.safe", product / GRANULE):
        scene = Scene.open(given)
        assert (scene.bands, scene.stem, scene.radiometry) == (whole.bands, whole.stem, whole.radiometry)


def test_a_product_of_another_name_is_known_by_its_metadata(product, tmp_path):
    renamed = product.rename(tmp_path / "my scene")
    scene = Scene.open(renamed)
    assert (scene.level, scene.radiometry.offset, scene.stem) == ("L1C", -1000.0, FOOT)


def test_the_metadata_decides_over_the_baseline_in_the_name(product):
    (product / "MTD_MSIL1C.xml").write_text(metadata([-500] * 13, 5000))
    assert Scene.open(product).radiometry == Radiometry("dn", -500.0, 5000.0)


@pytest.mark.parametrize("content", ["", "no xml", "<!DOCTYPE x [<!ENTITY a 'aaaa'>]><x>&a;</x>"])
def test_without_usable_metadata_the_folder_s_name_is_enough(product, content):
    (product / "MTD_MSIL1C.xml").write_text(content)
    scene = Scene.open(product)
    assert (scene.level, scene.radiometry.offset) == ("L1C", -1000.0)


def test_bands_that_are_listed_and_not_there_are_named(product):
    for band in ("B01", "B10"):
        (product / GRANULE / f"{FOOT}_{band}.jp2").unlink()
    scene = Scene.open(product)
    assert len(scene.bands) == 11
    (warning,) = (said for said in scene.warnings if "metadata" in said)
    assert f"{FOOT}_B01, {FOOT}_B10" in warning
    assert "TCI" not in warning


def test_a_product_without_a_granule_or_with_several_is_refused(product, tmp_path):
    (product / "GRANULE" / "another" / "IMG_DATA").mkdir(parents=True)
    error = refused(product)
    assert (error.code, "2 granules" in str(error)) == ("safe-product", True)
    assert GRANULE.rsplit("/", 1)[0].split("/")[1] in error.hint or "another" in error.hint
    empty = tmp_path / "empty.SAFE"
    empty.mkdir()
    assert (refused(empty).code, "IMG_DATA" in str(refused(empty))) == ("safe-product", True)


def test_offsets_that_differ_between_bands_are_refused_until_one_is_given(product):
    (product / "MTD_MSIL1C.xml").write_text(metadata([-500] * 12 + [-700]))
    error = refused(product)
    assert (error.code, "-700 to -500" in str(error), "--s2-offset" in error.hint) == (
        "offset-contradiction",
        True,
        True,
    )
    assert Scene.open(product, s2_offset=-500.0).radiometry.offset == -500.0


def test_the_offset_of_a_band_that_is_not_there_does_not_count(product):
    (product / GRANULE / f"{FOOT}_B12.jp2").unlink()
    (product / "MTD_MSIL1C.xml").write_text(metadata([-1000] * 12 + [-700]))
    assert Scene.open(product).radiometry.offset == -1000.0


def test_a_product_and_something_else_are_refused(product, write, make_surface):
    with pytest.raises(InputError) as caught:
        Scene.open([product, write("a.tif", make_surface())])
    assert caught.value.code == "safe-product"


@pytest.fixture
def level_2a(make_surface, write, tmp_path) -> Path:
    """A product of level 2A: bands at several resolutions, with what else lies beside them."""
    folder = "S2B_MSIL2A_20220930T101649_N0400_R065_T32TQM_20220930T134210.SAFE"
    images = f"{folder}/GRANULE/L2A_T32TQM_A029072_20220930T101649/IMG_DATA"
    for metres, names in ((10, FINE), (20, ("B02", *MEDIUM)), (60, ("B01", "B02", "B09"))):
        size = 1200 // metres
        surface, transform = make_surface(13, size, size) + 1000, Affine(metres, 0, 600_000, 0, -metres, 5_200_000)
        for band in names:
            values = surface[S2_BANDS.index(band)][None]
            write(f"{images}/R{metres}m/{FOOT}_{band}_{metres}m.tif", values, transform=transform)
        write(f"{images}/R{metres}m/{FOOT}_AOT_{metres}m.tif", surface[:1], transform=transform)
        if metres > 10:
            classes = np.full((1, size, size), 4, np.uint8)
            classes[:, : size // 2] = 9 if metres == 20 else 3
            write(f"{images}/R{metres}m/{FOOT}_SCL_{metres}m.tif", classes, transform=transform)
    return tmp_path / folder


def test_a_product_of_level_2a_is_called_after_its_bands_and_brings_its_own_mask(level_2a):
    scene = Scene.open(level_2a)
    assert (scene.level, scene.stem) == ("L2A", FOOT)
    assert scene.bands == tuple(band for band in S2_BANDS if band != "B10")
    assert any(f"{FOOT}_SCL_20m.tif" in note for note in scene.notes)
    with scene.reader() as reader:
        mask = replaced(given_classes(reader, scene.grid.window))
    np.testing.assert_array_equal(mask, np.arange(120)[:, None].repeat(120, 1) < 60)


def test_a_mask_that_is_given_counts_more_than_the_product_s_own(level_2a, write):
    mask = np.zeros((1, 120, 120), np.uint8)
    mask[:, :, :30] = 1
    given = write("mask.tif", mask, transform=Affine(10, 0, 600_000, 0, -10, 5_200_000))
    scene = Scene.open(level_2a, mask=given)
    with scene.reader() as reader:
        np.testing.assert_array_equal(replaced(given_classes(reader, scene.grid.window)), mask[0] == 1)
    assert given in scene.inputs
    (note,) = (note for note in scene.notes if "SCL" in note)
    assert note.endswith(" is not used: a cloud mask is given.")


def test_clouds_are_detected_where_the_bands_allow_it(product, write):
    size = Affine(20, 0, 600_000, 0, -20, 5_200_000)
    classes = write(f"{NAME}.SAFE/{GRANULE}/{FOOT}_SCL_20m.tif", np.full((1, 60, 60), 9, np.uint8), transform=size)
    assert classes.is_file()
    assert not Scene.open(product).has_mask


def test_a_product_is_another_date_of_a_scene_but_not_of_itself(product, write, make_surface):
    place = {"transform": Affine(10, 0, 600_000, 0, -10, 5_200_000)}
    scene = Scene.open(write("scene_20220920.tif", make_surface(13, 60, 60) + 1000, names=S2_BANDS, **place))
    assert find_references(product.parent, scene.inputs) == [product]
    series = open_series(scene, [], found=[product])
    assert (series.days, series.others[0].bands) == ((10,), S2_BANDS)
    assert series.notes == (f"Other date 2022-09-30 (10 days after): {product.name}.",)
    assert len(open_series(scene, [product, product / "MTD_MSIL1C.xml"]).others) == 1
    with pytest.raises(InputError, match="is the scene itself"):
        open_series(Scene.open(product), [product / "MTD_MSIL1C.xml"])
