"""Training of the Augmented CycleGAN on BigEarthNet: scaling, Frechet validation, resuming, and the model."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from sunbreak.datasets.bigearthnet import find_patches
from sunbreak.errors import Cancelled, InputError
from sunbreak.evaluation.features import FeatureReader
from sunbreak.events import Cancellation, Reporter, Silent
from sunbreak.metrics.frechet import frechet_distance
from sunbreak.models.card import ModelCard
from sunbreak.models.card_removal import Scaling
from sunbreak.models.registry import ModelFiles
from sunbreak.training.bigearthnet_images import Channels, ImagePile
from sunbreak.training.unpaired.batches import mean_colour
from sunbreak.training.unpaired.pipeline import (
    BigEarthNetRun,
    MultilabelOptions,
    TranslationOptions,
    epoch_rows,
    judge_of,
    run_translation,
    train_multilabel,
    train_translation,
)

BANDS = ["B02", "B03", "B04", "B08"]
OPTIONS = TranslationOptions(bands=BANDS, side=32, epochs=2, batch=3, width=2, latent=2, average=0.9, samples=2)


@pytest.fixture(scope="module")
def classifier(small_bigearthnet: Path, tmp_path_factory: pytest.TempPathFactory) -> ModelFiles:
    folder = tmp_path_factory.mktemp("classifier")
    options = MultilabelOptions(bands=BANDS, width=2, steps=3, batch=4)
    return train_multilabel(BigEarthNetRun(small_bigearthnet, "judge", folder, folder / "run"), options, Silent())


@pytest.fixture(scope="module")
def collection(small_bigearthnet: Path):
    return find_patches(small_bigearthnet, "required")


class StopsAt(Reporter):
    """Requests a stop before a step of the translation."""

    def __init__(self, step: int) -> None:
        super().__init__(Cancellation())
        self.step = step

    def progress(self, done: float, total: float, unit: str = "tiles") -> None:
        if done >= self.step:
            self.cancellation.request()


def test_reflectance_and_backscatter_are_scaled_to_the_input_range():
    channels = Channels(("B04",), ("VV",), Scaling(0.0, 0.5), Scaling(-25.0, 0.0))
    values = np.array([[[0.0, 0.25, 0.9]], [[-25.0, -12.5, np.nan]]], np.float32)
    assert channels.scaled(values, ("B04", "VV")).tolist() == [[[-1, 0, 1]], [[-1, 0, -1]]]
    assert channels.unscaled(np.array([-1, 0, 1], np.float32)).tolist() == [0, 0.25, 0.5]


@pytest.mark.parametrize(
    ("bands", "conditioning"),
    [(("VV",), ()), (("B10",), ()), ((), ("VV",)), (("B02", "B02"), ()), (("B02",), ("B13",))],
)
def test_impossible_bands_are_refused(bands, conditioning):
    with pytest.raises(InputError):
        Channels(bands, conditioning)


def test_crops_are_random_from_torch_or_else_centred(collection):
    patches = collection.pile("clear", "train")
    middle, random = (ImagePile(patches, OPTIONS.channels, 32, vary=vary) for vary in (False, True))
    image, conditioning = middle[0]
    assert image.shape == (4, 32, 32) and conditioning.shape == (2, 32, 32)
    assert np.array_equal(middle[0][0], image)
    torch.manual_seed(1)
    first = random[0][0]
    second = random[0][0]
    torch.manual_seed(1)
    assert np.array_equal(random[0][0], first)
    assert not np.array_equal(second, first)
    for side in (31, 30, 122):
        with pytest.raises(InputError):
            ImagePile(patches, OPTIONS.channels, side)


def test_the_frechet_validation_matches_a_direct_computation(collection, classifier):
    judge = judge_of(collection, OPTIONS, str(classifier.path), "cpu")
    reader = FeatureReader(classifier, tuple(BANDS))
    features = []
    for pile in ("cloudy", "clear"):
        images = ImagePile(collection.pile(pile, "validation"), OPTIONS.channels)
        reflectance = np.stack([OPTIONS.channels.unscaled(images[index][0]) for index in range(len(images))])
        features.append(reader.read(reflectance)[0])
    assert judge.baseline.frechet.value == pytest.approx(frechet_distance(*features), rel=1e-4)
    assert judge.baseline.width == 16 and judge.baseline.counts == (len(features[0]), len(features[1]))


def test_a_classifier_with_bands_that_the_images_lack_is_refused(collection, classifier):
    with pytest.raises(InputError, match="B08") as refused:
        FeatureReader(classifier, ("B02", "B03", "B04"))
    assert refused.value.code == "bands-missing"


def test_a_centred_generator_starts_with_the_mean_target_colour(collection, tmp_path):
    options = replace(OPTIONS, centred=True, epochs=1, learning_rate=1e-9)
    trained = run_translation(
        collection, options, BigEarthNetRun(collection.folder, "translation", tmp_path, tmp_path), Silent()
    )
    pile = ImagePile(collection.pile("clear", "train"), options.channels)
    image, conditioning = (torch.from_numpy(part)[None] for part in pile[0])
    made = trained.average.to_clear(image, conditioning, torch.zeros(1, 2)).mean(dim=(0, 2, 3))
    assert made.numpy() == pytest.approx(mean_colour(pile).numpy(), abs=0.15)


def test_a_resumed_training_equals_an_uninterrupted_one(small_bigearthnet, classifier, tmp_path):
    def call(folder: Path, reporter: Reporter) -> ModelFiles:
        run = BigEarthNetRun(small_bigearthnet, "translation", folder, folder / "run")
        files, _ = train_translation(run, OPTIONS, reporter, classifier=str(classifier.path))
        return files

    whole = call(tmp_path / "whole", Silent())
    for step in (1, 3):
        with pytest.raises(Cancelled):
            call(tmp_path / "parts", StopsAt(step))
    parts = call(tmp_path / "parts", Silent())
    assert parts.weights.read_bytes() == whole.weights.read_bytes()
    for name in ("log.csv", "epochs.csv"):
        assert (tmp_path / "parts" / "run" / name).read_text() == (tmp_path / "whole" / "run" / name).read_text()
    assert len(list((tmp_path / "parts" / "run" / "samples").glob("epoch_*.png"))) == 2


def test_the_card_has_training_data_and_frechet_distance(small_bigearthnet, classifier, tmp_path):
    run = BigEarthNetRun(small_bigearthnet, "translation", tmp_path, tmp_path / "run")
    files, last = train_translation(run, OPTIONS, Silent(), classifier=str(classifier.path))
    card = ModelCard.read(files.path)
    assert card.outputs == tuple(BANDS) and card.arguments["conditioning"] == ["VV", "VH"]
    assert card.reflectance == Scaling(0.0, 0.6) and card.level == "L2A"
    assert card.training["cloudy_patches"] == 7
    figures = card.metrics[0]["figures"]
    with (tmp_path / "run" / "epochs.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [int(row["epoch"]) for row in rows] == [1, 2]
    assert figures["frechet"] == pytest.approx(float(rows[-1]["frechet"]))
    assert figures["width"] == 16 and figures["layer"] == last["layer"]


def test_radar_and_classifier_are_optional(small_bigearthnet, tmp_path):
    options = replace(OPTIONS, conditioning=("B11", "B12"), epochs=1)
    files, last = train_translation(
        BigEarthNetRun(small_bigearthnet, "swir", tmp_path, tmp_path / "run"), options, Silent()
    )
    assert not files.card.uses_radar and files.card.bands == (*BANDS, "B11", "B12")
    assert epoch_rows(tmp_path / "run") == [] and last == {"steps": 2.0}
