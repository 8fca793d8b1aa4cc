"""From physical numbers to stored ones and to half the size."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sunbreak.errors import RunError
from sunbreak.layers import roles
from sunbreak.layers.encoding import encode, halve
from sunbreak.layers.roles import LayerSpec


def test_physical_numbers_are_rounded_clipped_and_unknown_ones_are_nodata():
    values = np.array([[[0.0, 0.12345, 9.0, np.nan, -1.0]]], np.float32)
    np.testing.assert_array_equal(encode(values, roles.reconstructed())[0, 0], [0, 1234, 65534, 65535, 0])


def test_a_nodata_value_inside_the_range_is_never_met_by_a_measurement():
    spec = LayerSpec("x", "x", ("x",), "uint8", 7, "", 1.0)
    np.testing.assert_array_equal(encode(np.array([[[6.0, 7.0, 8.0, np.nan]]]), spec)[0, 0], [6, 8, 8, 7])


def test_an_offset_is_taken_off_before_scaling():
    spec = LayerSpec("x", "x", ("x",), "uint16", None, "", 1e-4, -0.1)
    assert encode(np.array([[[0.05]]]), spec)[0, 0, 0] == 1500


def test_numbers_of_another_integer_type_are_refused_and_so_is_nan_without_nodata():
    with pytest.raises(RunError, match="int32"):
        encode(np.zeros((1, 2, 2), np.int32), roles.reconstructed())
    with pytest.raises(RunError, match="nodata"):
        encode(np.array([[[np.nan]]]), LayerSpec("x", "x", ("x",), "uint16", None, ""))


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 2**16 - 1), st.sampled_from([0, 65535, None]))
def test_half_size_cells_are_the_means_of_their_known_pixels(rows, columns, seed, nodata):
    rng = np.random.default_rng(seed)
    strip = rng.integers(0, 65536 if seed % 2 else 30000, (2, rows, columns)).astype(np.uint16)
    if nodata is not None:
        strip[rng.random(strip.shape) < 0.3] = nodata
    if seed % 3 == 0:
        strip[0] = 0
    half = halve(strip, LayerSpec("x", "x", ("a", "b"), "uint16", nodata, ""))
    assert half.shape == (2, (rows + 1) // 2, (columns + 1) // 2)
    padded = np.pad(strip, ((0, 0), (0, rows % 2), (0, columns % 2)), mode="edge").astype(float)
    if nodata is not None:
        padded[padded == nodata] = np.nan
    cells = np.stack([padded[:, i::2, j::2] for i in (0, 1) for j in (0, 1)])
    known = np.isfinite(cells).any(axis=0)
    total, count = np.nansum(cells, axis=0), np.isfinite(cells).sum(axis=0)
    np.testing.assert_allclose(half[known], total[known] / count[known], atol=1)
    if nodata is not None:
        assert (half[~known] == nodata).all()
        assert (half[known] != nodata).all()
