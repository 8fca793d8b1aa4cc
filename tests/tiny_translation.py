"""Writes a tiny Augmented CycleGAN called `aug-cyclegan-tiny` into a folder, to be run by the backend's interpreter.

Its weights are random. It makes all bands but B10, conditioned on short-wave infrared and radar.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch

from sunbreak.models.augcyclegan import DirectionConfig, Generator
from sunbreak.models.importing import NATIVE_BANDS
from sunbreak.models.importing_augcyclegan import save_augcyclegan

torch.manual_seed(3)
torch.set_num_threads(1)
generator = Generator(DirectionConfig(12, 12, conditioning=4, latent=3, generator_width=4, spectral_norm=False)).eval()
save_augcyclegan(
    generator,
    "aug-cyclegan-tiny",
    Path(sys.argv[1]),
    title="Random weights",
    description="Knows nothing; for tests.",
    licence="CC0-1.0",
    bands=[band for band in NATIVE_BANDS if band != "B10"],
    conditioning=("B11", "B12", "VV", "VH"),
    level="L1C",
    samples=3,
    tile=64,
    overlap=32,
)
