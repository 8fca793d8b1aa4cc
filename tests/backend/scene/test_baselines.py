"""The metadata of real products of all processing baselines says what Sunbreak takes from it, as folder and as zip.

The images are tiny and written here: the real products are too large. There is no real product of the baselines 05.10
to 05.12 at hand; their metadata is that of 05.09 with the baseline changed, which is all that changes in what is read.
"""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest

from sunbreak.errors import InputError
from sunbreak.scene import S2_BANDS, Scene
from sunbreak.scene.discovery import find_bands
from sunbreak.scene.product import ProductFacts, facts_from_name

SHARED = Path(__file__).resolve().parents[3] / ".." / "shared" / "data" / "safe_fixtures"
REAL = sorted([*SHARED.glob("*.SAFE/MTD_MSIL*.xml"), *SHARED.glob("*/*MSIL*.zip")])
#: Product, level, baseline, date and time, offset, number of bands.
KNOWN = {
    "S2A_MSIL1C_20180101T105441_N0206": ("L1C", 2.06, "2018-01-01T10:54:41", 0.0, 13),
    "S2A_MSIL2A_20190212T192651_N0212": ("L2A", 2.12, "2019-02-12T19:26:51", 0.0, 12),
    "S2B_MSIL2A_20210122T133229_N0214": ("L2A", 2.14, "2021-01-22T13:32:29", 0.0, 12),
    "S2A_MSIL1C_20210908T042701_N0301": ("L1C", 3.01, "2021-09-08T04:27:01", 0.0, 13),
    "S2B_MSIL2A_20220413T150759_N0400": ("L2A", 4.00, "2022-04-13T15:07:59", -1000.0, 12),
    "S2B_MSIL1C_20230605T110619_N0509": ("L1C", 5.09, "2023-06-05T11:06:19", -1000.0, 13),
    "S2A_MSIL2A_20230625T234621_N0509": ("L2A", 5.09, "2023-06-25T23:46:21", -1000.0, 12),
}
LATEST = "S2A_MSIL2A_20230625T234621_N0509"


def metadata_of(path: Path) -> str:
    if path.suffix != ".zip":
        return path.read_text(encoding="utf-8")
    with zipfile.ZipFile(path) as archive:
        (name,) = (one for one in archive.namelist() if re.search(r"/MTD_MSIL\w+\.xml$", one))
        return archive.read(name).decode()


def real(start: str) -> str:
    for path in REAL:
        if start in str(path):
            return metadata_of(path)
    pytest.skip("the shared data is not there")


def name_in(xml: str) -> str:
    found = re.search(r"<PRODUCT_URI>([^<]+)<", xml)
    assert found is not None
    return found[1]


def test_every_real_product_that_is_at_hand_is_known_here():
    assert {name_in(metadata_of(path))[:32] for path in REAL} <= set(KNOWN)


@pytest.mark.parametrize("start", KNOWN)
def test_a_product_of_each_baseline_is_read_as_its_metadata_says(start, make_product, zipped):
    level, baseline, acquired, offset, count = KNOWN[start]
    xml = real(start)
    product = make_product(name_in(xml), xml)
    raws = []
    for given in (product, zipped(product, to=f"{product.name}.zip")):
        finding = find_bands(given)
        facts = finding.facts
        assert (facts.level, facts.baseline, facts.tile) == (level, baseline, re.search(r"_T(\w{5})_", xml)[1])
        assert (facts.nodata, facts.saturated, facts.quantification) == (0.0, 65535.0, 10000.0)
        assert facts.offset == (offset or None)  # older metadata states none
        scene = Scene.open(given)
        assert (scene.level, f"{scene.acquired:%Y-%m-%dT%H:%M:%S}") == (level, acquired)
        assert (scene.radiometry.offset, scene.radiometry.quantification, scene.radiometry.unit) == (offset, 1e4, "dn")
        assert scene.bands == tuple(band for band in S2_BANDS if count == 13 or band != "B10")
        assert (scene.nodata, scene.grid.shape, scene.has_mask) == (0.0, (120, 120), level == "L2A")
        assert not scene.warnings
        assert scene.stem == re.search(r"IMG_DATA/(?:R\d0m/)?(T\w{5}_\d{8}T\d{6})_", xml)[1]
        with scene.reader() as reader:
            raws.append(reader.s2(scene.grid.window).raw)
    np.testing.assert_array_equal(*raws)


@pytest.mark.parametrize("baseline", ["05.10", "05.11", "05.12"])
def test_the_latest_baselines_are_read_as_05_09(baseline, make_product, zipped):
    xml = real(LATEST).replace("05.09", baseline).replace("N0509", f"N{baseline.replace('.', '')}")
    product = make_product(name_in(xml), xml)
    for given in (product, zipped(product)):
        scene = Scene.open(given)
        assert (scene.level, scene.radiometry.offset, scene.has_mask) == ("L2A", -1000.0, True)
        assert find_bands(given).facts.baseline == float(baseline)
        assert not scene.warnings


@pytest.mark.parametrize("path", sorted(SHARED.glob("*.SAFE/expected_output.json")) or [None], ids=str)
def test_stactools_says_the_same_of_the_real_products(path, make_product):
    if path is None:
        pytest.skip("the shared data is not there")
    item = json.loads(path.read_text(encoding="utf-8"))
    xml = metadata_of(next(path.parent.glob("MTD_MSIL*.xml")))
    product = make_product(name_in(xml), xml)
    scene, facts = Scene.open(product), find_bands(product).facts
    assert f"{scene.acquired:%Y-%m-%dT%H:%M:%S}" == item["properties"]["datetime"][:19]
    assert (facts.baseline, product.name) == (
        float(item["properties"]["s2:processing_baseline"]),
        item["properties"]["s2:product_uri"],
    )
    measured = [asset for asset in item["assets"].values() if "reflectance" in asset.get("roles", ())]
    assert set(scene.bands) == {band["name"] for asset in measured for band in asset["eo:bands"]}
    (stated,) = {(one["scale"], one["offset"], one["nodata"]) for asset in measured for one in asset["raster:bands"]}
    radiometry = scene.radiometry
    assert stated == (1 / radiometry.quantification, radiometry.offset / radiometry.quantification, facts.nodata)


def old_metadata(product: str, granule: str, foot: str) -> str:
    """Metadata as Sen2Cor 2.4 wrote it, with its own names of the elements."""
    places = {
        10: ("B02", "B03", "B04", "B08"),
        20: ("B05", "B06", "B07", "B8A", "B11", "B12", "SCL"),
        60: ("B01", "B09"),
    }
    images = "".join(
        f"<IMAGE_FILE_2A>GRANULE/{granule}/IMG_DATA/R{metres}m/L2A_{foot}_{band}_{metres}m</IMAGE_FILE_2A>"
        for metres, bands in places.items()
        for band in bands
    )
    return f"""<n1:Level-2A_User_Product><PRODUCT_START_TIME>2017-05-06T10:20:31.026Z</PRODUCT_START_TIME>
<PRODUCT_URI_1C>{product.replace("L2A", "L1C")}</PRODUCT_URI_1C><PRODUCT_URI_2A>{product}</PRODUCT_URI_2A>
<PROCESSING_BASELINE>02.05</PROCESSING_BASELINE>{images}
<L1C_TOA_QUANTIFICATION_VALUE unit="none">1000</L1C_TOA_QUANTIFICATION_VALUE>
<L2A_BOA_QUANTIFICATION_VALUE unit="none">10000</L2A_BOA_QUANTIFICATION_VALUE></n1:Level-2A_User_Product>"""


def test_products_of_old_versions_of_sen2cor_are_read(make_product, zipped):
    product = "S2A_MSIL2A_20170506T102031_N0205_R065_T32TQM_20170506T102351.SAFE"
    made = make_product(product, old_metadata(product, "L2A_T32TQM_A009771_20170506T102351", "T32TQM_20170506T102031"))
    for given in (made, zipped(made)):
        scene = Scene.open(given)
        assert (scene.level, len(scene.bands), scene.has_mask) == ("L2A", 12, True)
        assert (scene.radiometry.offset, scene.radiometry.quantification) == (0.0, 10000.0)
        assert f"{scene.acquired:%Y-%m-%d %H:%M}" == "2017-05-06 10:20"
    next(made.rglob("*_B03_10m.jp2")).unlink()
    assert any("L2A_T32TQM_20170506T102031_B03_10m" in text for text in Scene.open(made).warnings)


def test_files_that_are_listed_with_their_ending_are_known_too(l1c):
    metadata = l1c / "MTD_MSIL1C.xml"
    metadata.write_text(metadata.read_text().replace("</IMAGE_FILE>", ".jp2</IMAGE_FILE>"))
    assert not Scene.open(l1c).warnings
    image_of(l1c, "B09").unlink()
    assert any("_B09, of which there is no file" in text for text in Scene.open(l1c).warnings)


def test_metadata_under_its_name_of_before_2017_counts(l1c):
    (l1c / "MTD_MSIL1C.xml").rename(l1c / "S2A_OPER_MTD_SAFL1C_PDMC_20160105T053546_R022_V20160103T101415.xml")
    renamed = l1c.rename(l1c.with_name("scene"))
    scene = Scene.open(renamed)
    assert (scene.level, scene.radiometry.offset) == ("L1C", -1000.0)
    assert any("from the metadata" in note for note in scene.notes)


def test_the_date_of_an_old_product_is_that_of_its_image_not_of_its_making():
    product = "S2A_OPER_PRD_MSIL1C_PDMC_20160105T053546_R022_V20160103T101415_20160103T101415.SAFE"
    granule = "S2A_OPER_MSI_L1C_TL_EPA__20160105T053546_A002799_T32TQM_B02.jp2"
    assert f"{facts_from_name(product).acquired:%Y-%m-%d %H:%M}" == "2016-01-03 10:14"
    assert facts_from_name(granule) == ProductFacts(level="L1C")


def image_of(product: Path, band: str) -> Path:
    return next(product.rglob(f"*_{band}.jp2"))


def test_saturated_pixels_are_data_and_counted(l1c, write_image, make_surface):
    special = "<SPECIAL_VALUE_TEXT>{}</SPECIAL_VALUE_TEXT><SPECIAL_VALUE_INDEX>{}</SPECIAL_VALUE_INDEX>"
    metadata = l1c / "MTD_MSIL1C.xml"
    plain = metadata.read_text()
    for band in S2_BANDS:
        path = image_of(l1c, band)
        values = make_surface(13, 120, 120)[S2_BANDS.index(band)][None] + np.uint16(1000)
        values[:, :60, :40] = 65535
        write_image(path, values)
    metadata.write_text(
        plain.replace("</n1:", special.format("NODATA", 0) + special.format("SATURATED", 65535) + "</n1:")
    )
    scene = Scene.open(l1c)
    (note,) = (text for text in scene.notes if "saturated" in text)
    assert "(65535): taken as data" in note and 10 < float(note.split()[1].rstrip("%")) < 25
    assert scene.radiometry.offset == -1000.0
    with scene.reader() as reader:
        part = reader.s2(scene.grid.window)
    assert part.valid.all() and (part.raw[:, :60, :40] == 65535).all()
    # without a word of the metadata, one number in all bands over a part of the scene stands for no data
    metadata.write_text(plain)
    scene = Scene.open(l1c)
    assert any("65535 in all bands" in text for text in scene.notes)
    with scene.reader() as reader:
        assert not reader.s2(scene.grid.window).valid[:60, :40].any()


def test_another_number_for_no_data_in_the_metadata_counts(l1c, write_image, make_surface):
    metadata = l1c / "MTD_MSIL1C.xml"
    for band in S2_BANDS:
        values = make_surface(13, 120, 120)[S2_BANDS.index(band)][None] + np.uint16(1000)
        values[:, :60, :40] = 7
        write_image(image_of(l1c, band), values)
    special = "<SPECIAL_VALUE_TEXT>NODATA</SPECIAL_VALUE_TEXT><SPECIAL_VALUE_INDEX>7</SPECIAL_VALUE_INDEX>"
    metadata.write_text(metadata.read_text().replace("</n1:", f"{special}</n1:"))
    scene = Scene.open(l1c)
    assert scene.nodata == 7
    with scene.reader() as reader:
        valid = reader.s2(scene.grid.window).valid
    assert not valid[:60, :40].any() and valid[60:].all() and valid[:, 40:].all()


def test_a_stac_item_with_different_offsets_is_refused_until_one_is_given(write, make_surface, tmp_path):
    path = write("scene.tif", make_surface() + 1000, names=S2_BANDS)
    bands = [{"name": band, "raster:scale": 1e-4, "raster:offset": -0.1 if band != "B12" else 0} for band in S2_BANDS]
    item = {"type": "Feature", "properties": {}, "assets": {"data": {"href": "./scene.tif", "bands": bands}}}
    (tmp_path / "scene.stac.json").write_text(json.dumps(item))
    with pytest.raises(InputError, match="different offsets") as caught:
        Scene.open(path)
    assert caught.value.code == "offset-contradiction" and "--s2-offset" in caught.value.hint
    assert Scene.open(path, s2_offset=-1000.0).radiometry.offset == -1000.0
    # what has no scale is no reflectance
    bands[-1] = {"name": "QA60"}
    (tmp_path / "scene.stac.json").write_text(json.dumps(item))
    assert Scene.open(path, s2_bands=S2_BANDS).radiometry.offset == -1000.0
