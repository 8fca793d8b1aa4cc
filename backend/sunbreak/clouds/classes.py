"""The class codes of cloud masks inside the program, and which classes are replaced.

The codes are those of CloudSEN12 (Aybar et al. 2022) and OmniCloudMask, with 255 for pixels without data.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sunbreak.clouds.margins import Margins

CLEAR, THICK_CLOUD, THIN_CLOUD, SHADOW = 0, 1, 2, 3
NO_DATA = 255

#: Names by code.
NAMES = {CLEAR: "clear", THICK_CLOUD: "thick cloud", THIN_CLOUD: "thin cloud", SHADOW: "shadow", NO_DATA: "no data"}
#: Codes by name.
CODES = {name: code for code, name in NAMES.items()}
#: What removal replaces.
REPLACED = (THICK_CLOUD, THIN_CLOUD, SHADOW)

#: Codes by the words of the option `--replace`.
WORDS = {"clouds": THICK_CLOUD, "thin": THIN_CLOUD, "shadows": SHADOW}

Classes = NDArray[np.uint8]


def replaced(classes: Classes, which: tuple[int, ...] = REPLACED) -> NDArray[np.bool_]:
    """Which pixels are replaced.

    Args:
        classes: Class codes of any shape.
        which: Codes of the classes to replace.

    Returns:
        An array of the same shape, True for the classes in `which`.
    """
    found = np.zeros(classes.shape, bool)
    for code in which:
        found |= classes == code
    return found


def dilated_classes(classes: Classes, margins: Margins, which: tuple[int, ...] = REPLACED) -> Classes:
    """Classes with each of `which` dilated by a disc.

    Where dilated classes meet, thick cloud wins over thin cloud and thin cloud over shadow; a pixel that was cloud or
    shadow before keeps its class. They also reach into pixels without data, which may be a gap of the mask alone.

    Args:
        classes: Class codes (row, column).
        margins: Radius of the disc by class, in pixels.
        which: Codes of the classes to dilate. The others stay as they are.

    Returns:
        Class codes (row, column).
    """
    import cv2

    result = classes.copy()
    free = ~replaced(classes)
    for code in sorted(which, reverse=True):
        radius = {THICK_CLOUD: margins.thick, THIN_CLOUD: margins.thin, SHADOW: margins.shadow}[code]
        own = (classes == code).astype(np.uint8)
        if radius and own.any():
            disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
            result[(cv2.dilate(own, disc) > 0) & free] = code
    return result


def without_data(classes: Classes, unknown: NDArray[Any]) -> Classes:
    """The same classes, with `NO_DATA` where `unknown` is True. Both have the same shape."""
    return np.where(unknown, np.uint8(NO_DATA), classes)
