"""Figures of the study of pixels from counts that are small enough to work out by hand."""

from __future__ import annotations

import csv
import re
from html import unescape

import numpy as np
import pytest

from sunbreak.errors import InputError
from sunbreak.models.legends import DYNAMIC_WORLD, SIMPLIFIED_IGBP
from sunbreak.studies.downstream.per_pixel.against_labels import counterparts
from sunbreak.studies.downstream.per_pixel.counting import COMPARED, PixelCounts
from sunbreak.studies.downstream.per_pixel.numbers_csv import pixel_numbers
from sunbreak.studies.downstream.per_pixel.page import write_pixel_report
from sunbreak.studies.downstream.per_pixel.results import evaluate_pixels, resampled

WATER, TREES, GRASS, BUILT = 0, 1, 2, 6
FOREST, SAVANNA, GRASSLAND, IGBP_WATER = 0, 2, 3, 9
NAMES = tuple(kind.name for kind in DYNAMIC_WORLD)


def matrix(**cells: int) -> np.ndarray:
    """Pixels by class on the clear image and class, from `c<clear>_<class>=pixels`."""
    found = np.zeros((9, 9), np.int64)
    for name, pixels in cells.items():
        row, column = map(int, name[1:].split("_"))
        found[row, column] = pixels
    return found


@pytest.fixture
def counts() -> PixelCounts:
    """Three patches of 100 pixels: 100 of trees, 60 of grass and 20 built, 50 of water; two patches have clouds.

    The first has 40 replaced pixels, of which cleaning turns 10 to grass; clouds turn all of them to built. In the
    second the clouds leave nothing unchanged and cleaning turns built to grass. The third is clear; of its pixels, only
    50 are valid, and 5 differ by the date.
    """
    third = matrix(c0_0=45, c0_1=5)
    removed = [(matrix(c1_1=60), matrix(c1_1=30, c1_2=10)), (matrix(), matrix(c2_2=60, c6_2=20)), (third, matrix())]
    cloudy = [(matrix(c1_1=60), matrix(c1_6=40)), (matrix(), matrix(c2_8=60, c6_6=20)), (third, matrix())]
    gradient = np.zeros((3, 9))
    gradient[0, TREES], gradient[1, GRASS], gradient[1, BUILT], gradient[2, WATER] = 20.0, 6.0, 10.0, 1.0
    pixels = np.zeros((3, 9), np.int64)
    pixels[0, TREES], pixels[1, GRASS], pixels[1, BUILT], pixels[2, WATER] = 100, 60, 20, 50
    return PixelCounts(
        patch=np.array(["a_b_1_p1", "a_b_1_p2", "a_b_1_p3"]),
        label=np.array([FOREST, SAVANNA, IGBP_WATER]),
        cover=np.array([0.4, 1.0, 0.0]),
        pixels=np.array([100, 100, 100]),
        confusion={
            "removed": np.array([np.stack(one) for one in removed]),
            "removed_raw": np.array([np.stack(one) for one in removed]),
            "cloudy": np.array([np.stack(one) for one in cloudy]),
        },
        gradient=gradient,
        gradient_pixels=pixels,
        classes=NAMES,
    )


@pytest.fixture
def evaluation(counts):
    return evaluate_pixels(counts, replicates=40)


def value(found):
    """The value of an estimate, to compare."""
    return pytest.approx(found.value)


def test_agreement_is_counted_over_all_replaced_and_kept_pixels(evaluation):
    found = {
        place: {name: one.overall["agreement"] for name, one in parts.items()}
        for place, parts in evaluation.versions.items()
    }
    # 60 + 30 + 60 + 45 of 230 pixels; replaced: 30 + 60 of 120; kept: 60 + 45 of 110
    assert [value(found[place]["removed"]) for place in ("all", "replaced", "kept")] == [195 / 230, 90 / 120, 105 / 110]
    assert [value(found[place]["cloudy"]) for place in ("all", "replaced", "kept")] == [125 / 230, 20 / 120, 105 / 110]
    interval = found["all"]["removed"]
    assert interval.low < interval.value < interval.high


def test_f1_of_a_class_and_its_mean_follow_from_the_confusion(evaluation):
    removed = evaluation.versions["all"]["removed"]
    expected = {TREES: 180 / 195, GRASS: 120 / 150, BUILT: 0.0, WATER: 90 / 95}
    for kind, f1 in expected.items():
        assert f1 == value(removed.f1[kind])
    # four classes are on the clear images
    assert sum(expected.values()) / 4 == value(removed.overall["macro_f1"])
    assert removed.confusion[BUILT, GRASS] == 20 and removed.fractions[TREES, GRASS] == pytest.approx(0.1)
    assert np.isnan(removed.fractions[8]).all()


def test_differences_are_those_of_the_versions(evaluation):
    difference = evaluation.differences["replaced"][0]
    assert (difference.second, difference.first) == ("removed", "cloudy")
    assert value(difference.overall["agreement"]) == (90 - 20) / 120


def test_classes_gain_and_lose_area_by_cleaning(evaluation):
    areas = evaluation.areas["all"]
    assert areas.pixels["clear"][[WATER, TREES, GRASS, BUILT]].tolist() == [50, 100, 60, 20]
    assert areas.pixels["removed"][[WATER, TREES, GRASS, BUILT]].tolist() == [45, 95, 90, 0]
    assert value(areas.fractions["clear"][GRASS]) == 60 / 230
    assert value(areas.changes["removed"][GRASS]) == 30 / 230
    assert value(areas.changes["removed"][BUILT]) == -20 / 230
    assert sum(one.value for one in areas.changes["cloudy"]) == pytest.approx(0)


def test_detail_is_the_gradient_of_a_pixel_and_is_compared_with_the_gain(evaluation):
    detail = evaluation.detail
    found = {kind: detail.gradient[kind].value for kind in (WATER, TREES, GRASS, BUILT)}
    assert found == pytest.approx({WATER: 0.02, TREES: 0.2, GRASS: 0.1, BUILT: 0.5})
    assert np.flatnonzero(detail.compared).tolist() == [WATER, TREES, GRASS, BUILT]
    # detail: water, grass, trees, built; gain: built 0, water 0.9, trees 0.95, grass 1.5: ranks 1 2 3 4 and 2 4 3 1
    assert value(detail.rho["removed"]) == 1 - 6 * (1 + 4 + 0 + 9) / 60


def test_bins_of_cloud_cover_hold_their_patches_only(evaluation):
    table = evaluation.by_cover["all"]
    assert dict(zip(table.binning.titles, table.binning.count, strict=True))["30–40 %"] == 1
    agreement = dict(zip(table.binning.titles, table.figures["removed"]["agreement"], strict=True))
    assert [value(agreement[title]) for title in ("0 %", "30–40 %", "90–100 %")] == [45 / 50, 90 / 100, 60 / 80]
    assert np.isnan(agreement["10–20 %"].value)
    assert np.isnan(evaluation.by_cover["replaced"].figures["removed"]["agreement"][0].value)


def test_the_label_of_a_patch_is_compared_with_the_class_of_most_pixels(evaluation):
    clear, cloudy = evaluation.labels["clear"], evaluation.labels["cloudy"]
    # Savanna has no counterpart; the other two are right on the clear images
    assert (clear.patches, clear.without) == (2, 1)
    assert clear.accuracy.value == 1 and clear.confusion[SAVANNA, GRASSLAND] == 1
    assert clear.confusion[FOREST, FOREST] == clear.confusion[IGBP_WATER, IGBP_WATER] == 1
    assert cloudy.confusion[SAVANNA, 7] == 1
    assert cloudy.accuracy.value == 1  # 60 pixels of trees outlast 40 that became built


def test_classes_without_counterpart_have_no_labels(counts):
    from dataclasses import replace

    assert counterparts(NAMES)[TREES] == FOREST
    assert counterparts(tuple(kind.name for kind in SIMPLIFIED_IGBP)) == tuple(range(10))
    found = evaluate_pixels(replace(counts, classes=tuple("abcdefghi")), replicates=10)
    assert found.labels == {}
    assert not [number for number in pixel_numbers(found) if number.section == "pixel_labels"]


def test_resamples_sum_over_the_patches_that_were_drawn():
    values = np.arange(12).reshape(3, 2, 2)
    draws = np.array([[1, 1, 1], [0, 3, 0]], np.float32)
    np.testing.assert_array_equal(resampled(values, draws), [values.sum(axis=0), 3 * values[1]])


def test_exclusions_are_counted(evaluation):
    found = {remark.topic: remark for remark in evaluation.remarks}
    assert found["invalid pixels"].count == 70
    assert found["replaced pixels"].count == 120 and "52.2 %" in found["replaced pixels"].text


def test_patches_without_common_pixels_are_refused(counts):
    from dataclasses import replace

    nothing = {name: np.zeros_like(values) for name, values in counts.confusion.items()}
    with pytest.raises(InputError, match="no pixel that is valid everywhere"):
        evaluate_pixels(replace(counts, confusion=nothing))


def test_the_report_has_tables_pictures_and_every_number_once(evaluation, tmp_path):
    pytest.importorskip("matplotlib")
    made = write_pixel_report(evaluation, "small <b>", tmp_path)
    page = unescape((tmp_path / "report.html").read_text(encoding="utf-8"))
    links = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert not [link for link in links if not (tmp_path / link).is_file()]
    assert {"pixel_confusion", "pixel_confusion_replaced", "pixel_areas", "pixel_by_cover"} < made.keys()
    assert "small &lt;b&gt; gives a class" in (tmp_path / "report.html").read_text(encoding="utf-8")
    found = evaluation.versions["replaced"]["removed"].overall["agreement"]
    assert f"0.750 ({found.low:.3f} to {found.high:.3f})" in page
    assert "1 of 3 patches have a label without a counterpart" in page
    with made["csv_numbers"].open(encoding="utf-8", newline="") as file:
        _, *rows = csv.reader(file)
    keys = [tuple(row[:5]) for row in rows]
    assert len(set(keys)) == len(keys) == len(pixel_numbers(evaluation))
    by_key = dict(zip(keys, rows, strict=True))
    lost = by_key["pixel_confusion", "", "removed", "Trees as Grass, replaced pixels", "fraction"]
    assert (float(lost[5]), int(lost[8])) == (0.25, 10)
    assert float(by_key["pixel_areas", "", "removed-clear", "Grass, all pixels", "fraction"][5]) == pytest.approx(
        30 / 230
    )
    assert set(COMPARED) == {row[2] for row in rows if row[0] == "pixel_agreement"}
