"""The commands of the second paper on the command line, and their errors for unusable data."""

from __future__ import annotations

import csv
import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import rasterio
from click.testing import Result
from typer.testing import CliRunner

from sunbreak.cli.app import app
from sunbreak.models.registry import ModelFiles
from sunbreak.scene import S2_BANDS

SHARED = Path(__file__).resolve().parents[3] / "../shared"
TINY = ["--width", 2, "--batch", 3]
TRANSLATION = [*TINY, "--side", 32, "--epochs", 1, "--latent", 2, "--bands", "B02,B03,B04,B08"]


def sunbreak(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def refusal(*arguments: object) -> str:
    """The error of a call with invalid input: one message and a hint, exit status 2, no traceback."""
    done = sunbreak(*arguments)
    assert done.exit_code == 2, done.output
    assert "Traceback" not in done.output
    return " ".join(done.output.split())


@pytest.fixture(scope="module")
def classifier(small_bigearthnet: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    done = sunbreak("train", "multilabel", "--bigearthnet", small_bigearthnet, "-o", folder, "--name", "judge",
                    "--work", folder / "work", "--steps", 2, *TINY)  # fmt: skip
    assert done.exit_code == 0, done.stderr
    assert done.stdout.split() == ["model", str(folder / "judge.json")]
    return folder / "judge.json"


@pytest.fixture
def broken(small_bigearthnet: Path, tmp_path: Path) -> Path:
    """A copy that a test can damage."""
    return Path(shutil.copytree(small_bigearthnet, tmp_path / "data"))


def test_the_classifier_is_a_model_of_the_registry(classifier):
    done = sunbreak("models", "show", classifier)
    assert "several per patch" in done.stdout and "threshold" in done.stdout
    assert sunbreak("models", "verify", classifier).exit_code == 0


def test_a_translation_is_trained_with_a_distance_after_every_epoch(small_bigearthnet, classifier, tmp_path):
    done = sunbreak("train", "aug-cyclegan", "--bigearthnet", small_bigearthnet, "-o", tmp_path, "--name", "aug",
                    "--work", tmp_path / "work", "--classifier", classifier, *TRANSLATION,
                    "--bands", "B01,B02,B03,B04,B05,B06,B07,B08,B8A,B09,B11,B12")  # fmt: skip
    assert done.exit_code == 0, done.stderr
    assert "in 16 features of layer4" in " ".join(done.stderr.split())
    (epoch,) = csv.DictReader((tmp_path / "work" / "aug" / "epochs.csv").read_text().splitlines())
    assert float(epoch["frechet"]) > 0 and float(epoch["score"]) >= 1
    assert (tmp_path / "work" / "aug" / "samples" / "epoch_0001.png").is_file()
    assert sunbreak("models", "verify", tmp_path / "aug.json").exit_code == 0


def test_the_distance_of_two_groups_names_layer_width_and_counts(small_bigearthnet, classifier):
    done = sunbreak("evaluate", "frechet", "--a", small_bigearthnet, "--b", small_bigearthnet, "--a-pile", "cloudy",
                    "--b-pile", "clear", "--classifier", classifier, "--replicates", 20)  # fmt: skip
    assert done.exit_code == 0, done.stderr
    first = done.stdout.splitlines()[0]
    assert "in 16 features of layer4" in first and "12 and 12 images" in first and "classifier judge" in first
    assert "no more images than the 16 features" in done.stdout


def test_folders_of_geotiffs_of_any_size_are_compared(classifier, tmp_path):
    draw = np.random.default_rng(0)
    for name, mean in (("a", 900), ("b", 2500)):
        for number, side in enumerate((40, 40, 64)):
            path = tmp_path / name / f"{number}.tif"
            path.parent.mkdir(exist_ok=True)
            values = np.clip(draw.normal(mean, 100, (13, side, side)), 1, None).astype(np.uint16)
            with rasterio.open(path, "w", driver="GTiff", count=13, height=side, width=side, dtype="uint16",
                               crs="EPSG:32632", transform=rasterio.Affine(10, 0, 5e5, 0, -10, 5e6)) as target:  # fmt: skip
                target.write(values)
                for index, band in enumerate(S2_BANDS, 1):
                    target.set_band_description(index, band)

    def distance(b: str) -> dict:
        done = sunbreak("evaluate", "frechet", "--a", tmp_path / "a", "--b", tmp_path / b, "--classifier", classifier,
                        "--json")  # fmt: skip
        assert done.exit_code == 0, done.stderr
        return json.loads(done.stdout)

    found = distance("b")
    assert found["images"] == found["reference_images"] == 3
    assert found["frechet"] > 1e3 * max(distance("a")["frechet"], 1e-9)


def test_a_folder_without_images_is_refused(classifier, tmp_path):
    (tmp_path / "empty").mkdir()
    said = refusal(
        "evaluate", "frechet", "--a", tmp_path / "empty", "--b", tmp_path / "empty", "--classifier", classifier
    )
    assert "no images" in said


def test_a_model_of_another_task_is_refused(small_bigearthnet, small_model: ModelFiles):
    said = refusal(
        "evaluate", "frechet", "--a", small_bigearthnet, "--b", small_bigearthnet, "--classifier", small_model.path
    )
    assert "is for cloud-removal, not for land-cover" in said


def train(command: str, folder: Path, tmp_path: Path, *more: object) -> str:
    options = [*TINY, "--steps", 1] if command == "multilabel" else TRANSLATION
    return refusal("train", command, "--bigearthnet", folder, "-o", tmp_path / "out", "--work", tmp_path / "work",
                   *options, *more)  # fmt: skip


def clear_patch(folder: Path) -> Path:
    cloudy = (folder / "patches_with_cloud_and_shadow.csv").read_text()
    return next(path for path in sorted((folder / "BigEarthNet-v1.0").iterdir()) if path.name not in cloudy)


def test_broken_json_is_named(broken, tmp_path):
    metadata = clear_patch(broken) / f"{clear_patch(broken).name}_labels_metadata.json"
    metadata.write_text("{")
    assert f"{metadata.name} is broken" in train("multilabel", broken, tmp_path)


def test_an_unknown_label_is_named(broken, tmp_path):
    metadata = clear_patch(broken) / f"{clear_patch(broken).name}_labels_metadata.json"
    content = json.loads(metadata.read_text())
    metadata.write_text(json.dumps({**content, "labels": ["Moon"]}))
    assert "'Moon' is none of the 43 classes" in train("multilabel", broken, tmp_path)


def test_a_missing_band_is_named(broken, tmp_path):
    for band in broken.glob("BigEarthNet-v1.0/*/*_B08.tif"):
        band.unlink()
    assert "_B08.tif: the band is missing" in train("aug-cyclegan", broken, tmp_path)
    assert "_B08.tif: the band is missing" in train("multilabel", broken, tmp_path)


def test_an_empty_list_of_clouds_is_refused(broken, tmp_path):
    path = broken / "patches_with_cloud_and_shadow.csv"
    path.write_text("")
    assert "names no patches" in train("aug-cyclegan", broken, tmp_path)
    path.write_text("patch\n")
    assert "no cloudy patches" in train("aug-cyclegan", broken, tmp_path)
    path.unlink()
    assert "nothing says which patches are cloudy" in train("aug-cyclegan", broken, tmp_path)


def test_data_without_radar_are_refused_if_radar_is_needed(broken, tmp_path):
    shutil.rmtree(broken / "BigEarthNet-S1-v1.0")
    assert "has a Sentinel-1 pair" in train("aug-cyclegan", broken, tmp_path)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--conditioning", "B10"], "no band B10"),
        (["--side", 33], "even number"),
        (["--side", 20], "even number"),
        (["--batch", 500], "Give more images or a smaller batch"),
        (["--device", "cuda:7"], "cpu or cuda"),
        (["--classifier", "nobody"], "no model 'nobody'"),
        (["--name", "a/b"], "cannot be a model's name"),
    ],
)
def test_impossible_options_are_refused_before_training(small_bigearthnet, tmp_path, more, says):
    assert says in train("aug-cyclegan", small_bigearthnet, tmp_path, *more)
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(not (SHARED / "data/bigearthnet").is_dir(), reason="needs real patches of BigEarthNet")
def test_real_patches_have_a_distance_from_simulated_ones(small_bigearthnet, classifier):
    done = sunbreak("evaluate", "frechet", "--a", SHARED / "data/bigearthnet", "--b", small_bigearthnet, "--b-pile", "clear",
                    "--classifier", classifier, "--replicates", 0, "--json")  # fmt: skip
    assert done.exit_code == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["images"], found["reference_images"]) == (6, 12)
    assert found["frechet"] > 0 and np.isnan(found["frechet_low"])


def test_a_stopped_training_says_how_to_resume(small_bigearthnet, tmp_path):
    running = subprocess.Popen(
        [sys.executable, "-I", "-m", "sunbreak", "train", "multilabel", "--bigearthnet", str(small_bigearthnet), "-o",
         str(tmp_path), "--work", str(tmp_path / "work"), "--steps", "100000", "--width", "2", "--batch", "2"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    log = tmp_path / "work" / "bigearthnet-resnet18" / "log.csv"
    for _ in range(1200):
        if log.is_file() and log.read_text().count("\n") > 3:
            break
        time.sleep(0.1)
    running.send_signal(signal.SIGTERM)
    _, said = running.communicate(timeout=60)
    assert running.returncode == 130
    assert "run the same command again to continue" in " ".join(said.split())
    assert (log.parent / "state.pt").is_file()
