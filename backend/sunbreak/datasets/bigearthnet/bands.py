"""Reads the bands of a BigEarthNet patch on the 120 x 120 grid of 10 m, in the order that a model needs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from sunbreak.datasets.bigearthnet.patches import Patch
from sunbreak.errors import InputError
from sunbreak.scene.bands import BY_COUNT
from sunbreak.sources import LocalRaster

SIDE = 120
RADAR_BANDS = ("VV", "VH")
BANDS = BY_COUNT[12]
# pixels along a side, by band
SIDES = dict.fromkeys(BANDS, 60) | dict.fromkeys(("B02", "B03", "B04", "B08"), SIDE) | {"B01": 20, "B09": 20}
_QUANTIFICATION = np.float32(10000)

Interpolation = Literal["bilinear", "nearest"]


def check_bands(bands: Sequence[str]) -> None:
    """Refuse bands that are not in BigEarthNet.

    Raises:
        InputError: ``no-such-band``.
    """
    for band in bands:
        if band not in BANDS and band not in RADAR_BANDS:
            why = " (it is Level-2A, which has no cirrus band)" if band == "B10" else ""
            raise InputError(
                f"BigEarthNet has no band {band}{why}.",
                f"Its bands are {', '.join(BANDS)}, VV and VH. Use a model that needs no other bands.",
                code="no-such-band",
            )


def read_bands(patch: Patch, bands: Sequence[str], interpolation: Interpolation = "bilinear") -> NDArray[np.float32]:
    """Bands of a patch in the requested order, (band, 120, 120) float32: reflectance, and dB for VV and VH.

    Pixels of 20 m and 60 m are interpolated between their centres, and pixels at the edge are extended. ``nearest``
    repeats the pixels. Radar values that are not finite become NaN.

    Args:
        patch: The patch.
        bands: Canonical names; ``VV`` and ``VH`` for Sentinel-1.
        interpolation: How coarser bands are resampled to 10 m.

    Raises:
        InputError: ``no-such-band``, ``missing-band``, ``wrong-size``, ``no-radar``, or a file that cannot be read.
    """
    check_bands(bands)
    out = np.empty((len(bands), SIDE, SIDE), np.float32)
    for index, band in enumerate(bands):
        if band in RADAR_BANDS:
            if patch.s1 is None:
                raise InputError(
                    f"{patch.s2}: the patch has no Sentinel-1 pair, so {band} is missing.",
                    "Unpack BigEarthNet-S1 beside it, or leave out patches without radar.",
                    code="no-radar",
                )
            values = _read(patch.s1 / f"{patch.s1.name}_{band}.tif", SIDE).astype(np.float32)
            values[~np.isfinite(values)] = np.nan
            out[index] = values
        else:
            values = _read(patch.s2 / f"{patch.name}_{band}.tif", SIDES[band])
            out[index] = to_side(values.astype(np.float32) / _QUANTIFICATION, interpolation)
    return out


def read_reference_map(patch: Patch) -> NDArray[np.uint16]:
    """The land-cover map of a patch of version 2: CORINE codes, 999 for unlabelled pixels, (120, 120) uint16.

    Raises:
        InputError: ``no-reference-map``, ``wrong-size``, or the file cannot be read.
    """
    if patch.reference_map is None:
        raise InputError(
            f"{patch.s2}: the patch has no reference map.",
            "Unpack Reference_Maps of version 2.",
            code="no-reference-map",
        )
    return _read(patch.reference_map, SIDE).astype(np.uint16)


def to_side(
    plane: NDArray[np.float32], interpolation: Interpolation = "bilinear", side: int = SIDE
) -> NDArray[np.float32]:
    """A square band resampled to `side` x `side` pixels of the same area."""
    if plane.shape[0] == side:
        return plane
    if interpolation == "nearest":
        pick = (np.arange(side) * plane.shape[0]) // side
        repeated: NDArray[np.float32] = plane[np.ix_(pick, pick)]
        return repeated
    # no matrix product: its order of summation depends on the number of threads
    lower, weight = _between(plane.shape[0], side)
    rows = plane[lower] * (1 - weight[:, None]) + plane[lower + 1] * weight[:, None]
    return np.asarray(rows[:, lower] * (1 - weight) + rows[:, lower + 1] * weight, np.float32)


@lru_cache(maxsize=8)
def _between(count: int, side: int) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """(side,) each: index of the coarse pixel before each fine pixel, and the weight of the next coarse pixel."""
    place = np.clip((np.arange(side) + 0.5) * count / side - 0.5, 0, count - 1)
    lower = np.minimum(place.astype(np.intp), count - 2)
    return lower, (place - lower).astype(np.float32)


def _read(path: Path, side: int) -> NDArray[Any]:
    if not path.is_file():
        raise InputError(f"{path}: the band is missing.", "Unpack the patch again.", code="missing-band")
    raster = LocalRaster(path)
    with raster.open() as source, raster.reading():
        if source.shape != (side, side) or source.count != 1:
            raise InputError(
                f"{path} has {source.count} band(s) of {source.width} x {source.height} pixels, not one of {side} x "
                f"{side}.",
                "Unpack the patch again.",
                code="wrong-size",
            )
        values: NDArray[Any] = source.read(1)
    return values
