"""Tiles over what has to be computed: everything is covered, by fewer tiles than the raster has."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sunbreak.tiling import BlendedLayout
from sunbreak.tiling.placement import placed


def columns(width: int, *runs: tuple[int, int]) -> np.ndarray:
    wanted = np.zeros(width, bool)
    for first, stop in runs:
        wanted[first:stop] = True
    return wanted


def fixed_count(wanted: np.ndarray, size: int, overlap: int) -> int:
    starts = BlendedLayout(size, len(wanted), size, overlap).cols
    return sum(bool(wanted[start : start + size].any()) for start in starts)


@st.composite
def cases(draw):
    size = draw(st.integers(4, 40))
    width = draw(st.integers(size, 300))
    spots = draw(st.lists(st.tuples(st.integers(0, width - 1), st.integers(1, 80)), max_size=6))
    wanted = columns(width, *((first, first + length) for first, length in spots))
    return wanted, size, draw(st.integers(0, size - 1))


@given(cases())
def test_everything_is_covered_by_fewer_tiles_inside_the_scene(case):
    wanted, size, overlap = case
    most = fixed_count(wanted, size, overlap)
    starts = placed(wanted, size, overlap, most)
    if starts is None:
        return
    assert len(starts) < most
    assert starts == sorted(starts)
    assert not starts or (starts[0] >= 0 and starts[-1] + size <= len(wanted))
    covered = np.zeros(len(wanted), bool)
    for start in starts:
        covered[start : start + size] = True
    assert covered[wanted].all()


def test_a_small_cloud_on_a_border_of_the_raster_takes_one_tile_with_the_cloud_in_its_middle():
    assert placed(columns(1000, (190, 260)), 256, 64, 2) == [97]


def test_a_cloud_at_the_edge_of_the_scene_keeps_its_tile_inside():
    assert placed(columns(1000, (0, 20), (960, 1000)), 256, 64, 3) == [0, 744]


def test_a_wide_cloud_takes_a_chain_whose_tiles_overlap():
    assert placed(columns(2000, (600, 1000)), 256, 64, 4) == [576, 768]


def test_where_the_raster_takes_as_many_tiles_it_stays():
    assert placed(columns(1000, (0, 1000)), 256, 64, 5) is None
