"""Defaults that the command line, the jobs and the studies share. Each is written here and nowhere else.

Imports nothing, so that the command line starts without numpy or torch.
"""

from __future__ import annotations

#: Name of the cloud detector, see `sunbreak.clouds.choice`.
CLOUD_DETECTOR = "auto"
#: The detector of training samples, of figures inside and outside of clouds, and of the downstream study. It is not the
#: default detector, so that figures stay comparable and networks can be trained again.
REFERENCE_DETECTOR = "s2cloudless"
#: Instead of a detector: the product's own scene classification, and no clouds but those of a given mask.
PRODUCT_MASK, NO_DETECTOR = "scl", "none"
#: The profile of the catalogue that is searched.
CATALOGUE = "planetary-computer"
#: Smoothed cloud probability above which a pixel is cloud.
CLOUD_THRESHOLD = 0.4
#: Radius of the disk that smooths the cloud probability, in pixels of 10 m.
CLOUD_AVERAGE = 4
#: Radius by which the detected mask is dilated, in pixels of 10 m.
CLOUD_DILATION = 2
#: Side of the blocks that are classified, in pixels: 99.1 % agreement with 10 m on real patches at 13 % of the time of
#: cleaning, see benchmarks/cloud_grid.py.
CLOUD_FACTOR = 3

#: Pixels by which removal dilates a mask whose cloud edges are bright: a detected one, or the product's own.
BUFFER = 4
#: Width of the mixed edge inside the mask, in pixels.
FEATHER = 4
#: The classes that are replaced, by the words of `--replace`.
REPLACE = ("clouds", "thin", "shadows")

#: Confidence from which on a class counts as sure.
CONFIDENT = 0.6
#: Reconstructed fraction above which a cell counts as reconstructed.
RECONSTRUCTED = 0.1
