"""Cloud cover of each patch: the cloudy fraction of its s2cloudless mask, at 10 m, from reflectance.

The paper's code passes ten standardised bands. s2cloudless accepts them without an error, but its result is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sunbreak.clouds import CloudSettings
from sunbreak.clouds.classes import replaced
from sunbreak.clouds.detector import CloudDetector, detect_in
from sunbreak.clouds.registry import detector
from sunbreak.errors import InputError
from sunbreak.studies.downstream.quadruplets import Quadruplet, read_patch
from sunbreak.studies.downstream.store import Arrays, is_current, key_of, read_arrays, stamp, write_arrays

# the settings of the paper: threshold 0.4, average 4, dilation 2, at full resolution
SETTINGS = CloudSettings(threshold=0.4, average=4, dilation=2, factor=1)
_DN = np.float32(10000)


@dataclass(frozen=True)
class Cover:
    """Cloud mask and cloud cover of a patch.

    Attributes:
        mask: (row, column).
        cover: Cloudy fraction of the valid pixels, 0..1; NaN without valid pixels.
    """

    mask: NDArray[np.bool_]
    cover: float


def cover_key(patch: Quadruplet) -> str:
    """Key of a cloud mask: fingerprint of its image and settings."""
    return key_of("cover 1", stamp(patch.files["s2_cloudy"]), asdict(SETTINGS))


def find_covers(
    patches: Sequence[Quadruplet], folder: Path, checkpoint: Callable[[int, int], None] = lambda done, total: None
) -> int:
    """Detect the clouds of the patches that have no mask yet.

    Args:
        patches: The patches.
        folder: Folder for the masks.
        checkpoint: Called with the number of finished patches and of all patches; may raise to stop.

    Returns:
        The number of masks that were computed.

    Raises:
        InputError: An image cannot be read.
    """
    clouds = detector("s2cloudless", SETTINGS)
    new = 0
    for number, patch in enumerate(patches):
        checkpoint(number, len(patches))
        key = cover_key(patch)
        if is_current(_path(folder, patch), key):
            continue
        raw = read_patch(patch.files["s2_cloudy"], "s2_cloudy", patch.name)
        found = _cover(clouds, raw)
        shape = np.array(found.mask.shape)
        arrays = {"mask": np.packbits(found.mask), "shape": shape, "cover": np.array(found.cover)}
        write_arrays(_path(folder, patch), key, arrays)
        new += 1
    checkpoint(len(patches), len(patches))
    return new


def read_cover(patch: Quadruplet, folder: Path) -> Cover:
    """Read the cloud mask of a patch.

    Raises:
        InputError: The clouds are not detected yet, or the image has changed.
    """
    stored = read_arrays(_path(folder, patch), cover_key(patch), ("shape", "mask", "cover"))
    found = _unpacked(stored) if stored is not None else None
    if found is None:
        raise InputError(
            f"{folder}: the clouds of {patch.name} are not detected yet, or its image has changed.",
            "Run --step cover first.",
            code="step-missing",
        )
    return found


def _unpacked(stored: Arrays) -> Cover | None:
    """The mask in a file; None if that does not hold as many pixels as it says, or is damaged."""
    try:
        rows, columns = map(int, stored["shape"].tolist())
        if min(rows, columns) < 1 or rows * columns > 8 * stored["mask"].size:
            return None
        mask = np.unpackbits(stored["mask"], count=rows * columns).reshape(rows, columns).astype(bool)
        return Cover(mask, float(stored["cover"]))
    except (ValueError, TypeError):
        return None


def _cover(clouds: CloudDetector, raw: NDArray[np.uint16]) -> Cover:
    reflectance = raw.astype(np.float32) / _DN
    known = raw.any(axis=0)
    reflectance[:, ~known] = np.nan
    mask = replaced(detect_in(clouds, reflectance).classes) & known
    return Cover(mask, float(mask[known].mean()) if known.any() else float("nan"))


def _path(folder: Path, patch: Quadruplet) -> Path:
    return folder / f"{patch.name}.npz"
