"""Sentinel-2 files whose numbers, bands or scaling are not what a scene has."""

from __future__ import annotations

import numpy as np
import pytest
from bad_input_files import read_raster, rewrite, write_raster
from bad_input_frame import Place, Row


def changed(change, *more: object, **options):
    """The good scene with changed numbers or another profile."""

    def make(place: Place) -> list:
        rewrite(place.s2, change, **options)
        return place.clean(*more)

    return make


def same(values: np.ndarray) -> np.ndarray:
    return values


def one_valid(values: np.ndarray) -> np.ndarray:
    out = np.zeros_like(values)
    out[:, 30, 30] = values[:, 30, 30]
    return out


def reflectance(bad: float, part: slice = slice(10, 20)):
    def change(values: np.ndarray) -> np.ndarray:
        out = values.astype("float32") / 1e4
        out[:, part] = bad
        return out

    return change


def twelve(place: Place) -> list:
    values, _ = read_raster(place.s2)
    write_raster(place.s2, values[:12])
    return place.clean()


def twelve_named(place: Place) -> list:
    """B10 is missing: no level 1C, so the detector of level 1C cannot run."""
    values, bands = read_raster(place.s2)
    keep = [index for index in range(13) if index != 10]
    write_raster(place.s2, values[keep], [bands[index] for index in keep])
    return place.clean()


def named(*names: str):
    def make(place: Place) -> list:
        rewrite(place.s2, bands=names)
        return place.clean()

    return make


def picture(place: Place) -> list:
    values, _ = read_raster(place.s2)
    write_raster(place.s2, (values[1:4] // 256).astype("uint8"), photometric="RGB")
    return place.clean()


def option(*more: object):
    def make(place: Place) -> list:
        return place.clean(*more)

    return make


def scales(value: float, offset: float):
    def make(place: Place) -> list:
        import rasterio

        with rasterio.open(place.s2, "r+") as target:
            target.scales, target.offsets = (value,) * 13, (offset,) * 13
        return place.clean()

    return make


ORDER = ("B12", "B11", "B10", "B09", "B8A", "B08", "B07", "B06", "B05", "B04", "B03", "B02", "B01")
ROWS = (
    Row("nothing but nodata", changed(np.zeros_like, nodata=0), ("s2.tif", "nodata", r"\w+"), kinds=(21,)),
    Row("nothing but NaN", changed(reflectance(np.nan, slice(None))), ("s2.tif", r"(nodata|valid|NaN)", r"\w+"), kinds=(21, 23)),
    Row("one valid pixel", changed(one_valid, nodata=0), (r"\w+",), 0, kinds=(22,)),
    Row("NaN inside", changed(reflectance(np.nan), "--s2-unit", "reflectance"), ("% cloud",), 0, kinds=(23,)),
    Row("infinities inside", changed(reflectance(np.inf), "--s2-unit", "reflectance"), ("% cloud",), 0, kinds=(24,)),
    Row("minus infinity inside", changed(reflectance(-np.inf), "--s2-unit", "reflectance"), ("% cloud",), 0, kinds=(24,)),
    Row("nodata is NaN", changed(reflectance(np.nan), "--s2-unit", "reflectance", nodata=np.nan), ("% cloud",), 0, kinds=(25,)),
    Row("numbers of 1e38", changed(reflectance(1e38, slice(None))), (), None),
    Row("12 bands for 13", twelve, ("s2.tif", "B10", "--mask"), kinds=(26,)),
    Row("a band that the detector needs is missing", twelve_named, (r"B10", r"\w+"), kinds=(26,)),
    Row("a band twice", named("B01", "B02", "B02", *ORDER[:10]), (r"B02", r"(twice|duplicate|both|several|more than)", r"\w+"), kinds=(28,)),
    Row("bands in another order with names", named(*ORDER), (r"(% cloud|s2\.tif)",), 0, kinds=(27,)),
    Row("a stretched picture", picture, ("s2.tif", "picture", r"\w+"), kinds=(34,)),
    Row("an offset of nan", option("--s2-offset", "nan"), ("--s2-offset", "nan", "number")),
    Row("an infinite offset", option("--s2-offset", "-inf"), ("--s2-offset", "inf", "number")),
    Row("an offset of 1e400", option("--s2-offset", "1e400"), ("--s2-offset", r"\w+", "number")),
    Row("an offset in words", option("--s2-offset", "x"), ("--s2-offset", "x", "number")),
    Row("a threshold of nan", option("--threshold", "nan"), ("threshold", r"\w+", r"\w+")),
    Row("a window of nothing", option("--window", 0, 0, 0, 5), ("window", r"\w+", r"\w+")),
    Row("a window elsewhere", option("--window", 1000, 0, 5, 5), ("window", r"\w+", r"\w+")),
    Row("a box of nan", option("--bbox", "nan", "0", "1", "1"), ("bbox", r"\w+", r"\w+")),
    Row("a box of 1e308", option("--bbox", "-1e308", "-1e308", "1e308", "1e308"), (r"\w+",), 0),
    Row("a scale that is not a number", scales(float("nan"), 0.0), ("s2.tif", r"\w+", r"\w+"), kinds=(31,)),
    Row("an infinite stored offset", scales(1e-4, float("inf")), ("s2.tif", r"\w+", r"\w+"), kinds=(31,)),
)  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_numbers_that_are_no_reflectance_are_refused_or_handled(row, judged):
    judged(row)
