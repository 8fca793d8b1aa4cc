"""How clouds are detected: the settings that every detector understands. Imports neither numpy nor a detector."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sunbreak.defaults import CLOUD_AVERAGE, CLOUD_DILATION, CLOUD_FACTOR, CLOUD_THRESHOLD
from sunbreak.errors import InputError


@dataclass(frozen=True)
class CloudSettings:
    """How clouds are detected. A detector uses the settings that apply to it, see `CloudDetector.settings`.

    Attributes:
        threshold: Smoothed probability above which a pixel is cloud.
        average: Radius of the smoothing disk in 10 m pixels.
        dilation: Radius by which the mask is dilated, in 10 m pixels.
        factor: Side of the blocks that are classified, in pixels; 1 is exact.
    """

    threshold: float = CLOUD_THRESHOLD
    average: int = CLOUD_AVERAGE
    dilation: int = CLOUD_DILATION
    factor: int = CLOUD_FACTOR

    def __post_init__(self) -> None:
        if not 0 < self.threshold < 1:
            raise InputError(
                f"The cloud threshold is {self.threshold:g}.", "Give a number between 0 and 1.", code="bad-option"
            )

    def on_blocks(self, factor: int) -> CloudSettings:
        """The same settings with blocks of another side."""
        return replace(self, factor=factor)
