"""Writes a tiny network with a class for each pixel called `tiny-pixels` into a folder, for the backend's interpreter.

Its weights are random, but scaled so that all nine classes occur in the demo scene. The card holds a confusion matrix,
so that areas can be adjusted for classification error.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import rasterio
import torch

CHECKOUT = Path(__file__).resolve().parents[1]
sys.path.append(str(CHECKOUT / "tests" / "backend" / "support"))

from pixel_networks import small_network  # noqa: E402

from sunbreak.models.card_landcover import Standardisation  # noqa: E402
from sunbreak.models.importing import save_segmentation  # noqa: E402
from sunbreak.models.legends import DYNAMIC_WORLD, TEN_BANDS  # noqa: E402

BANDS = [2, 3, 4, 5, 6, 7, 8, 9, 12, 13]  # the ten bands, among the thirteen of the demo scene

torch.set_num_threads(1)
with rasterio.open(CHECKOUT / "resources" / "demo" / "demo_s2_clear.tif") as source:
    scene = torch.from_numpy(source.read(BANDS).astype(np.float32))
mean, deviation = scene.mean((1, 2)), scene.std((1, 2))
network = small_network(seed=1).eval()
with torch.no_grad():
    logits = network(((scene - mean[:, None, None]) / deviation[:, None, None])[None])[0].flatten(1)
    scale = 2 / logits.std(1)
    network.classifier.weight *= scale[:, None, None, None]
    network.classifier.bias.copy_((network.classifier.bias - logits.mean(1)) * scale)
save_segmentation(
    network,
    "tiny-pixels",
    Path(sys.argv[1]),
    title="Random weights, a class for each pixel",
    description="Knows nothing; for tests.",
    licence="CC0-1.0",
    bands=TEN_BANDS,
    standardisation=Standardisation(tuple(mean.tolist()), tuple(deviation.tolist())),
    classes=DYNAMIC_WORLD,
    metrics=({"data": "made up", "figures": {"confusion": (np.eye(9) * 80 + 10).tolist()}},),
)
