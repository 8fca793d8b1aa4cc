"""The numbers of the report, compared with an independent implementation with scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as sk

from sunbreak.errors import InputError
from sunbreak.studies.downstream.results import evaluate
from sunbreak.studies.downstream.results_csv import numbers
from sunbreak.studies.downstream.separation import PUBLISHED, published
from sunbreak.studies.downstream.table import columns_of, make_table


@pytest.fixture(scope="module")
def evaluation(table):
    return evaluate(table, replicates=60)


def paper_score(name, logits, label):
    """The scores patch by patch, as in the code of the paper."""
    powers = np.exp(logits)
    probabilities = powers / (np.sum(powers) + np.float32(1e-15))
    return {
        "max_probability": np.max(probabilities),
        "cross_entropy": -np.sum(np.log(probabilities) * np.eye(10)[label]),
        "precision": np.sum(powers),
        "logit_sum": np.sum(logits),
    }[name]


def test_paper_mode_computes_separability_as_in_the_paper(evaluation):
    part = evaluation.table
    assert len(evaluation.modes["paper"].separations) == 4 * 3
    for one in evaluation.modes["paper"].separations:
        rows = part.cover > 0.1 if one.other == "cloudy" else np.ones(400, bool)
        sides = [
            [
                paper_score(one.score.name, row, label)
                for row, label in zip(part.logits[key][rows], part.label[rows], strict=True)
            ]
            for key in ("clear", one.other)
        ]
        truth = [1] * len(sides[0]) + [0] * len(sides[1])
        precision, recall, _ = sk.precision_recall_curve(truth, sides[0] + sides[1])
        assert one.patches == rows.sum()
        assert one.pr.value == pytest.approx(sk.auc(recall, precision), abs=5e-5)
        assert one.roc.value == pytest.approx(sk.roc_auc_score(truth, sides[0] + sides[1]), abs=5e-5)
        assert one.fpr95 is None


def test_corrected_mode_orients_each_score_and_uses_all_patches(evaluation):
    paper = {(one.score.name, one.other): one for one in evaluation.modes["paper"].separations}
    for one in evaluation.modes["corrected"].separations:
        assert one.patches == 400
        assert 0.5 <= one.either_way <= 1
        if one.score.paper and one.other == "removed":
            unoriented = paper[one.score.name, one.other].roc.value
            expected = unoriented if one.score.clear_is_high else 1 - unoriented
            assert one.roc.value == pytest.approx(expected, abs=1e-4)


def test_a_low_paper_area_of_cross_entropy_is_a_strong_corrected_score(evaluation):
    found = {
        mode: next(
            one.roc.value
            for one in evaluation.modes[mode].separations
            if (one.score.name, one.other) == ("cross_entropy", "cloudy")
        )
        for mode in ("paper", "corrected")
    }
    assert found["paper"] < 0.3
    assert found["corrected"] > 0.7


def test_macro_figures_follow_each_convention(evaluation):
    part = evaluation.table
    for name, found in evaluation.inputs.items():
        predicted = part.logits[name].argmax(axis=1)
        for average, labels in (("all", range(10)), ("occurring", None), ("supported", np.unique(part.label))):
            expected = sk.f1_score(part.label, predicted, labels=labels, average="macro", zero_division=0)
            assert found.macro[average]["f1"].value == pytest.approx(expected)


def test_bins_by_cover_agree_with_scikit_learn_in_both_modes(evaluation):
    part = evaluation.table
    for mode, offset in (("paper", 0), ("corrected", 1)):
        found = evaluation.modes[mode].by_cover
        for tenth in range(10):
            inside = (part.cover > tenth / 10) & (part.cover <= (tenth + 1) / 10)
            predicted = part.logits["removed"][inside].argmax(axis=1)
            labels = np.unique(part.label[inside]) if mode == "corrected" else None
            expected = sk.f1_score(part.label[inside], predicted, labels=labels, average="macro", zero_division=0)
            assert found.figures["removed"]["f1"][tenth + offset].value == pytest.approx(expected)
            assert found.binning.count[tenth + offset] == inside.sum()


def test_exclusions_are_counted_and_reported(evaluation, table):
    texts = {remark.topic: remark for remark in evaluation.remarks}
    assert "has the label Snow/Ice" in texts["classes without support"].text
    assert "In no split: Snow/Ice." in texts["classes without support"].text
    zero = int((evaluation.table.cover == 0).sum())
    assert zero > 5
    assert texts["bins of cloud cover, paper"].count == zero
    assert f"{zero} patches with cover exactly zero in a separate bin" in texts["bins of cloud cover, corrected"].text
    low = int((evaluation.table.quality["ssim", "removed"] <= 0.7).sum())
    assert texts["bins of SSIM of Cloud-removed, paper"].count == low
    pixels = int(evaluation.table.zero_pixels["removed"].sum())
    assert texts["all-zero pixels"].text.startswith(f"Cloud-removed: {pixels} pixels of {pixels // 12} patch")


def test_a_class_without_patches_is_reported_and_not_an_error(columns):
    keep = ~((columns["split"] == "test") & (columns["label"] == 9))
    table = make_table({name: values[keep] for name, values in columns.items()})
    found = evaluate(table, replicates=10, modes=("corrected",))
    remark = next(remark for remark in found.remarks if remark.topic == "classes without support")
    assert remark.count == 2
    assert "Snow/Ice, Water" in remark.text
    assert remark.text.endswith("In no split: Snow/Ice.")


def test_differences_are_paired_and_zero_for_equal_inputs(columns):
    columns["logits_cloudy"] = columns["logits_clear"].copy()
    found = evaluate(make_table(columns), replicates=20, modes=("corrected",))
    cloudy = next(one for one in found.differences if one.second == "cloudy")
    for estimate in cloudy.figures.values():
        assert (estimate.value, estimate.low, estimate.high) == (0, 0, 0)
    removed = next(one for one in found.differences if one.second == "removed")
    f1 = [found.inputs[name].macro["supported"]["f1"].value for name in ("clear", "removed")]
    assert removed.figures["macro_f1_supported"].value == pytest.approx(f1[1] - f1[0])
    assert removed.figures["macro_f1_supported"].high < 0


def test_the_default_output_is_compared_with_the_raw_prediction(evaluation):
    pair = next(one for one in evaluation.differences if (one.first, one.second) == ("removed_raw", "removed"))
    assert pair.figures["accuracy"].value > 0


def test_blurred_images_lose_more(evaluation):
    rho = {(one.figure, one.loss): one.rho for one in evaluation.correlations if one.input == "removed"}
    assert rho["detail", "true-class probability"].high < 0
    assert rho["sam", "true-class probability"].value > 0
    assert rho["detail", "macro F1"].value < -0.3


def test_feature_distances_need_clear_patches_of_another_split(make, columns):
    test_only = {name: values[columns["split"] == "test"] for name, values in columns.items()}
    found = evaluate(make_table(test_only), replicates=10, modes=("corrected",))
    assert not {"mahalanobis", "knn"} & {one.score.name for one in found.modes["corrected"].separations}
    assert any("distances are not computed" in remark.text for remark in found.remarks)
    with_features = evaluate(make(200, 200, features=8), replicates=10, modes=("corrected",))
    assert any("reference is 160 clear patches of the split 'train'" in r.text for r in with_features.remarks)
    by_name = {(one.score.name, one.other): one.roc.value for one in with_features.modes["corrected"].separations}
    assert by_name["mahalanobis", "cloudy"] > 0.6


def test_an_input_without_features_is_reported_and_has_other_scores(make):
    table = make(120, 100, features=8)
    partial = {**columns_of(table)}
    del partial["features_removed"]
    partial["features_cloudy"][:1] = np.nan
    found = evaluate(make_table(partial), replicates=10, modes=("corrected",))
    remark = next(remark for remark in found.remarks if remark.topic == "inputs without features")
    assert remark.count == 2
    assert "Cloud-removed, Cloudy" in remark.text
    scores = {(one.score.name, one.other) for one in found.modes["corrected"].separations}
    assert ("knn", "removed_raw") in scores and ("energy", "cloudy") in scores
    assert ("knn", "cloudy") not in scores and ("mahalanobis", "removed") not in scores


def test_undefined_image_metrics_are_counted(columns):
    columns["psnr_removed"][:3] = [np.inf, np.nan, np.nan]
    found = evaluate(make_table(columns), replicates=10, modes=("paper",))
    psnr = next(one for one in found.quality if (one.input, one.figure) == ("removed", "psnr"))
    assert (psnr.patches, psnr.infinite, psnr.unknown) == (397, 1, 2)
    assert psnr.mean.value == pytest.approx(columns["psnr_removed"][3:400].mean())


def test_a_table_with_cloudy_images_only_is_enough(columns):
    few = {name: columns[name] for name in ("patch", "split", "label", "cover", "logits_clear", "logits_cloudy")}
    found = evaluate(make_table(few), replicates=10)
    assert list(found.inputs) == ["clear", "cloudy"]
    assert not found.quality and not found.correlations and not found.modes["paper"].by_ssim


def test_the_seed_makes_all_numbers_repeatable(table):
    first, second = (numbers(evaluate(table, replicates=15, seed=4)) for _ in range(2))
    assert [number.row() for number in first] == [number.row() for number in second]


def test_a_single_patch_is_refused(columns):
    columns["split"] = np.array(["train"] * 599 + ["test"])
    with pytest.raises(InputError, match="'test' has a single patch"):
        evaluate(make_table(columns))


def test_published_values_are_compared_with_the_raw_prediction():
    both, one = ("clear", "removed", "removed_raw"), ("clear", "removed")
    expected = PUBLISHED["cross_entropy", "removed"]
    assert published("cross_entropy", "removed_raw", both) == expected
    assert published("cross_entropy", "removed", both) is None
    assert published("cross_entropy", "removed", one) == expected
    assert published("cross_entropy", "cloudy", both) == (0.381, 0.290)
    assert published("knn", "cloudy", both) is None
