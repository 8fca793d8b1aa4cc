"""The image part of the study: pairs, cloud masks, cleaned patches, logits, saliency maps; compared independently."""

from __future__ import annotations

import numpy as np
import pytest
import rasterio
import torch

from sunbreak.clouds import CloudSettings
from sunbreak.clouds.classes import replaced
from sunbreak.clouds.detector import detect_in
from sunbreak.clouds.margins import Margins
from sunbreak.clouds.registry import detector
from sunbreak.datasets.landcover import single_label
from sunbreak.engine.run import run_task
from sunbreak.engine.runtime import TorchRuntime, choose_device
from sunbreak.errors import InputError, ModelError
from sunbreak.events import Silent
from sunbreak.models.architectures import load_classifier, load_network
from sunbreak.models.cam import explain, to_image
from sunbreak.removal.task import CloudRemoval
from sunbreak.scene import Scene
from sunbreak.studies.downstream import cleaning, covers, explained, logits, quadruplets
from sunbreak.studies.downstream.examples import chosen_examples
from sunbreak.studies.downstream.quadruplets import Pairs, pair
from sunbreak.studies.downstream.study_classifier import Judge, centre, check_classes
from sunbreak.studies.downstream.table import make_table


@pytest.fixture
def pairs(data, tmp_path) -> Pairs:
    return pair(*data, tmp_path / "labels.json")


def read(path):
    with rasterio.open(path) as source:
        return source.read()


def replace(path, values):
    with rasterio.open(path) as source:
        profile = source.profile
    path.unlink()
    profile.update(count=len(values), dtype=values.dtype)
    with rasterio.open(path, "w", **profile) as target:
        target.write(values)


# pairing


def test_patches_are_labelled_and_split_by_their_scene(pairs):
    assert {split: len(pairs.of_split(split)) for split in ("train", "val", "test")} == {
        "train": 6,
        "val": 2,
        "test": 8,
    }
    for patch in pairs.patches:
        assert patch.label == single_label(read(patch.files["lc"])[0]) - 1
        assert all(path.is_file() for path in patch.files.values())


def test_radar_and_clear_images_come_from_sen12ms_cr(pairs, data):
    for patch in pairs.patches:
        assert all(data[1] in patch.files[kind].parents for kind in ("s1", "s2", "s2_cloudy"))
        assert data[0] in patch.files["lc"].parents


def test_pairs_are_read_back_unchanged(pairs, tmp_path):
    pairs.write(tmp_path / "pairs.json")
    assert Pairs.read(tmp_path / "pairs.json") == pairs


def test_a_limit_selects_patches_evenly_and_is_reported(data, tmp_path, pairs):
    few = pair(*data, tmp_path / "labels.json", limit=3)
    assert {split: len(few.of_split(split)) for split in ("train", "val", "test")} == {"train": 3, "val": 2, "test": 3}
    assert (
        few.of_split("test")[0] == pairs.of_split("test")[0] and few.of_split("test")[-1] == pairs.of_split("test")[-1]
    )
    assert next(r.count for r in few.remarks if r.topic == "patches beyond the limit") == 8


def test_incomplete_places_are_counted(own_data, tmp_path):
    next(own_data[1].rglob("*_s2_cloudy_31_p30.tif")).unlink()
    found = pair(*own_data, tmp_path / "labels.json")
    assert len(found.patches) == 15
    remark = next(r for r in found.remarks if r.topic == "incomplete patches")
    assert remark.count == 1 and "s2_cloudy 1" in remark.text


def test_a_patch_without_a_class_is_counted_and_excluded(own_data, tmp_path):
    path = next(own_data[0].rglob("*_lc_44_p30.tif"))
    replace(path, np.full_like(read(path), 255))
    found = pair(*own_data, tmp_path / "labels.json")
    assert "1158_spring_44_p30" not in [patch.name for patch in found.patches]
    assert next(r.count for r in found.remarks if r.topic == "patches without a class") == 1


def test_invalid_land_cover_is_refused_by_file_and_can_be_excluded(own_data, tmp_path):
    path = next(own_data[0].rglob("*_lc_44_p30.tif"))
    replace(path, np.full_like(read(path), 42))
    with pytest.raises(InputError, match=r"lc_44_p30\.tif: the value 42") as caught:
        pair(*own_data, tmp_path / "labels.json")
    assert caught.value.code == "label-range"
    assert "--exclude 1158_spring_44_p30" in caught.value.hint
    found = pair(*own_data, tmp_path / "labels.json", exclude=["1158_spring_44_p30"])
    assert len(found.patches) == 15
    assert next(r.count for r in found.remarks if r.topic == "excluded patches") == 1


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"season": "winter"}, "no-patches"),
        ({"split": "summer"}, "split-missing"),
        ({"exclude": ["1158_spring_31_p999"]}, "unknown-patch"),
    ],
)
def test_missing_seasons_splits_and_folders_are_refused(data, tmp_path, change, code):
    with pytest.raises(InputError) as caught:
        pair(*data, tmp_path / "labels.json", **change)
    assert caught.value.code == code


def test_a_missing_kind_of_file_is_named(data, tmp_path):
    with pytest.raises(InputError, match="there is no file of lc"):
        pair(data[1], data[1], tmp_path / "labels.json")
    with pytest.raises(InputError, match="no such folder"):
        pair(tmp_path / "nowhere", data[1], tmp_path / "labels.json")


def test_labels_are_cached_and_read_again_for_a_changed_map(own_data, tmp_path, monkeypatch):
    read_files = []
    original = quadruplets.read_patch
    monkeypatch.setattr(quadruplets, "read_patch", lambda path, *rest: read_files.append(path) or original(path, *rest))
    pair(*own_data, tmp_path / "labels.json")
    assert len(read_files) == 16
    path = next(own_data[0].rglob("*_lc_44_p30.tif"))
    replace(path, np.full((4, 64, 64), 17, np.uint16))
    found = pair(*own_data, tmp_path / "labels.json")
    assert read_files[16:] == [path]
    assert next(patch.label for patch in found.patches if patch.name == "1158_spring_44_p30") == 9


def test_a_damaged_image_is_named_with_a_hint(own_data, tmp_path):
    path = next(own_data[1].rglob("*_s2_cloudy_31_p30.tif"))
    path.unlink()
    path.write_bytes(b"nothing")
    found = pair(*own_data, tmp_path / "labels.json")
    with pytest.raises(InputError, match=r"s2_cloudy_31_p30\.tif: cannot be read") as caught:
        covers.find_covers(found.of_split("test"), tmp_path / "cover")
    assert "--exclude 1158_spring_31_p30" in caught.value.hint


# covers


def test_cover_is_the_s2cloudless_fraction_at_ten_metres(pairs, tmp_path):
    wanted = pairs.of_split("test")
    assert covers.find_covers(wanted, tmp_path / "cover") == 8
    exact = detector("s2cloudless", CloudSettings(threshold=0.4, average=4, dilation=2, factor=1))
    found = []
    for patch in wanted:
        image = read(patch.files["s2_cloudy"]).astype(np.float32) / 10000
        expected = replaced(detect_in(exact, image).classes)
        cover = covers.read_cover(patch, tmp_path / "cover")
        assert np.array_equal(cover.mask, expected)
        assert cover.cover == pytest.approx(expected.mean())
        found.append(cover.cover)
    assert max(found) > 0.5
    assert covers.find_covers(wanted, tmp_path / "cover") == 0


def test_pixels_without_data_are_neither_cloudy_nor_clear(own_data, tmp_path):
    path = next(own_data[1].rglob("*_s2_cloudy_31_p30.tif"))
    values = read(path)
    values[:, :32] = 0
    replace(path, values)
    (patch,) = [p for p in pair(*own_data, tmp_path / "labels.json").patches if p.name == "1158_spring_31_p30"]
    covers.find_covers([patch], tmp_path / "cover")
    found = covers.read_cover(patch, tmp_path / "cover")
    assert not found.mask[:32].any()
    assert found.cover == pytest.approx(found.mask[32:].mean())


def test_a_changed_image_needs_a_new_cloud_detection(own_data, tmp_path):
    wanted = pair(*own_data, tmp_path / "labels.json").of_split("test")
    covers.find_covers(wanted, tmp_path / "cover")
    replace(wanted[2].files["s2_cloudy"], read(wanted[2].files["s2"]))
    with pytest.raises(InputError, match="--step cover"):
        covers.read_cover(wanted[2], tmp_path / "cover")
    assert covers.find_covers(wanted, tmp_path / "cover") == 1
    assert covers.read_cover(wanted[2], tmp_path / "cover").cover < 0.5


# cleaned patches


def test_both_versions_equal_the_output_of_the_clean_command(pairs, small_model, tmp_path):
    wanted = pairs.of_split("test")[:3]
    covers.find_covers(wanted, tmp_path / "cover")
    cleaning.clean_patches(wanted, small_model, tmp_path / "cover", tmp_path / "cleaned", device="cpu", runtime="torch")
    network = TorchRuntime(load_network(small_model), choose_device("cpu"), 64)
    for patch in wanted:
        mask = covers.read_cover(patch, tmp_path / "cover").mask
        found = cleaning.read_cleaned(patch, small_model, tmp_path / "cleaned")
        for name, everything in (("removed", False), ("removed_raw", True)):
            scene = Scene.open(patch.files["s2_cloudy"], patch.files["s1"], s2_unit="dn", s2_offset=0, s1_unit="db")
            task = CloudRemoval(
                scene, small_model.card, lambda _, a, b, m=mask: m[a:b].astype(np.uint8), 4, Margins.all(4),
                replace_all=everything,
            )  # fmt: skip
            layers: dict[str, np.ndarray] = {}

            def write(role, row, values, layers=layers):
                whole = layers.setdefault(role, np.zeros((len(values), 64, 64), values.dtype))
                whole[:, row : row + values.shape[1]] = values

            run_task(task, scene, network, write, Silent())
            assert np.array_equal(found.images[name], layers["cleaned"])
        assert (found.sigma > 0).any() == mask.any()


def test_clear_pixels_equal_the_cloudy_image_bit_for_bit(pairs, small_model, tmp_path):
    wanted = pairs.of_split("test")
    covers.find_covers(wanted, tmp_path / "cover")
    cleaning.clean_patches(wanted, small_model, tmp_path / "cover", tmp_path / "cleaned", device="cpu", runtime="torch")
    untouched = changed = 0
    for patch in wanted:
        found = cleaning.read_cleaned(patch, small_model, tmp_path / "cleaned")
        cloudy = read(patch.files["s2_cloudy"])
        kept = found.sigma == 0
        assert np.array_equal(found.images["removed"][:, kept], cloudy[:, kept])
        untouched += int(kept.sum())
        changed += int((found.images["removed_raw"] != cloudy).any(axis=0).sum())
    assert untouched > 1000
    assert changed > 7 * 64 * 64


def test_patches_are_cleaned_again_for_another_model(pairs, small_model, tmp_path):
    from dataclasses import replace as with_changes

    wanted = pairs.of_split("test")[:1]
    covers.find_covers(wanted, tmp_path / "cover")
    folders = tmp_path / "cover", tmp_path / "cleaned"
    assert cleaning.clean_patches(wanted, small_model, *folders, device="cpu", runtime="torch") == 1
    assert cleaning.clean_patches(wanted, small_model, *folders, device="cpu", runtime="torch") == 0
    other = with_changes(small_model, card=with_changes(small_model.card, temperature=()))
    with pytest.raises(InputError, match="--step clean"):
        cleaning.read_cleaned(wanted[0], other, tmp_path / "cleaned")


# the classifier and its maps


@pytest.fixture
def judge(small_classifier) -> Judge:
    return Judge(small_classifier, choose_device("cpu"))


def test_a_patch_of_tile_size_gets_the_logits_of_the_network(judge, small_classifier, land_dn):
    dn = land_dn(64, 64)
    (x,) = judge.inputs(dn, None)
    standard = small_classifier.card.standardisation
    band = small_classifier.card.bands.index("B08")
    assert x[band] == pytest.approx(
        (dn[7].astype(np.float32) - standard.mean[band]) / standard.deviation[band], abs=1e-4
    )
    found = judge.answers([judge.inputs(dn, None)])
    with torch.inference_mode():
        expected = load_classifier(small_classifier)(torch.from_numpy(x[None]))
    assert found.logits == pytest.approx(expected.numpy(), abs=1e-4)


def test_a_larger_patch_is_classified_in_windows_over_its_crop(judge, land_dn):
    seen = np.zeros((224, 224), int)
    for place in judge.windows((224, 224)):
        assert seen[place].shape == (64, 64)
        seen[place] += 1
    assert seen.min() >= 1
    dn = land_dn(256, 256)
    windows = judge.inputs(dn, None)
    assert len(windows) == 16
    each = np.concatenate([judge.answers([window[None]]).logits for window in windows])
    assert judge.answers([windows]).logits[0] == pytest.approx(each.mean(axis=0), abs=1e-4)


def test_the_centre_crop_is_that_of_the_paper():
    image = np.arange(256 * 256).reshape(256, 256)
    assert centre(image, 224).shape == (224, 224)
    assert centre(image, 224)[0, 0] == 16 * 256 + 16
    assert centre(image[:100], 224).shape == (100, 224)


def test_a_classifier_of_other_classes_is_refused(small_classifier):
    from dataclasses import replace as with_changes

    for changes in ({"classes": small_classifier.card.classes[::-1]}, {"multi_label": True}):
        other = with_changes(small_classifier, card=with_changes(small_classifier.card, **changes))
        with pytest.raises(ModelError, match="ten simplified IGBP classes"):
            check_classes(other)


@pytest.mark.parametrize("method", ["gradcam", "hirescam"])
def test_a_single_window_gives_the_saliency_map_of_the_network(judge, land_dn, method):
    crop = judge.standardised(land_dn(64, 64), None)
    for target in range(10):
        (found,) = explained.evidence(judge, crop, [(target, "layer3", method)])
        expected = to_image(explain(judge.module, torch.from_numpy(crop[None]), target, "layer3", method).raw, 64, 64)[
            0
        ]
        assert found == pytest.approx(expected.numpy(), abs=1e-6)


def test_saliency_over_many_windows_covers_the_crop_without_seams(judge, land_dn):
    crop = judge.standardised(np.full((13, 224, 224), 1000, np.uint16), None)
    maps = explained.evidence(judge, crop, [(target, "layer4", "gradcam") for target in range(10)])
    found = max(maps, key=lambda one: one.sum())
    assert found.shape == (224, 224)
    assert np.isfinite(found).all() and found.sum() > 0
    # uniform ground: the map has no pattern of window borders beyond the variation within a window
    inside = found[64:-64, 64:-64]
    assert np.abs(np.diff(inside, axis=0)).max() < 0.2 * inside.max()


def test_cases_match_their_definition(columns):
    small = {name: values[:6].copy() for name, values in columns.items()}
    small["split"][:] = "test"
    small["label"][:] = [0, 0, 0, 0, 0, 0]

    def says(classes, confidence):
        logits = np.zeros((6, 10), np.float32)
        logits[np.arange(6), classes] = confidence
        return logits

    small["logits_clear"] = says([0, 0, 1, 1, 0, 1], [5, 5, 5, 5, 5, 5])
    small["logits_cloudy"] = says([1, 1, 1, 0, 1, 1], [5] * 6)
    small["logits_removed"] = says([2, 2, 0, 0, 0, 2], [3, 6, 4, 4, 4, 7])
    part = make_table(small)
    found = {kind: [c.row for c in explained.find_cases(part, "removed") if c.kind == kind] for kind in explained.KINDS}
    assert found["wrong"] == [1, 0]
    assert found["inpainting"] == [2]
    assert found["confident"] == [5]
    assert explained.chosen_cases(part, [str(part.patch[3])], "removed") == [explained.Case("chosen", "removed", 3)]
    with pytest.raises(InputError, match="--explain nobody"):
        explained.chosen_cases(part, ["nobody"], "removed")


def test_examples_are_chosen_by_cover_only_and_have_clouds(columns):
    columns["cover"] = np.linspace(0, 1, len(columns["cover"]))[::-1].copy()
    part = make_table(columns).of_split("test")
    covers_shown = [part.cover[list(part.patch).index(name)] for name in chosen_examples(part)]
    assert len(covers_shown) == 6
    assert covers_shown == sorted(covers_shown)
    assert np.diff(covers_shown).std() < 0.01
    columns["cover"][:] = 0
    assert chosen_examples(make_table(columns).of_split("test")) == []


def test_image_metrics_match_their_definitions():
    rng = np.random.default_rng(0)
    clear = rng.integers(500, 3000, (13, 32, 32)).astype(np.uint16)
    found = logits.figures_of(clear + np.uint16(100), clear)
    assert found["psnr"] == pytest.approx(40, abs=1e-3)
    assert found["mae"] == pytest.approx(0.01, abs=1e-6)
    assert found["detail"] == pytest.approx(1, abs=1e-6)
    same = logits.figures_of(clear, clear)
    assert same["psnr"] == np.inf and same["ssim"] == 1 and same["sam"] == 0
    bright = logits.figures_of(np.full_like(clear, 20000), np.full_like(clear, 10000))
    assert bright["mae"] == 0


def test_cleaning_improves_a_real_cloudy_patch(shared, tmp_path):
    from sunbreak.datasets.sen12ms import find_patches
    from sunbreak.models.registry import DEFAULT_REMOVAL, find_model

    found = next(p for p in find_patches(shared / "data" / "sen12mscr").patches if p.place.scene == 139)
    assert found.place.split == "test"
    patch = quadruplets.Quadruplet(found.place.name, "test", 0, found.files)
    model = find_model(DEFAULT_REMOVAL)
    covers.find_covers([patch], tmp_path / "cover")
    cleaning.clean_patches([patch], model, tmp_path / "cover", tmp_path / "cleaned", device="cpu", runtime="torch")
    assert covers.read_cover(patch, tmp_path / "cover").cover > 0.9
    clear = quadruplets.read_patch(patch.files["s2"], "s2", patch.name)
    cloudy = quadruplets.read_patch(patch.files["s2_cloudy"], "s2_cloudy", patch.name)
    before = logits.figures_of(cloudy, clear)
    for image in cleaning.read_cleaned(patch, model, tmp_path / "cleaned").images.values():
        after = logits.figures_of(image, clear)
        assert after["psnr"] > before["psnr"] + 4
        assert after["ssim"] > before["ssim"] + 0.1
        # ground under thick clouds is reconstructed without detail
        assert after["detail"] < 0.5
