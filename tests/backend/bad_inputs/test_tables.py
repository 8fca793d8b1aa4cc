"""Tables of scenes, polygons, other dates and options whose content is no scene, no place or no number."""

from __future__ import annotations

import json
import os
import shutil

import pytest
from bad_input_files import rewrite, vrt_text
from bad_input_frame import Place, Row

BIG = "1" + "0" * 400
SQUARE = [[500000, 5299400], [500600, 5299400], [500600, 5299900], [500000, 5299900], [500000, 5299400]]


def batch(place: Place, *scenes: object) -> list:
    models = ["--model", place.models / "small.json", "--runtime", "torch", "--device", "cpu"]
    return ["batch", *scenes, "--task", "clean", "--detector", "s2cloudless", *models, "-o", place.out]


def table(content: str | bytes):
    """A batch over a table with this content; the tables lie beside the good scene."""

    def make(place: Place) -> list:
        path = place.folder / "scenes.csv"
        filled = content.replace("{url}", place.url) if isinstance(content, str) else content
        path.write_bytes(filled.encode() if isinstance(filled, str) else filled)
        return batch(place, path)

    return make


def table_pipe(place: Place) -> list:
    os.mkfifo(place.folder / "scenes.csv")
    return batch(place, place.folder / "scenes.csv")


def patterns(*texts: str):
    return lambda place: batch(place, *(text.format(folder=place.folder) for text in texts))


def linked_folder(place: Place) -> list:
    """A folder that holds itself."""
    (place.folder / "again").symlink_to(place.folder)
    return batch(place, f"{place.folder}/**/none*.tif")


def polygons(content: object):
    """An explanation inside the polygons of a GeoJSON file."""

    def make(place: Place) -> list:
        path = place.folder / "areas.geojson"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return explain(place, "--mask", path)

    return make


def polygons_pipe(place: Place) -> list:
    os.mkfifo(place.folder / "areas.geojson")
    return explain(place, "--mask", place.folder / "areas.geojson")


def explain(place: Place, *more: object) -> list:
    return ["explain", place.s2, "--model", place.models / "small-landcover.json", "-o", place.out, *more]


def shape(coordinates: object, kind: str = "Polygon", **more: object) -> dict:
    geometry = {"type": kind, "coordinates": coordinates}
    crs = {"crs": {"type": "name", "properties": {"name": "EPSG:32632"}}}
    return {
        "type": "FeatureCollection",
        **crs,
        "features": [{"type": "Feature", "properties": {}, "geometry": geometry}],
        **more,
    }


def reference(change):
    """The good scene with another date that is changed."""

    def make(place: Place) -> list:
        other = place.folder / "s2_2020-06-01.tif"
        shutil.copy(place.s2, other)
        change(place, other)
        return place.clean("--reference", other)

    return make


def reference_folder(place: Place) -> list:
    folder = place.folder / "dates"
    folder.mkdir()
    (folder / "a_2020-06-01.tif").write_text(vrt_text(f"/vsicurl/{place.url}"))
    (folder / "b_2020-06-02.tif").write_text("no raster")
    os.mkfifo(folder / "c_2020-06-03.tif")
    return place.clean("--references", folder)


NO_TABLE = ("scenes.csv", r"\w+", r"\w+")
NO_AREA = ("areas.geojson", r"\w+", r"\w+")
ROWS = (
    Row("a table of zero bytes", table(b""), NO_TABLE, kinds=(2,)),
    Row("a table without scenes", table("s2,s1\n"), NO_TABLE),
    Row("a table of numbers", table("1,2\n3,4\n"), NO_TABLE),
    Row("a table of bytes", table(bytes(range(256)) * 50), NO_TABLE, kinds=(3,)),
    Row("a table with a cell of a megabyte", table("s2,s1\n" + "x" * 1_000_000 + ",s1.tif\n"), NO_TABLE, None),
    Row("a table that is a pipe", table_pipe, NO_TABLE),
    Row("a pattern that matches nothing", patterns("{folder}/none*.tif"), ("none", r"\w+", r"\w+")),
    Row("a pattern that is broken", patterns("{folder}/[*.tif"), (r"\[", r"\w+", r"\w+")),
    Row("a folder that holds itself", linked_folder, ("none", r"\w+", r"\w+")),
    Row("polygons of zero bytes", polygons(""), NO_AREA, kinds=(2,)),
    Row("polygons that are a list", polygons("[1]"), NO_AREA),
    Row("polygons nested 100000 deep", polygons("[" * 100_000), NO_AREA),
    Row("a polygon with corners of 10^400", polygons(json.dumps(shape([SQUARE])).replace("500600", BIG)), NO_AREA),
    Row("a polygon with corners of nan", polygons(json.dumps(shape([SQUARE])).replace("500600", "NaN")), NO_AREA),
    Row("a polygon with texts as corners", polygons(shape([[["a", "b"], ["c", "d"], ["e", "f"]]])), NO_AREA),
    Row("a polygon of two corners", polygons(shape([SQUARE[:2]])), NO_AREA),
    Row("a point for a polygon", polygons(shape([500300, 5299700], "Point")), NO_AREA),
    Row("a polygon without coordinates", polygons(shape(None)), NO_AREA),
    Row("a kind of geometry that there is not", polygons(shape([SQUARE], "Hypercube")), NO_AREA),
    Row("polygons elsewhere", polygons(shape([[[x + 1e6, y] for x, y in SQUARE]])), NO_AREA, kinds=(14,)),
    Row("polygons in a system that there is not", polygons(shape([SQUARE], crs={"type": "name", "properties": {"name": "EPSG:999999"}})), NO_AREA),
    Row("polygons in a system that is an address", polygons(shape([SQUARE], crs={"type": "name", "properties": {"name": "/vsicurl/http://127.0.0.1:1/x"}})), NO_AREA, kinds=(40,)),
    Row("polygons that are a pipe", polygons_pipe, NO_AREA),
    Row("a point of nan", lambda place: explain(place, "--at", "nan,nan"), ("--at|point", r"\w+")),
    Row("a point of 1e400", lambda place: explain(place, "--at", "1e400,5"), ("--at|point", r"\w+")),
    Row("a point elsewhere", lambda place: explain(place, "--at", "1,5"), ("--at|point|patch|1", r"\w+")),
    Row("a class that there is not", lambda place: explain(place, "--class", "moon\x1b[2J"), ("moon", r"\w+")),
    Row("a stride of zero", lambda place: explain(place, "--stride", 0), ("stride", r"\w+")),
    Row("a stride of 10^12", lambda place: place.classify("--stride", 10**12), ("stride", r"\w+"), None),
    Row("a feather of -1", lambda place: place.clean("--feather", -1), ("feather", r"\w+")),
    Row("a buffer of 10^9", lambda place: place.clean("--buffer", 10**9), ("buffer", r"\w+"), None),
    Row("a detector with a way out", lambda place: place.clean("--detector", "../x"), ("detector|x", r"\w+")),
    Row("a model with a way out", lambda place: place.clean(model="../../x"), ("x", r"\w+")),
    Row("another date that is no raster", reference(lambda place, path: path.write_text("no raster")), ("s2_2020-06-01.tif", r"\w+"), None, kinds=(3,)),
    Row("another date that is a VRT", reference(lambda place, path: path.write_text(vrt_text(f"/vsicurl/{place.url}"))), ("s2_2020-06-01.tif", r"\w+"), None, kinds=(39,)),
    Row("another date that is the scene", reference(lambda place, path: None), ("s2_2020-06-01.tif", r"\w+"), None),
    Row("another date that is empty", reference(lambda place, path: rewrite(path, lambda values: values * 0, nodata=0)), ("s2_2020-06-01.tif", r"\w+"), None, kinds=(21,)),
    Row("a folder of other dates that are none", reference_folder, (), None, kinds=(39,)),
    Row("a reference at an address", lambda place: place.clean("--reference", f"/vsicurl/{place.url}"), ("vsicurl", "not a local", r"\w+"), kinds=(40,)),
)  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_table_a_place_or_an_option_that_says_nothing_is_refused(row, judged):
    judged(row)


@pytest.mark.parametrize("path", ["/vsicurl/{url}", "{url}", "../../etc/passwd", "a\0b", "none.tif"])
def test_a_scene_of_a_table_that_cannot_be_read_fails_alone(place, warm, listener, capfd, path):
    """A batch goes on; the scene is listed with its line, and the other one is done."""
    from bad_input_frame import run_here

    connected = listener.count
    arguments = table(f"s2,s1,name\n{path},s1.tif,bad\ns2.tif,s1.tif,good\n")(place)
    assert run_here(arguments) in (1, 2)
    said = capfd.readouterr()
    assert "Internal error" not in said.out + said.err
    assert listener.count == connected
    if (place.out / "summary.csv").exists():
        assert (place.out / "good" / "s2_cleaned.tif").is_file()
