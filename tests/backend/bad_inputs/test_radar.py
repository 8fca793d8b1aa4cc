"""Sentinel-1 that lies elsewhere, is in another unit than it is said to be, or holds no measurement."""

from __future__ import annotations

import numpy as np
import pytest
from affine import Affine
from bad_input_files import moved, read_raster, rewrite, write_raster
from bad_input_frame import Place, Row
from rasterio.control import GroundControlPoint
from rasterio.warp import transform_bounds


def radar(change, *more: object, **options):
    """The good scene with other radar."""

    def make(place: Place) -> list:
        rewrite(place.s1, change, **options)
        return place.clean(*more)

    return make


def same(values: np.ndarray) -> np.ndarray:
    return values


def power(values: np.ndarray) -> np.ndarray:
    return (10 ** (values / 10)).astype("float32")


def with_zeros(values: np.ndarray) -> np.ndarray:
    out = power(values)
    out[:, 10:20] = 0
    return out


def mostly_zeros(values: np.ndarray) -> np.ndarray:
    out = np.zeros_like(values)
    out[:, 30, 30:34] = power(values)[:, 30, 30:34]
    return out


def slightly_negative(values: np.ndarray) -> np.ndarray:
    """Noise that was taken off leaves power a little below zero in a tenth of the pixels."""
    out = power(values)
    out[:, ::10] = -1e-4
    return out


def filled(value: float):
    return lambda values: np.full_like(values, value)


def control_points(place: Place) -> list:
    values, bands = read_raster(place.s1)
    points = [GroundControlPoint(r, c, 9 + c / 1e4, 47.8 - r / 1e4) for r in (0, 64) for c in (0, 64)]
    write_raster(place.s1, values, bands, crs="EPSG:4326", transform=None, gcps=points)
    return place.clean()


def other_zone(place: Place) -> list:
    left, _, right, top = transform_bounds("EPSG:32632", "EPSG:32633", 499000, 5298000, 502000, 5301000)
    size = (right - left) / 256
    turned = Affine(size, 0, left, 0, -size, top)
    rewrite(place.s1, lambda values: np.tile(values, (1, 4, 4)), crs="EPSG:32633", transform=turned)
    return place.clean()


def antimeridian(place: Place) -> list:
    """The scene ends at 180 degrees in zone 1 north; its radar is given in degrees east of it."""
    left, bottom, right, top = transform_bounds("EPSG:32601", "EPSG:4326", 300000, 5299360, 300640, 5300000)
    rewrite(place.s2, crs="EPSG:32601", transform=Affine(10, 0, 300000, 0, -10, 5300000))
    turned = Affine((right - left) / 64, 0, left + 360, 0, -(top - bottom) / 64, top)
    rewrite(place.s1, crs="EPSG:4326", transform=turned)
    return place.clean()


def one_band(place: Place) -> list:
    values, _ = read_raster(place.s1)
    write_raster(place.s1, values[:1], ("VV",))
    return place.clean()


def text(place: Place) -> list:
    place.s1.write_text("no radar")
    return place.clean()


ROWS = (
    Row("radar with control points alone", control_points, ("s1.tif", "radar geometry", "[Tt]errain"), kinds=(13,)),
    Row("radar elsewhere", radar(same, transform=moved(1000)), ("s1.tif", "does not overlap", r"same place"), kinds=(14,)),
    Row("radar under a half of the scene", radar(same, transform=moved(32)), ("covers only about 5", "%"), 0, kinds=(15,)),
    Row("radar in another zone", other_zone, ("% cloud",), 0, kinds=(16,)),
    Row("radar beyond the antimeridian", antimeridian, (r"(% cloud)",), 0, kinds=(17,)),
    Row("linear power said to be dB", radar(power, "--s1-unit", "db"), ("s1.tif", "as given", "looks like linear"), 0, kinds=(32,)),
    Row("dB said to be linear power", radar(same, "--s1-unit", "linear"), ("s1.tif", r"(linear|dB|positive|power)", r"\w+"), None, kinds=(32,)),
    Row("linear power", radar(power), ("linear power",), 0, kinds=(32,)),
    Row("zeros in linear power", radar(with_zeros), ("linear power",), 0, kinds=(33,)),
    Row("zeros with a few numbers", radar(mostly_zeros), ("% cloud",), 0, kinds=(33,)),
    Row("power slightly below zero", radar(slightly_negative), ("linear power",), 0, kinds=(33,)),
    Row("nothing but zeros", radar(filled(0)), ("s1.tif", r"(no valid|nodata|zero)", r"\w+"), kinds=(33,)),
    Row("nothing but NaN in radar", radar(filled(np.nan)), ("s1.tif", r"(no valid|nodata)", r"\w+"), kinds=(21, 23)),
    Row("nothing but infinity in radar", radar(filled(np.inf)), ("s1.tif", r"(no valid|nodata)", r"\w+"), kinds=(24,)),
    Row("radar of 1e30", radar(filled(1e30)), ("s1.tif", "nodata", r"\w+"), kinds=(32,)),
    Row("amplitudes", radar(lambda values: (power(values) * 1e4).astype("uint16")), ("s1.tif", "integers", "--s1-unit"), kinds=(32,)),
    Row("complex radar", radar(lambda values: values.astype("complex64")), ("s1.tif", "complex", r"\w+"), kinds=(35,)),
    Row("one polarisation", one_band, ("s1.tif", "VV and VH", r"\w+")),
    Row("no raster as radar", text, ("s1.tif", "not a raster", r"\w+"), kinds=(3,)),
    Row("no coordinate system in radar", radar(same, crs=None), ("s1.tif", "coordinate", r"\w+"), kinds=(8,)),
)  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_radar_that_does_not_fit_is_refused_or_flagged(row, judged):
    judged(row)
