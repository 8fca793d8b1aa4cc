"""Masks that the user gives or that a product brings: from stored values to class codes.

The codings are a table in `sunbreak.scene.mask_codings`; this is the only module that uses it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from sunbreak.clouds.classes import CLEAR, CODES, NO_DATA, THICK_CLOUD, Classes
from sunbreak.scene import SceneReader
from sunbreak.scene.mask import CloudMask
from sunbreak.scene.mask_codings import physical


def given_classes(reader: SceneReader, window: Window) -> Classes:
    """Class codes of a window of the scene, as its mask says.

    Args:
        reader: An open scene that has a mask.
        window: The window, in pixels of the scene.

    Returns:
        (row, column), codes of `sunbreak.clouds.classes`; clear where the mask does not reach.

    Raises:
        InputError: ``damaged`` if the file cannot be decoded.
        ValueError: The scene has no mask.
    """
    return reader.mask(window, decode)


def decode(mask: CloudMask, stored: NDArray[Any]) -> Classes:
    """Class codes of stored values.

    Args:
        mask: Where they are from.
        stored: Values of any shape, as they stand in the file.

    Returns:
        Codes of the same shape. A declared nodata value is `NO_DATA`, unless it stands for a cloud or is 0, which
        many masks use for clear. Values that are no finite numbers are `NO_DATA`.
    """
    coding = mask.coding
    if coding.largest:
        numbers = physical(stored, mask.nodata, mask.scale, mask.offset)
        with np.errstate(invalid="ignore"):
            codes: Classes = coding.cloudy(numbers) * np.uint8(THICK_CLOUD)
        codes[np.isnan(numbers)] = NO_DATA
        return codes
    codes = np.full(stored.shape, CLEAR, np.uint8)
    for value, meaning in coding.values:
        if meaning != "clear":
            codes[stored == value] = CODES[meaning]
    if mask.nodata:
        codes[(stored == mask.nodata) & (codes == CLEAR)] = NO_DATA
    if stored.dtype.kind == "f":
        codes[~np.isfinite(stored)] = NO_DATA
    return codes
