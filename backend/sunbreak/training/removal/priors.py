"""Fits the priors of the guide: a general prior from many images, and the prior of one place.

The weight of a place's prior is chosen by leave-one-out validation: each block is filled with the prior of the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sunbreak.metrics import image
from sunbreak.removal.guide import Prior, block_means, guide, is_water, radar_features
from sunbreak.removal.place_prior import Moments, prior_of
from sunbreak.removal.radar_trend import RadarTrend
from sunbreak.training.removal.samples import Sample

# clear pixels of a tile that weigh as much as the general prior: what little is seen between clouds stands for the rest
# only roughly, and haze reaches beyond the mask. A larger weight is better on average, but worse on ground unlike the
# prior (`tools/guide_check.py`)
_WORLD_WEIGHT = 2048.0
_DN = 10000.0
_LEAST_PLACES = 2
_LEAST_WATER = 1000  # blocks
_BLOCKS_OF_PLACE = 3000  # drawn for the radar trend, so that every place counts the same
_RIDGE = 1.0
_OF_RADAR_PLACES = 0.5  # weight of their mean land in the spectrum of land; few places have radar
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


def with_trend(prior: Prior, places: Sequence[Sequence[Sample]], seed: int) -> Prior:
    """The prior with the relation between radar and reflectance, fitted to places with radar.

    The fraction of water is a logistic regression on the radar features. Land is a ridge regression with strong
    shrinkage, because a dozen places are few. Its spectrum is half that of the prior and half the mean of these places.

    Args:
        prior: A prior with the spectrum of water.
        places: Samples of each place. Those without radar do not count, and bands without truth neither.
        seed: Seed of the choice of blocks.

    Returns:
        The prior with a trend; as it is if it has no water, or if fewer than two places, no land or no water is found.
    """
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(seed)
    drawn = [_blocks_of(samples, rng) for samples in places if any(sample.s1 is not None for sample in samples)]
    if prior.water is None or len(drawn) < _LEAST_PLACES:
        return prior
    features = np.concatenate([part for part, _, _ in drawn])
    colours = np.concatenate([part for _, part, _ in drawn])
    wet = np.concatenate([part for _, _, part in drawn])
    if not 0 < wet.sum() < len(wet):
        return prior
    water = LogisticRegression(max_iter=500).fit(features, wet)
    land, of_land = features[~wet], colours[~wet]
    backscatter, mean = land.mean(axis=0), of_land.mean(axis=0)
    apart = land - backscatter
    gram = apart.T @ apart / len(apart) + _RIDGE * np.eye(apart.shape[1])
    slopes = np.linalg.solve(gram, apart.T @ (of_land - mean) / len(apart)).T
    return replace(
        prior,
        spectrum=_OF_RADAR_PLACES * mean + (1 - _OF_RADAR_PLACES) * prior.spectrum,
        trend=RadarTrend(np.append(water.coef_[0], water.intercept_[0]), backscatter, slopes),
    )


def _blocks_of(
    samples: Sequence[Sample], rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Random blocks of a place: radar features (block, 12), reflectance (block, 13), and whether they are water."""
    parts: list[tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]] = []
    for sample in samples:
        if sample.s1 is None:
            continue
        known = np.ones(sample.clear.shape[1:], np.float32) if sample.known is None else sample.known.astype(np.float32)
        weight = block_means(known)
        colours = block_means(np.clip(sample.clear, 0, _DN).astype(np.float32) / np.float32(_DN))
        whole = weight == 1
        wet = is_water(colours, weight)[whole]
        parts.append((radar_features(sample.s1)[:, whole].T.astype(float), colours[:, whole].T.astype(float), wet))
    features, colours, wet = (np.concatenate(column) for column in zip(*parts, strict=True))
    chosen = rng.integers(len(wet), size=_BLOCKS_OF_PLACE) if len(wet) else np.zeros(0, int)
    return features[chosen], colours[chosen], wet[chosen]


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
