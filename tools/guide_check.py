"""Evaluates the cloud-filled guide alone on real pairs, for several weights of the place prior.

python tools/guide_check.py SEN12MSCR [WEIGHT ...]

Prints the mean PSNR inside clouds of a fill with the mean colour, the gain of each guide in dB, and the fraction of images
in which the guide is better. It uses no network, and only images whose clear image is in the folder.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from sunbreak.datasets.sen12mscr import find_pairs
from sunbreak.metrics import fills, image
from sunbreak.models.registry import DEFAULT_REMOVAL, find_model
from sunbreak.removal.guide import Prior, guide
from sunbreak.training.removal.sen12mscr_pairs import StoredPairs
from sunbreak.training.removal.validation import reflectance


def main(folder: Path, weights: list[float]) -> None:
    """Measure and print."""
    world = Prior.parse(find_model(DEFAULT_REMOVAL).card.arguments["prior"])
    priors = [replace(world, weight=weight).numbers() for weight in weights]
    rows = []
    pairs = StoredPairs(find_pairs(folder).patches, Path("runs/masks"), print, opaque=True, same_ground=True)
    for sample in pairs:
        cloudy, target = reflectance(sample)
        hidden = sample.hidden
        if hidden is None or hidden.all() or not hidden.any():
            continue
        mean = image.psnr(fills.mean_fill(cloudy, hidden), target, hidden)
        filled = [guide(cloudy, ~hidden, prior, sample.s1) for prior in priors]
        rows.append([mean, *(image.psnr(result, target, hidden) - mean for result in filled)])
    figures = np.array(rows)
    print(f"{len(rows)} images, mean colour {figures[:, 0].mean():.2f} dB")
    for weight, gains in zip(weights, figures[:, 1:].T, strict=True):
        print(f"weight {weight:g}: {gains.mean():+.2f} dB, better in {np.mean(gains > 0):.0%}")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), [float(value) for value in sys.argv[2:]] or [128, 1024, 2048, 8192])
