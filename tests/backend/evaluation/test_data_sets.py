"""Evaluating a model on a data set: metrics as of `clean`, with baselines, patch by patch and resumable."""

from __future__ import annotations

import csv
import json
import math
from dataclasses import replace

import numpy as np
import pytest
import rasterio

from sunbreak.errors import InputError, OutputError, SunbreakError
from sunbreak.evaluation import data_sets as judged
from sunbreak.evaluation.data_set_items import find_items
from sunbreak.evaluation.data_sets import evaluate_dataset, mean_figures
from sunbreak.evaluation.patch_table import CLEANED, CLOUDY, MEAN
from sunbreak.events import Cancellation, Reporter, Silent
from sunbreak.jobs.single import CleanOptions, clean
from sunbreak.metrics import image
from sunbreak.models.registry import find_model
from sunbreak.scene import S2_BANDS, Scene

CLOUD = (slice(10, 36), slice(12, 44))


def high_cloud(dn: np.ndarray) -> np.ndarray:
    """The same with a bright B10 in the cloud: the networks see no cloud in a white rectangle of 300 m."""
    dn[S2_BANDS.index("B10")][CLOUD] = 600
    return dn


class Listening(Reporter):
    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []

    def message(self, text, level="info"):
        self.said.append(text)


@pytest.fixture
def data(tmp_path, write_raster, cloudy_dn, radar_db):
    """SEN12MS-CR with two test patches, a validation and a training patch."""
    for scene, patch in ((106, 30), (31, 30), (17, 30), (9, 30)):
        base = "ROIs1158_spring"
        for kind, values in (
            ("s1", radar_db(64, 64, scene)),
            ("s2", cloudy_dn(64, 64, seed=scene)),
            ("s2_cloudy", high_cloud(cloudy_dn(64, 64, CLOUD, seed=scene))),
        ):
            write_raster(f"cr/{base}_{kind}/{kind}_{scene}/{base}_{kind}_{scene}_p{patch}.tif", values)
    return tmp_path / "cr"


def evaluate(items, model, folder, reporter=None, **options):
    return evaluate_dataset(items, model, folder, reporter or Silent(), device="cpu", runtime="torch", **options)


def table(folder) -> list[dict[str, str]]:
    with (folder / "patches.csv").open(newline="") as file:
        file.readline()
        return list(csv.DictReader(file))


def test_the_test_split_is_the_default(data):
    assert [item.name for item in find_items(data, "test", Silent())] == ["1158_spring_31_p30", "1158_spring_106_p30"]
    assert [item.name for item in find_items(data, "validation", Silent())] == ["1158_spring_17_p30"]
    assert len(find_items(data, None, Silent())) == 4
    with pytest.raises(InputError, match="no such folder"):
        find_items(data / "nowhere", "test", Silent())


def test_patches_are_evaluated_as_clean_writes_them(data, tmp_path, small_model):
    (item, _) = find_items(data, "test", Silent())
    found = evaluate([item], small_model, tmp_path / "out")
    scene = Scene.open(item.cloudy, item.s1, s2_unit="dn", s2_offset=0.0, s1_unit="db")
    options = CleanOptions(device="cpu", runtime="torch")
    result = clean(scene, tmp_path / "clean", small_model, options, Silent())
    with rasterio.open(result.layers["cleaned"]) as cleaned, rasterio.open(item.clear) as clear:
        pair = [np.clip(part.read(), 0, 10000) / 10000 for part in (cleaned, clear)]
    assert found.figures[CLEANED]["psnr"] == pytest.approx(image.psnr(*pair), abs=1e-4)
    assert found.figures[CLEANED]["ssim"] == pytest.approx(image.ssim(*pair), abs=1e-5)
    # cleaning does not change pixels that it treats as clear
    assert found.figures[CLEANED]["rmse_clear"] == found.figures[CLOUDY]["rmse_clear"]
    assert found.figures[CLEANED]["rmse"] != found.figures[CLOUDY]["rmse"]
    assert found.figures[CLOUDY]["psnr_cloud"] < found.figures[MEAN]["psnr_cloud"]
    inside = found.figures[CLEANED]
    assert 0 <= inside["coverage_68"] <= inside["coverage_95"] <= 1
    assert inside["rmse_100"] == pytest.approx(inside["rmse_cloud"], rel=1e-5)
    assert "coverage_68" not in found.figures[CLOUDY]


def test_the_summary_is_the_mean_of_the_table(data, tmp_path, small_model):
    items = find_items(data, None, Silent())
    found = evaluate(items, small_model, tmp_path / "out")
    rows = [row for row in table(tmp_path / "out") if row["method"] == CLEANED]
    assert [row["patch"] for row in rows] == [item.name for item in items]
    assert found.figures[CLEANED]["psnr"] == pytest.approx(np.mean([float(row["psnr"]) for row in rows]), abs=1e-5)
    summary = json.loads(found.summary.read_text())
    assert summary["model"] == "small" and summary["patches"] == 4
    assert summary["means"][CLEANED]["sam_cloud"] == pytest.approx(found.figures[CLEANED]["sam_cloud"])
    everything = evaluate(items[:1], small_model, tmp_path / "all", replace_all=True)
    assert everything.figures[CLEANED]["psnr_clear"] < 60


def test_a_stopped_evaluation_resumes_with_the_same_result(data, tmp_path, small_model, monkeypatch):
    items = find_items(data, None, Silent())
    whole = evaluate(items, small_model, tmp_path / "whole")

    class StopAt(Reporter):
        def progress(self, done, total, unit="tiles"):
            if done >= 2:
                self.cancellation.request()

    with pytest.raises(SunbreakError) as caught:
        evaluate(items, small_model, tmp_path / "out", StopAt(Cancellation()))
    assert caught.value.exit_status == 130
    # a kill cuts a row short
    path = tmp_path / "out" / "patches.csv"
    path.write_bytes(path.read_bytes()[:-40])
    count = []
    judge = judged._judge
    monkeypatch.setattr(judged, "_judge", lambda *args: count.append(1) or judge(*args))
    resumed = evaluate(items, small_model, tmp_path / "out")
    assert 1 <= len(count) < 4
    for method, own in whole.figures.items():
        assert resumed.figures[method] == pytest.approx(own, rel=1e-6)
    assert sorted(row["patch"] for row in table(tmp_path / "out")) == sorted(
        row["patch"] for row in table(tmp_path / "whole")
    )
    # all patches are done
    count.clear()
    evaluate(items, small_model, tmp_path / "out")
    assert not count


def test_a_changed_image_is_evaluated_again_and_another_model_refused(
    data, tmp_path, small_model, write_raster, cloudy_dn
):
    items = find_items(data, "test", Silent())
    before = evaluate(items, small_model, tmp_path / "out")
    write_raster(str(items[0].clear.relative_to(tmp_path)), cloudy_dn(64, 64, seed=55))
    after = evaluate(items, small_model, tmp_path / "out")
    assert after.figures[CLEANED]["psnr"] != before.figures[CLEANED]["psnr"]
    assert len([row for row in table(tmp_path / "out") if row["method"] == CLEANED]) == 3
    other = replace(small_model, card=replace(small_model.card, temperature=(2.0,) * 13))
    with pytest.raises(OutputError, match="another evaluation"):
        evaluate(items, other, tmp_path / "out")
    evaluate(items[:1], other, tmp_path / "out", overwrite=True)
    assert len(table(tmp_path / "out")) == 4


def test_a_patch_that_cannot_be_read_is_left_out_and_named(data, tmp_path, small_model):
    items = find_items(data, "test", Silent())
    items[0].cloudy.write_bytes(items[0].cloudy.read_bytes()[:2000])
    listening = Listening()
    found = evaluate(items, small_model, tmp_path / "out", listening)
    assert found.patches == 1
    assert json.loads(found.summary.read_text())["skipped"]
    assert any(
        text.startswith("1 unusable patches are left out, such as: ") and str(items[0].cloudy) in text
        for text in listening.said
    )
    items[1].clear.unlink()
    with pytest.raises(InputError, match="None of 2 patches"):
        evaluate(items, small_model, tmp_path / "other")


def test_triplets_without_georeference_are_accepted(tmp_path, write_raster, cloudy_dn, radar_db, small_model):
    for name in ("7", "8"):
        write_raster(f"t/{name}_s2.tif", cloudy_dn(64, 64), crs=None, transform=None)
        write_raster(f"t/{name}_s2_cloudy.tif", high_cloud(cloudy_dn(64, 64, CLOUD)), crs=None, transform=None)
    write_raster("t/7_s1.tif", radar_db(64, 64), crs=None, transform=None)
    write_raster("t/9_s2.tif", cloudy_dn(64, 64))
    listening = Listening()
    items = find_items(tmp_path / "t", "test", listening)
    assert [(item.name, item.s1 is not None) for item in items] == [("7", True), ("8", False)]
    assert any("1 patches, such as 9" in text for text in listening.said)
    found = evaluate(items[:1], small_model, tmp_path / "out")
    assert found.figures[CLEANED]["rmse_clear"] == found.figures[CLOUDY]["rmse_clear"]
    assert found.figures[CLEANED]["psnr"] != found.figures[CLOUDY]["psnr"]


def test_means_leave_out_undefined_values_and_count_them():
    means = mean_figures(
        [{"a": {"psnr": 20.0, "sam": 1.0}}, {"a": {"psnr": math.inf, "sam": 3.0}}, {"a": {"sam": 5.0}}]
    )
    assert means == {"a": {"psnr": 20.0, "psnr_images": 1, "sam": 3.0}}


def test_a_real_triplet_has_the_metrics_of_the_training_evaluation(shared, tmp_path):
    from sunbreak.engine.runtime import TorchRuntime, choose_device
    from sunbreak.models.architectures import load_model
    from sunbreak.models.networks import RemovalNetwork
    from sunbreak.training.removal import validation
    from sunbreak.training.removal.samples import with_masks

    files = find_model("uncrtaints-guided")
    items = [item for item in find_items(shared / "data" / "triplets", None, Silent()) if item.name == "4438"]
    ours = evaluate(items, files, tmp_path / "out").figures
    sample = [one for one in validation.triplets(shared / "data" / "triplets") if one.name == "4438"]
    module = load_model(files)
    runtime = TorchRuntime(RemovalNetwork(module), choose_device("cpu"), 256)
    samples = with_masks(sample, opaque=files.card.hides_opaque)
    predictions = validation.predict(runtime, samples, module.config.prior)
    theirs = validation.evaluate(samples, predictions, np.array(files.card.temperature, np.float32))
    assert ours[CLOUDY]["psnr"] == pytest.approx(theirs["cloudy image"]["psnr"], abs=1e-4)
    assert ours[MEAN]["psnr_cloud"] == pytest.approx(theirs["mean of clear pixels"]["psnr_in_cloud"], abs=1e-4)
    # the card's value is for the clouds of s2cloudless at 10 m; what cleaning does not detect has no sigma
    assert ours[CLEANED]["psnr"] == pytest.approx(theirs["network, default of clean"]["psnr"], abs=0.1)
    assert ours[CLEANED]["coverage_95"] == pytest.approx(theirs["coverage in cloud"]["95 %"], abs=0.04)
