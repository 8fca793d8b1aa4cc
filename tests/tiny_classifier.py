"""Writes a tiny classifier of land cover called `tiny-landcover` into a folder, to be run by the backend's interpreter.

Its weights are random, but scaled so that the classes of a scene differ from place to place.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch

from sunbreak.models.importing import save_classifier
from sunbreak.models.legends import SEN12MS_10, SIMPLIFIED_IGBP, TEN_BANDS
from sunbreak.models.resnet import ResNet

torch.manual_seed(3)
torch.set_num_threads(1)
network = ResNet(18, 10, 10, width=16).eval()
seen = []
with torch.no_grad():
    network.fc.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    network(torch.randn(256, 10, 1, 1) * 0.4 + torch.randn(256, 10, 64, 64) * 0.3)
    middle = seen[0].mean(0)
    network.fc.weight *= (3 / ((seen[0] - middle) @ network.fc.weight.T).std(0))[:, None]
    network.fc.bias.copy_(-(middle @ network.fc.weight.T))
save_classifier(
    network,
    "tiny-landcover",
    Path(sys.argv[1]),
    title="Random weights",
    description="Knows nothing; for tests.",
    licence="CC0-1.0",
    bands=TEN_BANDS,
    standardisation=SEN12MS_10,
    classes=SIMPLIFIED_IGBP,
    depth=18,
    tile=64,
)
