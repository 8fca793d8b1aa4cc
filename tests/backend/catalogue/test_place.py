"""The place of a search: a rectangle in degrees, polygons of a file, or where a raster lies."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod, Transformer
from rasterio.io import MemoryFile
from rasterio.transform import from_origin
from shapely.geometry import box

from sunbreak.catalogue.place import Place, place_from_bbox, place_from_file
from sunbreak.catalogue.sampling import sample
from sunbreak.errors import InputError
from sunbreak.scene import S2_BANDS


def write(path, content):
    path.write_text(json.dumps(content))
    return path


SQUARE = {"type": "Polygon", "coordinates": [[[8.0, 50.0], [8.1, 50.0], [8.1, 50.1], [8.0, 50.1], [8.0, 50.0]]]}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("8,50,8.1", "is not a rectangle"),
        ("a,b,c,d", "is not a rectangle"),
        ("8.1,50,8,50.1", "west < east and south < north"),
        ("8,50,8.1,nan", "west < east and south < north"),
        ("8,50,8.1,95", "west < east and south < north"),
        ("0,40,30,60", "and at most 300 are searched"),
        ("8,50,8.1,53", "the place is 7 x 334 km, and at most 300 are searched"),
        ("-180,0,180,1", "the place is 40074 x 111 km, and at most 300 are searched"),
    ],
)
def test_what_is_no_rectangle_in_degrees_is_refused(text, said):
    with pytest.raises(InputError, match=said) as caught:
        place_from_bbox(text)
    assert caught.value.code == "bad-place"


def test_polygons_of_a_file_are_one_place_in_degrees(tmp_path):
    other = json.loads(json.dumps(SQUARE).replace("8.", "9."))
    features = [{"type": "Feature", "geometry": one, "properties": {}} for one in (SQUARE, other)]
    place = place_from_file(write(tmp_path / "two.geojson", {"type": "FeatureCollection", "features": features}))
    assert place.bounds == (8.0, 50.0, 9.1, 50.1)
    assert place.covered_by(box(7.9, 49.9, 8.2, 50.2)) == pytest.approx(0.5, abs=0.05)
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32632"}}
    metres = {"type": "Polygon", "coordinates": [[[5e5, 5.5e6], [5.1e5, 5.5e6], [5.1e5, 5.51e6], [5e5, 5.5e6]]]}
    place = place_from_file(write(tmp_path / "m.geojson", {**metres, "crs": crs}))
    assert place.bounds[0] == pytest.approx(9.0, abs=1e-3)  # the central meridian of the zone


def test_a_file_without_polygons_or_of_another_kind_is_one_line(tmp_path):
    with pytest.raises(InputError, match="holds no polygon"):
        place_from_file(write(tmp_path / "p.geojson", {"type": "Point", "coordinates": [8, 50]}))
    (tmp_path / "x.kml").write_text("<kml/>")
    with pytest.raises(InputError, match="not a GeoJSON file"):
        place_from_file(tmp_path / "x.kml")


def test_a_raster_stands_for_the_rectangle_where_it_lies(write_raster, cloudy_dn):
    place = place_from_file(write_raster("scene.tif", cloudy_dn(40, 60), bands=S2_BANDS))
    west, south, east, north = place.bounds
    assert 0.3 < (north - south) * 111_320 / 600 < 1  # 40 pixels of 10 m
    assert east > west


@settings(deadline=None, max_examples=60)
@given(st.floats(-170, 170), st.floats(-80, 80), st.floats(0.01, 1), st.floats(0.01, 1))
def test_points_are_as_dense_in_both_directions_as_geodesics_are_long(west, south, width, height):
    lon, lat = (np.unique(axis).size for axis in Place(box(west, south, west + width, south + height)).points)
    geod, middle = Geod(ellps="WGS84"), south + height / 2
    across = geod.inv(west, middle, west + width, middle)[2]
    along = geod.inv(west, south, west, south + height)[2]
    assert max(lon, lat) == 96
    assert lon / lat == pytest.approx(across / along, rel=0.501 / min(lon, lat) + 1e-3, abs=0.011)


@settings(deadline=None, max_examples=60)
@given(
    st.floats(-170, 170), st.floats(-75, 75), st.floats(0.001, 2), st.floats(0.001, 2), st.floats(0, 1), st.floats(0, 1)
)
def test_points_lie_inside_and_the_covered_fraction_is_that_of_the_area(west, south, width, height, left, bottom):
    place = Place(box(west, south, west + width, south + height))
    lon, lat = place.points
    assert 1 <= lon.size <= 96 * 96
    assert ((lon >= west) & (lon <= west + width) & (lat >= south) & (lat <= south + height)).all()
    footprint = box(west + left * width, south + bottom * height, west + 5, south + 5)
    expected = (1 - left) * (1 - bottom)
    columns, rows = np.unique(lon).size, np.unique(lat).size
    assert place.covered_by(footprint) == pytest.approx(expected, abs=1.01 / columns + 1.01 / rows)


def test_values_at_points_come_from_the_pixel_that_holds_them_and_are_zero_outside():
    values = np.arange(1, 65, dtype=np.uint16).reshape(8, 8)
    with MemoryFile() as memory:
        with memory.open(
            driver="GTiff", width=8, height=8, count=1, dtype="uint16", crs="EPSG:4326",
            transform=from_origin(10, 50, 0.1, 0.1),
        ) as file:  # fmt: skip
            file.write(values, 1)
        with memory.open() as file:
            lon, lat = np.array([10.05, 10.75, 9.95, 10.35]), np.array([49.95, 49.25, 49.95, 49.65])
            found, inside = sample(file, lon, lat, [1])
    np.testing.assert_array_equal(found[0], [1, 64, 0, values[3, 3]])
    np.testing.assert_array_equal(inside, [True, True, False, True])


def test_points_outside_of_the_domain_of_a_projection_are_outside_of_the_raster():
    with MemoryFile() as memory:
        with memory.open(
            driver="GTiff", width=8, height=8, count=1, dtype="uint16", crs="EPSG:32632",
            transform=from_origin(500_000, 5_000_000, 100, 100),
        ) as file:  # fmt: skip
            file.write(np.full((8, 8), 7, np.uint16), 1)
        with memory.open() as file:
            lon, lat = Transformer.from_crs(32632, 4326, always_xy=True).transform([500_050, 500_450], [4_999_950] * 2)
            values, inside = sample(file, np.array([lon[0], 100, lon[1], 99]), np.array([lat[0], 0, lat[1], 0]), [1])
    np.testing.assert_array_equal(inside, [True, False, True, False])
    np.testing.assert_array_equal(values, [[7, 0, 7, 0]])
