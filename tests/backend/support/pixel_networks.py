"""A tiny network that gives a class for each pixel, as a model of the registry."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn

from sunbreak.models.card_landcover import Standardisation
from sunbreak.models.importing import save_segmentation
from sunbreak.models.legends import DYNAMIC_WORLD, TEN_BANDS
from sunbreak.models.registry import ModelFiles
from sunbreak.models.resnet_fpn import ResNetFPN


def small_network(seed: int = 0, width: int = 4, pyramid: int = 8, local: int = 16) -> ResNetFPN:
    """Random weights whose classes differ from place to place; the statistics of its norms are those of no data."""
    torch.manual_seed(seed)
    module = ResNetFPN(10, 9, width, pyramid, local)
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.running_mean.normal_(0, 0.2)
            part.running_var.uniform_(0.5, 1.5)
    with torch.no_grad():
        near = module.local.layers[-1]  # a part of the logits, as the encoder's classes differ more
        near.weight *= 0.2
        near.bias.zero_()
        logits = module.eval()(torch.randn(1, 10, 64, 64))
        scale = 2 / logits.std(dim=(0, 2, 3))
        for last in (module.classifier, near):
            last.weight *= scale[:, None, None, None]
        module.classifier.bias.copy_((module.classifier.bias - logits.mean(dim=(0, 2, 3))) * scale)
    return module


def save_small(folder: Path, name: str = "small-pixels", **changes: Any) -> ModelFiles:
    """The model, with tiles of 320 pixels and cores of 32."""
    given = {
        "title": "Small", "description": "For tests.", "licence": "GPL-2.0-or-later", "bands": TEN_BANDS, "tile": 320,
        "standardisation": Standardisation((1500.0,) * 10, (900.0,) * 10), "classes": DYNAMIC_WORLD,
    } | changes  # fmt: skip
    return save_segmentation(small_network(), name, folder, **given)
