"""Clear blocks of a user's scenes: the ground that an adaptation learns from and is measured on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from sunbreak.clouds.classes import replaced
from sunbreak.clouds.detection import CloudDetection, DetectorRuntime
from sunbreak.clouds.given_masks import given_classes
from sunbreak.clouds.registry import detector
from sunbreak.defaults import REFERENCE_DETECTOR
from sunbreak.engine import run_task
from sunbreak.errors import InputError
from sunbreak.events import Reporter, Silent
from sunbreak.removal.edges import dilated
from sunbreak.removal.task import DEFAULT_BUFFER
from sunbreak.scene import S2_BANDS, Scene

_DN = 10000.0
_SIDES = (256, 192, 128, 96)
_LEAST_BLOCKS = 4
_GOOD_BLOCKS = 12
_MOST_BLOCKS = 160
_LEAST_CLEAR = 0.5
_EVERY = 4


@dataclass(frozen=True)
class Block:
    """A square piece of a scene.

    Attributes:
        name: Scene and position.
        place: Number of the position; blocks of other dates at this position have the same number.
        s1: (2, row, column) dB, or None.
        dn: (13, row, column) DN.
        clear: (row, column), True where the pixel is valid and clear.
    """

    name: str
    place: int
    s1: NDArray[np.float32] | None
    dn: NDArray[np.uint16]
    clear: NDArray[np.bool_]

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns)."""
        rows, columns = self.clear.shape
        return rows, columns


def find_blocks(scenes: Sequence[Scene], reporter: Reporter) -> tuple[list[Block], list[Block]]:
    """Training blocks and held-out blocks, at least half of each clear. They share no pixel of the ground.

    The side is the largest of 256, 192, 128 and 96 pixels that gives twelve blocks, or else four. Every fourth position
    is held out in all scenes, so that the training sees no other date of a held-out block.

    Raises:
        InputError: The scenes have too few clear pixels.
    """
    masks = [_cloudy(scene, reporter) for scene in scenes]
    few: tuple[list[Block], list[Block]] | None = None
    for side in _SIDES:
        most = max(1, _MOST_BLOCKS // len(scenes))
        blocks = [block for scene, mask in zip(scenes, masks, strict=True) for block in _cut(scene, mask, side, most)]
        held_out = set(sorted({block.place for block in blocks})[_EVERY - 1 :: _EVERY])
        if len(blocks) < _LEAST_BLOCKS or not held_out:
            continue
        training = [block for block in blocks if block.place not in held_out]
        split = training, [block for block in blocks if block.place in held_out]
        if len(blocks) >= _GOOD_BLOCKS:
            return split
        few = few or split
    if few is not None:
        return few
    raise InputError(
        f"{scenes[0].inputs[0]}: there are fewer than four clear blocks of {_SIDES[-1]} x {_SIDES[-1]} pixels.",
        "Give larger or clearer scenes of the place, or several dates.",
        code="too-little-clear",
    )


def _cloudy(scene: Scene, reporter: Reporter) -> NDArray[np.bool_]:
    """Dilated cloud mask of a whole scene, (row, column): the given mask, or else the detected clouds."""
    if scene.has_mask:
        with scene.reader() as reader:
            return dilated(replaced(given_classes(reader, scene.grid.window)), DEFAULT_BUFFER)
    task = CloudDetection(scene, detector(REFERENCE_DETECTOR))
    quiet = Silent(reporter.cancellation)
    run_task(task, scene, DetectorRuntime(task.detector), lambda role, row, values: None, quiet)
    return dilated(replaced(task.mask.get(0, scene.grid.height)), 2 * DEFAULT_BUFFER)


def _cut(scene: Scene, cloudy: NDArray[np.bool_], side: int, most: int) -> list[Block]:
    """At most `most` blocks that are clear enough, evenly spread over the scene."""
    across = scene.grid.width // side
    corners = {number: (number // across * side, number % across * side)
               for number in range(across * (scene.grid.height // side))}  # fmt: skip
    promising = [
        number for number, (row, col) in corners.items()
        if (~cloudy[row : row + side, col : col + side]).mean() >= _LEAST_CLEAR
    ]  # fmt: skip
    blocks = []
    present = [index for index, band in enumerate(S2_BANDS) if band in scene.bands]
    with scene.reader() as reader:
        for number in promising[:: -(-len(promising) // most) or 1]:
            row, col = corners[number]
            window = Window(col, row, side, side)
            found = reader.s2(window)
            clear = found.valid & ~cloudy[row : row + side, col : col + side]
            if clear.mean() < _LEAST_CLEAR:
                continue
            reflectance = np.nan_to_num(found.reflectance())
            dn = np.zeros((len(S2_BANDS), side, side), np.uint16)
            dn[present] = np.clip(np.rint(reflectance * _DN), 0, 65535).astype(np.uint16)
            radar = reader.s1(window) if scene.has_s1 else None
            blocks.append(Block(f"{scene.stem} at {row}, {col}", number, radar, dn, clear))
    return blocks
