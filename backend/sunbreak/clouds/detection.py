"""Detecting the clouds of a scene: the task of the engine, and the runtime that puts any detector behind the engine."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sunbreak.clouds.classes import replaced, without_data
from sunbreak.clouds.detector import CloudDetector, check_suits
from sunbreak.clouds.mask_rows import MaskRows
from sunbreak.engine import Inputs, Planes, TilePlace
from sunbreak.engine.checkpoints import State
from sunbreak.scene import Scene, SceneReader
from sunbreak.tiling import ExactLayout, Layout

_PROBABILITY, _CLASSES = 0, 1


class DetectorRuntime:
    """A detector behind the engine's runtime interface: reflectance in, probability and class codes out.

    Args:
        detector: The detector.
    """

    batch = 1

    def __init__(self, detector: CloudDetector) -> None:
        self.detector = detector
        self.label = detector.label
        self._waiting: deque[NDArray[np.float32]] = deque()

    @property
    def pending(self) -> int:
        """See `sunbreak.engine.Runtime`."""
        return len(self._waiting)

    @property
    def room(self) -> bool:
        """See `sunbreak.engine.Runtime`: one at a time, detectors have their own threads."""
        return not self._waiting

    def submit(self, inputs: Inputs) -> None:
        """See `sunbreak.engine.Runtime`."""
        self._waiting.append(inputs["x"][0])

    def collect(self) -> tuple[NDArray[np.float32], ...]:
        """See `sunbreak.engine.Runtime`."""
        found = self.detector.predict(self._waiting.popleft())
        return found.probability[None, None], found.classes[None, None].astype(np.float32)


class CloudDetection:
    """The task: a probability and a class for every pixel.

    Args:
        scene: Where to detect clouds.
        detector: What detects them.

    Raises:
        InputError: The detector does not work on this scene, see `sunbreak.clouds.detector.check_suits`.
    """

    unit = "cloud tiles"
    cell = 1
    channels = 2

    def __init__(self, scene: Scene, detector: CloudDetector) -> None:
        check_suits(detector, scene)
        self.scene, self.detector = scene, detector
        self.layout: Layout = ExactLayout(*scene.grid.shape, detector.core, detector.halo)
        self.mask = MaskRows(scene.grid.height, scene.grid.width)
        self.valid = 0
        self.cloudy = 0

    def read(self, reader: SceneReader, first: int, stop: int) -> Planes:
        """See `sunbreak.engine.TileTask`."""
        from rasterio.windows import Window

        window = Window(0, first, self.scene.grid.width, stop - first)
        block = reader.s2(window, self.detector.bands)
        return {"raw": block.raw, "valid": block.valid}

    def wants(self, strip: Planes, columns: Sequence[slice]) -> list[bool]:
        """See `sunbreak.engine.TileTask`."""
        return [bool(strip["valid"][:, part].any()) for part in columns]

    def encode(self, strip: Planes, tiles: Sequence[TilePlace]) -> Inputs:
        """See `sunbreak.engine.TileTask`."""
        encoded = []
        for part in (tile.columns for tile in tiles):
            reflectance: NDArray[np.float32] = self.scene.radiometry.to_reflectance(strip["raw"][..., part])
            reflectance[:, ~strip["valid"][:, part]] = np.nan
            encoded.append(reflectance)
        return {"x": np.stack(encoded)}

    def decode(self, outputs: tuple[NDArray[np.float32], ...]) -> NDArray[np.float32]:
        """See `sunbreak.engine.TileTask`."""
        return np.concatenate(outputs, axis=1)

    def compose(
        self, row: int, planes: Planes, values: NDArray[np.float32], covered: NDArray[np.bool_]
    ) -> dict[str, NDArray[Any]]:
        """See `sunbreak.engine.TileTask`. The layer `cloud_mask` is 1 for every class that is replaced."""
        valid = planes["valid"]
        # tiles of an exact layout are not blended, so that the codes come back as they are
        classes = without_data(values[_CLASSES].astype(np.uint8), ~valid)
        self.mask.put(row, classes)
        cloudy = replaced(classes)
        self.valid += int(valid.sum())
        self.cloudy += int(cloudy.sum())
        unknown = np.float32(np.nan)
        return {
            "cloud_probability": np.where(valid, values[_PROBABILITY], unknown)[None],
            "cloud_mask": np.where(valid, cloudy, unknown).astype(np.float32)[None],
        }

    def state(self) -> State:
        """See `sunbreak.engine.checkpoints.Resumable`."""
        return {"classes": self.mask.packed.copy(), "counts": np.array([self.valid, self.cloudy])}

    def restore(self, state: State) -> None:
        """See `sunbreak.engine.checkpoints.Resumable`. A state of the version before has a mask of bits."""
        if "mask" in state:
            self.mask.put_bits(state["mask"])
        else:
            self.mask.packed[...] = state["classes"]
        self.valid, self.cloudy = (int(count) for count in state["counts"])
