"""Other dates lie on the target's grid, whatever grid they came on and however the scene is cut."""

from __future__ import annotations

import numpy as np
import pytest
from affine import Affine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyproj import Transformer
from rasterio.windows import Window

from sunbreak.clouds.given_masks import decode
from sunbreak.engine import run_task
from sunbreak.errors import InputError
from sunbreak.events import Silent
from sunbreak.scene import S2_BANDS, Scene, SceneSeries
from sunbreak.tiling import ExactLayout


def plane(columns, rows):
    """DN that rise linearly over the ground, which bilinear resampling keeps: by map coordinates in UTM 32N."""
    return 2000 + 2 * (columns - 600_000) / 10 + 3 * (5_200_000 - rows) / 10


def on_grid(crs, transform, rows, columns):
    across, down = np.meshgrid(np.arange(columns) + 0.5, np.arange(rows) + 0.5)
    x, y = transform * (across, down)
    x, y = Transformer.from_crs(crs, "EPSG:32632", always_xy=True).transform(x, y)
    return np.broadcast_to(np.rint(plane(np.asarray(x), np.asarray(y))), (13, rows, columns)).astype(np.uint16)


@pytest.fixture
def target(write):
    dn = on_grid("EPSG:32632", Affine(10, 0, 600_000, 0, -10, 5_200_000), 70, 90)
    return write("target.tif", dn, names=S2_BANDS)


@pytest.fixture
def abroad(write, make_backscatter):
    """Another date in the neighbouring zone, 20 m pixels, with radar and a mask of its own."""
    x, y = Transformer.from_crs("EPSG:32632", "EPSG:32633", always_xy=True).transform(600_000, 5_200_000)
    grid = {"crs": "EPSG:32633", "transform": Affine(20, 0, x - 300, 0, -20, y + 300)}
    s2 = write("abroad.tif", on_grid("EPSG:32633", grid["transform"], 80, 90), names=S2_BANDS, **grid)
    s1 = write("abroad_s1.tif", make_backscatter(80, 90), names=("VV", "VH"), **grid)
    mask = np.zeros((1, 80, 90), np.uint8)
    mask[:, 20:30, 20:30] = 1
    return Scene.open(s2, s1, mask=write("abroad_mask.tif", mask, **grid))


def test_a_series_of_one_date_reads_what_the_scene_reads(target):
    scene = Scene.open(target)
    with SceneSeries(scene).reader() as reader, scene.reader() as plain:
        (rows,) = reader.read(20, 50, decode)
        np.testing.assert_array_equal(rows.optical.raw, plain.s2(Window(0, 20, 90, 30)).raw)
    assert rows.radar is None and rows.classes is None


def test_a_date_of_another_zone_is_brought_onto_the_grid_of_the_target(target, abroad):
    series = SceneSeries(Scene.open(target), (abroad,))
    with series.reader() as reader:
        here, there = reader.read(10, 60, decode)
    assert there.optical.raw.shape == here.optical.raw.shape == (13, 50, 90)
    assert there.optical.valid.all()
    np.testing.assert_allclose(there.optical.reflectance(), here.optical.reflectance(), atol=1.5e-4)
    assert there.radar is not None and np.isfinite(there.radar).all()
    assert there.classes is not None and 0 < (there.classes > 0).mean() < 0.5


def test_a_date_on_the_same_pixels_is_kept_as_stored(target, write, make_surface):
    dn = make_surface(13, 40, 50)
    shifted = {"transform": Affine(10, 0, 600_000 - 50, 0, -10, 5_200_000 - 200)}
    series = SceneSeries(Scene.open(target), (Scene.open(write("near.tif", dn, names=S2_BANDS, **shifted)),))
    with series.reader() as reader:
        _, other = reader.read(0, 70, decode)
    np.testing.assert_array_equal(other.optical.raw[:, 20:60, :45], dn[:, :, 5:])
    assert other.optical.valid[20:60, :45].all() and other.optical.valid.sum() == 40 * 45


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_row_of_another_date_does_not_depend_on_how_the_scene_is_cut(target, abroad, data):
    column, row = data.draw(st.integers(0, 40)), data.draw(st.integers(0, 40))
    width, height = data.draw(st.integers(2, 90 - column)), data.draw(st.integers(2, 70 - row))
    first = data.draw(st.integers(0, height - 1))
    stop = data.draw(st.integers(first + 1, height))
    part = Scene.open(target, window=(column, row, width, height))
    with SceneSeries(Scene.open(target), (abroad,)).reader() as whole, SceneSeries(part, (abroad,)).reader() as cut:
        expected, found = whole.read(0, 70, decode)[1], cut.read(first, stop, decode)[1]
    where = slice(row + first, row + stop), slice(column, column + width)
    np.testing.assert_array_equal(found.optical.raw, expected.optical.raw[:, where[0], where[1]])
    np.testing.assert_array_equal(found.optical.valid, expected.optical.valid[where])
    np.testing.assert_array_equal(found.radar, expected.radar[:, where[0], where[1]])
    np.testing.assert_array_equal(found.classes, expected.classes[where])


def test_another_date_of_another_place_is_refused(target, write, make_surface):
    far = Scene.open(write("far.tif", make_surface(), names=S2_BANDS, transform=Affine(10, 0, 700_000, 0, -10, 5.2e6)))
    with pytest.raises(InputError, match=r"far\.tif does not overlap the scene") as caught:
        SceneSeries(Scene.open(target), (far,))
    assert caught.value.code == "no-overlap"


class Difference:
    """A task of two dates: how much brighter the other one is."""

    unit, channels, cell = "tiles", 1, 1

    def __init__(self, height, width):
        self.layout = ExactLayout(height, width, 24, 0)

    def read(self, reader, first, stop):
        here, there = (date.optical.reflectance()[:1] for date in reader.read(first, stop, decode))
        return {"x": there - here}

    def wants(self, strip, columns):
        return [True] * len(columns)

    def encode(self, strip, tiles):
        return {"x": np.stack([strip["x"][..., tile.columns] for tile in tiles])}

    def decode(self, outputs):
        return outputs[0].copy()

    def compose(self, row, planes, values, covered):
        return {"difference": values.copy()}


class Passing:
    """A runtime whose network is the identity."""

    label, batch = "identity", 4

    def __init__(self):
        self.waiting = []

    @property
    def pending(self):
        return len(self.waiting)

    @property
    def room(self):
        return not self.waiting

    def submit(self, inputs):
        self.waiting.append((inputs["x"],))

    def collect(self):
        return self.waiting.pop()


def test_the_engine_runs_a_task_of_two_dates(target, abroad):
    series, found = SceneSeries(Scene.open(target), (abroad,)), np.full((70, 90), np.nan)

    def write(role, row, values):
        found[row : row + values.shape[1]] = values[0]

    count = run_task(Difference(70, 90), series, Passing(), write, Silent())
    assert count.computed == count.tiles == 12
    np.testing.assert_allclose(found, 0, atol=1.5e-4)
