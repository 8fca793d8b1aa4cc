"""The interface of cloud detectors. A new one is a class of this kind and one line in `sunbreak.clouds.registry`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from sunbreak.clouds.classes import Classes
from sunbreak.errors import InputError
from sunbreak.scene import S2_BANDS, Scene
from sunbreak.scene.georeference import pixel_size_metres


@dataclass(frozen=True)
class Prediction:
    """The result of a detector for an image.

    Attributes:
        probability: (row, column) in [0, 1], NaN where there is no data.
        classes: (row, column), class codes of `sunbreak.clouds.classes`; `NO_DATA` where there is no data.
    """

    probability: NDArray[np.float32]
    classes: Classes


@dataclass(frozen=True)
class Imagery:
    """What a scene is, as far as the choice of a detector goes.

    Attributes:
        level: Processing level, ``L1C`` or ``L2A``.
        bands: Its bands.
        pixel: Side of a pixel in metres.
    """

    level: str = "L1C"
    bands: tuple[str, ...] = S2_BANDS
    pixel: float = 10.0

    @classmethod
    def of(cls, scene: Scene) -> Imagery:
        """What a scene is. If its level is not known: L1C with B10, L2A without."""
        # only Level-1C has B10: `Scene.open` warns of a scene that is called otherwise
        level = "L1C" if "B10" in scene.bands else scene.level or "L2A"
        return cls(level, scene.bands, math.sqrt(math.prod(pixel_size_metres(scene.grid))))


class CloudDetector(Protocol):
    """Detects clouds in images. Made from `CloudSettings` by the registry.

    Attributes:
        name: Its name in the registry.
        label: What detects how, in words; a run that was killed is resumed by a detector with the same label only.
        bands: The bands that it is given, in this order.
        levels: Processing levels that it works on.
        classes: Class codes that it distinguishes.
        resolution: Side of what it classifies, in metres, for pixels of 10 m.
        core: Side of the tiles that it is given, without their halo, in pixels.
        halo: Pixels around a tile that its result depends on.
        settings: What its result depends on, for the provenance of the layers.
    """

    name: str
    label: str
    bands: tuple[str, ...]
    levels: tuple[str, ...]
    classes: tuple[int, ...]
    resolution: float
    core: int
    halo: int
    settings: Mapping[str, float | int | str]

    def predict(self, reflectance: NDArray[np.float32]) -> Prediction:
        """Detect clouds.

        Args:
            reflectance: `bands` (band, row, column), float32, NaN where there is no data.

        Returns:
            Probability and class codes of every pixel.
        """
        ...


@runtime_checkable
class JoinsGiven(Protocol):
    """A detector that also makes use of the product's own mask."""

    def predict_with(self, reflectance: NDArray[np.float32], given: Classes | None) -> Prediction:
        """Detect clouds; see `CloudDetector.predict`.

        Args:
            reflectance: As for `CloudDetector.predict`.
            given: Class codes (row, column) of the product's own mask, if it has one.
        """
        ...


@runtime_checkable
class LoadsAhead(Protocol):
    """A detector that can load its networks while the first rows are read."""

    def load_ahead(self) -> None:
        """Begin to load them, and return at once; a detection that comes sooner waits."""
        ...


def check_suits(detector: CloudDetector, scene: Scene) -> None:
    """Refuse a scene that a detector does not work on.

    Raises:
        InputError: ``no-cloud-bands``: a band is missing, as B10 is from Level-2A scenes, or the detector does not
            work on the scene's processing level.
    """
    missing = [band for band in detector.bands if band not in scene.bands]
    # only Level-1C has B10: `Scene.open` warns of a scene that is called otherwise
    level = "L1C" if "B10" in scene.bands else scene.level
    if missing:
        problem = f"clouds cannot be detected without {', '.join(missing)}"
        problem += " (Level-2A scenes have no B10)." if missing == ["B10"] else "."
    elif level is not None and level not in detector.levels:
        problem = f"{detector.name} does not detect clouds at level {level}, only at {', '.join(detector.levels)}."
    else:
        return
    raise InputError(
        f"{scene.inputs[0]}: {problem}",
        "Choose the detector auto, which works at both levels, or give a cloud mask with --mask.",
        code="no-cloud-bands",
    )


def detect_in(detector: CloudDetector, image: NDArray[np.float32], bands: Sequence[str] = S2_BANDS) -> Prediction:
    """Detect clouds in an image that fits into memory.

    Args:
        detector: What detects them.
        image: Reflectance (band, row, column), NaN where there is no data.
        bands: Names of the image's bands; by default all 13.

    Raises:
        ValueError: The image lacks a band that the detector needs.
    """
    picked = [tuple(bands).index(band) for band in detector.bands]
    return detector.predict(np.ascontiguousarray(image[picked], np.float32))
