"""Layers on disk: complete, verified, described, all or none."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import rasterio

from sunbreak.errors import Cancelled, OutputError, RunError
from sunbreak.layers import cog, roles
from sunbreak.layers.output import LayerSet
from sunbreak.scene import S2_BANDS

SPECS = [
    roles.cleaned(S2_BANDS[:4], "uint16", 0, 1e-4, -0.1),
    roles.uncertainty(S2_BANDS[:4]),
    roles.reconstructed(),
    roles.cloud_mask(),
]


def layer_set(directory, grid, **options) -> LayerSet:
    facts = {"model": "m", "weights_sha256": "0" * 64, "parameters": "{}"}
    return LayerSet(directory, "place", grid, SPECS, provenance=facts, inputs=options.pop("inputs", []), **options)


def values(grid) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    sigma = rng.random((4, *grid.shape), np.float32) * 0.1
    sigma[:, :9] = np.nan
    return {
        "cleaned": rng.integers(1, 9000, (4, *grid.shape)).astype(np.uint16),
        "uncertainty": sigma,
        "reconstructed": rng.random((1, *grid.shape), np.float32),
        "cloud_mask": (rng.random((1, *grid.shape)) > 0.5).astype(np.float32),
    }


def write_all(layers: LayerSet, content: dict[str, np.ndarray], step: int = 93) -> None:
    rows = next(iter(content.values())).shape[1]
    for row in range(0, rows, step):
        for role, array in content.items():
            layers.write(role, row, array[:, row : row + step])


@pytest.fixture
def written(grid, tmp_path):
    content = values(grid)
    with layer_set(tmp_path / "out", grid) as layers:
        write_all(layers, content)
        paths = layers.finish(np.full((3, 50, 50), 0.1, np.float32))
    return content, paths


def test_stored_numbers_come_back_as_they_were_given_whatever_the_strips(written):
    content, paths = written
    with rasterio.open(paths["cleaned"]) as layer:
        np.testing.assert_array_equal(layer.read(), content["cleaned"])
    with rasterio.open(paths["uncertainty"]) as layer:
        stored = layer.read()
        assert (stored[:, :9] == layer.nodata).all()
        np.testing.assert_allclose(stored[:, 9:] * layer.scales[0], content["uncertainty"][:, 9:], atol=0.51e-4)
    with rasterio.open(paths["cloud_mask"]) as layer:
        np.testing.assert_array_equal(layer.read(), content["cloud_mask"])


def test_every_layer_is_a_cog_with_names_units_scale_nodata_and_provenance(written, grid):
    _, paths = written
    for spec in SPECS:
        with rasterio.open(paths[spec.role]) as layer:
            assert layer.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
            assert layer.compression == rasterio.enums.Compression.zstd
            assert layer.block_shapes[0] == (512, 512)
            assert layer.overviews(1) == [2, 4]
            assert (layer.crs, layer.transform, layer.shape) == (grid.crs, grid.transform, grid.shape)
            assert (layer.dtypes[0], layer.nodata) == (spec.dtype, spec.nodata)
            assert layer.descriptions == spec.bands
            assert (layer.scales[0], layer.offsets[0]) == (spec.scale, spec.offset)
            assert (layer.units[0] or "") == spec.unit
            assert layer.tags()["SUNBREAK_MODEL"] == "m"
            assert layer.tags()["SUNBREAK_ROLE"] == spec.role


def test_a_layer_too_wide_for_the_cache_becomes_the_same_file(grid, tmp_path, monkeypatch):
    content, files = values(grid), []
    for cache in (cog.CACHE_BYTES, 0):
        monkeypatch.setattr(cog, "CACHE_BYTES", cache)
        with layer_set(tmp_path / str(cache), grid) as layers:
            write_all(layers, content)
            files.append({role: path.read_bytes() for role, path in layers.finish().items()})
    assert len(files[0]) == len(SPECS) and files[0] == files[1]


def test_a_run_that_is_cancelled_while_layers_are_finished_begins_no_further_one(grid, tmp_path, monkeypatch):
    begun, convert = [], cog.convert

    def note(staging, *others):
        begun.append(staging.spec.role)
        convert(staging, *others)

    def cancel():
        if begun:
            raise Cancelled

    monkeypatch.setattr(cog, "convert", note)
    with pytest.raises(Cancelled), layer_set(tmp_path / "out", grid) as layers:
        write_all(layers, values(grid))
        layers.finish(checkpoint=cancel)
    assert begun == [SPECS[0].role]
    assert list(tmp_path.iterdir()) == []


def test_classes_have_colours_and_names_in_the_file(written):
    _, paths = written
    with rasterio.open(paths["cloud_mask"]) as layer:
        assert layer.colormap(1)[1][:3] == SPECS[3].categories[1].rgb
        assert [layer.tags(1)[f"CLASS_{code}"] for code in (1, 2, 3)] == ["thick cloud", "thin cloud", "shadow"]


def test_overviews_hold_the_means_of_known_pixels_and_the_corner_of_classes(written):
    content, paths = written
    with rasterio.open(paths["uncertainty"], overview_level=0) as layer:
        half = layer.read(1)
    stored = np.rint(content["uncertainty"][0] * 1e4)
    cells = np.stack([stored[i::2, j::2] for i in (0, 1) for j in (0, 1)])
    known = ~np.isnan(cells)
    mean = np.where(known, cells, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    has = known.any(axis=0)
    assert (half[~has] == 65535).all()
    np.testing.assert_allclose(half[has], mean[has], atol=1)
    with rasterio.open(paths["cloud_mask"], overview_level=0) as layer:
        np.testing.assert_array_equal(layer.read(1), content["cloud_mask"][0, ::2, ::2])


def test_other_programs_open_the_files(written):
    _, paths = written
    if not Path("/usr/bin/gdalinfo").exists():
        pytest.skip("no gdalinfo of the system")
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("GDAL", "PROJ"))}
    for path in paths.values():
        done = subprocess.run(
            ["/usr/bin/gdalinfo", "-json", str(path)], capture_output=True, text=True, env=clean, check=True
        )
        assert len(json.loads(done.stdout)["bands"]) in (1, 4)


def test_every_layer_has_its_companions_and_there_is_one_quicklook(written):
    _, paths = written
    folder = paths["cleaned"].parent
    for path in paths.values():
        assert path.with_suffix(".qml").is_file()
        assert (folder / f"{path.stem}.stac.json").is_file()
    assert [path.name for path in folder.glob("*.png")] == ["place_quicklook.png"]
    assert not list(folder.glob(".sunbreak*"))


def test_results_of_several_tasks_go_into_one_folder_each_with_its_picture(grid, tmp_path):
    for spec in (roles.cloud_mask(), roles.landcover(("Water", "Forest"), ("#0000ff", "#00ff00"), 1)):
        with LayerSet(tmp_path, "place", grid, [spec], provenance={}, inputs=()) as layers:
            layers.write(spec.role, 0, np.zeros((1, grid.height, grid.width), spec.dtype))
            layers.finish()
    assert {path.name for path in tmp_path.glob("*.png")} == {"place_quicklook.png", "place_landcover_quicklook.png"}


def test_an_exception_leaves_nothing_not_even_the_folder(grid, tmp_path):
    with pytest.raises(RuntimeError, match="stop"), layer_set(tmp_path / "a" / "b", grid) as layers:
        layers.write("reconstructed", 0, np.zeros((1, 10, grid.width), np.float32))
        raise RuntimeError("stop")
    assert not (tmp_path / "a").exists()


def test_a_layer_that_is_not_complete_is_not_published(grid, tmp_path):
    with pytest.raises(RunError, match="of 700 rows"), layer_set(tmp_path / "out", grid) as layers:
        layers.write("cleaned", 0, np.ones((4, 10, grid.width), np.uint16))
        layers.finish()
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("row", "shape", "dtype"),
    [
        (5, (1, 10, 1100), np.float32),
        (0, (2, 10, 1100), np.float32),
        (0, (1, 10, 9), np.float32),
        (0, (1, 10, 1100), np.int32),
    ],
)
def test_strips_that_do_not_fit_are_refused(grid, tmp_path, row, shape, dtype):
    with pytest.raises(RunError, match="reconstructed"), layer_set(tmp_path / "out", grid) as layers:
        layers.write("reconstructed", row, np.zeros(shape, dtype))


def test_existing_layers_stay_until_the_new_ones_are_complete(grid, tmp_path, written):
    _, paths = written
    before = {role: path.read_bytes() for role, path in paths.items()}
    with pytest.raises(OutputError, match="--overwrite"):
        layer_set(tmp_path / "out", grid)
    with pytest.raises(RuntimeError, match="stop"), layer_set(tmp_path / "out", grid, overwrite=True) as layers:
        write_all(layers, {role: array[:, ::-1] for role, array in values(grid).items()})
        raise RuntimeError("stop")
    assert {role: path.read_bytes() for role, path in paths.items()} == before
    content = values(grid)
    content["cleaned"] = content["cleaned"] + 1
    with layer_set(tmp_path / "out", grid, overwrite=True) as layers:
        write_all(layers, content)
        layers.finish()
    with rasterio.open(paths["cleaned"]) as layer:
        np.testing.assert_array_equal(layer.read(), content["cleaned"])


def test_an_output_that_is_an_input_is_refused_also_through_a_link(grid, tmp_path):
    (tmp_path / "out").mkdir()
    source = tmp_path / "source.tif"
    source.write_bytes(b"precious")
    (tmp_path / "out" / "place_cleaned.tif").symlink_to(source)
    with pytest.raises(OutputError, match="input") as caught:
        layer_set(tmp_path / "out", grid, overwrite=True, inputs=[source])
    assert caught.value.code == "output-is-input"


def test_a_folder_that_is_a_file_is_refused(grid, tmp_path):
    (tmp_path / "out").write_text("a file")
    with pytest.raises(OutputError, match="is a file"):
        layer_set(tmp_path / "out" / "deeper", grid)


def test_a_second_run_on_one_output_is_refused_unless_the_first_was_killed(grid, tmp_path):
    with layer_set(tmp_path / "out", grid), pytest.raises(OutputError, match="Another run"):
        layer_set(tmp_path / "out", grid).__enter__()
    code = f"import os; os.makedirs({str(tmp_path / 'out')!r}, exist_ok=True); print(os.getpid())"
    dead = int(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
    import socket

    (tmp_path / "out" / ".sunbreak-place.lock").write_text(f"{dead} {socket.gethostname()}\n")
    stale = tmp_path / "out" / ".sunbreak-place.tmp"
    stale.mkdir()
    (stale / "cleaned.0.raw").write_bytes(b"left behind")
    with layer_set(tmp_path / "out", grid) as layers:
        write_all(layers, values(grid))
        layers.finish()
    assert not list((tmp_path / "out").glob(".sunbreak*"))


def test_a_full_disk_is_named_and_leaves_nothing(tmp_path):
    pytest.importorskip("resource")
    code = f"""
import resource, sys
import numpy as np
from affine import Affine
from rasterio.crs import CRS
from pathlib import Path
from sunbreak.errors import SunbreakError
from sunbreak.layers import roles
from sunbreak.layers.output import LayerSet
from sunbreak.scene import Grid
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
grid = Grid(CRS.from_epsg(32632), Affine(10, 0, 0, 0, -10, 0), 600, 600)
try:
    with LayerSet(Path({str(tmp_path / "out")!r}), "a", grid, [roles.reconstructed()], provenance={{}}, inputs=[]) as layers:
        layers.write("reconstructed", 0, np.random.rand(1, 600, 600).astype(np.float32))
        layers.finish()
except SunbreakError as error:
    print(error.code, error.message)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("disk-full")
    assert str(tmp_path / "out") in done.stdout
    assert not (tmp_path / "out").exists()
