"""The priors of guides: of the world, and of a place.

How much a guide should believe what is known of its place is found out by trying each place without itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sunbreak.metrics import image
from sunbreak.removal.guide import Prior, block_means, guide, is_water
from sunbreak.removal.place_prior import Moments, prior_of

# clear pixels of a tile that count as much as the world: haze and shadow reach beyond the mask, so that what counts as
# clear there is not what the ground looks like without clouds. More is better on average, but in fewer images
# (`tools/guide_check.py`)
_WORLD_WEIGHT = 2048.0
_LEAST_WATER = 1000  # blocks
_WEIGHTS = (128.0, 512.0, 2048.0, 8192.0, 32768.0)


@dataclass(frozen=True)
class Trial:
    """A piece of ground under clouds, to try a prior on.

    Attributes:
        place: Where it is; what is known of this place from other dates is left out when it is tried.
        cloudy: (13, row, column) reflectance.
        clear: The same without clouds.
        seen: (row, column), what the guide may look at.
        judged: (row, column), where it is judged.
        radar: (2, row, column) dB, or None.
    """

    place: int
    cloudy: NDArray[np.float32]
    clear: NDArray[np.float32]
    seen: NDArray[np.bool_]
    judged: NDArray[np.bool_]
    radar: NDArray[np.float32] | None


def world_prior(images: Iterable[NDArray[np.float32]]) -> Prior:
    """What land and water look like in clear images (13, row, column) of reflectance; without much water only land."""
    sums, counts = np.zeros((2, 13)), np.zeros(2)
    for ground in images:
        blocks = block_means(ground)
        wet = is_water(blocks, np.ones(blocks.shape[1:], np.float32))
        for number, part in enumerate((~wet, wet)):
            sums[number] += blocks[:, part].sum(axis=1, dtype=np.float64)
            counts[number] += part.sum()
    if not counts.sum():
        raise ValueError("no image shows the world")
    if counts[1] < _LEAST_WATER or not counts[0]:
        return Prior(sums.sum(axis=0) / counts.sum(), _WORLD_WEIGHT)
    return Prior(sums[0] / counts[0], _WORLD_WEIGHT, water=sums[1] / counts[1])


def fit_prior(parts: Sequence[tuple[int, Moments]], trials: Sequence[Trial]) -> Prior:
    """The prior of a place with the weight that fills its own clouds best, each place tried with what the others tell.

    Args:
        parts: Number of the place and what was seen of it.
        trials: The places under clouds.

    Raises:
        ValueError: There is but one place, so there is nothing to try it with.
    """
    if len({place for place, _ in parts}) < 2:
        raise ValueError("one place cannot tell how much it tells about another")
    scores = np.zeros(len(_WEIGHTS))
    for trial in trials:
        others = [part for place, part in parts if place != trial.place]
        for index, weight in enumerate(_WEIGHTS):
            filled = guide(trial.cloudy, trial.seen, prior_of(others, weight).numbers(), trial.radar)
            scores[index] += image.psnr(filled, trial.clear, trial.judged)
    return prior_of([part for _, part in parts], _WEIGHTS[int(scores.argmax())])
