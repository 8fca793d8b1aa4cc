"""The study of pixels from images: its counts are those of the network itself, and a stopped study resumes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio
import torch
from pixel_networks import small_network
from program import sunbreak

from sunbreak.engine.conversion import convert_model
from sunbreak.errors import Cancelled, InputError
from sunbreak.events import Cancellation, Reporter, Silent
from sunbreak.models.architectures import load_segmentation
from sunbreak.models.card_landcover import RADIUS, Standardisation
from sunbreak.models.importing import save_segmentation
from sunbreak.models.legends import DYNAMIC_WORLD, TEN_BANDS
from sunbreak.models.registry import ModelFiles
from sunbreak.scene import S2_BANDS
from sunbreak.studies.downstream.per_pixel.counting import COMPARED, gather_counts
from sunbreak.studies.downstream.quadruplets import Pairs
from sunbreak.studies.downstream.study import STEPS, Study
from sunbreak.studies.downstream.study_options import StudyOptions, with_earlier

pytest.importorskip("matplotlib")

MEAN, DEVIATION = 1300.0, 900.0
HOLES = {"s2_31_p30": np.s_[:, :10, :20], "s2_cloudy_31_p30": np.s_[:, 30:50, 40:]}


def pixels_of(dn: np.ndarray) -> torch.Tensor:
    """The network's input of a patch in a canvas of zeros; what is not valid is 0."""
    picked = dn[[S2_BANDS.index(band) for band in TEN_BANDS]].astype(np.float32)
    x = np.where((dn != 0).any(axis=0), (picked - MEAN) / DEVIATION, 0).astype(np.float32)
    return torch.from_numpy(np.pad(x, ((0, 0), (RADIUS, RADIUS), (RADIUS, RADIUS))))[None]


def read(path: Path) -> np.ndarray:
    with rasterio.open(path) as source:
        return source.read()


@pytest.fixture(scope="module")
def holed(data, tmp_path_factory) -> tuple[Path, Path]:
    """The data sets with a hole in a clear and one in a cloudy image."""
    import shutil

    folder = tmp_path_factory.mktemp("holed")
    sen12ms, sen12mscr = (Path(shutil.copytree(one, folder / one.name)) for one in data)
    for name, hole in HOLES.items():
        path = next(sen12mscr.rglob(f"*_{name}.tif"))
        with rasterio.open(path, "r+") as target:
            values = target.read()
            values[hole] = 0
            target.write(values)
    return sen12ms, sen12mscr


@pytest.fixture(scope="module")
def network(holed, tmp_path_factory) -> ModelFiles:
    """A per-pixel classifier with random weights; its logits are centred on these images, or one class would win all."""
    module = small_network()
    some = [pixels_of(read(path)) for path in sorted(holed[1].rglob("*_s2_*.tif"))[:4]]
    with torch.no_grad():
        logits = torch.cat([module(x)[..., RADIUS:-RADIUS, RADIUS:-RADIUS] for x in some])
        module.classifier.bias -= logits.mean(dim=(0, 2, 3))
    saved = save_segmentation(
        module, "study-pixels", tmp_path_factory.mktemp("network"), title="Small", description="For tests.",
        licence="GPL-2.0-or-later", bands=TEN_BANDS, standardisation=Standardisation((9.0,) * 10, (9.0,) * 10),
        standardisation_l1c=Standardisation((MEAN,) * 10, (DEVIATION,) * 10), classes=DYNAMIC_WORLD,
        tile=64 + 2 * RADIUS,
    )  # fmt: skip
    return convert_model(saved)[0]


@pytest.fixture(scope="module")
def options(holed, small_model, network) -> StudyOptions:
    return StudyOptions(
        sen12ms=holed[0], sen12mscr=holed[1], removal=str(small_model.path), classifier=str(network.path),
        device="cpu", runtime="torch", replicates=20,
    )  # fmt: skip


@pytest.fixture(scope="module")
def study(options, tmp_path_factory):
    folder = tmp_path_factory.mktemp("study") / "whole"
    return folder, Study(folder, options, Silent()).run()


def counts_in(folder: Path, small_model, network):
    patches = Pairs.read(folder / "steps" / "pairs.json").of_split("test")
    return patches, gather_counts(patches, small_model, network, folder / "steps" / "pixels")


def same_counts(first, second) -> bool:
    return all(np.array_equal(first.confusion[name], second.confusion[name]) for name in COMPARED)


class StopsAt(Reporter):
    """Cancels at the n-th checkpoint of the run."""

    def __init__(self, look: int) -> None:
        super().__init__(Cancellation())
        self.looks, self.stop = 0, look

    def checkpoint(self) -> None:
        self.looks += 1
        if self.looks == self.stop:
            raise Cancelled


def test_the_counts_are_those_of_the_network_over_each_image(study, small_model, network):
    folder, evaluation = study
    patches, counts = counts_in(folder, small_model, network)
    module = load_segmentation(network)
    total = 0
    for index, patch in enumerate(patches):
        images = {"clear": read(patch.files["s2"]), "cloudy": read(patch.files["s2_cloudy"])}
        for name in ("removed", "removed_raw"):
            images[name] = read(folder / "steps" / "cleaned" / f"{patch.name}_{name}.tif")
        with torch.inference_mode():
            logits = {name: module(pixels_of(dn))[0, :, RADIUS:-RADIUS, RADIUS:-RADIUS] for name, dn in images.items()}
        valid = np.all([(dn != 0).any(axis=0) for dn in images.values()], axis=0)
        # what the default output changes is what it replaces
        replaced = (images["removed"] != images["cloudy"]).any(axis=0)
        classes = {name: values.argmax(dim=0).numpy() for name, values in logits.items()}
        for name in COMPARED:
            expected = np.zeros((2, 9, 9), np.int64)
            np.add.at(expected, (replaced[valid].astype(int), classes["clear"][valid], classes[name][valid]), 1)
            # logits that are equal but for rounding may change the class of a pixel
            assert np.abs(counts.confusion[name][index] - expected).sum() <= 4
        total += int(valid.sum())
    assert counts.confusion["cloudy"].sum() == total == 8 * 64 * 64 - 200 - 480
    # the classes differ from place to place and between versions, or nothing would be compared
    matrix = evaluation.versions["replaced"]["cloudy"].confusion
    assert (matrix.sum(axis=1) > 0).sum() > 3 and 0 < np.trace(matrix) < matrix.sum()


def test_pixels_that_are_not_replaced_are_in_the_clear_part_of_the_mask(study, small_model, network):
    _, counts = counts_in(study[0], small_model, network)
    replaced = counts.confusion["removed"][:, 1].sum(axis=(1, 2)) / counts.pixels
    assert (replaced[counts.cover == 0] == 0).all()
    assert (replaced >= counts.cover - 0.2).all() and replaced.max() > 0.3


def test_detail_is_the_gradient_of_the_clear_images(study, small_model, network):
    from sunbreak.metrics.detail import gradient_magnitude

    patches, counts = counts_in(study[0], small_model, network)
    last = patches[-1]
    dn = read(last.files["s2"])
    assert counts.gradient_pixels[-1].sum() == 64 * 64
    mean = gradient_magnitude(np.clip(dn / 1e4, 0, 1)).mean()
    assert counts.gradient[-1].sum() / 64**2 == pytest.approx(mean)


def test_the_report_shows_confusion_areas_and_examples(study):
    folder, evaluation = study
    page = (folder / "report.html").read_text(encoding="utf-8")
    names = {path.stem for path in (folder / "figures").glob("*.png")}
    assert names == {
        "pixel_confusion", "pixel_confusion_replaced", "pixel_areas", "pixel_by_cover", "pixel_examples"
    }  # fmt: skip
    for name in names:
        assert f"figures/{name}.png" in page
    for words in (
        "study-pixels gives a class",
        "Areas of the classes",
        "Labels of the patches",
        "8 patches of the split",
    ):
        assert words in page
    assert {"incomplete patches", "models", "invalid pixels"} <= {remark.topic for remark in evaluation.remarks}
    assert not (folder / "patches.npz").exists()


def test_a_study_stopped_at_any_time_ends_with_the_same_counts(study, options, small_model, network, tmp_path):
    counter = StopsAt(-1)
    Study(tmp_path / "count", options, counter).run(STEPS[:-1])
    for moment in (counter.looks - 12, counter.looks - 8, counter.looks - 3):
        with pytest.raises(Cancelled, match="Resume with --resume"):
            Study(tmp_path / "stopped", options, StopsAt(moment)).run(STEPS[:-1], resume=True)
    Study(tmp_path / "stopped", options, Silent()).run(STEPS[:-1], resume=True)
    _, expected = counts_in(study[0], small_model, network)
    for name in ("count", "stopped"):
        assert same_counts(counts_in(tmp_path / name, small_model, network)[1], expected)


def test_a_resumed_study_repeats_no_work(study, options):
    files = [path for path in (study[0] / "steps").rglob("*") if path.suffix in (".npz", ".tif")]
    before = {path: path.stat().st_mtime_ns for path in files}
    assert len([path for path in files if path.parent.name == "pixels"]) == 1
    Study(study[0], options, Silent()).run(STEPS[:-1], resume=True)
    assert all(path.stat().st_mtime_ns == time for path, time in before.items())


def test_covers_and_cleaned_patches_serve_both_kinds_of_classifier(
    options, small_classifier, small_model, network, tmp_path
):
    few = replace(options, limit=2)
    Study(tmp_path, replace(few, classifier=str(small_classifier.path)), Silent()).run(STEPS[:-1])
    cleaned = {path: path.stat().st_mtime_ns for path in (tmp_path / "steps" / "cleaned").iterdir()}
    Study(tmp_path, few, Silent()).run(STEPS[:-1], resume=True)
    assert all(path.stat().st_mtime_ns == time for path, time in cleaned.items())
    assert len(counts_in(tmp_path, small_model, network)[1]) == 2


def test_a_changed_image_is_classified_again(holed, options, tmp_path):
    import shutil

    own = Path(shutil.copytree(holed[1], tmp_path / "own"))
    few = replace(options, sen12mscr=own, limit=2)
    Study(tmp_path / "study", few, Silent()).run(STEPS[:-1])
    shard = tmp_path / "study" / "steps" / "pixels" / "shard_00000.npz"
    before = shard.stat().st_mtime_ns
    name = json.loads((tmp_path / "study" / "steps" / "pairs.json").read_text())["patches"]
    clear = Path(next(one for one in name if one["split"] == "test")["files"]["s2"])
    with rasterio.open(clear, "r+") as target:
        target.write(target.read()[:, ::-1])
    with pytest.raises(InputError, match="Run --step logits first"):
        Study(tmp_path / "study", few, Silent()).run(["report"])
    Study(tmp_path / "study", few, Silent()).run(["logits"])
    assert shard.stat().st_mtime_ns != before


def test_saliency_maps_of_patches_are_refused_before_any_work(options, tmp_path):
    with pytest.raises(InputError, match="--explain cannot be combined with a per-pixel classifier"):
        Study(tmp_path, replace(options, explain=("1158_spring_31_p30",)), Silent()).run()
    assert not (tmp_path / "steps").exists()


def test_a_missing_step_is_named(options, tmp_path):
    Study(tmp_path, options, Silent()).run(["pair", "cover"])
    with pytest.raises(InputError, match="Run --step clean first"):
        Study(tmp_path, options, Silent()).run(["logits"])


def test_the_study_classifies_patches_if_no_classifier_is_named():
    assert with_earlier(StudyOptions(), None).classifier == "resnet18-landcover"
    assert with_earlier(StudyOptions(), {"classifier": "mine"}).classifier == "mine"


def test_the_command_gives_the_agreement(holed, small_model, network, tmp_path):
    call = ["study", "downstream", "--sen12ms", holed[0], "--sen12mscr", holed[1], "--removal", small_model.path]
    call += ["--classifier", network.path, "--limit", 2, "--replicates", 10, "-o", tmp_path / "out", "--events"]
    done = sunbreak(*call)
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert set(events[-1]["numbers"]) == {"agreement removed", "agreement removed_raw", "agreement cloudy"}
    assert 0 <= events[-1]["numbers"]["agreement cloudy"] <= 1
    assert events[-1]["layers"]["report"].endswith("report.html")
