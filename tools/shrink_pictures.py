"""Saves screenshots with 256 colours, which is enough for them, at a third of the size.

python tools/shrink_pictures.py PNG...

Colours of areas, as in legends, stay exact; the others are approximated, without dithering, which makes specks of them.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE = 12  # pixels, of the smallest square of one colour that counts as an area
MOST_AREAS = 128


def areas(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(colour, 3): the colours of a picture (row, column, 3) that fill a square somewhere, the most frequent first."""
    packed = pixels.astype(np.int32) @ np.array([65536, 256, 1], np.int32)
    rows, columns = packed.shape[0] - SIDE, packed.shape[1] - SIDE
    even = np.ones((packed.shape[0], columns), bool)
    for step in range(1, SIDE):
        even &= packed[:, :columns] == packed[:, step : columns + step]
    square = even[:rows].copy()
    for step in range(1, SIDE):
        square &= even[step : rows + step] & (packed[:rows, :columns] == packed[step : rows + step, :columns])
    colours, counts = np.unique(packed[:rows, :columns][square], return_counts=True)
    colours = colours[np.argsort(-counts, kind="stable")]
    return np.stack([colours >> 16, colours >> 8 & 255, colours & 255], axis=1).astype(np.uint8)


def shrink(path: Path) -> None:
    """Save a picture with a palette, at its place."""
    with Image.open(path) as file:
        picture = file.convert("RGB")
    exact = areas(np.asarray(picture))[:MOST_AREAS]
    others = picture.quantize(256 - len(exact), dither=Image.Dither.NONE).getpalette() or []
    palette = np.array([*exact.reshape(-1), *others], np.int32).reshape(-1, 3)[:256]
    colours, places = np.unique(np.asarray(picture).reshape(-1, 3), axis=0, return_inverse=True)
    nearest = [np.square(palette - colour).sum(axis=1).argmin() for colour in colours]
    shrunk = Image.fromarray(np.array(nearest, np.uint8)[places].reshape(picture.height, picture.width), "P")
    shrunk.putpalette(palette.astype(np.uint8).tobytes())
    shrunk.save(path, "PNG", optimize=True)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    for name in sys.argv[1:]:
        shrink(Path(name))
