"""Encodes physical numbers as stored ones, and halves strips of stored numbers for overviews.

Both work on one strip at a time, band by band, so that their temporaries stay small for any scene.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sunbreak.errors import RunError
from sunbreak.layers.roles import LayerSpec


def encode(values: NDArray[Any], spec: LayerSpec) -> NDArray[Any]:
    """Store `values` (band, row, column) as `spec` wants them.

    Numbers that have `spec.dtype` already are stored numbers and returned as they are; booleans become 0 and 1.
    Floating point numbers are physical: ``round((v - offset) / scale)``, clipped to what the type can hold without
    meeting the nodata value; NaN becomes nodata.

    Raises:
        RunError: the type is neither, or there is a NaN and the layer has no nodata value.
    """
    target = np.dtype(spec.dtype)
    if values.dtype == target:
        return values
    if values.dtype == np.bool_:
        return values.astype(target)
    if values.dtype.kind != "f":
        raise RunError(f"Layer '{spec.role}' holds {target}, and was given {values.dtype}.", "Convert before writing.")
    stored = np.empty(values.shape, target)
    for band, out in zip(values, stored, strict=True):
        _encode_band(band, out, spec)
    return stored


def _encode_band(band: NDArray[Any], out: NDArray[Any], spec: LayerSpec) -> None:
    target = out.dtype
    # 24 bits of a float32 hold any 16-bit number with room for rounding; wider integers need a float64.
    work_type = np.float32 if target.kind == "f" or target.itemsize <= 2 else np.float64
    work: NDArray[Any] = np.multiply(band, work_type(1 / spec.scale), dtype=work_type)
    if spec.offset:
        work -= work_type(spec.offset / spec.scale)
    unknown = np.isnan(work) if work.size and np.isnan(work.max()) else None
    if unknown is not None and spec.nodata is None and target.kind != "f":
        raise RunError(f"Layer '{spec.role}' has unknown pixels and no nodata value.", "Declare a nodata value.")
    if target.kind == "f":
        out[...] = work
    else:
        low, high = _legal_range(target, spec.nodata)
        np.rint(work, out=work)
        np.clip(work, low, high, out=work)
        if unknown is not None:
            work[unknown] = low
        out[...] = work
        if spec.nodata is not None and low < spec.nodata < high:
            out[out == spec.nodata] = spec.nodata + 1
    if unknown is not None and spec.nodata is not None:
        out[unknown] = spec.nodata


def _legal_range(target: np.dtype[Any], nodata: float | None) -> tuple[float, float]:
    """Smallest and largest number that may be stored; a nodata value at either end is left out."""
    info = np.iinfo(target)
    low, high = int(info.min), int(info.max)
    if nodata == low:
        low += 1
    elif nodata == high:
        high -= 1
    return float(low), float(high)


def halve(strip: NDArray[Any], spec: LayerSpec) -> NDArray[Any]:
    """The strip at half the size: (band, row, column) -> (band, ceil(row/2), ceil(column/2)).

    Continuous layers take the mean of the known pixels of each 2 x 2 cell (nodata if none is known), categories its
    upper left pixel. An odd last row or column counts double. Equal to what GDAL's AVERAGE and NEAREST overviews hold,
    up to the rounding of halves, at a fifth of the time.
    """
    if spec.categories:
        return np.ascontiguousarray(strip[:, ::2, ::2])
    bands, rows, cols = strip.shape
    if rows % 2 or cols % 2:
        strip = np.pad(strip, ((0, 0), (0, rows % 2), (0, cols % 2)), mode="edge")
    half = np.empty((bands, (rows + 1) // 2, (cols + 1) // 2), strip.dtype)
    for band, out in zip(strip, half, strict=True):
        if band.dtype.kind == "u" and band.max() == 0:
            out[...] = 0
        elif band.dtype == np.uint16 and _plain(band, spec.nodata):
            _halve_uint16(band, out)
        else:
            _halve_any(band, out, spec.nodata)
    return half


def _plain(band: NDArray[Any], nodata: float | None) -> bool:
    """Whether the sum of two pixels fits 16 bits and no pixel is nodata."""
    if int(band.max()) > 32767:
        return False
    if nodata is None or nodata > 32767:
        return True
    return int(band.min()) > 0 if nodata == 0 else not bool((band == nodata).any())


def _halve_uint16(band: NDArray[Any], out: NDArray[Any]) -> None:
    pairs = np.add(band[0::2], band[1::2])
    # Two neighbouring 16-bit sums are the halves of one 32-bit word, whichever end comes first: no strided access.
    words = pairs.view(np.uint32)
    cell = words & np.uint32(0xFFFF)
    words >>= np.uint32(16)
    cell += words
    cell += np.uint32(2)
    cell >>= np.uint32(2)
    out[...] = cell


def _halve_any(band: NDArray[Any], out: NDArray[Any], nodata: float | None) -> None:
    work = band.astype(np.float32 if band.dtype.itemsize <= 2 else np.float64)
    if nodata is None:
        known = np.ones(band.shape, np.bool_) if band.dtype.kind != "f" else ~np.isnan(band)
    else:
        known = ~np.isnan(band) if np.isnan(nodata) else band != nodata
        if band.dtype.kind == "f":
            known &= ~np.isnan(band)
    work[~known] = 0
    total = _cells(work)
    count = _cells(known.astype(np.float32))
    empty = count == 0
    count[empty] = 1
    total /= count
    if out.dtype.kind != "f":
        np.rint(total, out=total)
    if empty.any():
        total[empty] = nodata if nodata is not None else np.nan
    out[...] = total
    if nodata is not None and out.dtype.kind != "f":
        # A mean may meet a nodata value that lies between stored ones; it would turn a known cell into a hole.
        out[(out == nodata) & ~empty] = nodata + 1 if nodata < np.iinfo(out.dtype).max else nodata - 1


def _cells(band: NDArray[Any]) -> NDArray[Any]:
    rows = band[0::2] + band[1::2]
    sums: NDArray[Any] = rows[:, 0::2] + rows[:, 1::2]
    return sums
