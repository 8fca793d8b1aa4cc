"""Tiles for per-pixel networks: the scene in an endless canvas of zeros, cut at multiples of the network's stride."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st

from sunbreak.engine import TilePlace, run_task
from sunbreak.errors import InputError
from sunbreak.events import Silent
from sunbreak.landcover.pixel_tiles import PixelTiles, within_scene
from sunbreak.landcover.sliding_window import CleanedRows
from sunbreak.models.card_landcover import RADIUS
from sunbreak.scene import S2_BANDS, Scene


@pytest.fixture(scope="session")
def card(small_pixels):
    return small_pixels.card


class Canvas(PixelTiles):
    """Looks at the tiles, and blends back what they hold."""

    unit = "tiles"

    def __init__(self, scene, card, **options):
        super().__init__(scene, card, **options)
        self.channels = len(card.bands) * (2 if self.compare else 1)
        self.seen, self.rows, self.evidences = [], [], []

    def encode(self, strip, tiles):
        inputs = super().encode(strip, tiles)
        self.seen += [(tile, x.copy()) for tile, x in zip(tiles, inputs["x"], strict=True)] if not self.compare else []
        return inputs

    def decode(self, outputs):
        return within_scene(np.concatenate(outputs, axis=1), self.take_margins())

    def compose(self, row, planes, values, covered):
        self.evidences.append(self.evidence(planes))
        self.rows.append(np.where(covered, values, np.nan))
        return {}


class Echo:
    """A runtime that returns its input, in groups of `batch` tiles."""

    label = "echo"

    def __init__(self, batch=1):
        self.batch, self.waiting = batch, []

    @property
    def pending(self):
        return len(self.waiting)

    @property
    def room(self):
        return len(self.waiting) < 2

    def submit(self, inputs):
        self.waiting.append(inputs["x"].copy())

    def collect(self):
        x = self.waiting.pop(0)
        return (x,) if x.ndim == 4 else (x[0], x[1])


def scene_of(path, dn, **profile):
    with rasterio.open(
        path, "w", driver="GTiff", count=len(dn), height=dn.shape[1], width=dn.shape[2], dtype=dn.dtype,
        crs="EPSG:32632", transform=rasterio.transform.from_origin(500000, 5300000, 10, 10), **profile,
    ) as target:  # fmt: skip
        target.write(dn)
        for index, band in enumerate(S2_BANDS, 1):
            target.set_band_description(index, band)
    return Scene.open(path)


def standardised(card, dn):
    picked = dn[[S2_BANDS.index(band) for band in card.bands]].astype(float)
    mean, deviation = (
        np.array(part)[:, None, None] for part in (card.standardisation.mean, card.standardisation.deviation)
    )
    return np.where((dn != 0).any(axis=0), (picked - mean) / deviation, 0)


def some_dn(rows, columns, seed=0):
    return np.random.default_rng(seed).integers(1, 9000, (13, rows, columns)).astype(np.uint16)


@settings(max_examples=15, deadline=None)
@given(st.integers(2, 150), st.integers(2, 200), st.sampled_from([16, 32, 48, 512]), st.integers(1, 4))
def test_every_tile_is_a_full_window_of_the_scene_in_an_endless_canvas_of_zeros(
    card, tmp_path_factory, rows, columns, core, batch
):
    card = replace(card, tile=core + 2 * RADIUS)
    dn = some_dn(rows, columns)
    scene = scene_of(tmp_path_factory.mktemp("scene") / "a.tif", dn)
    task = Canvas(scene, card)
    run_task(task, scene, Echo(batch), lambda *_: None, Silent())
    canvas = np.pad(standardised(card, dn), ((0, 0), (1024, 1024), (1024, 1024)))
    starts = []
    for place, x in task.seen:
        first = [
            part.start + inset - RADIUS for part, inset in zip((place.rows, place.columns), place.inset, strict=True)
        ]
        starts.append(tuple(first))
        window = tuple(slice(1024 + start, 1024 + start + card.tile) for start in first)
        np.testing.assert_allclose(x, canvas[(slice(None), *window)], atol=1e-5)
    # cores lie side by side from the origin, and tiles begin at multiples of 16
    every = [(r - RADIUS, c - RADIUS) for r in range(0, rows, core) for c in range(0, columns, core)]
    assert starts == every
    assert all(start % 16 == 0 for pair in every for start in pair)
    np.testing.assert_allclose(np.concatenate(task.rows, axis=1), standardised(card, dn), atol=1e-5)


def test_pixels_without_data_are_zeros_and_tiles_without_any_are_skipped(card, tmp_path):
    dn = some_dn(40, 700)
    dn[:, 10:20, 5:9] = 0
    dn[:, :, 200:] = 0
    scene = scene_of(tmp_path / "a.tif", dn, nodata=0)
    task = Canvas(scene, card)
    count = run_task(task, scene, Echo(), lambda *_: None, Silent())
    found = np.concatenate(task.rows, axis=1)
    np.testing.assert_allclose(found[:, :, :200], standardised(card, dn)[:, :, :200], atol=1e-5)
    assert (found[:, 10:20, 5:9] == 0).all()
    assert count.tiles == 2 * 22
    # those whose window ends at column 200 or before, where core and margin begin at 32 n - 144
    assert count.computed == 2 * 11
    evidence = np.concatenate(task.evidences, axis=1)
    assert evidence.shape == (1, 40, 700)
    np.testing.assert_array_equal(evidence[0] == 1, (dn != 0).any(axis=0))
    assert np.isnan(evidence[0, 10:20, 5:9]).all()


def test_the_cleaned_version_is_read_and_compared_with_the_cloudy_one(card, tmp_path):
    cloudy, clear = some_dn(90, 40), some_dn(90, 40, seed=1)
    fraction = np.random.default_rng(2).random((90, 40)).astype(np.float32)
    fraction[3] = np.nan
    cleaned = CleanedRows(lambda a, b: clear[:, a:b], lambda a, b: fraction[a:b])
    scene = scene_of(tmp_path / "a.tif", cloudy)
    task = Canvas(scene, card, cleaned=cleaned, compare=True)
    run_task(task, scene, Echo(2), lambda *_: None, Silent())
    one, other = np.split(np.concatenate(task.rows, axis=1), 2)
    np.testing.assert_allclose(one, standardised(card, clear), atol=1e-5)
    np.testing.assert_allclose(other, standardised(card, cloudy), atol=1e-5)
    valid, share = np.concatenate(task.evidences, axis=1)
    assert (valid == 1).all()
    np.testing.assert_array_equal(share, np.nan_to_num(fraction))


def test_strips_hold_the_stored_numbers_of_the_cards_bands(card, tmp_path):
    scene = scene_of(tmp_path / "a.tif", some_dn(150, 40))
    with scene.reader() as reader:
        planes = PixelTiles(scene, card).read(reader, 3, 150)
    assert planes["x"].dtype == np.uint16
    np.testing.assert_array_equal(planes["x"], some_dn(150, 40)[[S2_BANDS.index(band) for band in card.bands], 3:])
    assert set(planes) == {"x", "valid"}


def test_tiles_are_channels_last_and_arrays_in_the_network_are_not_reused(card, tmp_path):
    scene = scene_of(tmp_path / "a.tif", some_dn(30, 80))
    task = PixelTiles(scene, card)
    with scene.reader() as reader:
        strip = task.read(reader, 0, 30)
    places = [TilePlace(slice(0, 30), slice(0, 80), (0, column)) for column in (0, 32, 64)]
    first = task.encode(strip, places[:1])["x"]
    kept = first.copy()
    second = task.encode(strip, places[1:2])["x"]
    assert not np.shares_memory(first, second)
    assert second.transpose(0, 2, 3, 1).flags.c_contiguous
    np.testing.assert_array_equal(first, kept)
    assert task.take_margins() == [(144, 144)]
    third = task.encode(strip, places[2:])["x"]
    assert np.shares_memory(first, third)
    # nothing of the first tile is left in the margins
    assert (third[0, :, :, : RADIUS - 64] == 0).all()
    assert (third[0, :, :, RADIUS - 64 + 80 :] == 0).all()
    assert task.take_margins() == [(144, 112)]


def test_a_scene_that_lacks_a_band_is_refused(write_raster, card):
    s2 = write_raster("rgb.tif", some_dn(30, 30)[:3], bands=("B02", "B03", "B04"))
    with pytest.raises(InputError, match="needs the bands"):
        PixelTiles(Scene.open(s2), card)
