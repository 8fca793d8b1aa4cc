"""Land cover per pixel: labels are read, batches vary, and a short training learns what its pixels say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
import torch
from rasterio.transform import from_origin

from sunbreak.errors import InputError, SunbreakError
from sunbreak.events import Cancellation, Reporter, Silent
from sunbreak.models.architectures import load_segmentation
from sunbreak.models.legends import DYNAMIC_WORLD, SEN12MS_10, TEN_BANDS
from sunbreak.models.resnet_fpn import ResNetFPN
from sunbreak.scene import S2_BANDS
from sunbreak.training.segmentation import local_start, loop
from sunbreak.training.segmentation.atmosphere import above_the_atmosphere, at_the_ground, standardisation_l1c
from sunbreak.training.segmentation.doubtful import without_doubtful
from sunbreak.training.segmentation.draws import Draws, Variation
from sunbreak.training.segmentation.label_files import PATCH_CLASSES, LabelledImage, PatchLabel, place_of, read_labelled
from sunbreak.training.segmentation.losses import Weighing, patch_loss, pixel_loss
from sunbreak.training.segmentation.measuring import logits_of, patch_figures, pixel_figures
from sunbreak.training.segmentation.pipeline import (
    SegmentationOrder,
    SegmentationTraining,
    folds_of,
    train_segmentation,
)
from sunbreak.training.segmentation.snowfall import snowed

WATER, TREES, GRASS, CROPS, BUILT, BARE, SNOW = 1, 2, 3, 5, 7, 8, 9
# reflectance x 10000 of the ten bands
COLOURS = {
    WATER: [700, 500, 300, 250, 200, 200, 150, 150, 80, 50],
    TREES: [900, 800, 450, 800, 2000, 2500, 2400, 2700, 1200, 600],
    CROPS: [1300, 1300, 1500, 1900, 2300, 2500, 2600, 2800, 3000, 2300],
}
RECIPE = SegmentationTraining(
    width=4, pyramid=8, local=8, steps=60, batch=4, side=48, learning_rate=8e-3, average=0.9, seed=2
)


def image(name: str, seed: int, side: int = 80, patch: PatchLabel | None = None) -> LabelledImage:
    """Fields of three classes in their colours, with noise."""
    rng = np.random.default_rng(seed)
    kinds = rng.choice([*COLOURS], (5, 5))
    classes = np.kron(kinds, np.ones((side // 5, side // 5))).astype(np.uint8)
    dn = np.moveaxis(np.array([COLOURS[kind] for kind in classes.ravel()], np.float32).reshape(side, side, 10), -1, 0)
    dn = dn * rng.normal(1, 0.05, (10, side, side)).astype(np.float32)
    return LabelledImage(name, name, "L1C", dn, classes, np.full(classes.shape, 0.6, np.float32), patch)


def draws(images, **more) -> Draws:
    return Draws(images, [], SEN12MS_10, RECIPE.side, RECIPE.seed, **more)


def write(path: Path, values: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    count, height, width = values.shape
    with rasterio.open(
        path, "w", driver="GTiff", width=width, height=height, count=count, dtype=values.dtype, crs="EPSG:32632",
        transform=from_origin(600_000, 5_400_000, 10, 10),
    ) as file:  # fmt: skip
        file.write(values)
    return path


def folders(root: Path, count: int = 4, side: int = 64) -> tuple[Path, Path]:
    """Label rasters and images of level L1C with thirteen bands."""
    picked = [S2_BANDS.index(band) for band in TEN_BANDS]
    for number in range(count):
        one = image("x", number, 60)
        dn = np.full((13, 60, 60), 30, np.float32)
        dn[[0, 9]] = 400
        dn[picked] = one.dn
        write(root / "images" / "set" / "deep" / f"ROIs1970_fall_s2_{number}_p1.tif", dn.astype(np.uint16))
        labels = np.stack([one.classes, np.full((60, 60), 60, np.uint8)])
        write(root / "labels" / "set" / f"ROIs1970_fall_s2_{number}_p1.tif", labels)
    return root / "labels", root / "images"


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("a/ROIs1970_fall_s2_85_p492.tif", "1970_fall_85"),
        ("scenes/1868_summer_135a_s2.tif", "1868_summer_135"),
        ("t/s2_ROIs2017_146_ImgNo_12_2018-05-31_patch_0.tif", "ROIs2017_146"),
        ("satclip/patch_57755.tif", "patch_57755"),
    ],
)
def test_images_of_one_scene_or_series_are_one_place(name, place):
    assert place_of(name) == place


def test_labels_find_their_images_and_dn_has_no_offset(tmp_path):
    labels, images = folders(tmp_path)
    found = read_labelled(labels, images)
    assert [one.place for one in found] == [f"1970_fall_{number}" for number in range(4)]
    expected = image("x", 2, 60)
    np.testing.assert_array_equal(found[2].classes, expected.classes)
    np.testing.assert_allclose(found[2].dn, expected.dn, atol=1)
    assert found[2].confidence.max() == pytest.approx(0.6)
    assert found[2].level == "L1C"


def test_wrong_labels_and_missing_images_are_one_line(tmp_path):
    labels, images = folders(tmp_path, 1)
    (image_file,) = images.rglob("*.tif")
    (label_file,) = labels.rglob("*.tif")
    with pytest.raises(InputError, match="holds no label raster"):
        read_labelled(tmp_path / "images" / "set" / "none", images)
    write(label_file, np.full((2, 60, 60), 77, np.uint8))
    with pytest.raises(InputError, match="holds no labels: two bands of 8 bits"):
        read_labelled(labels, images)
    write(label_file, np.ones((2, 30, 60), np.uint8))
    with pytest.raises(InputError, match="has 60 x 30 pixels, and its image 60 x 60"):
        read_labelled(labels, images)
    image_file.unlink()
    with pytest.raises(InputError, match="there is no image of this name"):
        read_labelled(labels, images)


def test_the_atmosphere_is_put_on_and_taken_off_again():
    ground = np.random.default_rng(0).uniform(0, 0.6, (10, 8, 8)).astype(np.float32)
    seen = above_the_atmosphere(ground)
    dark = ground[0] < 0.1
    assert (seen[0] > ground[0])[dark].all()  # blue of dark ground gets brighter
    np.testing.assert_allclose(at_the_ground(seen), ground, atol=1e-6)


def test_both_levels_give_the_network_the_same_input():
    ground = np.random.default_rng(0).uniform(0, 0.6, (10, 8, 8)).astype(np.float32)
    seen = above_the_atmosphere(ground)

    def standardised(reflectance, standard):
        mean, deviation = (np.array(part)[:, None, None] for part in (standard.mean, standard.deviation))
        return (reflectance * 10_000 - mean) / deviation

    both = standardised(ground, SEN12MS_10), standardised(seen, standardisation_l1c(SEN12MS_10))
    np.testing.assert_allclose(*both, atol=1e-4)
    assert np.abs(standardised(seen, SEN12MS_10) - both[0]).max() > 0.5


def test_labels_that_cannot_be_right_are_not_trained_on():
    colours = {"green water": COLOURS[TREES], "green": COLOURS[TREES], "soil": COLOURS[CROPS], "lake": COLOURS[WATER]}
    dn = np.array([*colours.values()], np.float32).T.reshape(10, 2, 2)
    classes = np.array([[WATER, TREES], [SNOW, WATER]], np.uint8)
    one = LabelledImage("x", "x", "L2A", dn, classes, np.ones((2, 2), np.float32))
    np.testing.assert_array_equal(without_doubtful(one), [[0, TREES], [0, WATER]])


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("AnnualCrop", [[CROPS, TREES], [CROPS, 0]]),  # grass on a field is a crop
        ("Pasture", [[GRASS, TREES], [0, 0]]),
        ("Forest", [[0, TREES], [0, 0]]),
    ],
)
def test_labels_that_a_patch_of_eurosat_contradicts_are_corrected_or_left_out(kind, expected):
    dn = np.array([COLOURS[TREES]] * 4, np.float32).T.reshape(10, 2, 2)
    classes = np.array([[GRASS, TREES], [CROPS, 0]], np.uint8)
    patch = PatchLabel(kind, PATCH_CLASSES[kind], present=False)
    one = LabelledImage("x", "x", "L2A", dn, classes, np.ones((2, 2), np.float32), patch)
    np.testing.assert_array_equal(without_doubtful(one), expected)


def test_snow_turns_fields_into_snow_and_leaves_forests():
    rng = np.random.default_rng(4)
    classes = np.kron([[CROPS, TREES]], np.ones((64, 64))).astype(np.int64)
    x = np.moveaxis(np.array([COLOURS[kind] for kind in classes.ravel()], np.float32).reshape(64, 128, 10), -1, 0) / 1e4
    seen = set()
    for _ in range(20):
        mixed, labels, confidence = snowed(rng, x, classes, np.full(classes.shape, 0.2, np.float32))
        white = labels == SNOW
        seen |= set(np.unique(labels))
        assert not white[:, 64:].any()
        assert set(np.unique(labels[:, 64:])) <= {0, TREES}
        if white.any():
            assert mixed[1, white].min() > x[1].max() + 0.1
            assert mixed[8, white].max() < x[8, 0, 0]
            assert confidence[white].min() == pytest.approx(0.5)
        assert confidence[labels == TREES].max() == pytest.approx(0.2)
    assert seen == {0, TREES, CROPS, SNOW}


def test_a_batch_depends_on_its_number_only_and_moves_labels_with_pixels():
    images = [image(f"i{number}", number) for number in range(3)]
    still = Variation(atmosphere=0, brightness=0, tint=0, haze=0, contrast=0, noise=0, blur=0, snow=0, edge=0)
    once, again = (draws(images, variation=still).batch(5, 4) for _ in range(2))
    np.testing.assert_array_equal(once.x, again.x)
    assert not np.array_equal(once.x, draws(images, variation=still).batch(6, 4).x)
    assert once.x.shape == (4, 10, 48, 48)
    mean, deviation = (np.array(part)[:, None] for part in (SEN12MS_10.mean, SEN12MS_10.deviation))
    for kind, colour in COLOURS.items():
        pixels = np.moveaxis(once.x, 1, 0)[:, once.classes == kind]
        if pixels.shape[1] > 200:
            np.testing.assert_allclose(np.median(pixels * deviation + mean, axis=1), colour, rtol=0.05)


def test_nothing_is_known_beyond_an_edge():
    batch = draws([image("x", 1)], variation=Variation(edge=1, snow=0)).batch(0, 8)
    for x, classes in zip(batch.x, batch.classes, strict=True):
        unknown = ~x.any(axis=0)
        rows, columns = unknown.all(axis=1), unknown.all(axis=0)
        assert unknown.sum() == max(rows.sum(), columns.sum()) * 48
        assert 0 < max(rows.sum(), columns.sum()) < 24
        assert not classes[unknown].any()
        assert classes[~unknown].all()


def test_places_are_dealt_to_folds_and_each_is_in_one():
    names = [
        "a/ROIs1970_fall_s2_1_p1.tif",
        "a/ROIs1970_fall_s2_1_p2.tif",
        "a/ROIs1970_fall_s2_2_p1.tif",
        "b/x.tif",
        "b/y.tif",
    ]
    images = [LabelledImage(name, place_of(name), "L2A", *[np.zeros(1)] * 3) for name in names]
    assert folds_of(images, 2) == [{"1970_fall_1", "x"}, {"1970_fall_2", "y"}]
    assert len(folds_of(images, 9)) == 4
    assert folds_of(images, 1) == folds_of(images[:2], 3) == []


def test_the_pixel_loss_is_least_at_the_soft_target_and_ignores_pixels_without_label():
    classes = torch.full((1, 4, 4), WATER)
    confidence = torch.full((1, 4, 4), 0.6)
    weighing = Weighing(torch.full((9,), 0.75), torch.ones(9))
    target = torch.full((9,), (1 - 0.96 * 0.8) / 8)
    target[WATER - 1] = 0.96 * 0.8
    right = target.log()[None, :, None, None].expand(1, 9, 4, 4).clone()
    best = pixel_loss(right, classes, confidence, weighing)
    for sharper in (0.5, 2.0):
        assert pixel_loss(right * sharper, classes, confidence, weighing) > best
    classes[0, 0, 0] = 0
    wrong = right.clone()
    wrong[0, :, 0, 0] = torch.linspace(9, -9, 9)
    torch.testing.assert_close(pixel_loss(wrong, classes, confidence, weighing), best)


def test_unsure_classes_and_rare_classes_are_not_pushed_aside():
    classes = torch.tensor([WATER] * 90 + [BARE] * 10)
    confidence = torch.tensor([0.6] * 90 + [0.3] * 10)
    weighing = Weighing.of(classes, confidence, 9)
    torch.testing.assert_close(weighing.confidence[[WATER - 1, BARE - 1]], torch.tensor([0.6, 0.3]))
    assert weighing.balance[BARE - 1] / weighing.balance[WATER - 1] == pytest.approx(3)  # root of 9
    # together they weigh as much as without balance
    assert (weighing.balance[WATER - 1] * 0.9 + weighing.balance[BARE - 1] * 0.1).item() == pytest.approx(1)


def test_the_local_branch_learns_from_single_pixels_and_the_encoder_begins_with_nothing(monkeypatch):
    monkeypatch.setattr(local_start, "CROPS", 48)
    images = [image(f"i{number}", number) for number in range(4)]
    module = ResNetFPN(10, 9, 4, 8, 16)
    torch.nn.init.zeros_(module.classifier.weight)
    torch.nn.init.zeros_(module.classifier.bias)
    held = draws(images)
    module.logarithm.shift.copy_(torch.from_numpy(held.mean / 10_000))
    module.logarithm.factor.copy_(torch.from_numpy(held.deviation / 10_000))
    local_start.train_local(module, held, 3, Silent(), "cpu")
    new = image("new", 77)
    assert pixel_figures([(logits_of(module.eval(), held, new), new)])["accuracy"] > 0.9


def test_the_patch_loss_knows_that_a_river_covers_a_part_of_its_patch():
    logits = torch.zeros(1, 9, 12, 12)
    logits[0, TREES - 1] = 9
    logits[0, TREES - 1, :3], logits[0, WATER - 1, :3] = 0, 9  # a quarter is water
    river = PatchLabel("River", PATCH_CLASSES["River"], present=True)
    lake = PatchLabel("SeaLake", PATCH_CLASSES["SeaLake"], present=False)
    assert patch_loss(logits, [river]).item() < 0.01
    assert patch_loss(logits, [lake]).item() > 1.2
    assert patch_loss(logits, [None]).item() == 0


def test_a_short_training_learns_and_resumes_to_the_same_weights(tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "_SAVE_EVERY", 20)
    monkeypatch.setattr(local_start, "CROPS", 24)
    images = [image(f"i{number}", number) for number in range(4)]
    module = loop.train(RECIPE, draws(images), tmp_path / "a", Silent(), "cpu")
    new = image("new", 77)
    figures = pixel_figures([(logits_of(module, draws(images), new), new)])
    assert figures["accuracy"] > 0.8
    assert set(figures["f1"]) == {"Water", "Trees", "Crops"}
    assert np.array(figures["confusion"]).sum() == 80 * 80

    class StopAt(Reporter):
        def progress(self, done, total, unit="steps"):
            if done >= 37:
                self.cancellation.request()

    with pytest.raises(SunbreakError) as caught:
        loop.train(RECIPE, draws(images), tmp_path / "b", StopAt(Cancellation()), "cpu")
    assert caught.value.exit_status == 130
    again = loop.train(RECIPE, draws(images), tmp_path / "b", Silent(), "cpu")
    for one, other in zip(module.parameters(), again.parameters(), strict=True):
        torch.testing.assert_close(one, other, atol=0, rtol=0)


def test_places_count_alike_and_sure_labels_are_told_apart():
    def shown(place: str, right: float, sure: float) -> tuple[np.ndarray, LabelledImage]:
        """Ten water pixels, some of them taken for trees."""
        logits = np.zeros((9, 1, 10), np.float32)
        logits[WATER - 1] = 1
        logits[TREES - 1, 0, round(10 * right) :] = 2
        classes, confidence = np.full((1, 10), WATER, np.uint8), np.full((1, 10), sure, np.float32)
        return logits, LabelledImage(place, place, "L2A", np.zeros((10, 1, 10), np.float32), classes, confidence)

    found = pixel_figures([shown("a", 1, 0.6), shown("a", 0.8, 0.6), shown("b", 0.3, 0.2)])
    assert found["accuracy"] == pytest.approx(0.7)
    assert found["accuracy_mean_of_places"] == pytest.approx(0.6)
    assert found["accuracy_sure_labels"] == pytest.approx(0.9)
    assert found["confusion"][WATER - 1][:2] == [21, 9]


def test_a_patch_of_which_a_part_is_water_counts_as_water():
    class Painted(torch.nn.Module):
        """A fifth of each image is water, a quarter built, the rest trees."""

        def forward(self, x):
            logits = torch.zeros(len(x), 9, *x.shape[-2:])
            rows = x.shape[-2]
            logits[:, TREES - 1] = 1
            logits[:, WATER - 1, : round(0.2 * rows)] = 2
            logits[:, BUILT - 1, round(0.2 * rows) : round(0.45 * rows)] = 2
            return logits

    images = [
        image(kind, 1, patch=PatchLabel(kind, PATCH_CLASSES[kind], present=True))
        for kind in ("River", "Forest", "Residential")
    ]
    found = patch_figures(Painted(), draws(images), images)
    assert found["patches"] == {"Croplands": 0, "Forest": 1, "Grassland": 0, "Urban": 1, "Water": 1}
    assert found["accuracy"] == pytest.approx(1 / 3)
    assert found["f1"]["Water"] == pytest.approx(0.5)


def test_the_whole_training_makes_a_usable_model_with_its_figures_and_attribution(tmp_path, monkeypatch):
    monkeypatch.setattr(local_start, "CROPS", 12)
    labels, images = folders(tmp_path)
    recipe = SegmentationTraining(
        width=4, pyramid=8, local=8, steps=30, batch=3, side=48, learning_rate=8e-3, average=0.8
    )

    def order(**changes) -> SegmentationOrder:
        given = {"name": "pixels", "output": tmp_path / "models", "work": tmp_path / "work", "labels": labels}
        return SegmentationOrder(**given | {"images": images, "folds": 2, "scenes": 2, "recipe": recipe} | changes)

    files = train_segmentation(order(), Silent())
    card = files.card
    assert [kind.name for kind in card.classes] == [kind.name for kind in DYNAMIC_WORLD]
    assert "Dynamic World Project by Google in partnership" in card.description
    assert card.standardisation_l1c is not None
    assert card.standardisation_l1c.mean[0] > SEN12MS_10.mean[0] * 0.5 + 500  # haze in blue
    (figures,) = card.metrics
    assert figures["data"].startswith("cross-validation by place (4 places, 4 images): 2 networks")
    assert np.array(figures["figures"]["confusion"]).sum() == 4 * 60 * 60  # each image is measured once
    assert card.training["images"] == "4 of 4 places"
    loaded = load_segmentation(files)
    torch.testing.assert_close(loaded.logarithm.shift, torch.tensor(SEN12MS_10.mean) / 10_000, rtol=1e-3, atol=1e-4)
    with pytest.raises(InputError, match="nothing to train on or to measure: 4 images to train on, 0 held out"):
        train_segmentation(order(folds=1), Silent())
