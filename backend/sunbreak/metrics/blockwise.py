"""Image quality of pairs larger than memory: sums over blocks that give the same metrics as whole images.

A block is read with a halo of `HALO` pixels on every side; each pixel of its core is counted once.
Error, gradient, structural similarity and spectral angle then equal those of `sunbreak.metrics.image` and `.detail` on
the whole images. The power in high frequencies is summed over patches (Welch 1967), and equals the whole image's where
that is one patch.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sunbreak.metrics import detail, image

# bands have separate elements in the sums; more threads would need more memory for temporaries
_THREADS = min(4, os.cpu_count() or 1)

_SLAB = 64

HALO = image.SSIM_REACH

METRICS = ("psnr", "ssim", "sam", "mae", "rmse", "bias", "detail_gradient", "detail_high_frequency")

Image = NDArray[np.float32]
Region = NDArray[np.bool_]
Core = tuple[slice, slice]
Figures = dict[str, float]


@dataclass(frozen=True)
class Maps:
    """Errors of each pixel of a block's core.

    Attributes:
        error: Mean absolute error over the bands (row, column).
        angle: Spectral angle in degrees (row, column).
    """

    error: NDArray[np.float32]
    angle: NDArray[np.float32]


class _Sums:
    """Sums over one region; arrays have one element per band."""

    def __init__(self, bands: int) -> None:
        self.pixels = self.similar_pixels = self.angles = 0
        self.angle = 0.0
        self.error, self.absolute, self.squared, self.similarity = np.zeros((4, bands))
        self.gradient, self.high = np.zeros((2, 2, bands))  # prediction, target


class Blockwise:
    """Collects blocks of a prediction and its target.

    Args:
        bands: Number of bands.
        regions: Names of the parts of the image to compute metrics for.
    """

    def __init__(self, bands: int, regions: Sequence[str]) -> None:
        self._sums = {name: _Sums(bands) for name in regions}

    def add(
        self,
        prediction: Image,
        target: Image,
        core: Core,
        regions: Mapping[str, Region],
        patches: Sequence[Core],
    ) -> Maps:
        """Add a block.

        Args:
            prediction: (band, row, column) on [0, 1] with the halo; NaN in all bands where it is unknown in either
                image.
            target: The same of the target.
            core: The block without its halo.
            regions: By name, which of the core's pixels belong to it (row, column).
            patches: Parts of the core, relative to it, over which high frequencies are computed.
        """
        inner = (slice(None), *core)
        ours, theirs = prediction[inner], target[inner]
        known = np.isfinite(theirs[0])
        parts = {name: region & known for name, region in regions.items()}
        maps = Maps(*np.empty((2, *known.shape), np.float32))
        for first in range(0, len(known), _SLAB):
            self._add_errors(ours, theirs, slice(first, first + _SLAB), parts, maps)
        with ThreadPoolExecutor(_THREADS) as threads:
            bands = range(len(prediction))
            list(threads.map(lambda band: self._add_texture(band, prediction[band], target[band], core, parts), bands))
        for rows, columns in patches:
            self._add_high(ours[:, rows, columns], theirs[:, rows, columns], (rows, columns), parts)
        return maps

    def figures(self, region: str) -> Figures:
        """The metrics of a region over all bands, by their names in `METRICS`; NaN if undefined."""
        sums = self._sums[region]
        values = sums.pixels * len(sums.error)
        found = self._of(
            sums.error.sum() / values if values else np.nan,
            sums.absolute.sum() / values if values else np.nan,
            sums.squared.sum() / values if values else np.nan,
            sums.similarity.sum() / (sums.similar_pixels * len(sums.error)) if sums.similar_pixels else np.nan,
            sums.gradient.sum(axis=1),
            sums.high.sum(axis=1),
        )
        return found | {"sam": sums.angle / sums.angles if sums.angles else float("nan")}

    def band_figures(self, region: str) -> list[Figures]:
        """The metrics of each band; a single band has no spectral angle."""
        sums = self._sums[region]
        count, similar = sums.pixels or np.nan, sums.similar_pixels or np.nan
        return [
            self._of(
                sums.error[band] / count,
                sums.absolute[band] / count,
                sums.squared[band] / count,
                sums.similarity[band] / similar,
                sums.gradient[:, band],
                sums.high[:, band],
            )
            for band in range(len(sums.error))
        ]

    def pixels(self, region: str) -> int:
        """How many pixels of a region are known in both images."""
        return self._sums[region].pixels

    def _add_errors(
        self, prediction: Image, target: Image, rows: slice, parts: Mapping[str, Region], maps: Maps
    ) -> None:
        """Add the pixelwise errors of a few rows: float64 copies of a whole block would need too much memory."""
        ours, theirs = prediction[:, rows], target[:, rows]
        difference = ours.astype(np.float64) - theirs
        angle = image.spectral_angles(ours, theirs)
        maps.error[rows], maps.angle[rows] = np.abs(difference).mean(axis=0), angle
        for name, part in parts.items():
            sums, here = self._sums[name], part[rows]
            error = difference[:, here]
            sums.pixels += int(here.sum())
            sums.error += error.sum(axis=1)
            sums.absolute += np.abs(error).sum(axis=1)
            sums.squared += np.square(error).sum(axis=1)
            seen = here & np.isfinite(angle)
            sums.angles += int(seen.sum())
            sums.angle += float(angle[seen].sum())

    def _add_texture(
        self,
        band: int,
        prediction: NDArray[np.float32],
        target: NDArray[np.float32],
        core: Core,
        parts: Mapping[str, Region],
    ) -> None:
        """Add structural similarity and gradients of one band; their float64 temporaries are large."""
        similarity = image.ssim_map(prediction[None], target[None])[0][core]
        similar = np.isfinite(similarity)
        gradients = [detail.gradient_magnitude(values[None])[0][core] for values in (prediction, target)]
        smooth = np.isfinite(gradients[0]) & np.isfinite(gradients[1])
        for name, part in parts.items():
            sums = self._sums[name]
            inside = part & similar
            if band == 0:
                sums.similar_pixels += int(inside.sum())
            sums.similarity[band] += similarity[inside].sum()
            inside = part & smooth
            sums.gradient[:, band] += [magnitude[inside].sum() for magnitude in gradients]

    def _add_high(self, prediction: Image, target: Image, patch: Core, parts: Mapping[str, Region]) -> None:
        """Add the high-frequency power of one patch, if it has no nodata: a nodata edge is not detail."""
        if not np.isfinite(target[0]).all():
            return
        power = [np.square(detail.high_frequency_part(values), dtype=np.float64) for values in (prediction, target)]
        for name, part in parts.items():
            inside = part[patch]
            if inside.any():
                self._sums[name].high += [values[:, inside].sum(axis=1) for values in power]

    @staticmethod
    def _of(
        error: float,
        absolute: float,
        squared: float,
        similarity: float,
        gradient: NDArray[np.float64],
        high: NDArray[np.float64],
    ) -> Figures:
        rmse = float(np.sqrt(squared))
        return {
            "psnr": float("inf") if rmse == 0 else float(-20 * np.log10(rmse)),
            "ssim": float(similarity),
            "mae": float(absolute),
            "rmse": rmse,
            "bias": float(error),
            "detail_gradient": float(gradient[0] / gradient[1]) if gradient[1] > 0 else float("nan"),
            "detail_high_frequency": float(high[0] / high[1]) if high[1] > 0 else float("nan"),
        }
