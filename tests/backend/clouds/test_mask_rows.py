"""Class codes of a whole scene in two bits per pixel."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sunbreak.clouds.classes import CLEAR, NAMES, NO_DATA, REPLACED, THICK_CLOUD, replaced
from sunbreak.clouds.mask_rows import MaskRows, pack, unpack

CLASSES = arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 19)), elements=st.sampled_from(list(NAMES)))


@given(CLASSES)
def test_packing_keeps_every_class_and_stores_no_data_as_clear(classes):
    packed = pack(classes)
    assert packed.shape == (classes.shape[0], -(-classes.shape[1] // 4))
    back = unpack(packed, classes.shape[1])
    np.testing.assert_array_equal(back, np.where(classes == NO_DATA, CLEAR, classes))
    np.testing.assert_array_equal(replaced(back), replaced(classes))


@given(CLASSES, st.data())
def test_rows_that_are_put_in_pieces_come_back_in_others(classes, data):
    cut = data.draw(st.integers(0, len(classes)))
    rows = MaskRows(*classes.shape)
    rows.put(0, classes[:cut])
    rows.put(cut, classes[cut:])
    first = data.draw(st.integers(0, len(classes)))
    np.testing.assert_array_equal(replaced(rows.get(first, len(classes))), replaced(classes[first:]))


def test_what_is_no_class_code_is_not_stored():
    with pytest.raises(ValueError, match="7"):
        pack(np.array([[0, 7]], np.uint8))


def test_clouds_and_shadows_are_replaced_and_nothing_else():
    assert {NAMES[code] for code in REPLACED} == {"thick cloud", "thin cloud", "shadow"}
    codes = np.array([[0, 1, 2], [3, 255, 0]], np.uint8)
    np.testing.assert_array_equal(replaced(codes), [[False, True, True], [True, False, False]])
    np.testing.assert_array_equal(replaced(codes, (THICK_CLOUD,)), codes == THICK_CLOUD)


def test_mask_rows_give_back_what_was_put_in():
    mask = np.random.default_rng(0).random((20, 13)) > 0.5
    rows = MaskRows(20, 13)
    rows.put(0, mask[:7] * np.uint8(THICK_CLOUD))
    rows.put(7, mask[7:] * np.uint8(THICK_CLOUD))
    np.testing.assert_array_equal(replaced(rows.get(5, 12)), mask[5:12])
