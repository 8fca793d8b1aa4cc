"""Faithfulness of the maps of a per-pixel network that was trained: better than random, and lost with its weights."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from torch.nn import functional as F

from sunbreak.errors import InputError
from sunbreak.events import Silent
from sunbreak.landcover.faithfulness import measure
from sunbreak.models.card_landcover import Standardisation
from sunbreak.models.importing import save_segmentation
from sunbreak.models.legends import DYNAMIC_WORLD, TEN_BANDS
from sunbreak.models.resnet_fpn import ResNetFPN
from sunbreak.scene import S2_BANDS, Scene

MEAN, DEVIATION = 6000.0, 300.0
STAGES = ["layer4", "layer3", "layer2", "layer1", "conv1"]


def noisy_fields(rng: np.random.Generator, rows: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Fields of three classes, each bright in three of ten bands, under noise that hides a single pixel's class."""
    draws = rng.normal(size=(3, rows, columns))
    kinds = gaussian_filter(draws, (0, 16, 16)).argmax(axis=0)
    x = rng.normal(0, 4, (10, rows, columns))
    for kind in range(3):
        x[3 * kind : 3 * kind + 3, kinds == kind] += 1.5
    return x.astype(np.float32), kinds


def train(folder, silent: str, local: int = 96, steps: int = 240):
    """A tiny network after a few seconds of training, one branch of which adds nothing to the logits."""
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    module = ResNetFPN(10, 3, 4, 8, local).train()
    for part in module.get_submodule(silent).parameters():
        torch.nn.init.zeros_(part).requires_grad_(False)
    optimiser = torch.optim.Adam(module.parameters(), 4e-3)
    for step in range(steps):
        optimiser.param_groups[0]["lr"] = 4e-3 * (1 - step / steps)  # ends alike on every processor
        images, kinds = (np.stack(part) for part in zip(*(noisy_fields(rng, 64, 64) for _ in range(4)), strict=True))
        loss = F.cross_entropy(module(torch.from_numpy(images)), torch.from_numpy(kinds))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return save_segmentation(
        module.eval(), "trained", folder, title="Trained", description="For tests.",
        licence="GPL-2.0-or-later", bands=TEN_BANDS, tile=320, classes=DYNAMIC_WORLD[:3],
        standardisation=Standardisation((MEAN,) * 10, (DEVIATION,) * 10),
    )  # fmt: skip


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """All that it knows is in its encoder."""
    return train(tmp_path_factory.mktemp("models"), "local.layers.4")


@pytest.fixture(scope="module")
def trained_nearby(tmp_path_factory):
    """All that it knows is in its local branch."""
    return train(tmp_path_factory.mktemp("models"), "classifier", 16, 80)


@pytest.fixture
def fields(write_raster):
    x, _ = noisy_fields(np.random.default_rng(5), 256, 512)
    dn = np.full((13, 256, 512), MEAN)
    dn[[S2_BANDS.index(band) for band in TEN_BANDS]] += DEVIATION * x
    return Scene.open(write_raster("fields.tif", np.clip(dn, 1, 60000).astype(np.uint16), bands=S2_BANDS))


METHODS = pytest.mark.parametrize(("method", "block"), [("hirescam", "layer1"), ("gradcam", "layer1")])


@METHODS
def test_the_marked_pixels_matter_more_than_random_ones(fields, trained, method, block):
    found = measure(fields, trained, Silent(), method=method, block=block, patches=2, steps=8)
    assert found.patches == 2
    assert found.deletion < found.deletion_random - 0.1
    assert found.insertion > found.insertion_random + 0.02


@METHODS
def test_random_weights_change_the_map(fields, trained, method, block):
    every = [
        measure(fields, trained, Silent(), method=method, block=block, patches=2, steps=1, seed=seed).spearman
        for seed in range(4)
    ]
    assert list(every[0]) == ["classifier", "merge", "local", "smooth", "lateral", *STAGES]
    # two maps of one draw of random weights may be alike by chance
    for part in every[0]:
        assert np.mean([found[part] for found in every]) < 0.85


def test_integrated_gradients_mark_what_matters_to_the_local_branch_and_grad_cam_does_not(fields, trained_nearby):
    found = measure(fields, trained_nearby, Silent(), patches=1, steps=4)
    blind = measure(fields, trained_nearby, Silent(), method="gradcam", patches=1, steps=4)
    assert found.deletion < found.deletion_random - 0.2
    assert found.insertion > found.insertion_random + 0.02
    # it says more than where the class is
    assert found.deletion < found.deletion_area < found.deletion_random
    assert found.spearman["conv1"] < 0.7
    # no gradient reaches the encoder
    assert np.isnan(list(blind.spearman.values())).all()
    assert blind.deletion > found.deletion + 0.1


def test_scenes_smaller_than_what_a_pixel_depends_on_are_refused(write_raster, trained):
    small = Scene.open(write_raster("small.tif", np.full((13, 200, 300), 3000, np.uint16), bands=S2_BANDS))
    with pytest.raises(InputError, match="holds no patch of 256 x 256 pixels without nodata"):
        measure(small, trained, Silent())
