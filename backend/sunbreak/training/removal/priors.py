"""Fits the priors of the guide: a general prior from many images, and the prior of one place.

The weight of a place's prior is chosen by leave-one-out validation: each block is filled with the prior of the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sunbreak.metrics import image
from sunbreak.removal.guide import Prior, block_means, guide, is_water
from sunbreak.removal.place_prior import Moments, prior_of

# number of clear pixels of a tile that weigh as much as the general prior. Haze and shadow reach beyond the cloud mask,
# so pixels that count as clear do not show the true colour of the ground. A larger weight is better on average, but in
# fewer images (`tools/guide_check.py`)
_WORLD_WEIGHT = 2048.0
_LEAST_WATER = 1000  # blocks
_WEIGHTS = (128.0, 512.0, 2048.0, 8192.0, 32768.0)


@dataclass(frozen=True)
class Trial:
    """A block under simulated clouds that a prior is validated on.

    Attributes:
        place: Number of the position; the prior is fitted without this position.
        cloudy: (13, row, column) reflectance.
        clear: The same without clouds.
        seen: (row, column), True for the pixels that the guide may use.
        judged: (row, column), True for the pixels that are measured.
        radar: (2, row, column) dB, or None.
    """

    place: int
    cloudy: NDArray[np.float32]
    clear: NDArray[np.float32]
    seen: NDArray[np.bool_]
    judged: NDArray[np.bool_]
    radar: NDArray[np.float32] | None


def world_prior(images: Iterable[NDArray[np.float32]]) -> Prior:
    """The prior of land and water from clear images (13, row, column); land only if there is too little water."""
    sums, counts = np.zeros((2, 13)), np.zeros(2)
    for ground in images:
        blocks = block_means(ground)
        wet = is_water(blocks, np.ones(blocks.shape[1:], np.float32))
        for number, part in enumerate((~wet, wet)):
            sums[number] += blocks[:, part].sum(axis=1, dtype=np.float64)
            counts[number] += part.sum()
    if not counts.sum():
        raise ValueError("there are no images to fit the prior to")
    if counts[1] < _LEAST_WATER or not counts[0]:
        return Prior(sums.sum(axis=0) / counts.sum(), _WORLD_WEIGHT)
    return Prior(sums[0] / counts[0], _WORLD_WEIGHT, water=sums[1] / counts[1])


def fit_prior(parts: Sequence[tuple[int, Moments]], trials: Sequence[Trial]) -> Prior:
    """The prior of a place, with the weight that gives the highest PSNR in leave-one-out validation.

    Args:
        parts: For each block the number of its position and its moments.
        trials: The blocks under simulated clouds.

    Raises:
        ValueError: All blocks are at one position, so none can be left out.
    """
    if len({place for place, _ in parts}) < 2:
        raise ValueError("leave-one-out validation needs blocks at two or more positions")
    scores = np.zeros(len(_WEIGHTS))
    for trial in trials:
        others = [part for place, part in parts if place != trial.place]
        for index, weight in enumerate(_WEIGHTS):
            filled = guide(trial.cloudy, trial.seen, prior_of(others, weight).numbers(), trial.radar)
            scores[index] += image.psnr(filled, trial.clear, trial.judged)
    return prior_of([part for _, part in parts], _WEIGHTS[int(scores.argmax())])
