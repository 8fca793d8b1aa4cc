"""SAFE products and STAC items whose metadata is hostile, contradictory or endless."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from pathlib import Path

import pytest
from bad_input_files import read_raster, write_raster
from bad_input_frame import Place, Row

NAME = "S2A_MSIL1C_20200601T101031_N0300_R022_T32UPU_20200601T120000"
IMAGES = "GRANULE/L1C_T32UPU_A025819_20200601T101031/IMG_DATA"
FOOT = "T32UPU_20200601T101031"
METADATA = "MTD_MSIL1C.xml"


def product(place: Place) -> Path:
    """The good scene as a product of level 1C, its bands as GeoTIFF under names of a product."""
    folder = place.folder / f"{NAME}.SAFE"
    (folder / IMAGES).mkdir(parents=True)
    values, bands = read_raster(place.s2)
    for band, of_band in zip(bands, values, strict=True):
        write_raster(folder / IMAGES / f"{FOOT}_{band}.tif", of_band[None])
    (folder / METADATA).write_text(metadata(bands))
    return folder


def metadata(bands, more: str = "", head: str = "") -> str:
    images = "".join(f"<IMAGE_FILE>{IMAGES}/{FOOT}_{band}</IMAGE_FILE>" for band in bands)
    return (
        f"<?xml version='1.0'?>{head}<Product><PRODUCT_URI>{NAME}.SAFE</PRODUCT_URI>"
        f"<PROCESSING_BASELINE>03.00</PROCESSING_BASELINE>{images}{more}"
        f"<PRODUCT_START_TIME>2020-06-01T10:10:31.000Z</PRODUCT_START_TIME></Product>"
    )


BANDS = ("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B10", "B11", "B12")


def detect(place: Place, folder: Path) -> list:
    return ["detect-clouds", folder, "--detector", "s2cloudless", "-o", place.out]


def with_metadata(text):
    """A whole product with this metadata; a text or what makes it from the place."""

    def make(place: Place) -> list:
        folder = product(place)
        (folder / METADATA).write_text(text(place) if callable(text) else text)
        return detect(place, folder)

    return make


def laughs(place: Place) -> str:
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    head = f'<!DOCTYPE x [<!ENTITY e0 "ha">{entities}]>'
    return metadata(BANDS, "<RADIO_ADD_OFFSET>&e11;</RADIO_ADD_OFFSET>", head)


def external(place: Place) -> str:
    head = (
        f'<!DOCTYPE x SYSTEM "{place.url}" [<!ENTITY f SYSTEM "file:///etc/hostname"><!ENTITY g SYSTEM "{place.url}">]>'
    )
    return metadata(BANDS, "<RADIO_ADD_OFFSET>&f;&g;</RADIO_ADD_OFFSET>", head)


def listed(path: str):
    return lambda place: metadata((), f"<IMAGE_FILE>{path.format(root=place.folder.parent)}</IMAGE_FILE>")


def without_band(place: Place) -> list:
    folder = product(place)
    (folder / IMAGES / f"{FOOT}_B03.tif").unlink()
    return detect(place, folder)


def as_jp2(change):
    """A band of the product is a JPEG 2000 file with changed bytes."""

    def make(place: Place) -> list:
        folder = product(place)
        band = folder / IMAGES / f"{FOOT}_B03.tif"
        stored = band.with_suffix(".jp2")
        write_raster(stored, read_raster(band)[0], driver="JP2OpenJPEG", QUALITY="100", REVERSIBLE="YES")
        band.unlink()
        stored.write_bytes(change(stored.read_bytes()))
        return detect(place, folder)

    return make


def renamed(content: bytes) -> bytes:
    """A box whose name is not UTF-8, which GDAL quotes."""
    assert b"uuid" in content
    return content.replace(b"uuid", b"\xe1\xffid")


def without_length(kind: bytes, *, long: bool = False):
    """A box without a length inside another, on which GDAL 3.10 never ends."""

    def change(content: bytes) -> bytes:
        at = content.index(kind) - 4
        length = bytes(4) + kind if not long else b"\0\0\0\1" + kind + bytes(8)
        return content[:at] + length + content[at + len(length) :]

    return change


def nested(content: bytes) -> bytes:
    """A box without a length inside one that lies inside one at the end, which has none either."""
    return content + bytes(4) + b"asoc" + (1000).to_bytes(4, "big") + b"asoc" + bytes(4) + b"xml " + b"<a/>"


def both_levels(place: Place) -> list:
    folder = product(place)
    other = NAME.replace("MSIL1C", "MSIL2A")
    values, _ = read_raster(place.s2)
    second = place.folder / f"{other}_B02.tif"
    write_raster(second, values[1:2])
    files = [folder / IMAGES / f"{FOOT}_{band}.tif" for band in BANDS if band != "B02"]
    return ["detect-clouds", *files, second, "--detector", "s2cloudless", "-o", place.out]


def zipped(place: Place) -> list:
    path = place.folder / f"{NAME}.SAFE.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../../escaped.txt", "x")
        link = zipfile.ZipInfo(f"{NAME}.SAFE/{METADATA}")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    return detect(place, path)


def packed(place: Place, change=lambda content: content, *, more: dict[str, bytes] | None = None) -> list:
    """The good product as a zip archive, with its bytes changed."""
    folder = product(place)
    path = place.folder / f"{NAME}.SAFE.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, file.relative_to(place.folder))
        for name, content in (more or {}).items():
            archive.writestr(name, content)
    shutil.rmtree(folder)
    path.write_bytes(change(path.read_bytes()))
    return detect(place, path)


def in_archive(change=lambda content: content, **more: bytes):
    return lambda place: packed(place, change, more={name.replace("__", "/"): text for name, text in more.items()})


def encrypted(content: bytes) -> bytes:
    at = content.index(b"PK\x01\x02") + 8
    return content[:at] + bytes([content[at] | 1]) + content[at + 1 :]


def linked(place: Place) -> list:
    """The metadata file is a link to another file: its values are read as any file's, nothing of it is shown."""
    folder = product(place)
    (folder / METADATA).unlink()
    (folder / METADATA).symlink_to("/etc/passwd")
    return detect(place, folder)


def piped(place: Place) -> list:
    folder = product(place)
    (folder / METADATA).unlink()
    os.mkfifo(folder / METADATA)
    return detect(place, folder)


def stac(change, *, text: str | None = None, names: bool = False):
    """The good scene, named only by a STAC item beside it, which is changed."""

    def make(place: Place) -> list:
        values, bands = read_raster(place.s2)
        write_raster(place.s2, values, bands if names else ())
        properties = {"datetime": "2021-06-01T10:00:00Z", "s2:processing_baseline": "03.00"}
        described = [{"name": band, "eo:center_wavelength": 0.5} for band in BANDS]
        assets = {"data": {"href": "./s2.tif", "eo:bands": described}}
        item = {"type": "Feature", "id": "s2", "properties": properties, "assets": assets}
        change(item)
        (place.folder / "s2.tif.stac.json").write_text(text or json.dumps(item))
        return place.clean()

    return make


def wavelengths(value):
    def change(item: dict) -> None:
        for band in item["assets"]["data"]["eo:bands"]:
            band["eo:center_wavelength"] = value
            band["name"] = "x"

    return change


def properties(**values):
    return lambda item: item["properties"].update({key.replace("__", ":"): value for key, value in values.items()})


def keep(item: dict) -> None:
    pass


NO_BANDS = ("s2.tif", r"\w+", r"\w+")
BIG = "1" + "0" * 400
HANDLED = ("% cloud",)
ROWS = (
    Row("a band of the product is missing", without_band, ("B03",), None, kinds=(29,)),
    Row("boxes of a JPEG 2000 file with a name that is not UTF-8", as_jp2(renamed), ("B03", r"\w+"), None),
    Row("a box of colours without a length", as_jp2(without_length(b"colr")), ("B03", "does not end within", "again")),
    Row("a box of sizes without a long length", as_jp2(without_length(b"ihdr", long=True)), ("B03", "does not end within", "again")),
    Row("a box of text without a length behind the image", as_jp2(nested), ("B03", "does not end within", "again")),
    Row("bands of two levels", both_levels, (r"(L1C and L2A|levels)", r"[Oo]ne product"), kinds=(30,)),
    Row("a zip with a way out and a link", zipped, ("zip", "leads out of the archive", "[Ee]xtract"), kinds=(38,)),
    Row("a zipped product", in_archive(), HANDLED, 0),
    Row("a zip that is cut off", in_archive(lambda content: content[: len(content) // 2]), ("zip", "truncated", "download"), kinds=(4, 38)),
    Row("a zip with a bomb", in_archive(x=bytes(300 * 2**20)), ("zip", "next to nothing", "[Ee]xtract"), kinds=(37, 38)),
    Row("a zip that is encrypted", in_archive(encrypted), ("zip", "encrypted", "[Ee]xtract"), kinds=(38,)),
    Row("a zip with something before it", in_archive(lambda content: content[:4] + b"x" * 99 + content), ("zip", "before it", "download"), kinds=(38,)),
    Row("a zip of two products", in_archive(**{"S2A_x.SAFE__MTD_MSIL1C.xml": b"x"}), ("zip", "2 products", "Give one"), kinds=(38,)),
    Row("a web page in place of a zip", in_archive(lambda content: b"<html>Unauthorized</html>"), ("zip", "not a raster", "[Dd]ownload"), kinds=(3,)),
    Row("metadata that is a link", linked, HANDLED, 0, kinds=(38,)),
    Row("metadata that is a pipe", piped, HANDLED, None),
    Row("entities that grow a thousand million times", with_metadata(laughs), HANDLED, 0, kinds=(41,)),
    Row("entities from files and addresses", with_metadata(external), HANDLED, 0, kinds=(41,)),
    Row("metadata that is cut off", with_metadata("<Product><PRODUCT_URI>"), HANDLED, 0, kinds=(4,)),
    Row("metadata of zero bytes", with_metadata(""), HANDLED, 0, kinds=(2,)),
    Row("200 kB of opened elements", with_metadata("<IMAGE_FILE " * 17_000), HANDLED, 0),
    Row("9 MB of entries", with_metadata(lambda place: metadata(BANDS * 9_000)), HANDLED, None),
    Row("9 MB of one element", with_metadata("<IMAGE_FILE>" + "A" * 9_000_000), (METADATA, "larger", r"\w+"), None),
    Row("elements nested 200000 deep", with_metadata("<a>" * 200_000), HANDLED, 0),
    Row("a listed file of 5000 letters", with_metadata(listed("A" * 5000 + "_B02")), (), None),
    Row("a listed file of 250 letters", with_metadata(listed("A" * 250 + "_B02")), (), None),
    Row("a listed file outside the product", with_metadata(listed("../../../../etc/x_B02")), (), None, kinds=(38,)),
    Row("a listed file at an absolute path", with_metadata(listed("{root}/in/s2_B02")), (), None, kinds=(38,)),
    Row("a listed file with a zero byte", with_metadata(listed("x\0y_B02")), (), None),
    Row("a listed file that is a pattern", with_metadata(listed("[*_B02")), (), None),
    Row("a quantification value of nan", with_metadata(lambda place: metadata(BANDS, "<QUANTIFICATION_VALUE>nan</QUANTIFICATION_VALUE>")), (), None, kinds=(31,)),
    Row("a quantification value of zero", with_metadata(lambda place: metadata(BANDS, "<QUANTIFICATION_VALUE>0</QUANTIFICATION_VALUE>")), (), None, kinds=(31,)),
    Row("an offset of 1e400 in the metadata", with_metadata(lambda place: metadata(BANDS, "<RADIO_ADD_OFFSET>-1e400</RADIO_ADD_OFFSET>")), (), None, kinds=(31,)),
    Row("offset and baseline that contradict each other", with_metadata(lambda place: metadata(BANDS, "<RADIO_ADD_OFFSET>-1000</RADIO_ADD_OFFSET>")), (r"offset",), None, kinds=(31,)),
    Row("a wavelength that is a list", stac(wavelengths([1, 2])), NO_BANDS, None),
    Row("a wavelength of 10^400", stac(keep, text=json.dumps({"properties": {"eo:bands": [{"center_wavelength": "@"}] * 13}}).replace('"@"', BIG)), (), None),
    Row("a wavelength of nan", stac(wavelengths(float("nan"))), (), None),
    Row("a number of 5000 digits", stac(keep, text='{"properties": {"boa_add_offset": 1' + "0" * 5000 + "}}"), (), None),
    Row("a baseline of 10^400", stac(keep, names=True, text=f'{{"properties": {{"s2:processing_baseline": {BIG}}}}}'), (), None),
    Row("an offset of nan in the item", stac(properties(boa_add_offset=float("nan")), names=True), (), None, kinds=(31,)),
    Row("an offset that is an object in the item", stac(properties(boa_add_offset={"a": 1}), names=True), (), None),
    Row("a date that is a list", stac(properties(datetime=["2020"]), names=True), (), None),
    Row("an item nested 100000 deep", stac(keep, text='{"properties": ' * 100_000), (), None),
    Row("lists nested 100000 deep", stac(keep, text="[" * 100_000), (), None),
    Row("an item that is a list", stac(keep, text="[1, 2]"), (), None),
    Row("assets that are a list", stac(lambda item: item.update(assets=[1])), NO_BANDS, None),
    Row("an href that is an object", stac(lambda item: item["assets"]["data"].update(href={"x": 1})), NO_BANDS, None),
)  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_metadata_that_is_hostile_misleads_and_blocks_nothing(row, judged):
    judged(row)
