"""The rolling row buffer, read-ahead and write-behind."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sunbreak.engine.rows import ReadAhead, RollingRows, at_columns
from sunbreak.engine.writing import WriteBehind


def block(first: int, stop: int) -> dict[str, np.ndarray]:
    rows = np.arange(first, stop, dtype=np.float32)[:, None] + np.zeros(3, np.float32)
    return {"plane": rows, "bands": np.stack([rows, -rows])}


def test_rows_that_are_still_needed_survive_a_drop():
    rows = RollingRows(6)
    rows.append(block(0, 4))
    rows.drop(3)
    rows.append(block(4, 9))
    view = at_columns(rows.view(slice(3, 9)), slice(1, 3))
    np.testing.assert_array_equal(view["plane"][:, 0], np.arange(3, 9))
    np.testing.assert_array_equal(view["bands"][1, :, 1], -np.arange(3, 9))


@pytest.mark.parametrize("slack", [0, 8])
def test_more_rows_than_fit_are_refused(slack):
    rows = RollingRows(4, slack=slack)
    rows.append(block(0, 3))
    with pytest.raises(ValueError, match="fit"):
        rows.append(block(3, 5))


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_after_any_appends_and_drops_the_held_rows_and_memory_order_are_right(data):
    capacity = data.draw(st.integers(4, 12))
    rows = RollingRows(capacity, first=5, slack=data.draw(st.integers(0, 9)))
    scene = np.random.default_rng(0).integers(0, 255, (90, 3, 2), np.uint8)  # (row, column, band)
    top = stop = 5
    while stop < 70:
        count = data.draw(st.integers(1, capacity - (stop - top)))
        part = scene[stop : stop + count]
        rows.append(
            {"together": np.moveaxis(part, -1, 0), "apart": np.moveaxis(part, -1, 0).copy(), "flat": part[..., 0]}
        )
        stop += count
        view = rows.view(slice(top, stop))
        for name in ("together", "apart"):
            np.testing.assert_array_equal(np.moveaxis(view[name], 0, -1), scene[top:stop])
        np.testing.assert_array_equal(view["flat"], scene[top:stop, :, 0])
        assert view["together"].strides[0] == 1
        assert view["apart"].strides[-1] == 1
        top = data.draw(st.integers(max(top, stop - capacity + 1), stop))
        rows.drop(top)


def test_with_slack_rows_are_not_moved_for_every_block():
    rows = RollingRows(4, slack=4)
    places = []
    for first in range(0, 16, 2):
        rows.append(block(first, first + 2))
        rows.drop(first)
        places.append(rows.view(slice(first, first + 2))["plane"].ctypes.data)
    # three rows of 3 numbers of 4 bytes fit behind the first two pairs before the last pair is moved up
    assert [place - places[0] for place in places[:4]] == [0, 24, 48, 72]
    assert [place - places[0] for place in places[4:7]] == [24, 48, 72]


def test_blocks_come_in_order_and_no_more_than_allowed_are_read_ahead():
    read: list[int] = []

    def slow(first: int, stop: int) -> dict[str, np.ndarray]:
        read.append(first)
        return block(first, stop)

    blocks = [(i, i + 1) for i in range(20)]
    with ReadAhead(slow, blocks, depth=1) as ahead:
        for seen, planes in enumerate(ahead):
            time.sleep(0.002)
            assert planes["plane"][0, 0] == seen
            assert len(read) <= seen + 3
    assert read == list(range(20))


def test_an_error_in_reading_reaches_the_caller_and_ends_the_thread():
    def broken(first: int, stop: int) -> dict[str, np.ndarray]:
        if first == 2:
            raise OSError("bad block")
        return block(first, stop)

    before = threading.active_count()
    with pytest.raises(OSError, match="bad block"), ReadAhead(broken, [(0, 1), (1, 2), (2, 3)]) as ahead:
        list(ahead)
    assert threading.active_count() == before


def test_leaving_the_context_early_stops_the_read_ahead():
    before = threading.active_count()
    with ReadAhead(block, [(i, i + 1) for i in range(1000)]) as ahead:
        next(iter(ahead))
    assert threading.active_count() == before


def test_strips_are_written_in_order_by_one_thread():
    written: list[tuple[str, int, int]] = []
    with WriteBehind(lambda role, row, values: written.append((role, row, threading.get_ident()))) as writer:
        for row in range(0, 960, 32):
            writer.put("cleaned", row, np.zeros((1, 32, 2)))
    assert [row for _, row, _ in written] == list(range(0, 960, 32))
    assert len({thread for *_, thread in written} - {threading.get_ident()}) == 1


def test_an_error_in_writing_reaches_the_caller():
    def full(role: str, row: int, values: np.ndarray) -> None:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"), WriteBehind(full, depth=1) as writer:
        for row in range(0, 1600, 32):
            writer.put("cleaned", row, np.zeros((1, 32, 2)))


def test_after_an_error_of_the_caller_nothing_more_is_written():
    written: list[int] = []

    def slow(role: str, row: int, values: np.ndarray) -> None:
        time.sleep(0.01)
        written.append(row)

    with pytest.raises(RuntimeError, match="stop"), WriteBehind(slow) as writer:
        for row in range(0, 192, 32):
            writer.put("cleaned", row, np.zeros((1, 32, 2)))
        raise RuntimeError("stop")
    assert len(written) <= 2


def test_strips_of_few_rows_are_joined_and_all_are_written():
    written: list[tuple[str, int, np.ndarray]] = []
    order: list[str] = []
    with WriteBehind(lambda role, row, values: written.append((role, row, values))) as writer:
        for row in range(50):
            writer.put("landcover", row, np.full((1, 1, 2), row))
            writer.put("trust", row, np.full((2, 1, 3), -row))
            if row == 39:
                # an action runs only after all rows queued before it are written
                writer.then(lambda: order.extend(f"{role} {first}" for role, first, _ in written))
    assert order == ["landcover 0", "trust 0", "landcover 32", "trust 32"]
    for role, sign in (("landcover", 1), ("trust", -1)):
        parts = [(row, values) for name, row, values in written if name == role]
        assert [(row, values.shape[1]) for row, values in parts] == [(0, 32), (32, 8), (40, 10)]
        np.testing.assert_array_equal(
            np.concatenate([values for _, values in parts], axis=1)[0, :, 0], sign * np.arange(50)
        )
