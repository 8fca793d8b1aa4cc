"""Cloud masks against reference masks: classes that codings tell, other grids, no data, strips, and a human mask."""

from __future__ import annotations

import math

import numpy as np
import pytest
from affine import Affine
from sklearn import metrics

from sunbreak.errors import Cancelled, InputError
from sunbreak.evaluation import clouds
from sunbreak.evaluation.clouds import CloudAgreement, compare_masks, told
from sunbreak.metrics.mask_agreement import Agreement

SCL_CODES = {"clear": (4, 5, 6), "thick cloud": (8, 9), "thin cloud": (10,), "shadow": (3,)}
SCL_CODES |= {"cloud": (8, 9, 10), "replaced": (3, 8, 9, 10)}


def scl(seed: int, rows: int = 40, columns: int = 50) -> np.ndarray:
    rng = np.random.default_rng(seed)
    coarse = rng.choice([3, 4, 5, 6, 8, 9, 10], (rows // 5 + 1, columns // 5 + 1))
    return np.kron(coarse, np.ones((5, 5), int))[:rows, :columns].astype("uint8")


def noisy(codes: np.ndarray, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.where(rng.random(codes.shape) < 0.2, scl(seed, *codes.shape), codes).astype("uint8")


def test_every_class_of_two_scene_classifications_is_measured_as_scikit_learn_does(write):
    truth = scl(1)
    guess = noisy(truth, 2)
    found = compare_masks(write("SCL.tif", guess[None]), write("ref_SCL.tif", truth[None]))
    assert list(found.classes) == ["clear", "thick cloud", "thin cloud", "cloud", "shadow", "replaced"]
    for name, values in SCL_CODES.items():
        theirs, ours = np.isin(truth, values).ravel(), np.isin(guess, values).ravel()
        figures = found.classes[name].figures()
        assert figures["f1"] == pytest.approx(metrics.f1_score(theirs, ours))
        assert figures["balanced_accuracy"] == pytest.approx(metrics.balanced_accuracy_score(theirs, ours))
    assert (found.compared, found.left_out) == (2000, 0)


def test_a_binary_mask_tells_neither_shadow_nor_thickness(write):
    truth = scl(1)
    binary = write("mask.tif", np.isin(truth, (8, 9, 10)).astype("uint8")[None])
    reference = write("ref_SCL.tif", truth[None])
    found = compare_masks(binary, reference)
    assert found.not_told == ("thick cloud", "thin cloud", "shadow")
    assert found.classes["cloud"].figures() == dict.fromkeys(found.classes["cloud"].figures(), 1.0)
    # shadows that the mask does not know are missed
    missed = found.classes["replaced"].figures()
    assert missed["precision"] == 1
    assert missed["recall"] == pytest.approx(np.isin(truth, (8, 9, 10)).sum() / np.isin(truth, (3, 8, 9, 10)).sum())
    # but a reference without shadows cannot call predicted shadows wrong
    assert set(compare_masks(reference, binary).classes) == {"cloud"}
    assert set(compare_masks(binary, binary).classes) == {"clear", "cloud", "replaced"}


@pytest.mark.parametrize(
    ("predicted", "reference", "names"),
    [
        ({0, 1, 2, 3}, {0, 1, 2, 3}, tuple(clouds.CLASSES)),
        ({0, 1, 3}, {0, 1, 2, 3}, ("clear", "cloud", "shadow", "replaced")),
        ({0, 1}, {0, 2}, ("clear", "cloud", "replaced")),
        ({0, 1, 2}, {0, 1, 2}, ("clear", "thick cloud", "thin cloud", "cloud", "replaced")),
    ],
)
def test_a_class_is_told_if_both_codings_can_express_it(predicted, reference, names):
    assert told(frozenset(predicted), frozenset(reference)) == names


def test_a_class_without_a_pixel_is_told_but_not_defined(write):
    truth = np.full((1, 40, 50), 4, "uint8")
    found = compare_masks(write("a_SCL.tif", truth), write("b_SCL.tif", truth))
    assert math.isnan(found.classes["shadow"].figures()["f1"])
    assert found.classes["clear"].figures()["f1"] == 1


def test_a_probability_is_cut_before_it_is_compared(write):
    values = np.zeros((1, 40, 50), "float32")
    values[0, :10] = 0.7
    mask = (values >= 0.5).astype("uint8") * np.uint8(255)
    found = compare_masks(write("cloud_probability.tif", values), write("m.tif", mask))
    assert found.classes["cloud"].exact.tp == 500 and found.classes["cloud"].figures()["iou"] == 1


def test_the_prediction_is_laid_on_the_grid_of_the_reference(write):
    truth = scl(1)
    coarse = write("SCL_50m.tif", truth[2::5, 2::5][None], transform=Affine(50, 0, 600_000, 0, -50, 5_200_000))
    found = compare_masks(coarse, write("ref_SCL.tif", truth[None]))
    assert found.compared == 2000
    assert all(counts.figures()["iou"] == 1 for counts in found.classes.values())
    back = compare_masks(write("ref_SCL.tif", truth[None]), coarse)
    assert back.compared == 80 and back.classes["shadow"].figures()["iou"] == 1


def test_pixels_without_data_in_either_mask_are_left_out_and_counted(write):
    truth = np.full((40, 50), 4, "uint8")
    truth[:, :10] = 9
    guess = truth.copy()
    truth[:4] = 0  # no data of a scene classification
    # the prediction reaches only to column 30
    mask = (guess[:, :30] == 9).astype("uint8")
    mask[20, :3] = 255
    found = compare_masks(write("mask.tif", mask[None], nodata=255), write("SCL.tif", truth[None]))
    known = np.ones((40, 50), bool)
    known[:4] = known[:, 30:] = known[20, :3] = False
    assert (found.compared, found.left_out) == (known.sum(), (~known).sum())
    assert found.classes["cloud"].exact.tp == (known & (guess == 9)).sum()
    assert found.classes["cloud"].exact.fn == found.classes["cloud"].exact.fp == 0


@pytest.mark.parametrize("tolerance", [0, 1, 3])
def test_strips_give_the_counts_of_the_whole_masks(write, monkeypatch, tolerance):
    truth = scl(3)
    paths = write("SCL.tif", noisy(truth, 4)[None]), write("ref_SCL.tif", truth[None])
    whole = compare_masks(*paths, tolerance=tolerance)
    monkeypatch.setattr(clouds, "_STRIP_PIXELS", 150)
    rows = []
    assert compare_masks(*paths, tolerance=tolerance, checkpoint=lambda done, total: rows.append(done)) == whole
    assert rows == [*range(0, 40, max(3, 2 * tolerance)), 40]


def test_masks_that_cannot_be_compared_are_refused(write):
    mask = np.zeros((1, 40, 50), "uint8")
    far = write("far.tif", mask, transform=Affine(10, 0, 700_000, 0, -10, 5_200_000))
    reference = write("ref.tif", mask)
    with pytest.raises(
        InputError, match=r"far\.tif does not overlap .*ref\.tif: it covers \(700000, .*600000"
    ) as caught:
        compare_masks(far, reference)
    assert caught.value.code == "no-overlap"
    with pytest.raises(InputError, match=r"nothing\.tif: no pixel has data both here and in .*ref\.tif") as caught:
        compare_masks(write("nothing.tif", np.full((1, 40, 50), 255, "uint8"), nodata=255), reference)
    assert caught.value.code == "all-nodata"
    with pytest.raises(InputError, match="tolerance is -1 pixels"):
        compare_masks(reference, reference, tolerance=-1)
    with pytest.raises(InputError, match=r"missing\.tif: there is no such mask file"):
        compare_masks(reference, reference.with_name("missing.tif"))


def test_counts_of_pairs_with_other_codings_add_up(write):
    truth = scl(1)
    full = compare_masks(write("SCL.tif", noisy(truth, 5)[None]), write("ref_SCL.tif", truth[None]))
    binary = write("mask.tif", np.isin(truth, (8, 9, 10)).astype("uint8")[None])
    total = sum([full, compare_masks(binary, binary)], CloudAgreement())
    assert total.classes["shadow"] == full.classes["shadow"]
    assert total.classes["cloud"].exact.pixels == total.compared == 4000
    assert total.notes == (*full.notes, "mask.tif is taken as a binary mask: 1 is cloud.")
    assert CloudAgreement({"cloud": Agreement()}).not_told == (
        "clear",
        "thick cloud",
        "thin cloud",
        "shadow",
        "replaced",
    )


def test_a_comparison_can_be_cancelled(write):
    mask = write("m.tif", np.zeros((1, 40, 50), "uint8"))

    def stop(_done: int, _total: int) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        compare_masks(mask, mask, checkpoint=stop)


def test_a_human_mask_agrees_with_itself_moved_only_within_the_tolerance(write, shared):
    file = shared / "data" / "ukis_csmask" / "sentinel2.npz"
    if not file.is_file():
        pytest.skip("the human mask is not here")
    human = np.load(file)["msk"][..., 0]
    # 0 shadow, 1 water, 3 land, 4 cloud, as a scene classification
    truth = np.array([3, 6, 0, 4, 9], "uint8")[human]
    moved = np.roll(truth, 1, 1)
    moved[:, 0] = 0
    found = compare_masks(write("moved_SCL.tif", moved[None]), write("SCL.tif", truth[None]), tolerance=1)
    assert (found.compared, found.left_out) == (512 * 511, 512)
    known = np.s_[:, 1:]
    for name, value in (("cloud", 9), ("shadow", 3)):
        theirs, ours = (truth[known] == value).ravel(), (moved[known] == value).ravel()
        exact, tolerant = found.classes[name].figures(), found.classes[name].tolerant_figures()
        assert exact["f1"] == pytest.approx(metrics.f1_score(theirs, ours))
        assert 0.8 < exact["f1"] < 0.97
        assert tolerant["recall"] > 0.998 and tolerant["precision"] == 1.0
        assert tolerant["iou"] > exact["iou"]
