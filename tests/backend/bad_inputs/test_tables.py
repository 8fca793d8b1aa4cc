"""Tables of scenes, polygons, other dates and options whose content is no scene, no place or no number."""

from __future__ import annotations

import json
import os
import shutil
import struct
import zipfile

import numpy as np
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


def patches(name: str, write):
    """A study of a table of patches."""

    def make(place: Place) -> list:
        path = place.folder / name
        write(path)
        return ["study", "downstream", "--table", path, "-o", place.out]

    return make


def packed_zeros(path) -> None:
    """300 MB in 300 kB, with a header that is true."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("label.npy", "w") as member:
        header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': ({300 * 2**17},), }}".ljust(117) + "\n"
        member.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode())
        for _ in range(300):
            member.write(bytes(2**20))


def claimed_array(path) -> None:
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': ({10**12},), }}".ljust(117) + "\n"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("label.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode())


def columns(**changed: object) -> dict[str, object]:
    """The columns of a table of two patches, some of them changed."""
    good = {"patch": np.array(["a", "b"]), "split": np.array(["test", "test"]), "label": np.arange(2)}
    logits = {f"logits_{name}": np.zeros((2, 10)) for name in ("clear", "cloudy")}
    return {**good, "cover": np.zeros(2), **logits, **changed}


def arrays(**changed: object):
    return patches("patches.npz", lambda path: np.savez(path, **columns(**changed)))


def parquet(**changed: object):
    def write(path) -> None:
        arrow = pytest.importorskip("pyarrow")
        table = arrow.table({name: list(values) for name, values in columns(**changed).items()})
        pytest.importorskip("pyarrow.parquet").write_table(table, path)

    return patches("patches.parquet", write)


def million_rows(path) -> None:
    """Twelve million rows in a few kilobytes."""
    arrow = pytest.importorskip("pyarrow")
    ones = arrow.array(np.ones(12_000_000, np.int8))
    pytest.importorskip("pyarrow.parquet").write_table(arrow.table({"label": ones}), path)


def long_text(path) -> None:
    """A text of a megabyte in each of a thousand rows; it is stored once."""
    arrow = pytest.importorskip("pyarrow")
    text = arrow.DictionaryArray.from_arrays(arrow.array([0] * 1000, arrow.int32()), arrow.array(["x" * 2**20]))
    pytest.importorskip("pyarrow.parquet").write_table(arrow.table({"patch": text}), path)


def listed(content: str, name: str = "patches_with_cloud_and_shadow.csv"):
    """A BigEarthNet whose list of cloudy patches has this content."""

    def make(place: Place) -> list:
        (place.folder / name).write_text(content)
        (place.folder / "S2A_MSIL2A_20170613T101031_87_48").mkdir()
        return ["train", "multilabel", "--bigearthnet", place.folder, "-o", place.out, "--work", place.out / "work"]

    return make


NO_PATCHES = (r"patches\.(npz|parquet)", r"\w+", r"\w+")
NO_LIST = (r"patches_with_cloud_and_shadow\.csv", r"\w+", r"\w+")
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
    Row("a table of patches of zero bytes", patches("patches.npz", lambda path: path.write_bytes(b"")), NO_PATCHES, kinds=(2,)),
    Row("a table of patches that is a pipe", patches("patches.npz", os.mkfifo), ("patches.npz", "named pipe", r"\w+")),
    Row("a table of patches that is a folder", patches("patches.npz", os.mkdir), ("patches.npz", "a folder", r"\w+")),
    Row("a table of patches that unpacks a thousandfold", patches("patches.npz", packed_zeros), ("patches.npz", "claims 300 MiB and stores", r"\w+"), megabytes=200),
    Row("a table of patches that claims 10^12 numbers", patches("patches.npz", claimed_array), ("patches.npz", "claims 1000000000000", r"\w+"), megabytes=200),
    Row("a table of patches with Python objects", arrays(label=np.array([{}, {}], dtype=object)), ("patches.npz", "Python objects", r"\w+")),
    Row("a table of patches with a structure", arrays(label=np.zeros(2, [("a", "f8")])), NO_PATCHES),
    Row("a table of patches with dates for labels", arrays(label=np.array(["2020-01-01", "2020-01-02"], "M8[D]")), NO_PATCHES),
    Row("a table of patches with one number for a column", arrays(label=np.float64(1)), NO_PATCHES),
    Row("a table of patches with complex numbers", arrays(cover=np.array([1j, 0])), NO_PATCHES),
    Row("a table of patches with durations for labels", arrays(label=np.array([0, 1], "m8[s]")), NO_PATCHES),
    Row("a table of patches with bytes for names", arrays(patch=np.array([b"\xff", b"\xfe"])), NO_PATCHES),
    Row("a table of patches with names of names", arrays(patch=np.array([["a"], ["b"]])), NO_PATCHES),
    Row("a Parquet table of zero bytes", patches("patches.parquet", lambda path: path.write_bytes(b"")), NO_PATCHES, kinds=(2,)),
    Row("a Parquet table that is a pipe", patches("patches.parquet", os.mkfifo), ("patches.parquet", "named pipe", r"\w+")),
    Row("a Parquet table of twelve million rows", patches("patches.parquet", million_rows), ("patches.parquet", "claims 12,000,000 rows", r"\w+"), megabytes=200),
    Row("a Parquet table with a megabyte in each row", patches("patches.parquet", long_text), ("patches.parquet", "letters", r"\w+"), megabytes=200),
    Row("a Parquet table with lists for labels", parquet(label=np.zeros((2, 3))), NO_PATCHES),
    Row("a Parquet table with texts for numbers", parquet(cover=np.array(["a", "b"])), NO_PATCHES),
    Row("a Parquet table with lists of lists", parquet(logits_clear=np.zeros((2, 2, 2)).tolist()), NO_PATCHES),
    Row("a list of patches with a cell of a megabyte", listed("x" * 1_000_000 + "\n"), NO_LIST),
    Row("a list of patches of 200 MB", listed("S2A_MSIL2A_20170613T101031_87_48\n" * 6_400_000), (NO_LIST[0], "larger than 128 MiB", r"\w+"), megabytes=400),
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
