"""Clouds and shadows of other dates of a scene: found as the target's are, and laid on the target's grid."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from sunbreak.clouds.choice import choose
from sunbreak.clouds.classes import CLEAR, Classes, dilated_classes
from sunbreak.clouds.detection import CloudDetection, DetectorRuntime
from sunbreak.clouds.margins import Margins
from sunbreak.clouds.mask_rows import MaskRows
from sunbreak.clouds.settings import CloudSettings
from sunbreak.defaults import BUFFER, CLOUD_DETECTOR
from sunbreak.engine import run_task
from sunbreak.events import Reporter, Silent
from sunbreak.scene import DateRows, Scene, SeriesReader

_MARGINS = Margins.all(BUFFER)


def find_clouds(
    scene: Scene, reporter: Reporter, detector: str = CLOUD_DETECTOR, settings: CloudSettings | None = None
) -> MaskRows | None:
    """Detect the clouds and shadows of another date.

    Args:
        scene: The other date.
        reporter: Receives what was found; may cancel.
        detector: Name of the detector, see `sunbreak.clouds.choice`.
        settings: How.

    Returns:
        Class codes on the grid of the other date, without margins; None if its mask is used as it is.

    Raises:
        InputError: See `sunbreak.clouds.choice.choose`.
    """
    choice = choose(detector, settings or CloudSettings(), scene)
    for text in choice.warnings:
        reporter.message(f"{scene.source_name}: {text}", "warning")
    if choice.detector is None:
        return None
    task = CloudDetection(scene, choice.detector)
    run_task(task, scene, DetectorRuntime(choice.detector), lambda *_: None, Silent(reporter.cancellation))
    clear = task.counts.clear / max(task.counts.valid, 1)
    reporter.message(f"{scene.source_name}: {1 - clear:.0%} cloud or shadow there and around.")
    return task.mask


class DateClouds:
    """Which pixels of the other dates are clear, on the target's grid.

    Args:
        found: Class codes on the grid of each other date, without margins; None where its mask is used as it is.
    """

    def __init__(self, found: Sequence[MaskRows | None]) -> None:
        self.found = tuple(found)

    def clear(self, reader: SeriesReader, number: int, window: Window, rows: DateRows) -> NDArray[np.bool_]:
        """Where another date shows the ground, (row, column).

        Args:
            reader: The series, opened.
            number: Of the other date, from 0.
            window: Of the target.
            rows: The other date in that window.
        """
        codes = self._codes(reader, number, window)
        codes = rows.classes if codes is None else codes
        valid: NDArray[np.bool_] = rows.optical.valid
        return valid if codes is None else valid & (codes == CLEAR)

    def _codes(self, reader: SeriesReader, number: int, window: Window) -> Classes | None:
        mask = self.found[number]
        if mask is None:
            return None

        def read(part: Window) -> Classes:
            top, left = int(part.row_off), int(part.col_off)
            first, stop = max(top - BUFFER, 0), min(top + int(part.height) + BUFFER, mask.height)
            wide = dilated_classes(mask.get(first, stop), _MARGINS)
            return wide[top - first : top - first + int(part.height), left : left + int(part.width)]

        return reader.laid_under(number, window, read)
