"""Adaptation to a place: held-out blocks, cloudy pixels, and the measured gain."""

from __future__ import annotations

import numpy as np
import pytest

from sunbreak.errors import InputError, ModelError
from sunbreak.events import Silent
from sunbreak.models.card import ModelCard
from sunbreak.models.importing import save_uncrtaints
from sunbreak.models.uncrtaints import UnCRtainTS, UnCRtainTSConfig
from sunbreak.scene import S2_BANDS, Scene
from sunbreak.training.removal.adaptation import Adaptation, adapt, lay_clouds
from sunbreak.training.removal.clear_blocks import find_blocks

GROUND = np.array([1200, 900, 850, 600, 900, 1900, 2300, 2200, 2500, 700, 12, 1500, 800], np.float32)


@pytest.fixture
def guided(tmp_path):
    import torch

    torch.manual_seed(0)
    config = UnCRtainTSConfig(width=16, depth=1, guided=True, prior=(0.15,) * 13)
    return save_uncrtaints(
        UnCRtainTS(config).eval(), "base", tmp_path / "base", title="t", description="d", licence="CC0-1.0", tile=64, overlap=16
    )  # fmt: skip


@pytest.fixture
def striped_place(write_raster):
    """192 x 192 px; every second stripe of ground is darker, and radar sees the stripes."""
    rng = np.random.default_rng(0)
    dark = (np.arange(192) // 6 % 2)[None, :] * np.ones((192, 1))
    dn = (GROUND[:, None, None] * (1 - 0.5 * dark) * rng.normal(1, 0.02, (13, 192, 192))).clip(1).astype(np.uint16)
    db = np.stack([-8 - 8 * dark, -14 - 8 * dark]).astype(np.float32)
    return write_raster("place.tif", dn, bands=S2_BANDS), write_raster("radar.tif", db, bands=("VV", "VH"))


def mask_of(write_raster, **windows):
    mask = np.zeros((1, 192, 192), np.uint8)
    for rows, columns in windows.values():
        mask[0, rows, columns] = 1
    return write_raster("mask.tif", mask)


def test_held_out_blocks_share_no_ground_with_training_blocks(striped_place, write_raster):
    s2, s1 = striped_place
    scene = Scene.open(s2, s1, mask=mask_of(write_raster, a=(slice(0, 10), slice(0, 10))))
    learnt, held = find_blocks([scene, scene], Silent())
    assert {block.dn.shape for block in (*learnt, *held)} == {(13, 96, 96)}
    assert (len(learnt), len(held)) == (6, 2)
    assert {block.name for block in learnt}.isdisjoint(block.name for block in held)
    corner = next(block for block in learnt if block.name.endswith("at 0, 0"))
    assert not corner.clear[:14, :10].all()
    assert corner.clear[20:, 20:].all()


def test_cloudy_pixels_are_unused_and_too_few_blocks_are_refused(striped_place, write_raster):
    s2, s1 = striped_place
    cloudy = Scene.open(s2, s1, mask=mask_of(write_raster, a=(slice(0, 192), slice(0, 150))))
    with pytest.raises(InputError, match="fewer than four clear blocks of 96 x 96"):
        find_blocks([cloudy], Silent())
    scene = Scene.open(s2, s1, mask=mask_of(write_raster, a=(slice(0, 40), slice(0, 40))))
    learnt, _ = find_blocks([scene], Silent())
    (sample,) = lay_clouds(learnt[:1], 1, 0)
    assert sample.known is not None
    assert sample.hidden is not None
    assert not sample.known[:40, :40].any()
    assert sample.hidden[:40, :40].all()
    assert not np.array_equal(sample.cloudy, sample.clear)


def test_adaptation_learns_stripes_that_the_radar_shows(striped_place, write_raster, guided, tmp_path):
    s2, s1 = striped_place
    scene = Scene.open(s2, s1, mask=mask_of(write_raster))
    files, gain = adapt(
        [scene], guided, Adaptation("mine", tmp_path / "models", tmp_path / "work", steps=60, seed=2), Silent()
    )
    assert gain.images == 4
    assert gain.after > gain.before + 1
    card = ModelCard.read(files.path)
    assert card.training["adapted_from"] == "base"
    assert card.metrics[0]["figures"]["after"]["psnr_in_cloud"] == gain.after
    assert len(card.temperature) == 13


def test_a_model_without_a_guide_cannot_be_adapted(striped_place, small_model, write_raster, tmp_path):
    s2, s1 = striped_place
    with pytest.raises(ModelError, match="not guided"):
        adapt([Scene.open(s2, s1)], small_model, Adaptation("mine", tmp_path, tmp_path, steps=1), Silent())
