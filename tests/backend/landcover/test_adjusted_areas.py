"""Areas adjusted by the confusion that a card holds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sunbreak.errors import ModelError
from sunbreak.landcover.adjusted_areas import adjust, held_out
from sunbreak.models.card import ModelCard

CONFUSION = (np.eye(9, dtype=int) * 90 + 10).tolist()


def with_confusion(card: ModelCard, confusion: object) -> ModelCard:
    groups = (
        {"data": "calibration", "figures": {"accuracy": 0.8}},
        {"data": "held out", "figures": {"confusion": confusion}},
    )
    return replace(card, metrics=groups)


def test_the_first_confusion_of_the_card_is_used(small_pixels):
    found = held_out(with_confusion(small_pixels.card, CONFUSION))
    assert found.data == "held out"
    mapped = np.zeros(9)
    mapped[[0, 4]] = 30, 10
    areas = adjust(small_pixels.card, found, mapped)
    # of 180 pixels predicted as any class, 100 are of it and 10 of each other one
    by_name = {area.name: area for area in areas}
    assert by_name["Water"].hectares == pytest.approx((30 * 100 + 10 * 10) / 180)
    assert by_name["Crops"].hectares == pytest.approx((30 * 10 + 10 * 100) / 180)
    assert by_name["Built"].hectares == pytest.approx(40 * 10 / 180)
    assert (by_name["Water"].mapped, by_name["Built"].mapped) == (30, 0)
    assert areas[0].name == "Water"
    assert sum(area.hectares for area in areas) == pytest.approx(40)


def test_cards_without_a_confusion_and_patch_classifiers_adjust_nothing(small_pixels, small_classifier):
    assert held_out(small_pixels.card) is None
    assert held_out(with_confusion(small_classifier.card, CONFUSION)) is None


def test_too_few_held_out_pixels_of_a_mapped_class_adjust_nothing(small_pixels):
    confusion = np.array(CONFUSION)
    confusion[:, 8] = 0
    found = held_out(with_confusion(small_pixels.card, confusion.tolist()))
    assert adjust(small_pixels.card, found, np.ones(9)) == []


@pytest.mark.parametrize("wrong", [[[1, 2], [3, 4]], "none", None, [[-1] * 9] * 9, [[None] * 9] * 9, {"a": 1}])
def test_what_is_no_confusion_of_these_classes_is_refused(small_pixels, wrong):
    with pytest.raises(ModelError, match="no 9 x 9 counts"):
        held_out(with_confusion(small_pixels.card, wrong))
