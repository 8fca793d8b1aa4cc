"""How the cleaned dates of a series are loaded: one group, whose layers QGIS's temporal controller plays."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

from qgis.core import (
    QgsDateTimeRange,
    QgsInterval,
    QgsMapLayer,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProject,
    QgsRasterLayer,
    QgsTemporalNavigationObject,
    QgsTemporalUtils,
)
from qgis.PyQt.QtCore import QDate, QDateTime, Qt, QTime
from qgis.utils import iface

from .compat import FIXED_RANGE, IRREGULAR_STEP
from .dates import date_in, date_of_item
from .layers import Place, PlaceLayer, keep
from .outputs import STYLE, sidecar
from .stretch import Range

# QGIS saves whole seconds, and merges ranges that touch into one frame of its controller
_STEP = timedelta(seconds=1)
_LAST = timedelta(days=1)
_SCOPE, _OWN_RANGE = "sunbreak", "seriesRange"


@dataclass(frozen=True)
class DatedLayer:
    """A cleaned date of a series.

    Attributes:
        path: Its file.
        name: Of its layer.
        begin: When it was acquired (UTC).
        end: One second before the next date; a day after `begin` for the last one.
    """

    path: Path
    name: str
    begin: datetime
    end: datetime


class PlaceDate(PlaceLayer):
    """Places a layer like any other, sets its time range, and the project's if the user has set none."""

    def __init__(self, place: Place, date: DatedLayer, whole: tuple[datetime, datetime]) -> None:
        super().__init__(place)
        self._date, self._whole = date, whole

    def postProcessLayer(
        self, layer: QgsMapLayer, context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> None:
        """Called by QGIS in the main thread, after the layer has entered the project."""
        super().postProcessLayer(layer, context, feedback)
        set_range(layer, self._date)
        project = context.project()
        if project is not None and offer_range(project, *self._whole):
            offer_frames(project)


def dated_layers(files: Iterable[Path]) -> tuple[list[DatedLayer], list[Path]]:
    """The dates of a series in their order, and the files whose date is not known.

    A date is that of the file's STAC item, else that in the name of its folder. The folder's name is the layer's name.
    Of several layers of one moment, such as both levels of an acquisition, each begins a second after the one before.
    """
    dated, undated = [], []
    for path in files:
        date = date_of_item(path) or date_in(path.parent.name)
        if date is None:
            undated.append(path)
        else:
            dated.append((date, path))
    dated.sort()
    begins: list[datetime] = []
    for date, _ in dated:
        begins.append(max(date, begins[-1] + _STEP) if begins else date)
    ends = [later - _STEP for later in begins[1:]] + [begin + _LAST for begin in begins[-1:]]
    found = [
        DatedLayer(path, path.parent.name, begin, end)
        for (_, path), begin, end in zip(dated, begins, ends, strict=True)
    ]
    return found, undated


def load_series(context: QgsProcessingContext, dates: Sequence[DatedLayer], place: str) -> None:
    """Have Processing load the dates as a group after the run, the first one on top.

    Args:
        context: Context of the run, with a project.
        dates: The layers, by date.
        place: Name of the group.
    """
    run = str(time.time_ns())
    stretch: dict[str, Range] = {}
    for position, date in enumerate(dates):
        details = QgsProcessingContext.LayerDetails(date.name, context.project(), "OUTPUT")
        if hasattr(details, "layerSortKey"):
            details.layerSortKey = -position  # larger keys lie on top
        where = Place(
            "cleaned", sidecar(date.path, STYLE), True, False, 1.0, place, run, position=position, stretch=stretch
        )
        post_processor = PlaceDate(where, date, (dates[0].begin, dates[-1].end))
        keep(str(date.path), post_processor)
        details.setPostProcessor(post_processor)
        context.addLayerToLoadOnCompletion(str(date.path), details)


def set_range(layer: QgsRasterLayer, date: DatedLayer) -> None:
    """Show a layer from its date to the next one only, while the map is temporal."""
    times = layer.temporalProperties()
    times.setMode(FIXED_RANGE)
    times.setFixedTemporalRange(QgsDateTimeRange(_qt(date.begin), _qt(date.end)))
    times.setIsActive(True)


def offer_range(project: QgsProject, begin: datetime, end: datetime) -> bool:
    """Set the project's time range to that of a series, one frame for each date.

    Returns:
        False if the user has set a range, which is kept.
    """
    settings = project.timeSettings()
    before = settings.temporalRange()
    own, _ = project.readEntry(_SCOPE, _OWN_RANGE, "")
    if not before.isInfinite() and _text(before) != own:
        return False
    wanted = QgsDateTimeRange(_qt(begin), _qt(end))
    settings.setTemporalRange(wanted)
    settings.setTimeStepUnit(IRREGULAR_STEP)
    settings.setTimeStep(1)
    project.writeEntry(_SCOPE, _OWN_RANGE, _text(wanted))
    return True


def offer_frames(project: QgsProject) -> None:
    """Let the temporal controller of QGIS Desktop show one date in each frame.

    It reads the step of a project only when the project is opened.
    """
    canvas = iface.mapCanvas() if iface is not None else None
    controller = canvas.temporalController() if canvas is not None else None
    if isinstance(controller, QgsTemporalNavigationObject):
        controller.setAvailableTemporalRanges(QgsTemporalUtils.usedTemporalRangesForProject(project))
        controller.setFrameDuration(QgsInterval(1, IRREGULAR_STEP))


def _text(given: QgsDateTimeRange) -> str:
    return "/".join(one.toUTC().toString(Qt.DateFormat.ISODate) for one in (given.begin(), given.end()))


def _qt(date: datetime) -> QDateTime:
    date = date.astimezone(timezone.utc)
    return QDateTime(
        QDate(date.year, date.month, date.day), QTime(date.hour, date.minute, date.second), Qt.TimeSpec.UTC
    )
