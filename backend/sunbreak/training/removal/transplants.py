"""Real clear ground, with its radar where there is any, under real clouds of other places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sunbreak.datasets.transplant import CloudLayer, lay_over, lift, turned
from sunbreak.training.removal.samples import Sample, to_dn

_DN = 10000.0
_LEAST_COVER = 0.02
_LEAST_LIGHT = 0.03  # smallest mean reflectance added by clouds; below it, the "clear" image is cloudy too


def cloud_layers(pairs: Sequence[Sample]) -> list[CloudLayer]:
    """The cloud layers of real pairs with masks (`with_masks`). Pairs without clouds over clear ground are skipped."""
    layers = []
    for pair in pairs:
        if pair.hidden is None or pair.hidden.mean() < _LEAST_COVER:
            continue
        cloudy, clear = _reflectance(pair.cloudy), _reflectance(pair.clear)
        if float((cloudy - clear)[:4, pair.hidden].mean()) < _LEAST_LIGHT:
            continue
        layers.append(lift(pair.name, cloudy, clear, pair.hidden))
    return layers


def transplanted_samples(
    grounds: Sequence[Sample], layers: Sequence[CloudLayer], per_place: int, seed: int
) -> list[Sample]:
    """Places under clouds of other places, in random orientation.

    Args:
        grounds: Clear ground; square, of the size of the layers. Cloudy image and mask are replaced.
        layers: Cloud layers.
        per_place: Number of different clouds over each place.
        seed: Seed of the choice.
    """
    samples = []
    for index, ground in enumerate(grounds):
        rng = np.random.default_rng([seed, index])
        own = [layer for layer in layers if layer.name != ground.name]
        for number in rng.permutation(len(own))[:per_place]:
            layer = turned(own[int(number)], int(rng.integers(4)), bool(rng.integers(2)))
            cloudy = lay_over(_reflectance(ground.clear), layer)
            stored = np.where(layer.mask, to_dn(cloudy), ground.clear)
            name = f"{ground.name} under the clouds of {layer.name}"
            samples.append(replace(ground, name=name, cloudy=stored, hidden=None))
    return samples


def _reflectance(image: NDArray[np.uint16]) -> NDArray[np.float32]:
    return np.clip(image, 0, _DN).astype(np.float32) / np.float32(_DN)
