"""What lies in the folder already: files of the user stay, and a run that was killed at its very end is seen as done."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest

from sunbreak.errors import OutputError
from sunbreak.layers import roles
from sunbreak.layers.output import LayerSet

SPECS = [roles.reconstructed(), roles.cloud_mask()]
FACTS = {"model": "m", "parameters": "{}"}
COMPANIONS = [
    "place_reconstructed.qml",
    "place_reconstructed.stac.json",
    "place_cloud_mask.qml",
    "place_cloud_mask.stac.json",
    "place_quicklook.png",
    "place_report.html",
]
SIDECARS = [f"place_{role}.tif{ending}" for role in ("reconstructed", "cloud_mask") for ending in (".aux.xml", ".ovr")]


def layer_set(directory: Path, grid, **options) -> LayerSet:
    settings = {"provenance": FACTS, "inputs": [], "beside": ("report.html",), **options}
    return LayerSet(directory, "place", grid, SPECS, **settings)


def write(layers: LayerSet, grid) -> dict[str, Path]:
    for spec in SPECS:
        layers.write(spec.role, 0, np.zeros((1, *grid.shape), np.float32))
    return layers.finish(beside=lambda folder, _: (folder / "place_report.html").write_text("page"))


@pytest.mark.parametrize("name", [*COMPANIONS, *SIDECARS, "place_cloud_mask.tif"])
def test_a_file_that_the_run_would_replace_or_delete_is_refused_before_anything_is_written(grid, tmp_path, name):
    (tmp_path / name).write_text("mine")
    with pytest.raises(OutputError, match=f"{name} exists already") as caught:
        layer_set(tmp_path, grid)
    assert caught.value.code == "output-exists"
    with layer_set(tmp_path, grid, overwrite=True) as layers:
        write(layers, grid)
    assert not (tmp_path / name).exists() or (tmp_path / name).read_bytes() != b"mine"


def test_what_appears_during_the_run_stays(grid, tmp_path):
    with pytest.raises(OutputError, match="wrote it during the run") as caught, layer_set(tmp_path, grid) as layers:
        (tmp_path / "place_cloud_mask.qml").write_text("mine")
        write(layers, grid)
    assert caught.value.code == "output-exists"
    assert [path.name for path in tmp_path.iterdir()] == ["place_cloud_mask.qml"]
    assert (tmp_path / "place_cloud_mask.qml").read_text() == "mine"


def test_a_link_with_the_name_of_a_layer_is_replaced_and_not_written_through(grid, tmp_path):
    mine = tmp_path / "mine.tif"
    mine.write_text("mine")
    out = tmp_path / "out"
    out.mkdir()
    (out / "place_cloud_mask.tif").symlink_to(mine)
    with pytest.raises(OutputError, match="exists already"):
        layer_set(out, grid)
    with layer_set(out, grid, overwrite=True) as layers:
        write(layers, grid)
    assert mine.read_text() == "mine" and not (out / "place_cloud_mask.tif").is_symlink()


def test_a_folder_with_the_name_of_a_layer_is_refused_before_the_run(grid, tmp_path):
    (tmp_path / "place_cloud_mask.tif").mkdir()
    with pytest.raises(OutputError, match="is a folder"):
        layer_set(tmp_path, grid, overwrite=True)


@pytest.fixture
def finished(grid, tmp_path):
    source = tmp_path / "source.tif"
    source.write_text("scene")
    with layer_set(tmp_path / "out", grid, inputs=[source]) as layers:
        write(layers, grid)
    return tmp_path / "out", source


def test_a_run_that_was_killed_after_its_last_file_is_done(grid, finished):
    out, source = finished
    # what a kill at that moment leaves
    (out / ".sunbreak-place.tmp" / "replaced").mkdir(parents=True)
    (out / ".sunbreak-place.lock").write_text(f"{2**22 + 1} {os.uname().nodename}\n")
    before = {path.name: path.read_bytes() for path in out.iterdir() if path.is_file() and path.name[0] != "."}
    with layer_set(out, grid, inputs=[source], resume=True) as layers:
        assert layers.done
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


@pytest.mark.parametrize("change", ["input", "card", "parameters", "page"])
def test_layers_of_other_inputs_or_settings_or_without_a_companion_are_not_the_same_run(grid, finished, change):
    out, source = finished
    more = {}
    if change == "card":
        card = source.with_name("model.json")
        card.write_text("calibrated anew")
        os.utime(card, ns=(0, (out / "place_cloud_mask.tif").stat().st_mtime_ns + 10**9))
        more = {"made_with": [card]}
    elif change == "input":
        os.utime(source, ns=(0, (out / "place_cloud_mask.tif").stat().st_mtime_ns + 10**9))
    elif change == "parameters":
        more = {"provenance": {**FACTS, "parameters": '{"feather": 7}'}}
    else:
        (out / "place_report.html").unlink()
    with pytest.raises(OutputError, match="exists already"):
        layer_set(out, grid, inputs=[source], resume=True, **more)


@pytest.mark.skipif(sys.platform == "win32", reason="other limits")
@pytest.mark.parametrize(("length", "possible"), [(231, True), (232, False), (244, False), (300, False)])
def test_a_stem_is_refused_if_one_of_the_names_made_from_it_is_too_long(grid, tmp_path, length, possible):
    # 24 bytes follow the stem in the longest one, _reconstructed.stac.json
    def begin() -> None:
        with LayerSet(tmp_path / "out", "x" * length, grid, SPECS, provenance={}, inputs=[]):
            pass

    if possible:
        begin()
    else:
        with pytest.raises(OutputError, match="255 are possible") as caught:
            begin()
        assert caught.value.code == "bad-name"
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("folder", ["a\0b", "a\udcffb", "x" * 300, "/".join(["y" * 200] * 30)])
def test_an_impossible_folder_is_refused(grid, tmp_path, folder):
    with pytest.raises(OutputError) as caught:
        layer_set(tmp_path / folder, grid)
    assert caught.value.code == "bad-name"
    assert not list(tmp_path.iterdir())
