"""What a guide alone is worth on real pairs, for several weights of what the world looks like.

python tools/guide_check.py SEN12MSCR [WEIGHT ...]

Prints the mean PSNR inside the clouds' masks of a fill with the mean colour, and what each guide adds to it, in dB, with
the share of images in which it is better. No network is used, and no image of which the truth is not in the folder.
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
from sunbreak.training.removal.baselines import reflectance
from sunbreak.training.removal.sen12mscr_pairs import StoredPairs


def main(folder: Path, weights: list[float]) -> None:
    """Measure and print."""
    world = Prior.parse(find_model(DEFAULT_REMOVAL).card.arguments["prior"])
    priors = [replace(world, weight=weight).numbers() for weight in weights]
    rows = []
    for sample in StoredPairs(find_pairs(folder).patches, Path("runs/masks"), print):
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
    main(Path(sys.argv[1]), [float(value) for value in sys.argv[2:]] or [128, 2048, 8192, 16384])
