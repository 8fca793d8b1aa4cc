"""The Python interface: cheap to import, takes paths, arrays or an opened scene, and gives layers that can be opened."""

from __future__ import annotations

import gc
import inspect
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin

import sunbreak
from sunbreak.errors import InputError, ModelError
from sunbreak.scene import S2_BANDS

PLACE = {"transform": from_origin(500000, 5300000, 10, 10), "crs": "EPSG:32632"}
FUNCTIONS = (
    "open_scene",
    "inspect",
    "detect_clouds",
    "clean",
    "classify",
    "explain",
    "run",
    "batch",
    "series",
    "evaluate",
    "evaluate_clouds",
)


def read(path) -> np.ndarray:
    with rasterio.open(path) as source:
        return source.read()


@pytest.fixture
def mask(write_raster) -> np.ndarray:
    """The cloud of `scene_files`, (row, column)."""
    mask = np.zeros((70, 90), np.uint8)
    mask[20:50, 30:70] = 1
    return mask


def test_importing_the_package_imports_neither_torch_nor_numpy():
    code = "import sys, sunbreak; dir(sunbreak); assert not {'torch', 'numpy', 'rasterio'} & set(sys.modules)"
    subprocess.run([sys.executable, "-I", "-c", code], check=True, timeout=60)


def test_using_the_interface_imports_no_torch_before_a_network_runs():
    code = (
        "import sys, sunbreak; sunbreak.clean; sunbreak.batch; sunbreak.evaluate; sunbreak.models.list_models();"
        "assert callable(sunbreak.batch) and 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-I", "-c", code], check=True, timeout=60)


def test_every_public_name_has_a_docstring_with_an_example():
    for name in (*FUNCTIONS, "Result"):
        text = inspect.getdoc(getattr(sunbreak, name))
        assert "Example:" in text, name
        assert name == "Result" or all(part in text for part in ("Args:", "Returns:", "Raises:")), name
        assert name in ("Result", "inspect", "open_scene") or "Source:" in text, name
    with pytest.raises(AttributeError, match="no attribute 'paint'"):
        sunbreak.paint  # noqa: B018


def test_cleaning_arrays_gives_the_same_as_cleaning_files(scene_files, small_model, mask, write_raster, tmp_path):
    s2, s1 = scene_files
    given = write_raster("mask.tif", mask[None])
    how = {"model": small_model.path, "device": "cpu", "runtime": "torch"}
    by_path = sunbreak.clean(s2, s1, tmp_path / "out", mask=given, **how)
    by_array = sunbreak.clean(read(s2), read(s1), mask=mask == 1, **PLACE, **how)
    assert set(by_array.layers) == {"cleaned", "uncertainty", "reconstructed", "cloud_mask"}
    for role in by_path.layers:
        np.testing.assert_array_equal(read(by_path.layers[role]), read(by_array.layers[role]))
    assert by_path.layers["cleaned"] == tmp_path / "out" / "place_cleaned.tif"
    with by_array.open("cleaned") as raster:
        assert (raster.crs, raster.transform) == (rasterio.CRS.from_epsg(32632), PLACE["transform"])
        np.testing.assert_array_equal(raster.read()[:, mask == 0], read(s2)[:, mask == 0])
    figures = sunbreak.evaluate(by_array.layers["cleaned"], read(s2), mask=mask, **PLACE)
    assert np.isnan(figures["cleaned"]["psnr_clear"])  # no error at all
    assert 0 < figures["cleaned"]["psnr_cloud"] < 60


def test_the_coding_of_a_mask_that_is_an_array_can_be_said(scene_files, mask):
    s2 = read(scene_files[0])
    with pytest.raises(InputError, match="may be"):
        sunbreak.open_scene(s2, mask=mask + 1, **PLACE)
    scene = sunbreak.open_scene(s2, mask=mask + 1, mask_coding="fmask", **PLACE)
    assert scene.cloud_mask.coding.name == "fmask"
    other = s2.copy()
    other[:, 20:30, 30:40] += 100
    with pytest.raises(InputError, match="may be"):
        sunbreak.evaluate(other, s2, mask=mask + 1, **PLACE)
    figures = sunbreak.evaluate(other, s2, mask=mask + 1, mask_coding="fmask", **PLACE)["cleaned"]
    assert figures["psnr_cloud"] == sunbreak.evaluate(other, s2, mask=mask, **PLACE)["cleaned"]["psnr_cloud"]
    assert np.isfinite(figures["psnr_cloud"])


def test_other_dates_give_baselines_and_their_folder_may_hold_the_truth(write_raster, cloudy_dn, mask):
    truth, cloudy = (cloudy_dn(*mask.shape, *cloud) for cloud in ((), ((slice(20, 50), slice(30, 70)),)))
    target = write_raster("dates/S2_2020-06-03.tif", truth, bands=S2_BANDS)
    before = write_raster("dates/S2_2020-06-01.tif", cloudy, bands=S2_BANDS)
    other = write_raster("dates/S2_2020-07-01.tif", truth + 200, bands=S2_BANDS)
    covered = np.zeros(mask.shape, np.uint8)
    covered[20:50, 30:70] = 1
    for references in (other.parent, [other]):
        rows = sunbreak.evaluate(before, target, cloudy=before, mask=covered, references=references, **PLACE)
        assert rows["nearest date"]["psnr_cloud"] == pytest.approx(-20 * np.log10(0.02), abs=1e-3)
    with pytest.raises(InputError, match="without the scene before cleaning"):
        sunbreak.evaluate(before, target, mask=covered, references=other, **PLACE)


def test_without_an_output_folder_the_layers_live_as_long_as_the_result(scene_files):
    result = sunbreak.detect_clouds(scene_files[0], detector="s2cloudless")
    path = result.layers["cloud_mask"]
    assert set(result.layers) == {"cloud_mask", "cloud_probability"}
    assert 0.1 < result.numbers["cloud_share"] < 0.4
    assert read(path).shape == (1, 70, 90)
    folder = path.parent
    del result
    gc.collect()
    assert not folder.exists()


def test_an_opened_scene_is_taken_in_place_of_files(scene_files, small_classifier):
    scene = sunbreak.open_scene(*scene_files, window=(0, 0, 64, 64), s2_offset=0)
    result = sunbreak.classify(scene, model=small_classifier.path, stride=32)
    with result.open("landcover") as raster:
        assert raster.bounds.right - raster.bounds.left == 640
    assert any("64" in text or "pixel" in text or "B10" in text for text in scene.notes)
    with pytest.raises(InputError, match="opened already"):
        sunbreak.classify(scene, scene_files[1], model=small_classifier.path)


def test_inspecting_gives_the_same_for_files_and_for_an_opened_scene(scene_files):
    found = sunbreak.inspect(*scene_files, s2_offset=0)
    assert found == sunbreak.inspect(sunbreak.open_scene(*scene_files, s2_offset=0))
    assert (found.sentinel2.level, found.sentinel1.unit) == ("L1C", "db")
    assert found.sentinel2.offset_why == "S2 numbers are DN; offset 0 as given."
    with pytest.raises(InputError, match="opened already"):
        sunbreak.inspect(sunbreak.open_scene(scene_files[0]), scene_files[1])


def test_a_scene_of_arrays_keeps_its_files(scene_files, land_dn):
    scene = sunbreak.open_scene(land_dn(32, 40)[:10], bands=S2_BANDS[:10], **PLACE)
    gc.collect()
    assert scene.bands == S2_BANDS[:10]
    assert all(path.is_file() for path in scene.inputs)
    folder = scene.inputs[0].parent
    del scene
    gc.collect()
    assert not folder.exists()


def test_cloud_masks_are_compared_as_arrays_or_files(mask, write_raster):
    reference = write_raster("reference.tif", mask[None])
    figures = sunbreak.evaluate_clouds(np.roll(mask, 1, 0) == 1, reference, tolerance=1, **PLACE)
    assert figures["cloud"]["f1"] == pytest.approx(29 / 30) and figures["cloud"]["f1_tolerant"] == 1
    assert np.isnan(figures["shadow"]["f1"])


def test_warnings_of_the_job_are_in_its_result(write_raster, cloudy_dn):
    s2 = write_raster("coarse.tif", cloudy_dn(64, 64), bands=S2_BANDS, transform=from_origin(500000, 5300000, 60, 60))
    warnings = sunbreak.detect_clouds(s2).warnings
    assert len([text for text in warnings if "60 m x 60 m" in text]) == 1


def test_explaining_a_point_gives_the_probabilities(scene_files, small_classifier):
    result = sunbreak.explain(
        scene_files[0], class_name="Water", model=small_classifier.path, point=(500400, 5299650), method="hirescam"
    )
    assert set(result.layers) == {"saliency_water"}
    total = sum(value for name, value in result.numbers.items() if name.startswith("probability_"))
    assert total == pytest.approx(1)
    assert (result.layers["saliency_water"].parent / "place_saliency_water_bands.csv").is_file()


def test_the_chain_and_a_batch_of_it_give_the_same(scene_files, small_model, small_classifier, tmp_path):
    models = {"model": small_model.path, "classifier": small_classifier.path, "explained": "none"}
    options = {"stride": 32, "device": "cpu", "runtime": "torch"}
    one = sunbreak.run(*scene_files, tmp_path / "one", options=options, **models)
    assert Path(one.numbers["report"]).is_file()
    many = [scene_files[0]]
    done = sunbreak.batch(many, tmp_path / "many", s1_pattern="radar.tif", options=options, **models)
    assert [(outcome.name, outcome.status) for outcome in done.outcomes] == [("place", "done")]
    for role, path in one.layers.items():
        np.testing.assert_array_equal(read(path), read(tmp_path / "many" / "place" / f"place_{role}.tif"))
    again = sunbreak.batch(many, tmp_path / "many", s1_pattern="radar.tif", options=options, resume=True, **models)
    assert len(again.having("skipped")) == 1


def test_each_pixel_is_classified_alone_in_the_chain_and_in_a_batch(scene_files, small_model, small_pixels, tmp_path):
    alone = sunbreak.classify(
        scene_files[0], output=tmp_path / "alone", model=small_pixels.path, probabilities=True, device="cpu"
    )
    assert read(alone.layers["landcover_probabilities"]).shape == (9, 70, 90)
    models = {"model": small_model.path, "classifier": small_pixels.path, "explained": "none"}
    options = {"device": "cpu", "runtime": "torch"}
    one = sunbreak.run(*scene_files, tmp_path / "one", options=options, **models)
    assert "landcover_probabilities" not in one.layers
    many = [scene_files[0]]
    done = sunbreak.batch(many, tmp_path / "many", s1_pattern="radar.tif", options=options, **models)
    assert [(outcome.name, outcome.status) for outcome in done.outcomes] == [("place", "done")]
    for role, path in one.layers.items():
        np.testing.assert_array_equal(read(path), read(tmp_path / "many" / "place" / f"place_{role}.tif"))
    with pytest.raises(InputError, match="no patches and no stride"):
        sunbreak.batch(many, tmp_path / "stride", options={**options, "stride": 32}, **models)


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda s2: sunbreak.detect_clouds(read(s2)), "no-crs"),
        (lambda s2: sunbreak.detect_clouds(read(s2).astype(complex), **PLACE), "bad-array"),
        (lambda s2: sunbreak.open_scene(s2, np.zeros((3, 70, 90), "f4"), **PLACE), "bad-array"),
        (lambda s2: sunbreak.detect_clouds(s2, resume=True), "bad-option"),
        (lambda s2: sunbreak.run(s2, options={"colour": 1}), "bad-option"),
        (lambda s2: sunbreak.detect_clouds(s2.with_name("no.tif")), "missing-file"),
        (lambda s2: sunbreak.clean(s2, model="nobody"), "unknown-model"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(scene_files, call, code):
    with pytest.raises((InputError, ModelError)) as caught:
        call(scene_files[0])
    assert caught.value.code == code
    assert "\n" not in str(caught.value)


def test_xarray_needs_rioxarray_and_says_so(scene_files, monkeypatch):
    result = sunbreak.detect_clouds(scene_files[0], detector="s2cloudless")
    monkeypatch.setitem(sys.modules, "rioxarray", None)
    with pytest.raises(InputError, match="not installed") as caught:
        result.to_xarray("cloud_mask")
    assert caught.value.code == "not-installed"
    with pytest.raises(InputError, match="There is no layer 'cleaned'"):
        result.open("cleaned")


def test_xarray_is_asked_for_physical_values_in_memory(scene_files, monkeypatch):
    asked = []

    class Opened(SimpleNamespace):
        def __enter__(self):
            return self

        def __exit__(self, *_):
            asked.append("closed")

        def load(self):
            return "values"

    def opened(path, **options):
        asked.append((Path(path).name, options))
        return Opened()

    fake = ModuleType("rioxarray")
    fake.open_rasterio = opened
    monkeypatch.setitem(sys.modules, "rioxarray", fake)
    assert sunbreak.detect_clouds(scene_files[0]).to_xarray("cloud_mask") == "values"
    assert asked == [("place_cloud_mask.tif", {"masked": True, "mask_and_scale": True}), "closed"]


def test_models_are_listed_shown_and_imported(small_classifier, tmp_path, monkeypatch):
    names = {card.name for card in sunbreak.models.list_models()}
    assert {"uncrtaints-guided", "resnet18-landcover"} <= names
    assert {card.task for card in sunbreak.models.list_models("land-cover")} == {"land-cover"}
    assert sunbreak.models.show_model(small_classifier.path) == small_classifier.card
    with pytest.raises(ModelError):
        sunbreak.models.import_model(tmp_path / "nothing.pth", "mine")


def test_cleaning_takes_other_dates_as_files_or_folders(scene_files, small_model, write_raster, cloudy_dn, tmp_path):
    s2, s1 = scene_files
    others = [
        write_raster(f"dates/place_{day}.tif", cloudy_dn(70, 90, None, seed), bands=S2_BANDS)
        for seed, day in enumerate(("2020-06-01", "2020-07-01"), 5)
    ]
    how = {"model": small_model.path, "detector": "s2cloudless"}

    def references(result) -> str:
        with result.open("cleaned") as raster:
            return raster.tags().get("SUNBREAK_REFERENCES", "")

    both = "place_2020-06-01.tif (2020-06-01), place_2020-07-01.tif (2020-07-01)"
    assert references(sunbreak.clean(s2, s1, references=others, **how)) == both
    assert references(sunbreak.clean(sunbreak.open_scene(s2, s1), references=str(others[0].parent), **how)) == both
    assert references(sunbreak.clean(read(s2), read(s1), references=others[1], **PLACE, **how)) == both.split(", ")[1]
    with pytest.raises(InputError, match="is the scene itself"):
        sunbreak.clean(s2, s1, references=s2, **how)
    with pytest.raises(InputError, match="names Sentinel-1 of other dates"):
        sunbreak.clean(s2, s1, reference_s1=s1, **how)
