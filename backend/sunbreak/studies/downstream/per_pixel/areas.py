"""Which classes gain and lose area by clouds and by their removal, and whether these are classes with little detail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from sunbreak.metrics import bootstrap
from sunbreak.metrics.bootstrap import Draws, Estimate
from sunbreak.studies.downstream.per_pixel.counting import PixelCounts

Floats = NDArray[np.float64]

LEAST = 0.01
"""Classes with a smaller fraction of the area of the clear images are not in the correlation with detail."""


@dataclass(frozen=True)
class ClassAreas:
    """Fractions of the area by class.

    Attributes:
        pixels: Pixels of each class, by version, `clear` first.
        fractions: Fraction of all pixels, by version, `clear` first.
        changes: Change of this fraction against the clear images, by version.
    """

    pixels: dict[str, NDArray[np.int64]]
    fractions: dict[str, list[Estimate]]
    changes: dict[str, list[Estimate]]


@dataclass(frozen=True)
class ClassDetail:
    """Detail of the classes, and its relation to their gain in area.

    Attributes:
        gradient: Mean gradient magnitude of the clear images in the pixels of each class, reflectance.
        compared: Whether a class is in the correlation, (class,).
        rho: Spearman's correlation over the classes of their gradient with the ratio of their area to that on the clear
            images, by version. Negative: classes with little detail gain.
    """

    gradient: list[Estimate]
    compared: NDArray[np.bool_]
    rho: dict[str, Estimate]


def class_areas(totals: Mapping[str, NDArray[np.int64]], drawn: Mapping[str, Floats]) -> ClassAreas:
    """Areas of the classes.

    Args:
        totals: By version: pixels, (class on the clear image, class).
        drawn: The same of every resample, (replicate, class on the clear image, class).
    """
    first = next(iter(totals))
    pixels = {"clear": totals[first].sum(axis=1), **{name: found.sum(axis=0) for name, found in totals.items()}}
    samples = {"clear": drawn[first].sum(axis=2), **{name: found.sum(axis=1) for name, found in drawn.items()}}
    values = {name: _fractions(found) for name, found in pixels.items()}
    replicates = {name: _fractions(found) for name, found in samples.items()}
    return ClassAreas(
        pixels=pixels,
        fractions={name: bootstrap.estimates(values[name], replicates[name]) for name in pixels},
        changes={
            name: bootstrap.estimates(values[name] - values["clear"], replicates[name] - replicates["clear"])
            for name in totals
        },
    )


def class_detail(counts: PixelCounts, draws: Draws, areas: ClassAreas, drawn: Mapping[str, Floats]) -> ClassDetail:
    """Detail of the classes.

    Args:
        counts: The counts of the patches.
        draws: The resamples.
        areas: The areas of all pixels.
        drawn: By version: pixels of every resample, (replicate, class on the clear image, class).
    """
    weights = draws.astype(np.float64)
    gradient = _ratio(counts.gradient.sum(axis=0), counts.gradient_pixels.sum(axis=0))
    sampled = _ratio(weights @ counts.gradient, weights @ counts.gradient_pixels)
    clear = areas.pixels["clear"]
    compared = (clear >= LEAST * clear.sum()) & (clear > 0)
    rho = {}
    for name, found in drawn.items():
        gain = _ratio(areas.pixels[name], clear)
        gains = _ratio(found.sum(axis=1), found.sum(axis=2))
        value = _spearman(gradient[None, compared], gain[None, compared])[0]
        rho[name] = bootstrap.estimate(float(value), _spearman(sampled[:, compared], gains[:, compared]))
    return ClassDetail(bootstrap.estimates(gradient, sampled), compared, rho)


def _spearman(x: Floats, y: Floats) -> Floats:
    """Spearman's correlation of each row; NaN with fewer than three columns, or where a row has NaN or one rank."""
    if x.shape[1] < 3:
        return np.full(len(x), np.nan)
    ranks = []
    for values in (x, y):
        found = rankdata(values, axis=1, nan_policy="propagate")
        ranks.append(found - found.mean(axis=1, keepdims=True))
    a, b = ranks
    return _ratio((a * b).sum(axis=1), np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1)))


def _fractions(pixels: NDArray[np.int64] | Floats) -> Floats:
    total = pixels.sum(axis=-1, keepdims=True)
    return _ratio(pixels, np.broadcast_to(total, pixels.shape))


def _ratio(above: NDArray[np.int64] | Floats, below: NDArray[np.int64] | Floats) -> Floats:
    result: Floats = np.full(above.shape, np.nan)
    np.divide(above, below, out=result, where=below > 0)
    return result
