"""What a guide alone is worth on real pairs, for several strengths of its pull to the tile's mean.

python tools/guide_check.py SEN12MSCR [PULL ...]

Prints the mean PSNR inside the clouds' masks of a fill with the mean colour, and what each guide adds to it, in dB, with
the share of images in which it is better. No network is used, and no image of which the truth is not in the folder.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from sunbreak.datasets.sen12mscr import find_pairs
from sunbreak.metrics import fills, image
from sunbreak.models import guide as guides
from sunbreak.models.registry import DEFAULT_REMOVAL, find_model
from sunbreak.training.evaluation import reflectance
from sunbreak.training.pairs import StoredPairs


def main(folder: Path, pulls: list[float]) -> None:
    """Measure and print."""
    prior = find_model(DEFAULT_REMOVAL).card.arguments["prior"]
    rows = []
    for sample in StoredPairs(find_pairs(folder).patches, Path("runs/masks"), print):
        cloudy, target = reflectance(sample)
        hidden = sample.hidden
        if hidden is None or hidden.all() or not hidden.any():
            continue
        row = [image.psnr(fills.mean_fill(cloudy, hidden), target, hidden)]
        for pull in pulls:
            guides._PULL = pull  # the constant that is being looked at
            row.append(image.psnr(guides.guide(cloudy, ~hidden, prior, sample.s1), target, hidden) - row[0])
        rows.append(row)
    figures = np.array(rows)
    print(f"{len(rows)} images, mean colour {figures[:, 0].mean():.2f} dB")
    for pull, gains in zip(pulls, figures[:, 1:].T, strict=True):
        print(f"pull {pull:g}: {gains.mean():+.2f} dB, better in {np.mean(gains > 0):.0%}")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), [float(value) for value in sys.argv[2:]] or [0.2, 0.5, 1.0, 3.0])
