"""Which detector a scene gets, from what the user asked for, the scene's bands and level, and what is installed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sunbreak.clouds import ukis_networks
from sunbreak.clouds.classes import CLEAR, NO_DATA, SHADOW, THICK_CLOUD, THIN_CLOUD, Classes
from sunbreak.clouds.detector import CloudDetector, Imagery, Prediction
from sunbreak.clouds.registry import detector, detectors
from sunbreak.clouds.s2cloudless import S2Cloudless
from sunbreak.clouds.settings import CloudSettings
from sunbreak.defaults import NO_DETECTOR, PRODUCT_MASK
from sunbreak.errors import InputError
from sunbreak.scene import Scene

_AUTO = "auto"
_NOT_INSTALLED = "ukis-csmask is not installed (pip install 'sunbreak[clouds]')."


@dataclass(frozen=True)
class Choice:
    """How the clouds of a scene are found.

    Attributes:
        detector: What detects them; None if the scene's mask is used as it is, or if there is no mask at all.
        warnings: What the user should know, one sentence each.
    """

    detector: CloudDetector | None
    warnings: tuple[str, ...] = ()


def choose(name: str, settings: CloudSettings, scene: Scene) -> Choice:
    """Choose the detector of a scene.

    Args:
        name: ``auto``, ``scl``, ``none`` or the name of a detector. A mask that the user gives is used as it is, with
            ``auto`` and ``none`` only.
        settings: How clouds are detected.
        scene: The scene.

    Raises:
        InputError: ``mask-and-detector``; ``no-scl``; and what `detector` says.
    """
    mask = scene.cloud_mask
    if mask is not None and not mask.of_product:
        if name in (_AUTO, NO_DETECTOR):
            return Choice(None)
        raise InputError(
            f"Both the mask {mask.file.path} and the detector {name} are given.",
            "Leave out one of them: a mask is used as it is.",
            code="mask-and-detector",
        )
    if name == NO_DETECTOR:
        return Choice(None)
    if name == PRODUCT_MASK:
        if mask is None:
            raise InputError(
                f"{scene.inputs[0]}: there is no scene classification (SCL) to take the clouds from.",
                "Give it with --mask, or choose another detector.",
                code="no-scl",
            )
        return Choice(GivenMask(scene))
    imagery = Imagery.of(scene)
    lacking = [band for band in ukis_networks.VISIBLE_AND_NIR if band not in imagery.bands]
    if name not in (_AUTO, *detectors()):
        raise InputError(
            f"There is no cloud detector {name!r}.",
            f"Choose {', '.join(detectors())}, {PRODUCT_MASK} or {NO_DETECTOR}.",
            code="unknown-detector",
        )
    if name != _AUTO or (ukis_networks.available() and not lacking):
        return Choice(detector(name, settings, imagery))
    return _without_networks(settings, scene, imagery, lacking)


def _without_networks(settings: CloudSettings, scene: Scene, imagery: Imagery, lacking: list[str]) -> Choice:
    """What `auto` does where the networks are not installed, or lack a band."""
    why = f"{', '.join(lacking)} is not there." if lacking else _NOT_INSTALLED
    if imagery.level in S2Cloudless.levels and set(S2Cloudless.bands) <= set(imagery.bands):
        return Choice(S2Cloudless(settings), (f"No cloud shadows are detected: {why}",))
    if scene.has_mask:
        return Choice(GivenMask(scene), (f"Clouds are those of the product alone: {why}",))
    if lacking:
        return Choice(detector(_AUTO, settings, imagery))
    raise ukis_networks.missing()


class GivenMask:
    """The product's own mask as a `CloudDetector`.

    Args:
        scene: The scene that has it.
    """

    name = PRODUCT_MASK
    label = "the product's scene classification"
    levels: tuple[str, ...] = ("L1C", "L2A")
    classes: tuple[int, ...] = (CLEAR, THICK_CLOUD, THIN_CLOUD, SHADOW)
    resolution = 20.0
    core = 1024
    halo = 0

    def __init__(self, scene: Scene) -> None:
        # they only tell where there is data
        self.bands = scene.bands
        self.settings: Mapping[str, float | int | str] = {"source": self.label}

    def predict(self, reflectance: NDArray[np.float32]) -> Prediction:
        """See `CloudDetector`; the mask is not in the image."""
        raise ValueError("the mask is not in the image")

    def predict_with(self, reflectance: NDArray[np.float32], given: Classes | None) -> Prediction:
        """See `sunbreak.clouds.detector.JoinsGiven`. The probability is 1 for clouds, and 0."""
        if given is None:
            raise ValueError("there is no mask")
        cloudy = ((given == THICK_CLOUD) | (given == THIN_CLOUD)).astype(np.float32)
        return Prediction(np.where(given == NO_DATA, np.float32(np.nan), cloudy), given)
