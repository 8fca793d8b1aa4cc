"""The removal task with other dates: what goes through the network, how both are mixed, and what the layers say."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone

import numpy as np
import pytest
from rasterio.windows import Window

from sunbreak.clouds.classes import SHADOW, THICK_CLOUD
from sunbreak.clouds.dates import DateClouds
from sunbreak.engine import TilePlace
from sunbreak.layers.roles import SCALE
from sunbreak.removal.network_share import network_share
from sunbreak.removal.other_dates import (
    AROUND,
    FIRST_DATE,
    NETWORK,
    OBSERVED,
    OtherDatesRemoval,
    date_names,
    nearest,
    without_network,
)
from sunbreak.removal.temporal.days_prior import DaysPrior
from sunbreak.removal.temporal.guide import BLEND, STEP, GuideRows
from sunbreak.scene import S2_BANDS, Scene, SceneSeries

SHAPE = (100, 120)
BOTH = (THICK_CLOUD, SHADOW)


def box(top: int, bottom: int, left: int, right: int) -> np.ndarray:
    mask = np.zeros(SHAPE, bool)
    mask[top:bottom, left:right] = True
    return mask


CLOUD = box(30, 80, 20, 100)
CLASSES = CLOUD * np.uint8(THICK_CLOUD)
COVERED = box(0, 100, 70, 120)


@pytest.fixture
def series(field_place, write_raster) -> SceneSeries:
    """The target, and another date that is cloudy on the right."""
    ground = field_place(*SHAPE)
    white = np.where(CLOUD, np.uint16(7000), ground.dn(100))
    target = Scene.open(write_raster("place_2020-04-10.tif", white, bands=S2_BANDS),
                        write_raster("radar.tif", ground.radar(100), bands=("VV", "VH")))  # fmt: skip
    mask = write_raster("mask.tif", COVERED[None].astype(np.uint8))
    other = write_raster("place_2020-03-21.tif", ground.dn(80), bands=S2_BANDS)
    return SceneSeries(target, (Scene.open(other, mask=mask, mask_coding="binary"),))


def task_of(series, card, classes=CLASSES, **options) -> OtherDatesRemoval:
    options = {"feather": 0, "which": BOTH, **options}
    task = OtherDatesRemoval(series, card, lambda reader, first, stop: classes[first:stop], **options)
    assert task.look_at_dates(DateClouds([None]), DaysPrior.load()) is not None
    return task


def composed(task, network: float, variance: float) -> dict[str, np.ndarray]:
    """All layers if the network says the same everywhere; its planes are the mean and the second moment."""
    with task.reads.reader() as reader:
        planes = task.read(reader, 0, SHAPE[0])
    values = np.full((task.channels, *SHAPE), network, np.float32)
    values[13:] = network**2 + variance
    covered = np.zeros(SHAPE, bool)
    for strip in task.layout.strips():
        wanted = task.wants(planes, [slice(tile.col, tile.col + tile.width) for tile in strip.tiles])
        for tile, want in zip(strip.tiles, wanted, strict=True):
            covered[tile.row : tile.row + tile.height, tile.col : tile.col + tile.width] |= want
    return {"dates": planes["dates"] * STEP, **task.compose(0, planes, values, covered)}


def test_the_nearest_dates_are_kept_in_their_order_and_unknown_ones_are_the_farthest(series):
    def of(day: int | None) -> Scene:
        when = None if day is None else datetime(2020, 4, day, tzinfo=timezone.utc)
        return replace(series.others[0], acquired=when)

    scenes = [of(day) for day in (30, 9, None, 1, 12)]
    many = replace(series, others=tuple(scenes))
    assert nearest(many, 3).others == (scenes[1], scenes[3], scenes[4])
    assert nearest(many, 4).others == (scenes[0], scenes[1], scenes[3], scenes[4])
    assert nearest(many, 5) is many


def test_names_of_dates_say_how_far_they_are(series):
    same = replace(series.others[0], acquired=series.target.acquired)
    after = replace(same, acquired=datetime(2020, 4, 12, tzinfo=timezone.utc))
    unknown = replace(same, acquired=None)
    names = date_names(replace(series, others=(series.others[0], after, same, unknown)))
    assert names == [
        (FIRST_DATE, "2020-03-21 (20 days before)"), (FIRST_DATE + 1, "2020-04-12 (2 days after)"),
        (FIRST_DATE + 2, "2020-04-10 (the same day)"), (FIRST_DATE + 3, "place_2020-03-21.tif (days unknown)"),
    ]  # fmt: skip


def test_the_network_is_asked_only_for_what_no_date_shows(series, small_model):
    task = task_of(series, small_model.card)
    with task.reads.reader() as reader:
        planes = task.read(reader, 0, SHAPE[0])
    parts = [slice(0, 20), slice(20, 70 - BLEND), slice(65, 110), slice(100, 120)]
    assert task.wants(planes, parts) == [False, False, True, False]
    task.share = 0.5
    with task.reads.reader() as reader:
        planes = task.read(reader, 0, SHAPE[0])
    assert task.wants(planes, parts) == [False, True, True, False]


def test_where_a_date_is_clear_it_counts_alone_and_elsewhere_the_network(series, small_model):
    task = task_of(series, small_model.card)
    layers = composed(task, 0.9, 0.04)
    shown, alone = CLOUD & box(0, 100, 0, 70 - BLEND), CLOUD & COVERED
    cleaned, sigma = layers["cleaned"] / 1e4, layers["uncertainty"] * SCALE
    np.testing.assert_allclose(cleaned[:, shown], layers["dates"][:, shown], atol=6e-5)
    np.testing.assert_allclose(cleaned[:, alone], 0.9, atol=1e-4)
    temperature = np.array(small_model.card.temperature)
    np.testing.assert_allclose(sigma[:, alone], 0.2 * temperature[:, None] * np.ones(alone.sum()), rtol=1e-3)
    assert task.guide is not None
    # there is radar of the target beside the other date
    codes, zeros = np.where(shown, 0b110, 0).astype(np.int32), np.zeros(SHAPE, np.float32)
    steps = np.zeros((len(sigma), *SHAPE), np.uint16)
    own = task.guide.sigma(0, GuideRows(steps, zeros, codes, layers["changed"][0], zeros.astype(np.float16)))
    np.testing.assert_allclose(sigma[:, shown], own[:, shown], atol=1.1e-4)
    source = layers["source"][0]
    assert (source[shown] == FIRST_DATE).all()
    assert (source[alone] == NETWORK).all()
    assert (source[~CLOUD] == OBSERVED).all()


def test_towards_the_clouds_of_the_date_it_gives_way_to_the_network(series, small_model):
    layers = composed(task_of(series, small_model.card), 0.9, 0.0)
    fraction = ((layers["cleaned"] / 1e4 - layers["dates"]) / (0.9 - layers["dates"]))[:, 50, 70 - BLEND : 70]
    np.testing.assert_allclose(fraction, np.arange(1, BLEND + 1) / (BLEND + 1) * np.ones((13, 1)), atol=2e-3)
    # their difference is part of the uncertainty
    sigma = layers["uncertainty"][3, 50] * SCALE
    assert sigma[70 - BLEND // 2] > 10 * sigma[70 - 2 * BLEND]


def test_a_share_of_the_network_is_mixed_in(series, small_model):
    task = task_of(series, small_model.card)
    task.share = 0.25
    layers = composed(task, 0.9, 0.04)
    shown = CLOUD & box(0, 100, 0, 70 - BLEND)
    expected = 0.25 * 0.9 + 0.75 * layers["dates"]
    np.testing.assert_allclose(layers["cleaned"][:, shown] / 1e4, expected[:, shown], atol=6e-5)
    assert (layers["source"][0][shown] == FIRST_DATE).all()


def test_a_network_without_a_guide_adds_nothing(series, small_model):
    task = task_of(series, small_model.card)

    class Never:
        def submit(self, inputs):
            raise AssertionError

    assert network_share(task, Never()) == 0.0


def test_the_network_sees_what_other_dates_show_as_clear_ground(series, small_model):
    task = task_of(series, small_model.card)
    strip = next(iter(task.layout.strips()))
    with task.reads.reader() as reader:
        planes = task.read(reader, 0, strip.tiles[0].height)
    tile = strip.tiles[0]
    place = TilePlace(slice(tile.row, tile.row + tile.height), slice(tile.col, tile.col + tile.width))
    x = task.encode(planes, [place])["x"][0]
    bands = x[-13:] if len(x) == 15 else x[2:15]
    shown = (CLOUD & box(0, 100, 0, 70 - BLEND))[place.rows, place.columns]
    dates = (planes["dates"] * STEP)[:, :, place.columns]
    np.testing.assert_allclose(bands[:, shown], dates[:, shown], atol=6e-5)
    clear = ~CLOUD[place.rows, place.columns]
    np.testing.assert_allclose(bands[:, clear], planes["raw"][:, :, place.columns][:, clear] / 1e4, atol=1e-6)


def test_without_a_network_the_rest_is_filled_from_around(series, small_model):
    few = without_network(small_model.card, series.target)
    assert few.bands == series.target.bands
    assert few.radar is None
    layers = composed(task_of(series, few, network=False), 0.9, 0.04)
    shown, alone = CLOUD & ~COVERED, CLOUD & COVERED
    assert (layers["source"][0][shown] == FIRST_DATE).all()
    assert (layers["source"][0][alone] == AROUND).all()
    np.testing.assert_allclose(layers["cleaned"][:, CLOUD] / 1e4, layers["dates"][:, CLOUD], atol=6e-5)


def test_shadows_that_are_not_replaced_stay_and_are_no_clear_ground(series, small_model):
    classes = CLASSES.copy()
    shadow = box(5, 20, 20, 60)
    classes[shadow] = SHADOW
    task = task_of(series, small_model.card, classes, which=(THICK_CLOUD,))
    layers = composed(task, 0.9, 0.0)
    with series.target.reader() as reader:
        stored = reader.s2(Window(0, 0, SHAPE[1], SHAPE[0])).raw
    np.testing.assert_array_equal(layers["cleaned"][:, shadow], stored[:, shadow])
    assert (layers["source"][0][shadow] == OBSERVED).all()
    assert task.guide is not None
    assert not task.guide.lattice.grid(task.guide.lattice.clear)[shadow].any()


def test_counts_come_back_from_a_checkpoint(series, small_model):
    task = task_of(series, small_model.card)
    composed(task, 0.9, 0.04)
    again = task_of(series, small_model.card)
    assert again.numbers() != task.numbers()
    again.restore(task.state())
    assert again.numbers() == task.numbers()
    assert task.numbers()["other_dates_share"] == pytest.approx((CLOUD & ~COVERED).mean(), rel=0.1)


def test_before_the_dates_are_looked_at_or_if_none_helps_it_reads_the_scene_alone(series, small_model):
    classes = CLASSES.copy()
    task = OtherDatesRemoval(series, small_model.card, lambda reader, first, stop: classes[first:stop], 0, which=BOTH)
    assert task.reads == SceneSeries(series.target)
    classes[:, :70] = 0
    assert task.look_at_dates(DateClouds([None]), DaysPrior.load()) is None
    layers = composed_alone(task)
    assert set(np.unique(layers["source"])) == {OBSERVED, NETWORK}
    assert (layers["changed"] == 3).all()


def composed_alone(task) -> dict[str, np.ndarray]:
    with task.reads.reader() as reader:
        planes = task.read(reader, 0, SHAPE[0])
    return task.compose(0, planes, np.full((task.channels, *SHAPE), 0.5, np.float32), np.ones(SHAPE, bool))
