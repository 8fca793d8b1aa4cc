"""Detecting the clouds of a scene: the task of the engine, and the runtime that puts any detector behind the engine."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sunbreak.clouds.class_counts import ClassCounts
from sunbreak.clouds.classes import NO_DATA, without_data
from sunbreak.clouds.detector import CloudDetector, JoinsGiven, LoadsAhead, Prediction, check_suits
from sunbreak.clouds.given_masks import given_classes
from sunbreak.clouds.mask_rows import MaskRows
from sunbreak.engine import Inputs, Planes, TilePlace
from sunbreak.engine.checkpoints import State
from sunbreak.engine.network_values import bad_output
from sunbreak.scene import Scene, SceneReader
from sunbreak.tiling import ExactLayout, Layout

_PROBABILITY, _CLASSES = 0, 1
_SLACK = 1e-3  # of interpolated probabilities


class DetectorRuntime:
    """A detector behind the engine's runtime interface: reflectance in, probability and class codes out.

    Args:
        detector: The detector.
    """

    batch = 1

    def __init__(self, detector: CloudDetector) -> None:
        self.detector = detector
        self.label = detector.label
        self._waiting: deque[Inputs] = deque()
        if isinstance(detector, LoadsAhead):
            detector.load_ahead()

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
        self._waiting.append(inputs)

    def collect(self) -> tuple[NDArray[np.float32], ...]:
        """See `sunbreak.engine.Runtime`."""
        inputs = self._waiting.popleft()
        if "given" in inputs and isinstance(self.detector, JoinsGiven):
            found = self.detector.predict_with(inputs["x"][0], inputs["given"][0].astype(np.uint8))
        else:
            found = self.detector.predict(inputs["x"][0])
        self._check(found, inputs["x"][0])
        return found.probability[None, None], found.classes[None, None].astype(np.float32)

    def _check(self, found: Prediction, reflectance: NDArray[np.float32]) -> None:
        """Refuse what is no probability or no class where there is data.

        Raises:
            ModelError: ``model-output``.
        """
        known = ~np.isnan(reflectance).any(axis=0)
        probability, classes = found.probability, found.classes
        if probability.shape != known.shape or classes.shape != known.shape:
            raise bad_output(f"The cloud detector {self.detector.name}", "layers of another size than the image")
        if not np.isin(classes[known], (*self.detector.classes, NO_DATA)).all():
            raise bad_output(f"The cloud detector {self.detector.name}", "classes that it does not have")
        known &= classes != NO_DATA  # a given mask may have gaps of its own
        # comparisons with NaN are false
        if not ((probability >= -_SLACK) & (probability <= 1 + _SLACK))[known].all():
            raise bad_output(f"The cloud detector {self.detector.name}", "probabilities that are not between 0 and 1")


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
        self._joins = scene.has_mask and isinstance(detector, JoinsGiven)
        self.counts = ClassCounts()

    def read(self, reader: SceneReader, first: int, stop: int) -> Planes:
        """See `sunbreak.engine.TileTask`."""
        from rasterio.windows import Window

        window = Window(0, first, self.scene.grid.width, stop - first)
        block = reader.s2(window, self.detector.bands)
        planes: Planes = {"raw": block.raw, "valid": block.valid}
        if self._joins:
            planes["given"] = given_classes(reader, window)
        return planes

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
        inputs = {"x": np.stack(encoded)}
        if self._joins:
            # as numbers of the one type that the engine carries
            inputs["given"] = np.stack([strip["given"][:, tile.columns] for tile in tiles]).astype(np.float32)
        return inputs

    def decode(self, outputs: tuple[NDArray[np.float32], ...]) -> NDArray[np.float32]:
        """See `sunbreak.engine.TileTask`."""
        return np.concatenate(outputs, axis=1)

    def compose(
        self, row: int, planes: Planes, values: NDArray[np.float32], covered: NDArray[np.bool_]
    ) -> dict[str, NDArray[Any]]:
        """See `sunbreak.engine.TileTask`."""
        valid = planes["valid"]
        # tiles of an exact layout are not blended, so that the codes come back as they are
        classes = without_data(values[_CLASSES].astype(np.uint8), ~valid)
        self.mask.put(row, classes)
        self.counts.add(classes)
        unknown = np.float32(np.nan)
        return {
            "cloud_probability": np.where(valid, values[_PROBABILITY], unknown)[None],
            "cloud_mask": classes[None],
        }

    def state(self) -> State:
        """See `sunbreak.engine.checkpoints.Resumable`."""
        return {"classes": self.mask.packed.copy(), "counts": self.counts.state()}

    def restore(self, state: State) -> None:
        """See `sunbreak.engine.checkpoints.Resumable`."""
        self.mask.packed[...] = state["classes"]
        self.counts.restore(state["counts"])

    def merge(self, state: State) -> None:
        """See `sunbreak.engine.checkpoints.Dividable`."""
        self.mask.packed |= state["classes"]  # rows of other parts are 0
        self.counts.merge(state["counts"])
