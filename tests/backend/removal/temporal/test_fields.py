"""Smooth corrections: what the clear pixels around show is carried into a hole, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from sunbreak.removal.temporal.fields import REACH, SmoothFields, local

SHAPE = (160, 200)


def at_pixels(fields: SmoothFields, rows: range = range(SHAPE[0])) -> np.ndarray:
    return fields.at(np.array(rows) + 0.5, np.arange(SHAPE[1]) + 0.5)


@pytest.fixture
def clear(window) -> np.ndarray:
    return ~window(SHAPE, 60, 100, 70, 120)


@pytest.fixture
def waves(clear) -> np.ndarray:
    """Errors that vary slowly, (2, row, column), with noise."""
    rows, columns = np.meshgrid(*map(np.arange, SHAPE), indexing="ij")
    smooth = np.stack([0.02 * np.sin(columns / 70), 0.01 * np.cos(rows / 50)])
    return (smooth + np.random.default_rng(3).normal(0, 0.005, smooth.shape)).astype(np.float32)


def test_an_offset_of_the_clear_pixels_is_carried_into_a_hole(clear):
    offset = np.array([0.03, -0.01], np.float32)
    errors = np.broadcast_to(offset[:, None, None], (2, *SHAPE))
    found = at_pixels(SmoothFields(errors, clear, 1))
    found += local(errors - found, clear)
    np.testing.assert_allclose(found.transpose(1, 2, 0)[~clear], np.broadcast_to(offset, (40 * 50, 2)), rtol=0.1)


def test_a_slow_wave_is_followed(clear, waves):
    rows, columns = np.meshgrid(*map(np.arange, SHAPE), indexing="ij")
    expected = np.stack([0.02 * np.sin(columns / 70), 0.01 * np.cos(rows / 50)])
    found = at_pixels(SmoothFields(waves, clear, 1))
    found += local(waves - found, clear)
    left = np.abs(expected - found)[:, ~clear].mean()
    assert left < 0.3 * np.abs(expected)[:, ~clear].mean()


def test_the_local_correction_follows_an_edge_that_the_fields_are_too_wide_for(window):
    clear = ~window(SHAPE, 60, 100, 100, 120)
    errors = np.zeros((1, *SHAPE), np.float32)
    errors[:, :, 90:] = 0.02
    errors[:, :, 140:] = 0
    fields = at_pixels(SmoothFields(errors, clear, 1))
    corrected = fields + local(errors - fields, clear)
    hole = ~clear
    assert np.abs(corrected - errors)[:, hole].mean() < 0.6 * np.abs(fields - errors)[:, hole].mean()


@pytest.mark.parametrize("under", [1e3, np.nan])
def test_what_lies_under_the_clouds_does_not_count(clear, waves, under):
    changed = np.where(clear, waves, np.float32(under))
    np.testing.assert_array_equal(at_pixels(SmoothFields(changed, clear, 1)), at_pixels(SmoothFields(waves, clear, 1)))
    np.testing.assert_array_equal(local(changed, clear), local(waves, clear))


def test_a_pixel_gets_the_same_whichever_rows_are_asked_for(clear, waves):
    fields = SmoothFields(waves, clear, 1)
    whole = at_pixels(fields)
    np.testing.assert_array_equal(at_pixels(fields, range(57, 90)), whole[:, 57:90])
    wide = slice(57 - REACH, 90 + REACH)
    np.testing.assert_array_equal(
        local(waves[:, wide], clear[wide])[:, REACH:-REACH], local(waves, clear)[:, 57:90]
    )  # fmt: skip


@pytest.mark.parametrize("step", [2, 3, 5, 12])
def test_a_coarser_sample_gives_nearly_the_same_fields(clear, waves, step):
    part = slice(step // 2, None, step)
    coarse = SmoothFields(waves[:, part, part], clear[part, part], step)
    fine = at_pixels(SmoothFields(waves, clear, 1))
    assert np.abs(at_pixels(coarse) - fine).mean() < 0.15 * np.abs(fine).mean()


def test_without_clear_pixels_nothing_is_corrected():
    nothing = np.zeros(SHAPE, bool)
    errors = np.full((1, *SHAPE), 0.5, np.float32)
    assert not at_pixels(SmoothFields(errors, nothing, 1)).any()
    assert not local(errors, nothing).any()
