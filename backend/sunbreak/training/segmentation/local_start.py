"""Trains the local branch alone, on single pixels of many images, before the encoder is trained.

Most pixels of a crop look alike, and a batch holds few crops. Pixels drawn from thousands of crops differ, so that each
step of the perceptron sees many places.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from sunbreak.events import Reporter
from sunbreak.models.legends import DYNAMIC_WORLD
from sunbreak.models.local_branch import known_pixels
from sunbreak.models.resnet_fpn import ResNetFPN
from sunbreak.training.segmentation.draws import Batch, Draws
from sunbreak.training.segmentation.losses import Weighing, pixel_loss

CROPS = 2400
"""Crops from which the pixels are drawn."""

_AT_ONCE, _PIXELS, _STEPS, _BATCH = 12, 250, 2500, 2048
_RATE, _DECAY = 2e-3, 0.05
_FIRST = 1_000_000  # number of the first batch: the encoder is trained on others


def train_local(module: ResNetFPN, draws: Draws, seed: int, reporter: Reporter, device: str) -> Weighing:
    """Train the local branch of a network in place, and weigh the classes by how many pixels each has.

    Args:
        module: Its local branch is changed.
        draws: Gives the crops.
        seed: Seed of all random numbers.
        reporter: Can stop the training.
        device: ``cpu`` or ``cuda``.

    Raises:
        Cancelled: The reporter asked to stop.
    """
    rng = np.random.default_rng([seed, _FIRST])
    parts = []
    for number in range(CROPS // _AT_ONCE):
        reporter.checkpoint()
        parts.append(_pixels(module, draws.batch(_FIRST + number, _AT_ONCE), rng, device))
    features, classes, confidence = (torch.cat(part) for part in zip(*parts, strict=True))
    weighing = Weighing.of(classes, confidence, len(DYNAMIC_WORLD))
    layers = module.local.layers
    optimizer = torch.optim.AdamW(layers.parameters(), lr=_RATE, weight_decay=_DECAY)
    torch.manual_seed(seed)
    for step in range(_STEPS):
        if step % 100 == 0:
            reporter.checkpoint()
        for group in optimizer.param_groups:
            group["lr"] = _RATE * (1 - step / _STEPS)
        drawn = torch.randint(len(features), (_BATCH,), device=features.device)
        # pixels of a batch as the rows of one image
        logits = layers(features[drawn].T[None, :, :, None])
        loss = pixel_loss(logits, classes[drawn][None, :, None], confidence[drawn][None, :, None], weighing)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return weighing


def _pixels(module: ResNetFPN, batch: Batch, rng: np.random.Generator, device: str) -> tuple[Tensor, Tensor, Tensor]:
    """Features (pixel, feature), classes and confidence (pixel,) of random labelled pixels of each image."""
    with torch.inference_mode():
        x = torch.from_numpy(batch.x).to(device)
        found = module.local.features(module.logarithm(x), known_pixels(x))
    features, classes, confidence = [], [], []
    for number, labels in enumerate(batch.classes):
        known = np.flatnonzero(labels.ravel())
        picked = rng.choice(known, min(len(known), _PIXELS), replace=False)
        at = torch.from_numpy(picked).to(device)
        features.append(found[number].flatten(1)[:, at].T)
        classes.append(torch.from_numpy(labels.ravel()[picked]).to(device))
        confidence.append(torch.from_numpy(batch.confidence[number].ravel()[picked]).to(device))
    return torch.cat(features).clone(), torch.cat(classes), torch.cat(confidence)
