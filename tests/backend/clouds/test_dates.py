"""Clouds of other dates: found on their own grid, with the margins of the target's, and laid on the target's grid."""

from __future__ import annotations

import numpy as np
import pytest
from rasterio.transform import from_origin
from rasterio.windows import Window

from sunbreak.clouds.classes import SHADOW, THICK_CLOUD
from sunbreak.clouds.dates import DateClouds, find_clouds
from sunbreak.clouds.given_masks import decode
from sunbreak.clouds.mask_rows import MaskRows
from sunbreak.defaults import BUFFER
from sunbreak.errors import Cancelled, InputError
from sunbreak.events import Cancellation, Reporter, Silent
from sunbreak.jobs.runtimes import CloudMemory
from sunbreak.scene import S2_BANDS, Scene, SceneSeries

SHAPE = (70, 90)
CLOUD = (slice(20, 50), slice(30, 70))


class Told(Reporter):
    def __init__(self) -> None:
        super().__init__()
        self.said: list[tuple[str, str]] = []

    def message(self, text, level="info"):
        self.said.append((level, text))


@pytest.fixture
def target(write_raster, cloudy_dn) -> Scene:
    return Scene.open(write_raster("place_2020-06-10.tif", cloudy_dn(*SHAPE), bands=S2_BANDS))


@pytest.fixture
def other(write_raster, cloudy_dn):
    """Write another date with a cloud, on a grid that begins so many pixels to the right of and below the target's."""

    def make(right: float = 0, down: float = 0, **options) -> Scene:
        transform = from_origin(500000 + 10 * right, 5300000 - 10 * down, 10, 10)
        path = write_raster("other_2020-06-01.tif", cloudy_dn(*SHAPE, CLOUD), bands=S2_BANDS, transform=transform)
        return Scene.open(path, **options)

    return make


def mask_of(*places: tuple[int, int], code: int = THICK_CLOUD) -> MaskRows:
    codes = np.zeros(SHAPE, np.uint8)
    for row, column in places:
        codes[row, column] = code
    mask = MaskRows(*SHAPE)
    mask.put(0, codes)
    return mask


def clear(series: SceneSeries, clouds: DateClouds, window: tuple[int, int, int, int], number: int = 0) -> np.ndarray:
    part = Window(*window)
    with series.reader() as reader:
        return clouds.clear(reader, number, part, reader.others(part, decode)[number])


def test_clouds_are_detected_and_said(other):
    told = Told()
    mask = find_clouds(other(), told, "s2cloudless")
    assert mask is not None
    found = mask.get(0, SHAPE[0]) > 0
    assert found[CLOUD].mean() > 0.7
    assert not found[:10].any()
    share = f"{found.mean():.0%}"
    assert told.said == [("info", f"other_2020-06-01.tif: {share} cloud or shadow there and around.")]


def test_a_mask_that_is_given_is_used_as_it_is(other, write_raster):
    path = write_raster("mask.tif", np.zeros((1, *SHAPE), np.uint8))
    told = Told()
    assert find_clouds(other(mask=path, mask_coding="binary"), told) is None
    assert told.said == []


def test_a_detector_and_a_given_mask_are_refused(other, write_raster):
    path = write_raster("mask.tif", np.zeros((1, *SHAPE), np.uint8))
    with pytest.raises(InputError) as caught:
        find_clouds(other(mask=path, mask_coding="binary"), Silent(), "s2cloudless")
    assert caught.value.code == "mask-and-detector"


def test_what_was_detected_is_kept_for_the_next_job(other):
    memory, scene = CloudMemory(), other()
    first = find_clouds(scene, Silent(), "s2cloudless", memory=memory)
    told = Told()
    assert find_clouds(scene, told, "s2cloudless", memory=memory) is first
    assert len(told.said) == 1


def test_detection_can_be_cancelled(other):
    cancellation = Cancellation()
    cancellation.request()
    with pytest.raises(Cancelled):
        find_clouds(other(), Silent(cancellation), "s2cloudless")


def test_detected_clouds_have_a_margin(target, other):
    series = SceneSeries(target, (other(),))
    seen = clear(series, DateClouds([mask_of((40, 50))]), (0, 0, 90, 70))
    rows, columns = np.nonzero(~seen)
    assert (rows.min(), rows.max()) == (40 - BUFFER, 40 + BUFFER)
    assert (columns.min(), columns.max()) == (50 - BUFFER, 50 + BUFFER)
    assert seen[40 - BUFFER, 50 - BUFFER], "the margin is round"


def test_shadows_are_not_clear_either(target, other):
    series = SceneSeries(target, (other(),))
    assert not clear(series, DateClouds([mask_of((40, 50), code=SHADOW)]), (0, 0, 90, 70))[40, 50]


def test_any_window_gives_its_part(target, other):
    series, clouds = SceneSeries(target, (other(),)), DateClouds([mask_of((40, 50), (3, 3), (69, 89))])
    whole = clear(series, clouds, (0, 0, 90, 70))
    assert not whole.all()
    for window in ((0, 0, 90, 38), (0, 38, 90, 3), (0, 41, 90, 29), (0, 43, 90, 1), (47, 36, 20, 20)):
        column, row, width, height = window
        np.testing.assert_array_equal(clear(series, clouds, window), whole[row : row + height, column : column + width])


def test_clouds_on_another_grid_are_laid_under_the_target(target, other):
    series = SceneSeries(target, (other(right=10, down=-5),))
    seen = clear(series, DateClouds([mask_of((40, 50))]), (0, 0, 90, 70))
    assert not seen[35, 60]
    assert seen[40, 50]
    # where the other date does not reach, nothing is clear
    assert not seen[:, :10].any()
    assert not seen[65:].any()
    hidden = ~seen[:65, 10:]
    rows, columns = np.nonzero(hidden)
    assert (rows.min(), rows.max()) == (35 - BUFFER, 35 + BUFFER)
    assert (columns.min(), columns.max()) == (50 - BUFFER, 50 + BUFFER)


def test_half_a_pixel_off_the_edge_of_the_date_is_not_clear(target, other):
    series = SceneSeries(target, (other(right=0.5, down=0.5),))
    seen = clear(series, DateClouds([mask_of((40, 50))]), (0, 0, 90, 70))
    assert not seen[40, 50]
    assert seen[20, 20]
    assert 0.98 < seen[:30].mean() <= 1


def test_the_mask_of_a_date_that_brings_one_counts_without_a_margin(target, other, write_raster):
    codes = np.zeros((1, *SHAPE), np.uint8)
    codes[0, 40, 50] = 1
    series = SceneSeries(target, (other(mask=write_raster("mask.tif", codes), mask_coding="binary"),))
    seen = clear(series, DateClouds([None]), (0, 0, 90, 70))
    np.testing.assert_array_equal(np.argwhere(~seen), [[40, 50]])


def test_without_clouds_and_mask_all_that_has_data_is_clear(target, write_raster, cloudy_dn):
    dn = cloudy_dn(*SHAPE)
    dn[:, :7] = 0
    scene = Scene.open(write_raster("other_2020-06-01.tif", dn, bands=S2_BANDS, nodata=0))
    seen = clear(SceneSeries(target, (scene,)), DateClouds([None]), (0, 0, 90, 70))
    assert not seen[:7].any()
    assert seen[7:].all()


def test_some_of_the_dates_are_picked_with_their_clouds():
    one, two, three = mask_of((1, 1)), None, mask_of((2, 2))
    assert DateClouds([one, two, three]).only([2, 1]).found == (three, None)
