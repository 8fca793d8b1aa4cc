"""Random batches for training land cover per pixel: where to cut, and how to vary what is cut.

A batch depends on the seed and its number only, so a resumed training sees the batches of an uninterrupted one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from sunbreak.models.card_landcover import Standardisation
from sunbreak.models.legends import DYNAMIC_WORLD
from sunbreak.training.segmentation.atmosphere import above_the_atmosphere
from sunbreak.training.segmentation.label_files import LabelledImage, PatchLabel
from sunbreak.training.segmentation.snowfall import snowed

DN = 10_000.0
"""Digital number of a reflectance of 1."""

_CONTRASTED, _NOISY = 0.1, 0.3  # fractions of images
_FILLED = 0.9  # of what is cut, by a patch that is turned
_LEAST_VARIETY, _MOST_IMAGES = 0.35, 4


@dataclass(frozen=True)
class Variation:
    """How strongly images are varied.

    Attributes:
        atmosphere: Standard deviation of the atmosphere that was taken off too much or too little, as a fraction of the
            typical one.
        zoom: Standard deviation of the logarithm of the zoom.
        brightness: Standard deviation of the logarithm of the factor of all bands.
        tint: Standard deviation of the logarithm of the factor of each band.
        haze: Standard deviation of the reflectance added to the shortest band, falling to 0 at the longest.
        contrast: Standard deviation of the logarithm of the contrast, in a tenth of the images.
        noise: Standard deviation of the noise of each number, as a fraction of it, in three images of ten.
        blur: Probability of a blur.
        snow: Probability of snow.
        edge: Probability of an edge of the scene, beyond which nothing is known; patches with a label have none.
    """

    atmosphere: float = 0.12
    zoom: float = 0.2
    brightness: float = 0.06
    tint: float = 0.024
    haze: float = 0.004
    contrast: float = 0.2
    noise: float = 0.02
    blur: float = 0.15
    snow: float = 0.06
    edge: float = 0.2


@dataclass(frozen=True)
class Batch:
    """A batch.

    Attributes:
        x: (image, band, row, column), standardised.
        classes: (image, row, column), 1 to 9, 0 where there is no label.
        confidence: (image, row, column), 0..1.
        patches: What is known of each image as a whole, or None.
    """

    x: NDArray[np.float32]
    classes: NDArray[np.int64]
    confidence: NDArray[np.float32]
    patches: tuple[PatchLabel | None, ...]


class Draws:
    """Draws batches.

    An image is drawn by its place: places with several classes more often than uniform ones, and those with several
    images somewhat more often.

    Attributes:
        mean, deviation: (10,), of the standardisation, in DN.

    Args:
        images: Images with labels and surface reflectance.
        simulated: Simulated images with labels and surface reflectance.
        standardisation: Of the network's input.
        side: Rows and columns of what is cut.
        seed: Seed of all random numbers.
        patch_share: Fraction of images with a label of the whole patch.
        simulated_share: Fraction of simulated images.
        variation: How strongly images are varied.
    """

    def __init__(
        self,
        images: Sequence[LabelledImage],
        simulated: Sequence[LabelledImage],
        standardisation: Standardisation,
        side: int,
        seed: int,
        *,
        patch_share: float = 0.3,
        simulated_share: float = 0.05,
        variation: Variation | None = None,
    ) -> None:
        self._large = [one for one in images if one.patch is None]
        groups = [(patch_share, [one for one in images if one.patch is not None]), (simulated_share, [*simulated])]
        self._groups = [(share, held) for share, held in groups if held and share > 0]
        places: dict[str, list[LabelledImage]] = {}
        for one in self._large:
            places.setdefault(one.place, []).append(one)
        self._places = [*places.values()]
        weights = np.array([_weight(held) for held in self._places])
        self._weights = weights / weights.sum() if len(weights) else weights
        self.mean = np.array(standardisation.mean, np.float32)
        self.deviation = np.array(standardisation.deviation, np.float32)
        self._side, self._seed = side, seed
        self._variation = variation or Variation()

    def batch(self, number: int, count: int) -> Batch:
        """Batch `number`."""
        rng = np.random.default_rng([self._seed, number])
        drawn = [self._varied(rng, self._one(rng)) for _ in range(count)]
        x, classes, confidence, patches = zip(*drawn, strict=True)
        return Batch(np.stack(x), np.stack(classes), np.stack(confidence), tuple(patches))

    def standardised(self, dn: NDArray[np.float32]) -> NDArray[np.float32]:
        """Network input (band, row, column) from DN."""
        result: NDArray[np.float32] = (dn - self.mean[:, None, None]) / self.deviation[:, None, None]
        return result

    def _one(self, rng: np.random.Generator) -> LabelledImage:
        chance = rng.random()
        for share, held in self._groups:
            if chance < share or not self._large:
                return held[int(rng.integers(len(held)))]
            chance -= share
        place = self._places[int(rng.choice(len(self._places), p=self._weights))]
        return place[int(rng.integers(len(place)))]

    def _varied(
        self, rng: np.random.Generator, image: LabelledImage
    ) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.float32], PatchLabel | None]:
        vary = self._variation
        x = image.dn / np.float32(DN)
        x += np.float32(rng.normal(0, vary.atmosphere)) * (above_the_atmosphere(x) - x)
        x, classes, confidence = self._cut(rng, x, image)
        factors = np.exp(rng.normal(0, vary.brightness) + rng.normal(0, vary.tint, (len(x), 1, 1)))
        haze = np.linspace(1, 0, len(x))[:, None, None] * rng.normal(0, vary.haze)
        x = (x * factors + haze).astype(np.float32)
        if rng.random() < _CONTRASTED:
            middle = x.mean(axis=(1, 2), keepdims=True)
            x = middle + (x - middle) * np.float32(np.exp(rng.normal(0, vary.contrast)))
        if rng.random() < vary.blur:
            x = gaussian_filter(x, (0, *[rng.uniform(0.5, 1.3)] * 2))
        if rng.random() < _NOISY:
            x = x * (1 + rng.normal(0, vary.noise, x.shape)).astype(np.float32)
        if rng.random() < vary.snow:
            x, classes, confidence = snowed(rng, x, classes, confidence)
        x = self.standardised(x * np.float32(DN))
        if image.patch is None and rng.random() < vary.edge:
            rows, columns = _beyond_edge(rng, self._side)
            x[:, rows, columns] = classes[rows, columns] = 0  # as `sunbreak.landcover.standardising` has it
        return x, classes, confidence, image.patch

    def _cut(
        self, rng: np.random.Generator, x: NDArray[np.float32], image: LabelledImage
    ) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.float32]]:
        """A turned, zoomed and perhaps mirrored square around a random pixel, or a whole patch; reflected outside."""
        import cv2

        side, (rows, columns) = self._side, image.classes.shape
        row, column = rng.uniform(0, rows - 1), rng.uniform(0, columns - 1)
        zoom = float(np.exp(rng.normal(0, self._variation.zoom)))
        if image.patch is not None:  # the whole patch, because its label is of the whole
            row, column, zoom = (rows - 1) / 2, (columns - 1) / 2, zoom * _FILLED * side / max(rows, columns)
        matrix: Any = cv2.getRotationMatrix2D((float(column), float(row)), float(rng.uniform(0, 360)), zoom)
        matrix[:, 2] += side / 2 - np.array([column, row])
        if rng.random() < 0.5:
            matrix[0] *= -1
            matrix[0, 2] += side - 1

        def warped(plane: Any, flags: int) -> Any:
            return cv2.warpAffine(plane, matrix, (side, side), flags=flags, borderMode=cv2.BORDER_REFLECT)

        stacked = np.ascontiguousarray(np.moveaxis(x, 0, -1))
        # more than four channels at once are slow
        parts = [warped(stacked[..., i : i + 4], cv2.INTER_LINEAR).reshape(side, side, -1) for i in range(0, len(x), 4)]
        cut: NDArray[np.float32] = np.moveaxis(np.concatenate(parts, axis=-1), -1, 0)
        classes = warped(image.classes, cv2.INTER_NEAREST).astype(np.int64)
        return cut, classes, warped(image.confidence, cv2.INTER_NEAREST)


def _weight(place: Sequence[LabelledImage]) -> float:
    """How often a place is drawn: the entropy of its classes, times the root of the number of its images."""
    counts = np.bincount(np.concatenate([one.classes.ravel() for one in place]), minlength=len(DYNAMIC_WORLD) + 1)[1:]
    shares = counts[counts > 0] / max(1, int(counts.sum()))
    entropy = -float((shares * np.log(shares)).sum())
    return (_LEAST_VARIETY + entropy) * math.sqrt(min(len(place), _MOST_IMAGES))


def _beyond_edge(rng: np.random.Generator, side: int) -> tuple[slice, slice]:
    """Up to half of a square, along one of its sides."""
    width = int(rng.integers(1, side // 2))
    part = slice(width) if rng.random() < 0.5 else slice(side - width, side)
    return (part, slice(None)) if rng.random() < 0.5 else (slice(None), part)
