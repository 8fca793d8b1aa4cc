"""The baselines that other dates allow, for rasters: their clouds are found as `sunbreak clean` does, then they fill.

Memory depends on the window that is filled and on the number of dates, not on the size of the scene.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from sunbreak.clouds.classes import replaced
from sunbreak.clouds.dates import DateClouds, find_clouds
from sunbreak.clouds.given_masks import decode, given_classes
from sunbreak.errors import InputError
from sunbreak.events import Reporter, Silent
from sunbreak.metrics.fills import Image
from sunbreak.metrics.temporal_fills import FILLS, OtherDate, Overlap
from sunbreak.scene import Scene, SceneSeries, SeriesReader
from sunbreak.scene.series_opening import Reading, open_series

if TYPE_CHECKING:
    from typing_extensions import Self

#: The baselines by name, as tables show them.
TITLES = {
    "least_cloudy": "least cloudy date",
    "mosaic_mean": "mean of the dates",
    "mosaic_median": "median of the dates",
    "nearest_date": "nearest date",
    "linear_in_time": "linear in time",
    "nearest_gain_offset": "nearest, gain and offset",
}
_STRIP_PIXELS = 2**19


@dataclass(frozen=True)
class GivenDates:
    """Other dates as they are given to a comparison.

    Attributes:
        named: Files or folders that the user named.
        found: What was found in a folder.
        reading: How they are read.
    """

    named: Sequence[Path] = ()
    found: Sequence[Path] = ()
    reading: Reading = field(default_factory=Reading)

    def __bool__(self) -> bool:
        return bool(self.named or self.found)


class Baselines:
    """Fills of a cloudy scene from its other dates. Made by `open_baselines`; holds no open files.

    Args:
        series: The cloudy scene and its other dates.
        bands: The bands to fill.
        clouds: Where the other dates are clear.
        overlap: Of the whole scene.
    """

    def __init__(self, series: SceneSeries, bands: tuple[str, ...], clouds: DateClouds, overlap: Overlap) -> None:
        self.series, self.bands, self.clouds, self.overlap = series, bands, clouds, overlap

    @property
    def described(self) -> str:
        """The other dates in words."""
        days = zip(self.series.others, self.series.days, strict=True)
        return ", ".join(f"{scene.source_name} ({_when(gap)})" for scene, gap in days)

    def reader(self) -> BaselineReader:
        """Open the files for reading: a context manager, for one thread."""
        return BaselineReader(self)


class BaselineReader:
    """Open handles on the other dates; a context manager, for one thread."""

    def __init__(self, baselines: Baselines) -> None:
        self._of = baselines
        self._series: SeriesReader = baselines.series.reader()
        self._places = [[scene.bands.index(band) for band in baselines.bands] for scene in baselines.series.others]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the files."""
        self._series.close()

    def fill(self, window: Window, cloudy: Image, mask: NDArray[np.bool_]) -> dict[str, Image]:
        """The fills of a window.

        Args:
            window: Of the scene.
            cloudy: Its reflectance before cleaning, (band, row, column), clipped to [0, 1].
            mask: (row, column), the pixels to fill.

        Returns:
            By name in `FILLS`, (band, row, column).
        """
        dates = self.dates(window)
        return {name: fill(cloudy, mask, dates, self._of.overlap) for name, fill in FILLS.items()}

    def dates(self, window: Window) -> list[OtherDate]:
        """The other dates in a window of the scene, reflectance clipped to [0, 1]."""
        found = []
        rows_of = self._series.others(window, decode)
        for number, (rows, gap) in enumerate(zip(rows_of, self._of.series.days, strict=True)):
            image = rows.optical.reflectance()[self._places[number]]
            clear = self._of.clouds.clear(self._series, number, window, rows)
            found.append(OtherDate(np.clip(image, 0, 1, out=image), clear, gap))
        return found


def open_baselines(
    predicted: Scene, cloudy: Scene | None, truth: Scene, given: GivenDates, reporter: Reporter | None = None
) -> Baselines:
    """Open other dates, find their clouds, and sum what the fills need to know of the whole scene.

    Args:
        predicted: The evaluated raster, with the mask of the pixels to fill.
        cloudy: The scene before cleaning.
        truth: The clear scene, which must not be among the other dates.
        given: The other dates.
        reporter: Receives messages; may cancel.

    Raises:
        InputError: ``no-cloudy`` or ``no-mask`` if the cloudy scene or the mask is missing; ``reference-is-target`` if
            the clear scene is named; ``no-reference`` if no date can be used; and what
            `sunbreak.scene.series_opening.open_series` says.
    """
    reporter = reporter or Silent()
    if cloudy is None:
        raise InputError(
            "Other dates are given without the scene before cleaning.",
            "Give it with --cloudy: the baselines fill its clouds.",
            code="no-cloudy",
        )
    if not predicted.has_mask:
        raise InputError(
            "Other dates are given without a cloud mask.",
            "Give it with --mask: the baselines fill what it covers.",
            code="no-mask",
        )
    series = _opened(predicted, cloudy, truth, given, reporter)
    clouds = DateClouds([find_clouds(scene, reporter) for scene in series.others])
    baselines = Baselines(series, predicted.bands, clouds, Overlap(len(predicted.bands), len(series.others)))
    with baselines.reader() as dates, predicted.reader() as ours, cloudy.reader() as before:
        for window in _parts(predicted):
            reporter.checkpoint()
            image = before.s2(window, predicted.bands).reflectance()
            mask = replaced(given_classes(ours, window))
            baselines.overlap.add(np.clip(image, 0, 1, out=image), mask, dates.dates(window))
    return baselines


def _opened(predicted: Scene, cloudy: Scene, truth: Scene, given: GivenDates, reporter: Reporter) -> SceneSeries:
    """The series, without dates that hold the answer or lack a band."""
    reading = given.reading
    opened = open_series(
        cloudy, given.named, found=given.found, s2_unit=reading.s2_unit, s2_offset=reading.s2_offset,
        s2_bands=reading.s2_bands, s2_nodata=reading.s2_nodata, s2_scale=reading.s2_scale,
    )  # fmt: skip
    own = {path.resolve() for scene in (predicted, truth) for path in scene.inputs}
    named = {path.expanduser().resolve() for path in given.named}
    for text in opened.notes:
        reporter.message(text)
    for text in opened.warnings:
        reporter.message(text, "warning")
    kept = []
    for scene in opened.others:
        files = {path.resolve() for path in scene.inputs}
        lacking = [band for band in predicted.bands if band not in scene.bands]
        if files & own:
            if files & named:
                raise InputError(
                    f"{scene.inputs[0]} is the evaluated raster or its target, and no other date.",
                    "Give other dates of the place with --reference.",
                    code="reference-is-target",
                )
            reporter.message(f"{scene.source_name} is left out of the other dates: it is compared itself.")
        elif lacking:
            text = f"{scene.source_name} is left out of the other dates: it has no {', '.join(lacking)}."
            reporter.message(text, "warning")
        else:
            kept.append(scene)
            if truth.acquired and scene.acquired and truth.acquired.date() == scene.acquired.date():
                reporter.message(
                    f"{scene.source_name} is of the target's day: fills from it know the answer.", "warning"
                )
    if not kept:
        raise InputError(
            "None of the other dates can be used.", "Give other dates with the bands of the scene.", code="no-reference"
        )
    return SceneSeries(cloudy, tuple(kept))


def _parts(scene: Scene) -> list[Window]:
    """The scene as strips of rows with few enough pixels for all dates."""
    width = scene.grid.width
    rows = max(1, _STRIP_PIXELS // width)
    height = scene.grid.height
    return [Window(0, row, width, min(rows, height - row)) for row in range(0, height, rows)]


def _when(gap: int | None) -> str:
    if gap is None:
        return "date unknown"
    return f"{abs(gap)} days {'before' if gap < 0 else 'after'}" if gap else "the same day"
