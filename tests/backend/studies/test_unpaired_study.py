"""The second study from data to report: resuming, simulated and given data, and content of the page."""

from __future__ import annotations

import csv
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from sunbreak.datasets.bigearthnet import BANDS, find_patches, read_bands
from sunbreak.datasets.bigearthnet.simulated import bands_of
from sunbreak.datasets.bigearthnet.writing import write_bigearthnet
from sunbreak.errors import Cancelled, InputError, OutputError
from sunbreak.events import Cancellation, Reporter, Silent
from sunbreak.studies.unpaired import unpaired_study
from sunbreak.studies.unpaired.known_truth import read_truth, with_truth
from sunbreak.studies.unpaired.unpaired_report import write_report
from sunbreak.studies.unpaired.unpaired_study import StudyOptions, StudySize, run
from sunbreak.training.unpaired.pipeline import MultilabelOptions, TranslationOptions

TINY = StudySize(
    20,
    MultilabelOptions(width=2, steps=2, batch=3),
    TranslationOptions(side=32, epochs=2, batch=3, width=2, latent=2, average=0.9),
)


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpaired_study, "SIZES", {"small": TINY})


class StopsAfter(Reporter):
    """Requests a stop at a given step of a given total."""

    def __init__(self, done: int, total: int) -> None:
        super().__init__(Cancellation())
        self.wanted = done, total

    def progress(self, done: float, total: float, unit: str = "tiles") -> None:
        if (done, total) == self.wanted:
            self.cancellation.request()


def rows(path: Path) -> list[dict[str, str]]:
    with path.open() as stream:
        return list(csv.DictReader(stream))


@pytest.fixture(scope="module")
def study(small_bigearthnet: Path, tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("study")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(unpaired_study, "SIZES", {"small": TINY})
        results = run(folder, StudyOptions(small_bigearthnet), Silent())
    return folder, results, write_report(results, folder)


def test_the_page_shows_all_figures_and_describes_the_features(study):
    folder, _, paths = study
    page = paths["report"].read_text()
    for name in ("fig1a_columns", "fig1b_distance", "fig2_pairs", "quality"):
        assert f"figures/{name}.png" in page
        assert np.asarray(Image.open(paths[name])).std() > 0
    assert "16 features of layer4" in page
    for published in ("228", "106", "0.85", "0.77", "0.79"):
        assert published in page
    assert "Comparable?" in page
    # three validation patches of each kind are fewer than sixteen features
    assert "lack full rank" in page
    assert list(folder.glob(".report-*")) == []


def test_the_tables_match_the_measurements(study):
    _, results, paths = study
    distances = {row["images_of"]: row for row in rows(paths["csv_distances"])}
    assert float(distances["cleared"]["frechet"]) == results.final.frechet.value
    assert distances["cloudy"]["width"] == "16"
    assert [row["epoch"] for row in rows(paths["csv_epochs"])] == ["1.0", "2.0"]
    # the result is that of the last epoch
    assert results.epochs[-1]["frechet"] == pytest.approx(results.final.frechet.value)
    named = {row["figure"] for row in rows(paths["csv_classifier"])}
    assert {"f1_sample", "f1_micro", "f1_macro", "map_macro"} <= named


def test_methods_are_compared_only_on_patches_with_hidden_pixels(study, small_bigearthnet):
    _, results, paths = study
    pairs = {(row["method"], row["figure"]): float(row["mean"]) for row in rows(paths["csv_pairs"])}
    methods = {method for method, _ in pairs}
    assert len(methods) == 6 and any("UnCRtainTS" in method for method in methods)
    assert pairs["mean of clear pixels", "psnr"] > pairs["cloudy image", "psnr"]
    collection = find_patches(small_bigearthnet, "required")
    known = with_truth(collection)
    assert len(known) == results.pairs.patches == len(collection.pile("cloudy", "validation"))
    hidden = np.mean([read_truth(collection, patch).hidden.mean() for patch in known])
    assert results.pairs.hidden == pytest.approx(hidden)


def test_a_stopped_study_resumes(study, small_bigearthnet, tmp_path):
    _, results, _ = study
    for done, total in ((1, 2), (3, 4)):
        with pytest.raises(Cancelled):
            run(tmp_path, StudyOptions(small_bigearthnet), StopsAfter(done, total), resume=True)
    resumed = run(tmp_path, StudyOptions(small_bigearthnet), Silent(), resume=True)
    assert resumed.final == results.final and resumed.baseline == results.baseline
    assert resumed.epochs == results.epochs
    assert resumed.translation.weights.read_bytes() == results.translation.weights.read_bytes()
    with pytest.raises(OutputError, match="--resume"):
        run(tmp_path, StudyOptions(small_bigearthnet), Silent())
    with pytest.raises(InputError, match="other settings"):
        run(tmp_path, StudyOptions(small_bigearthnet, epochs=3), Silent(), resume=True)


def test_the_seed_fixes_data_classifier_and_baseline_for_any_threads(tmp_path, monkeypatch):
    # wide enough that the number of threads changes the last digits
    size = replace(TINY, classifier=MultilabelOptions(width=8, steps=6, batch=6, learning_rate=3e-3))
    monkeypatch.setattr(
        unpaired_study, "SIZES", {"small": replace(size, translation=replace(TINY.translation, epochs=1))}
    )
    before = torch.get_num_threads()
    found = []
    try:
        for count in (1, 2):
            torch.set_num_threads(count)
            results = run(tmp_path / str(count), StudyOptions(), Silent())
            assert torch.get_num_threads() == count
            found.append(results)
    finally:
        torch.set_num_threads(before)
    first, second = ({path.relative_to(results.collection.folder): path.read_bytes()
                      for path in sorted(results.collection.folder.rglob("*")) if path.is_file()}
                     for results in found)  # fmt: skip
    assert first == second and len(first) > 20 * 14
    first, second = found
    assert first.classifier.weights.read_bytes() == second.classifier.weights.read_bytes()
    assert first.baseline == second.baseline and first.final == second.final
    assert first.classifier.card.training["device"] == "cpu, 1 thread, float32"


def test_data_without_truth_give_a_report_without_quality_metrics(small_bigearthnet, tmp_path):
    data = Path(shutil.copytree(small_bigearthnet, tmp_path / "data"))
    shutil.rmtree(data / "truth")
    results = run(tmp_path / "report", StudyOptions(data, epochs=1), Silent())
    assert results.pairs is None and results.examples.truth is None
    paths = write_report(results, tmp_path / "report")
    assert "csv_pairs" not in paths and "quality" not in paths
    assert "Image quality under clouds" not in paths["report"].read_text()


def test_without_data_patches_are_simulated_once_and_reported(tmp_path, monkeypatch):
    monkeypatch.setattr(
        unpaired_study, "SIZES", {"small": replace(TINY, translation=replace(TINY.translation, epochs=1))}
    )
    results = run(tmp_path, StudyOptions(), Silent())
    assert results.simulated and len(results.collection.patches) == 20
    written = sorted((tmp_path / "work").glob("bigearthnet-*/BigEarthNet-v1.0/*"))
    assert len(written) == 20
    assert "Landscapes and clouds are simulated" in write_report(results, tmp_path)["report"].read_text()


def test_the_truth_has_the_units_of_the_patches(small_bigearthnet):
    collection = find_patches(small_bigearthnet, "required")
    patch = with_truth(collection)[0]
    truth = read_truth(collection, patch)
    assert np.array_equal(bands_of(truth.cloudy, BANDS), read_bands(patch, BANDS))
    visible = ~truth.hidden
    difference = np.abs(truth.cloudy.astype(float) - truth.clear)[1:4]
    assert np.median(difference[:, visible]) < 0.1 * np.median(difference[:, truth.hidden])


def test_a_stopped_simulation_leaves_no_files(tmp_path):
    def stop(done: int) -> None:
        if done == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        write_bigearthnet(tmp_path / "data", 4, 1, truth=True, tick=stop)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(InputError, match="cover"):
        write_bigearthnet(tmp_path / "data", 4, 1, cover=(0.5, 0.2))
