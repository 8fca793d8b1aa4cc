"""Where outputs go: what is there stays, nothing follows a link, and names reach no terminal or table raw."""

from __future__ import annotations

import csv
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from bad_input_files import rewrite, write_raster
from bad_input_frame import Place, Row, run_here, snapshot


def existing(name: str):
    """A file of the user's stands under a name that the run would write."""

    def make(place: Place) -> list:
        place.out.mkdir()
        (place.out / name).write_text("the user's own")
        return place.clean()

    return make


def output_is_input(place: Place) -> list:
    """The mask of the run is called like a layer of it, and the layers go into its folder."""
    mask = place.mask.rename(place.folder / "s2_cloud_mask.tif")
    place.out.symlink_to(place.folder)
    return place.clean("--mask", mask, "--overwrite", "--detector", "auto")


def read_only(place: Place) -> list:
    place.out.mkdir(mode=0o500)
    return place.clean()


def not_there(text: str):
    return lambda place: place.clean("-o", text)


def file_as_folder(place: Place) -> list:
    place.out.write_text("a file")
    return place.clean()


def long_output(place: Place) -> list:
    return place.clean("-o", place.folder.parent / ("o" * 300))


def deep_output(place: Place) -> list:
    return place.clean("-o", place.folder.parent.joinpath(*["o" * 200] * 25))


def not_utf8(place: Place) -> list:
    target = Path(os.fsdecode(os.fsencode(place.folder) + b"/b\xff\xfe.tif"))
    place.s2.rename(target)
    return place.clean(s2=target)


def named(name: str):
    def make(place: Place) -> list:
        place.s2.rename(place.folder / name)
        return place.clean(s2=place.folder / name)

    return make


def broken_named(name: str):
    """A file that is no raster and whose name holds what a terminal obeys."""

    def make(place: Place) -> list:
        (place.folder / name).write_text("no raster")
        return place.clean(s2=place.folder / name)

    return make


def long_stem(place: Place) -> list:
    name = "n" * 240 + ".tif"
    place.s2.rename(place.folder / name)
    return place.clean(s2=place.folder / name)


def locked(place: Place) -> list:
    """Another run, which lives, writes the same output."""
    from sunbreak.layers.lock import OutputLock

    place.out.mkdir()
    OutputLock(place.out / ".sunbreak-s2.lock").acquire()
    return place.clean()


OVERWRITE = "--overwrite|exist"
ROWS = (
    *(
        Row(f"an existing {name.split('_', 1)[1]}", existing(name), (name, "exists", OVERWRITE), kinds=(49,))
        for name in ("s2_cleaned.tif", "s2_cleaned.qml", "s2_cleaned.stac.json", "s2_quicklook.png", "s2_cloud_mask.qml")
    ),
    Row("an output that is an input", output_is_input, ("s2_cloud_mask.tif", "is an input", r"\w+"), kinds=(50,)),
    Row("a file where the folder should be", file_as_folder, ("out", r"(file|folder)", r"\w+"), kinds=(49,)),
    Row("a folder in memory", not_there("/vsimem/out"), ("/vsimem/out", "not a local", "folder"), kinds=(42,)),
    Row("a folder in /proc", not_there("/proc/out"), ("/proc/out", r"\w+", r"\w+"), kinds=(49,)),
    Row("a folder with a name that is too long", long_output, ("ooo", "(long|written|made|possible)", r"\w+"), kinds=(56,)),
    Row("a folder with a path that is too long", deep_output, ("path of an output", "bytes", "folder"), kinds=(56,)),
    Row("a scene whose name is not UTF-8", not_utf8, (), None, kinds=(56,)),
    Row("a scene whose name leaves no room for its layers", long_stem, ("nnn", "(long|possible)", r"\w+"), kinds=(56,)),
    Row("a newline in a name", broken_named("a\nCleaned.tif"), (r"a", "not a raster", r"\w+"), kinds=(56,)),
    Row("an escape sequence in a name", broken_named("a\x1b[2J\x1b]0;x\x07.tif"), ("a", "not a raster", r"\w+"), kinds=(56,)),
    Row("a text that runs backwards in a name", broken_named("a\u202efit.tif"), ("a", "not a raster", r"\w+"), kinds=(56,)),
    Row("markup in a name", broken_named("[red]a[_red].tif"), (r"\[red\]a\[_red\]\.tif", "not a raster", r"\w+"), kinds=(56,)),
    Row("a newline in the name of a good scene", named("a\nb.tif"), (), None, kinds=(56,)),
    Row("two runs on one output", locked, ("Another run", "out", r"\w+"), kinds=(51,), leaves=(".sunbreak-s2.lock",)),
)  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_an_output_that_cannot_be_written_is_refused_and_nothing_is_lost(row, judged):
    judged(row)


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_folder_that_may_not_be_written_is_refused(judged):
    judged(Row("a read-only folder", read_only, ("out", "written", r"\w+"), kinds=(49,)))


@pytest.mark.parametrize("name", [".sunbreak-summary.csv.draft", ".sunbreak-sunbreak-done.json.draft", "summary.csv"])
def test_no_link_under_a_name_of_ours_is_followed_in_a_batch(place, warm, name):
    victim = place.folder.parent / "victim"
    victim.write_text("precious")
    place.out.mkdir()
    for folder in (place.out, place.out / "s2"):
        folder.mkdir(exist_ok=True)
        (folder / name).symlink_to(victim)
    models = ["--model", place.models / "small.json", "--runtime", "torch", "--device", "cpu"]
    run_here(["batch", place.s2, "--task", "clean", *models, "--s1-pattern", "s1.tif", "-o", place.out])
    assert victim.read_text() == "precious"


def test_no_link_in_the_folder_of_an_unfinished_run_is_followed(place, warm):
    victim = place.folder.parent / "victim"
    victim.write_text("precious")
    hidden = place.out / ".sunbreak-s2.tmp"
    (hidden / "journal").mkdir(parents=True)
    for name in ("cleaned.0.raw", "journal/lines", "s2_cleaned.tif", "cleaned.0.vrt", "s2_quicklook.png"):
        (hidden / name).symlink_to(victim)
    run_here(place.clean("--resume"))
    assert victim.read_text() == "precious"
    shutil.rmtree(place.out)
    place.out.mkdir()
    elsewhere = place.folder.parent / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "keep.txt").write_text("precious")
    hidden.symlink_to(elsewhere)
    run_here(place.clean())
    assert (elsewhere / "keep.txt").read_text() == "precious"


@pytest.mark.parametrize("start", ["=", "+", "-", "@"])
def test_no_cell_of_the_summary_is_a_formula(place, warm, start):
    name = f"{start}SUM(1,1)"
    table = place.folder / "scenes.csv"
    table.write_text(f's2,s1,name\ns2.tif,s1.tif,"{name}"\nnone.tif,s1.tif,"{name}2"\n')
    models = ["--model", place.models / "small.json", "--runtime", "torch", "--device", "cpu"]
    run_here(["batch", table, "--task", "clean", "--detector", "s2cloudless", *models, "-o", place.out])
    summary = place.out / "summary.csv"
    if summary.exists():
        with summary.open(newline="", encoding="utf-8") as file:
            cells = [cell for row in csv.reader(file) for cell in row]
        assert [
            cell for cell in cells if cell.startswith(("=", "+", "@")) or (cell[:1] == "-" and not cell[1:2].isdigit())
        ] == []


def test_a_layer_of_more_than_four_gigabytes_gets_a_big_tiff(tmp_path):
    """What GDAL decides with IF_SAFER, from sizes alone: 4.4 GB that hold almost nothing on the disk."""
    from rasterio import open as open_raster

    path = tmp_path / "large.tif"
    how = {"driver": "GTiff", "count": 11, "height": 20_000, "width": 10_000, "dtype": "uint16", "SPARSE_OK": True}
    with open_raster(path, "w", BIGTIFF="IF_SAFER", compress="deflate", tiled=True, **how) as target:
        target.write(np.ones((11, 16, 16), "uint16"), window=((0, 16), (0, 16)))
    assert path.read_bytes()[:4] == b"II+\0"


def test_a_second_run_leaves_the_layers_of_the_first_alone(place, warm, capfd):
    assert run_here(place.clean()) == 0
    before = snapshot(place.out)
    assert run_here(place.clean()) == 2
    assert "exists" in capfd.readouterr().err.splitlines()[-1]
    assert snapshot(place.out) == before


def test_with_overwrite_the_layers_are_replaced_and_nothing_else(place, warm):
    assert run_here(place.clean()) == 0
    (place.out / "notes.txt").write_text("the user's own")
    rewrite(place.s2, lambda values: values + 7)
    write_raster(place.out / "s2_other.tif", np.ones((1, 4, 4), "uint8"))
    before = snapshot(place.out)
    assert run_here(place.clean("--overwrite")) == 0
    after = snapshot(place.out)
    assert set(after) == set(before)
    assert {name for name in after if after[name] == before[name]} >= {"notes.txt", "s2_other.tif"}
    assert after["s2_cleaned.tif"] != before["s2_cleaned.tif"]
