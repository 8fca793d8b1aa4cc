"""Resuming after any strip: the rows equal those of a run that was never stopped."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sunbreak.engine import run_task
from sunbreak.engine.checkpoints import first_strip
from sunbreak.events import Silent
from sunbreak.scene import S2_BANDS, Scene
from sunbreak.tiling import BlendedLayout, ExactLayout


class Halves:
    """A runtime with batches of two tiles, whose results depend on the other tile in the batch."""

    label, batch = "halves", 2

    def __init__(self):
        self.done = []

    @property
    def pending(self):
        return len(self.done)

    @property
    def room(self):
        return not self.done

    def submit(self, inputs):
        tiles = inputs["x"]
        factors = 1.1 + 0.01 * np.arange(len(tiles)) + 0.1 * len(tiles)
        self.done.append((tiles * factors[:, None, None, None].astype(np.float32),))

    def collect(self):
        return self.done.pop(0)


class Sum:
    """A task that sums the values it composes and decodes."""

    unit, channels = "tiles", 1

    def __init__(self, scene, layout, cell=1):
        self.scene, self.layout, self.cell = scene, layout, cell
        self.decoded = self.composed = 0.0

    def read(self, reader, first, stop):
        from rasterio.windows import Window

        return {"x": reader.s2(Window(0, first, self.scene.grid.width, stop - first)).raw[1:2].astype(np.float32)}

    def wants(self, strip, columns):
        return [float(strip["x"][..., part].sum()) % 5 > 1 for part in columns]

    def encode(self, strip, places):
        tiles = [strip["x"][..., place.columns] for place in places]
        return {"x": np.stack([tile * np.float32(tile.mean() / 1000) for tile in tiles])}

    def decode(self, outputs):
        self.decoded += float(outputs[0].sum())
        return outputs[0][..., :: self.cell, :: self.cell].copy()

    def compose(self, row, planes, values, covered):
        self.composed += float(values.sum())
        return {"y": np.where(covered, values, -1)}

    def state(self):
        return {"sums": np.array([self.decoded, self.composed])}

    def restore(self, state):
        self.decoded, self.composed = state["sums"]


class Frugal(Sum):
    """The same, reading a few rows at once and dropping what only `encode` needs."""

    encoded = frozenset({"x"})

    def __init__(self, scene, layout, read_rows):
        super().__init__(scene, layout)
        self.read_rows, self.largest = read_rows, 0

    def read(self, reader, first, stop):
        self.largest = max(self.largest, stop - first)
        planes = super().read(reader, first, stop)
        return {**planes, "kept": planes["x"][0].copy()}

    def compose(self, row, planes, values, covered):
        assert set(planes) == {"kept"}
        return super().compose(row, planes, values, covered) | {"kept": planes["kept"][None].copy()}


class EveryStrip:
    """A keeper with a checkpoint after every strip."""

    def __init__(self, task, point=None):
        self.task, self.point, self.points = task, point, []
        self.strips, self.computed = (0, 0) if point is None else point[:2]

    def restore(self):
        self.task.restore(self.point[2])

    def due(self):
        return True

    def capture(self, strips, computed):
        state = self.task.state()
        return lambda: self.points.append((strips, computed, state))


def run(task, point=None):
    """The rows by number, the checkpoints, and the counts of one run."""
    rows, keeper = {}, EveryStrip(task, point)

    def write(role, row, values):
        rows.update((row + index, values[:, index].copy()) for index in range(values.shape[1]))

    count = run_task(task, task.scene, Halves(), write, Silent(), keeper)
    return rows, keeper.points, (count.tiles, count.computed, task.decoded, task.composed)


def layouts(height, width):
    blended = st.tuples(st.integers(8, 40), st.floats(0, 0.9)).map(
        lambda size: BlendedLayout(height, width, size[0], int(size[0] * size[1]), bell=size[1] >= 0.5)
    )
    exact = st.tuples(st.integers(5, 40), st.integers(0, 9)).map(lambda size: ExactLayout(height, width, *size))
    return blended | exact


@pytest.fixture
def scene(write_raster, cloudy_dn):
    return Scene.open(write_raster("a.tif", cloudy_dn(97, 61), bands=S2_BANDS))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_run_can_be_resumed_after_every_strip(scene, data):
    layout = data.draw(layouts(97, 61))
    rows, points, numbers = run(Sum(scene, layout))
    strips = list(layout.strips())
    assert [point[0] for point in points] == list(range(1, len(strips) + 1))
    for point in data.draw(st.lists(st.sampled_from(points), min_size=1, max_size=3)):
        further, _, again = run(Sum(scene, layout), point)
        assert sorted(further) == list(range(strips[point[0] - 1].done, 97))
        for row, values in further.items():
            np.testing.assert_array_equal(values, rows[row])
        assert again == numbers


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_reading_a_few_rows_at_once_and_dropping_them_early_changes_nothing(scene, data):
    layout = data.draw(layouts(97, 61))
    expected, points, numbers = run(Sum(scene, layout))
    task, kept = Frugal(scene, layout, data.draw(st.integers(1, 50))), []

    def write(role, row, values):
        if role == "kept":
            kept.append((row, values[0]))
        else:
            np.testing.assert_array_equal(values, np.stack([expected[row + i] for i in range(values.shape[1])], axis=1))

    count = run_task(task, scene, Halves(), write, Silent(), EveryStrip(task))
    assert task.largest <= task.read_rows
    assert (count.tiles, count.computed, task.decoded, task.composed) == numbers
    with scene.reader() as reader:
        whole = task.read(reader, 0, 97)["kept"]
    np.testing.assert_array_equal(np.concatenate([values for _, values in kept]), whole)
    point = data.draw(st.sampled_from(points))
    again = Frugal(scene, layout, task.read_rows)
    further = {}
    run_task(again, scene, Halves(), lambda role, row, values: further.setdefault(role, []).append(values), Silent(),
             EveryStrip(again, point))  # fmt: skip
    assert (again.decoded, again.composed) == numbers[2:]
    if further:
        done = list(layout.strips())[point[0] - 1].done
        np.testing.assert_array_equal(np.concatenate(further["kept"], axis=1)[0], whole[done:])


def test_a_run_with_cells_of_several_pixels_can_be_resumed(scene):
    layout = BlendedLayout(49, 31, 10, 6)
    rows, points, numbers = run(Sum(scene, layout, cell=2))
    for point in points:
        further, _, again = run(Sum(scene, layout, cell=2), point)
        assert all(np.array_equal(values, rows[row]) for row, values in further.items())
        assert again == numbers


def test_a_last_strip_within_the_halo_is_written(scene):
    # its rows were read with the strip before, so no further rows are read
    rows, points, _ = run(Sum(scene, ExactLayout(97, 61, 32, 9)))
    assert sorted(rows) == list(range(97))
    assert points[-1][0] == 4


def test_only_strips_that_overlap_the_missing_rows_are_computed_again():
    apart, half = BlendedLayout(100, 10, 20, 0), BlendedLayout(100, 10, 20, 12)
    exact = ExactLayout(100, 10, 20, 5)
    assert [first_strip(list(apart.strips()), finished) for finished in range(6)] == [0, 1, 2, 3, 4, 5]
    assert [first_strip(list(exact.strips()), finished) for finished in range(6)] == [0, 1, 2, 3, 4, 5]
    # tiles of 20 rows every 8 rows: after row 8 n, tiles that begin 16 and 8 rows above are computed again
    assert [first_strip(list(half.strips()), finished) for finished in range(5)] == [0, 0, 0, 1, 2]
