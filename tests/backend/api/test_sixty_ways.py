"""One scene, written in sixty ways: each gives the same cleaned reflectance and the same hectares, or says what to add.

A way is a choice of numbers, pixels without data, names and order of the bands, container and grid. The ways are drawn
with a fixed seed from all that go together, so that every choice meets many others.
"""

from __future__ import annotations

import json
import random
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import rasterio.shutil
from affine import Affine
from rasterio.enums import ColorInterp

import sunbreak
from sunbreak.errors import InputError
from sunbreak.scene import S2_BANDS
from sunbreak.scene.band_order import orders_of

DEMO = Path(__file__).resolve().parents[3] / "resources" / "demo"
SIDE = 128
WINDOW = rasterio.windows.Window(320, 64, SIDE, SIDE)
DN = 1e-4

NUMBERS = (
    "DN", "DN int16", "DN float32", "DN int32", "DN +1000, by numbers", "DN +1000, by name", "DN +1000, by tag",
    "DN +1000, by item", "DN, item: applied", "DN scaled", "DN +1000 scaled", "2 DN scaled", "reflectance float32",
    "reflectance float64", "percent",
)  # fmt: skip
HOLES = ("declared", "declared odd", "0", "odd", "nan", "mask", "dataMask", "alpha", "1")
NAMES = ("B02", "B2", "blue", "wavelengths", "Band 1", "none", "file names", "option")
ORDERS = ("native order", "B8A last", "names sorted as text", "10 m bands first", "10 m bands first, then native order")
CONTAINERS = ("TIFF", "tiled", "COG", "big-endian", "zip", "VRT", "folder", "list", "folder of JP2")
GRIDS = ("north-up", "south-up")

ORDER_OF = orders_of(13)
COMMON = {
    "B01": "coastal", "B02": "blue", "B03": "green", "B04": "red", "B05": "rededge1", "B06": "rededge2",
    "B07": "rededge3", "B08": "nir", "B8A": "nir08", "B09": "nir09", "B10": "cirrus", "B11": "swir16", "B12": "swir22",
}  # fmt: skip
WAVELENGTHS = dict(zip(S2_BANDS, (443, 490, 560, 665, 705, 740, 783, 842, 865, 945, 1375, 1610, 2190), strict=True))


@dataclass(frozen=True)
class Way:
    """How the scene is written."""

    numbers: str
    holes: str
    names: str
    order: str
    container: str
    grid: str

    @property
    def floats(self) -> bool:
        return "float" in self.numbers or self.numbers == "percent"

    @property
    def several_files(self) -> bool:
        return self.container in ("folder", "list", "folder of JP2")

    @property
    def possible(self) -> bool:
        """Whether the choices go together."""
        unsigned = not self.floats and "int" not in self.numbers
        return not (
            (self.holes == "nan" and not self.floats)
            or (self.several_files and (self.holes in ("dataMask", "alpha") or self.names != "file names"))
            or (self.several_files and self.order != "native order")  # the files name themselves
            or (self.several_files and "item" in self.numbers)  # one item for each file
            or (not self.several_files and self.names == "file names")
            or (
                self.container == "folder of JP2"
                and (not unsigned or "scaled" in self.numbers or "tag" in self.numbers)
            )
            or (self.container == "folder of JP2" and self.holes in ("mask", "declared", "declared odd"))
            or (self.container in ("COG", "folder of JP2") and self.grid == "south-up")
            or (self.holes == "alpha" and self.container == "COG")
            or (self.container == "zip" and "item" in self.numbers)  # it lies beside the raster
        )

    def __str__(self) -> str:
        return ", ".join((self.numbers, f"no data {self.holes}", self.names, self.order, self.container, self.grid))


def ways(count: int, seed: int) -> list[Way]:
    """Ways that differ; each choice is drawn as often as the others as far as they go together."""
    drawn: list[Way] = []
    used: dict[str, int] = {}
    rng = random.Random(seed)
    while len(drawn) < count:
        tried = [
            Way(*(rng.choice(choices) for choices in (NUMBERS, HOLES, NAMES, ORDERS, CONTAINERS, GRIDS)))
            for _ in range(4000)
        ]
        fitting = [way for way in tried if way.possible and way not in drawn]
        best = min(fitting, key=lambda way: sum(used.get(f"{key}={value}", 0) for key, value in vars(way).items()))
        drawn.append(best)
        for key, value in vars(best).items():
            used[f"{key}={value}"] = used.get(f"{key}={value}", 0) + 1
    return drawn


@dataclass(frozen=True)
class Demo:
    """The scene itself.

    Attributes:
        dn: (13, row, column) without offset, native order.
        valid: (row, column).
        transform: Of the first row in the north.
        radar: File of VV and VH.
        mask: File of the clouds.
    """

    dn: np.ndarray
    valid: np.ndarray
    transform: Affine
    crs: Any
    radar: Path
    mask: Path


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    folder = tmp_path_factory.mktemp("demo")
    for name in ("demo_s1.tif", "demo_cloud.tif"):
        with rasterio.open(DEMO / name) as whole:
            profile = {**whole.profile, "width": SIDE, "height": SIDE, "transform": whole.window_transform(WINDOW)}
            with rasterio.open(folder / name, "w", **profile) as part:
                part.write(whole.read(window=WINDOW))
                part.descriptions = whole.descriptions
    with rasterio.open(DEMO / "demo_s2_cloudy.tif") as whole:
        dn, crs, transform = whole.read(window=WINDOW), whole.crs, whole.window_transform(WINDOW)
    rows, columns = np.mgrid[:SIDE, :SIDE]
    # the even numbers survive being halved, and B10 is never 0
    dn = np.maximum(dn, 4)
    return Demo(dn, rows + columns >= 45, transform, crs, folder / "demo_s1.tif", folder / "demo_cloud.tif")


@dataclass
class Written:
    """What a way made.

    Attributes:
        s2: The file, folder or files.
        told: What has to be said about it.
        options: Those of the options that a refusal or a warning asks for.
    """

    s2: Any
    told: dict[str, Any]
    options: list[str]


def write(way: Way, demo: Demo, folder: Path) -> Written:
    """Write the scene."""
    stored, hole = _stored(way, demo)
    nodata = {"declared": hole, "declared odd": hole}.get(way.holes)
    if way.holes not in ("mask", "dataMask", "alpha"):
        stored[:, ~demo.valid] = hole
    told: dict[str, Any] = {}
    options = []
    if way.numbers == "percent":
        told["s2_scale"] = 0.01
        options.append("--s2-scale")
    if way.holes == "1" and way.floats and way.numbers != "DN float32":
        told["s2_nodata"] = 1.0
        options.append("--s2-nodata")
    stored = stored[[S2_BANDS.index(name) for name in ORDER_OF[way.order]]]
    valid, transform = demo.valid, demo.transform
    if way.grid == "south-up":
        stored, valid = stored[:, ::-1], valid[::-1]
        transform = demo.transform @ Affine.translation(0, SIDE) @ Affine.scale(1, -1)
    profile: dict[str, Any] = {
        "driver": "GTiff", "width": SIDE, "height": SIDE, "dtype": stored.dtype, "crs": demo.crs, "transform": transform,
        "nodata": nodata,
    }  # fmt: skip
    uncertain = way.names in ("none", "Band 1") and way.order.startswith("10 m")
    if way.names == "option" or uncertain:
        told["bands"] = [*ORDER_OF[way.order], *(["-"] if way.holes in ("dataMask", "alpha") else [])]
    if uncertain:
        options.append("--s2-bands")
    if way.several_files:
        return Written(_write_files(way, stored, valid, profile, folder), told, options)
    return Written(_write_one(way, stored, valid, profile, folder), told, options)


def _stored(way: Way, demo: Demo) -> tuple[np.ndarray, float]:
    """Stored numbers and the one that stands for no data."""
    dn = demo.dn.astype(np.float64)
    if "+1000" in way.numbers:
        dn += 1000
    if way.numbers == "2 DN scaled":
        dn *= 2
    if "reflectance" in way.numbers:
        dn /= 10000
    if way.numbers == "percent":
        dn /= 100
    kind = next((kind for kind in ("int16", "int32", "float32", "float64") if kind in way.numbers), "uint16")
    kind = "float32" if way.numbers == "percent" else kind
    odd = {"uint16": 65535.0, "float32": -32768.0, "float64": -99.0}.get(kind, -9999.0)
    hole = {"declared": -9999.0 if way.floats else 0.0, "nan": float("nan"), "declared odd": odd, "odd": odd, "1": 1.0}
    return (dn if "float" in kind else np.rint(dn)).astype(kind), hole.get(way.holes, 0.0)


def _name(way: Way) -> str:
    return "S2A_MSIL1C_20210610T102031_N0400_R065_T32TPT_20210610T120000" if "by name" in way.numbers else "scene_L1C"


def _scale(way: Way, target: Any) -> None:
    if "scaled" in way.numbers:
        target.scales = (5e-5 if way.numbers.startswith("2") else DN,) * target.count
        target.offsets = (-0.1 if "+1000" in way.numbers else 0.0,) * target.count
    if way.numbers.endswith("by tag"):
        target.update_tags(PROCESSING_BASELINE="04.00")


def _write_one(way: Way, stored: np.ndarray, valid: np.ndarray, profile: dict[str, Any], folder: Path) -> Path:
    path = folder / f"{_name(way)}.tif"
    more: dict[str, Any] = {"tiled": {"tiled": True, "blockxsize": 64, "blockysize": 64, "compress": "deflate"}}.get(
        way.container, {"ENDIANNESS": "BIG"} if way.container == "big-endian" else {}
    )
    extra = way.holes in ("dataMask", "alpha")
    first = folder / "first.tif" if way.container in ("COG", "VRT") else path
    profile = {**profile, **more, "count": len(stored) + extra}
    if way.holes == "alpha":
        profile["ALPHA"] = "YES"
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(first, "w", **profile) as target:
        target.write(stored, list(range(1, len(stored) + 1)))
        if extra:
            target.write((valid * (1 if way.holes == "dataMask" else 65535)).astype(stored.dtype), len(stored) + 1)
        if way.holes == "mask":
            target.write_mask(valid)
        for index, name in enumerate(ORDER_OF[way.order], 1):
            if way.names == "wavelengths":
                target.update_tags(index, WAVELENGTH=str(WAVELENGTHS[name]), WAVELENGTH_UNIT="nm")
            elif way.names in ("B02", "B2", "blue", "Band 1"):
                said = {"B02": name, "B2": name.replace("B0", "B"), "blue": COMMON[name], "Band 1": f"Band {index}"}
                target.set_band_description(index, said[way.names])
        if way.holes == "dataMask" and way.names in ("B02", "B2", "blue"):
            target.set_band_description(len(stored) + 1, "dataMask")
        if way.holes == "alpha":
            target.colorinterp = (*[ColorInterp.undefined] * len(stored), ColorInterp.alpha)
        _scale(way, target)
    if way.container == "COG":
        rasterio.shutil.copy(first, path, driver="COG", BLOCKSIZE=128)
        first.unlink()
    if way.container == "VRT":
        path = path.with_suffix(".vrt")
        rasterio.shutil.copy(first, path, driver="VRT")
    if way.container == "zip":
        packed = path.with_suffix(".zip")
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.write(path, path.name)
        path.unlink()
        return packed
    if "item" in way.numbers:
        properties = {"earthsearch:boa_offset_applied": True} if "applied" in way.numbers else {}
        item = {"properties": {**properties, "processing:baseline": "05.09"}}
        if not properties:
            item["assets"] = {
                "all": {"href": path.name, "raster:bands": [{"scale": DN, "offset": -0.1}] * len(stored)},
            }  # fmt: skip
        path.with_suffix(".stac.json").write_text(json.dumps(item))
    return path


def _write_files(way: Way, stored: np.ndarray, valid: np.ndarray, profile: dict[str, Any], folder: Path) -> Any:
    place = folder / _name(way)
    place.mkdir()
    jp2 = way.container == "folder of JP2"
    paths = []
    for band, name in zip(stored, S2_BANDS, strict=True):
        path = place / f"T32TPT_20210610T102031_{name}.{'jp2' if jp2 else 'tif'}"
        kind = {"driver": "JP2OpenJPEG", "QUALITY": "100", "REVERSIBLE": "YES"} if jp2 else {}
        with (
            rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True),
            rasterio.open(path, "w", **{**profile, **kind, "count": 1}) as target,
        ):
            target.write(band, 1)
            if way.holes == "mask":
                target.write_mask(valid)
            if not jp2:
                _scale(way, target)
        paths.append(path)
    return paths if way.container == "list" else place


@dataclass(frozen=True)
class Made:
    """What became of a scene: reflectance (band, row, column), north up; valid pixels; hectares of each class."""

    reflectance: np.ndarray
    valid: np.ndarray
    hectares: dict[int, float]


def process(s2: Any, demo: Demo, folder: Path, **told: Any) -> Made:
    """Clean and classify the scene."""
    result = sunbreak.run(s2, demo.radar, folder, mask=demo.mask, explained="none", **told)
    with result.open("cleaned") as raster:
        values = raster.read(masked=True)
        reflectance = values.astype(np.float64) * np.array(raster.scales)[:, None, None]
        reflectance += np.array(raster.offsets)[:, None, None]
        south_up = raster.transform.e > 0
        assert raster.descriptions == S2_BANDS
    with result.open("landcover") as raster:
        classes, counts = np.unique(raster.read(1), return_counts=True)
        cell = abs(raster.transform.a * raster.transform.e) / 10000
    flip = (slice(None), slice(None, None, -1)) if south_up else ()
    return Made(
        reflectance.filled(np.nan)[flip], ~np.ma.getmaskarray(values).any(axis=0)[flip[1:]],
        {int(label): float(count * cell) for label, count in zip(classes, counts, strict=True)},
    )  # fmt: skip


@pytest.fixture(scope="module")
def expected(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """The plain way: all that matters is declared."""
    folder = tmp_path_factory.mktemp("plain")
    written = write(Way("DN", "declared", "B02", "native order", "TIFF", "north-up"), demo, folder)
    return process(written.s2, demo, folder / "out")


def advice(s2: Any, demo: Demo, **told: Any) -> str:
    """What a refusal says that one should do, or what the warnings say."""
    try:
        return " ".join(sunbreak.open_scene(s2, demo.radar, **told).warnings)
    except InputError as error:
        return error.hint


@pytest.mark.parametrize("way", ways(60, seed=20), ids=str)
def test_a_scene_written_in_another_way_gives_the_same_layers(way, demo, expected, tmp_path) -> None:
    written = write(way, demo, tmp_path)
    if written.options:
        named = {"bands": written.told["bands"]} if way.names == "option" else {}
        assert any(option in advice(written.s2, demo, **named) for option in written.options)
    made = process(written.s2, demo, tmp_path / "out", **written.told)
    np.testing.assert_array_equal(made.valid, expected.valid)
    seen = expected.valid
    assert np.abs(made.reflectance - expected.reflectance)[:, seen].max() <= 1.01 * DN
    assert made.hectares == expected.hectares


def test_the_sixty_ways_hold_every_choice() -> None:
    drawn = ways(60, seed=20)
    for key, choices in zip(vars(drawn[0]), (NUMBERS, HOLES, NAMES, ORDERS, CONTAINERS, GRIDS), strict=True):
        assert {getattr(way, key) for way in drawn} == set(choices)
