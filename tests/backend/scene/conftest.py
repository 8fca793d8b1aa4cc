"""Tiny Sentinel-2 products, as folders and as zip archives."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rasterio
import rasterio.shutil
from affine import Affine

from sunbreak.scene import S2_BANDS

FINE, MEDIUM = ("B02", "B03", "B04", "B08"), ("B05", "B06", "B07", "B8A", "B11", "B12")
WIDTH_M = 1200

MakeProduct = Callable[..., Path]
Zipped = Callable[..., Path]


def l1c_metadata(name: str, granule: str, foot: str, offsets: list[int] | None = None, more: str = "") -> str:
    """Metadata of a product of Level-1C as short as it can be."""
    images = "".join(f"<IMAGE_FILE>{granule}/{foot}_{band}</IMAGE_FILE>\n" for band in (*S2_BANDS, "TCI"))
    added = "".join(
        f'<RADIO_ADD_OFFSET band_id="{i}">{offset}</RADIO_ADD_OFFSET>\n'
        for i, offset in enumerate(offsets or [-1000] * 13)
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<n1:Level-1C_User_Product><PRODUCT_START_TIME>2022-09-30T10:16:49.024Z</PRODUCT_START_TIME>
<PRODUCT_URI>{name}</PRODUCT_URI><PROCESSING_BASELINE>04.00</PROCESSING_BASELINE>
{images}<QUANTIFICATION_VALUE unit="none">10000</QUANTIFICATION_VALUE>
<Radiometric_Offset_List>{added}</Radiometric_Offset_List>{more}</n1:Level-1C_User_Product>
"""


def l2a_metadata(name: str, granule: str, foot: str) -> str:
    """Metadata of a product of Level-2A."""
    places = {10: (*FINE, "TCI", "AOT"), 20: ("B01", "B02", *MEDIUM, "SCL", "AOT"), 60: ("B01", "B09", "SCL")}
    images = "".join(
        f"<IMAGE_FILE>{granule}/R{metres}m/{foot}_{band}_{metres}m</IMAGE_FILE>\n"
        for metres, bands in places.items()
        for band in bands
    )
    added = "".join(f'<BOA_ADD_OFFSET band_id="{i}">-1000</BOA_ADD_OFFSET>\n' for i in range(13))
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<n1:Level-2A_User_Product><PRODUCT_START_TIME>2022-09-30T10:16:49.024Z</PRODUCT_START_TIME>
<PRODUCT_URI>{name}</PRODUCT_URI><PROCESSING_BASELINE>05.10</PROCESSING_BASELINE>
{images}<BOA_QUANTIFICATION_VALUE unit="none">10000</BOA_QUANTIFICATION_VALUE>{added}</n1:Level-2A_User_Product>
"""


@pytest.fixture
def make_product(tmp_path: Path, make_surface) -> MakeProduct:
    """`make_product(name, xml)` writes a product: its metadata, and all images that the metadata lists.

    Bands are 1200 m wide in their own resolution, with the numbers of `make_surface` and 1000 DN more if the metadata
    states an offset; a bright part of 200 m stands for cloud. An SCL says the same.
    """

    def make(name: str, xml: str, *, suffix: str = ".jp2") -> Path:
        folder = tmp_path / name
        images = re.findall(r"<IMAGE_FILE(?:_2A)?>([^<]+)<", xml)
        shift = 1000 if "ADD_OFFSET" in xml else 0
        metadata = "MTD_MSIL1C.xml" if "Level-1C" in xml else "MTD_MSIL2A.xml"
        for image in dict.fromkeys(images):
            path = folder / f"{image}{suffix}"
            save_image(path, values_of(path.stem, shift, make_surface), suffix)
        folder.mkdir(exist_ok=True)
        (folder / metadata).write_text(xml, encoding="utf-8")
        return folder

    return make


def values_of(stem: str, shift: int, make_surface: Callable[..., np.ndarray]) -> np.ndarray:
    """What an image of a product holds, by its name: (band, row, column)."""
    band = next((one for one in S2_BANDS if re.search(rf"_{one}(?:_|$)", stem)), None)
    told = re.search(r"_(\d\d)m$", stem)
    metres = int(told[1]) if told else 10 if band in (*FINE, None) else 20 if band in MEDIUM else 60
    size = WIDTH_M // metres
    if band is None and "SCL" in stem:
        classes = np.full((1, size, size), 4, np.uint8)
        classes[:, : 200 // metres, : 200 // metres] = 9
        return classes
    if band is None:
        return np.full((3 if "TCI" in stem else 1, size, size), 50, np.uint8 if "TCI" in stem else np.uint16)
    values = make_surface(13, size, size)[S2_BANDS.index(band)][None] + np.uint16(shift)
    if band != "B10":
        values[:, : 200 // metres, : 200 // metres] += 6000
    return values


@pytest.fixture
def write_image() -> Callable[..., None]:
    """`write_image(path, values)` writes (band, row, column) at the place of the tiny products, as JPEG 2000."""
    return save_image


def save_image(path: Path, values: np.ndarray, suffix: str = ".jp2") -> None:
    """Write (band, row, column) at the place of the tiny products."""
    path.parent.mkdir(parents=True, exist_ok=True)
    size = WIDTH_M / values.shape[-1]
    profile = {
        "count": values.shape[0],
        "height": values.shape[1],
        "width": values.shape[2],
        "dtype": values.dtype,
        "crs": "EPSG:32632",
        "transform": Affine(size, 0, 600_000, 0, -size, 5_200_000),
    }
    plain = path.with_suffix(".tif")
    with rasterio.open(plain, "w", driver="GTiff", **profile) as dataset:
        dataset.write(values)
    if suffix == ".jp2":
        with rasterio.open(plain) as source:
            rasterio.shutil.copy(source, path, driver="JP2OpenJPEG", quality=100, reversible="YES")
        plain.unlink()


@pytest.fixture
def zipped() -> Zipped:
    """`zipped(folder)` packs a folder with its name, as services do, beside it."""

    def pack(folder: Path, *, method: int = zipfile.ZIP_DEFLATED, inside: str | None = None, to: str = "") -> Path:
        top = folder.name if inside is None else inside
        path = folder.with_name(to or f"{folder.name}.zip")
        with zipfile.ZipFile(path, "w", method) as archive:
            for file in sorted(folder.rglob("*")):
                name = "/".join(part for part in (top, file.relative_to(folder).as_posix()) if part)
                archive.write(file, name)
        return path

    return pack


NAME = "S2B_MSIL1C_20220930T101649_N0400_R065_T32TQM_20220930T124210.SAFE"
GRANULE = "GRANULE/L1C_T32TQM_A029072_20220930T101649/IMG_DATA"
FOOT = "T32TQM_20220930T101649"


@pytest.fixture
def l1c_xml() -> Callable[..., str]:
    """`l1c_xml(name, granule, foot)` is the metadata of a product of Level-1C."""
    return l1c_metadata


@pytest.fixture
def l1c(make_product: MakeProduct) -> Path:
    """A product of Level-1C with 13 bands."""
    return make_product(NAME, l1c_metadata(NAME, GRANULE, FOOT))


@pytest.fixture
def l2a(make_product: MakeProduct) -> Path:
    """A product of Level-2A with bands at three resolutions and an SCL."""
    name = "S2B_MSIL2A_20220930T101649_N0510_R065_T32TQM_20220930T134210.SAFE"
    granule = "GRANULE/L2A_T32TQM_A029072_20220930T101649/IMG_DATA"
    return make_product(name, l2a_metadata(name, granule, FOOT))
