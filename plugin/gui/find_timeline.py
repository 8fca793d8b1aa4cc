"""The timeline of a search: the cloud cover of each date over time, with the wished date and the radar."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from qgis.PyQt.QtCore import QEvent, QPointF, QRectF, QSize, Qt, pyqtSignal
from qgis.PyQt.QtGui import QColor, QPainter, QPalette, QPen, QPolygonF
from qgis.PyQt.QtWidgets import QLabel, QSizePolicy, QToolTip

from ..compat import tr
from ..found import REFERENCE, SCENE, Found, FoundScene
from ..found_texts import percent, radar_tip, scene_tip
from ..plain import shown
from ..ticks import Ticks

# both can be told from light and from dark ground, and the shapes differ too
_SCENE_COLOUR, _OTHER_COLOUR = QColor("#d9480f"), QColor("#2f7fd1")
_RADIUS, _RADAR = 5.0, 4.0
_NEAR = 9.0
_HEIGHT = 152
_LINE = 6.0
_QUIET = 0.45


@dataclass(frozen=True)
class Mark:
    """A date in the plot.

    Attributes:
        key: Id of the catalogue.
        at: Its place in the widget.
        tip: What its tooltip says.
        radar: Whether it is radar, which is below the axis.
    """

    key: str
    at: QPointF
    tip: str
    radar: bool = False


class Timeline(QLabel):
    """Draws one mark for each date, at the height of its cloud cover; a click chooses it.

    The scene is a diamond, another date a disc, what is not ticked a ring. A date of unknown cloud cover lies on the
    upper edge, with a question mark. It is a label because the themes of QGIS give labels their colours.
    """

    chosen = pyqtSignal(str)
    """Id of the Sentinel-2 date that was clicked."""

    def __init__(self) -> None:
        super().__init__()
        self._found: Found | None = None
        self._ticks: Ticks | None = None
        self._key = ""
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(tr("Timeline of cloud cover"))

    def sizeHint(self) -> QSize:
        """Called by Qt."""
        return QSize(320, _HEIGHT)

    def minimumSizeHint(self) -> QSize:
        """Called by Qt."""
        return QSize(200, _HEIGHT)

    def show_found(self, found: Found, ticks: Ticks) -> None:
        """Draw a result."""
        self._found, self._ticks, self._key = found, ticks, ticks.scene
        self.setAccessibleDescription(
            "; ".join(f"{one.acquired:%Y-%m-%d}: {percent(one.cloud)}" for one in found.scenes)
        )
        self.update()

    def choose(self, key: str) -> None:
        """Mark a date as the current one."""
        self._key = key
        self.update()

    def marks(self) -> list[Mark]:
        """All dates with their places."""
        if self._found is None:
            return []
        found = [Mark(one.id, self._place(one), shown(scene_tip(one))) for one in self._found.scenes]
        low = self._plot().bottom() + _RADAR + 3
        radar = (
            Mark(one.id, QPointF(self._x(one.acquired), low), shown(radar_tip(one)), True) for one in self._found.radar
        )
        return [*found, *radar]

    def near(self, place: QPointF) -> Mark | None:
        """The mark at a place; None if there is none."""
        distances = [((mark.at - place).manhattanLength(), mark) for mark in self.marks()]
        distance, mark = min(distances, key=lambda pair: pair[0], default=(_NEAR + 1, None))
        return mark if distance <= _NEAR else None

    def event(self, event: QEvent) -> bool:
        """Called by Qt: the tooltip of the mark under the mouse."""
        if event.type() == QEvent.Type.ToolTip:
            mark = self.near(QPointF(event.pos()))
            if mark is None:
                QToolTip.hideText()
                event.ignore()
            else:
                QToolTip.showText(event.globalPos(), mark.tip, self)
            return True
        return super().event(event)

    def mouseMoveEvent(self, event) -> None:
        """Called by Qt: a hand over what can be clicked."""
        mark = self.near(QPointF(event.pos()))
        clickable = mark is not None and not mark.radar
        self.setCursor(Qt.CursorShape.PointingHandCursor if clickable else Qt.CursorShape.ArrowCursor)

    def mousePressEvent(self, event) -> None:
        """Called by Qt: choose the date that is clicked."""
        mark = self.near(QPointF(event.pos()))
        if mark is not None and not mark.radar:
            self._choose(mark.key)

    def keyPressEvent(self, event) -> None:
        """Called by Qt: the arrow keys go from date to date."""
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        keys = [one.id for one in self._found.scenes] if self._found is not None else []
        if event.key() not in steps or not keys:
            super().keyPressEvent(event)
            return
        place = keys.index(self._key) + steps[event.key()] if self._key in keys else 0
        self._choose(keys[max(0, min(len(keys) - 1, place))])

    def paintEvent(self, _event) -> None:
        """Called by Qt."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        small = painter.font()
        small.setPointSizeF(max(7.0, small.pointSizeF() * 0.85))
        painter.setFont(small)
        if self._found is None or self._ticks is None:
            return
        self._paint_axes(painter)
        self._paint_radar(painter)
        for one in self._found.scenes:  # what is ticked lies on top
            if not self._ticks.use(one.id):
                self._paint_scene(painter, one)
        for one in self._found.scenes:
            if self._ticks.use(one.id):
                self._paint_scene(painter, one)
        self._paint_legend(painter)
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(self.palette().color(QPalette.ColorRole.Highlight), 1))
            painter.drawRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5))

    def _choose(self, key: str) -> None:
        self.choose(key)
        self.chosen.emit(key)

    def _plot(self) -> QRectF:
        """The place between the axes: numbers at the left, radar, dates and legend below."""
        line = self.fontMetrics().height()
        left = self.fontMetrics().horizontalAdvance("100 %") + 4
        top = line + 4
        return QRectF(left, top, self.width() - left - 12, self.height() - top - 2 * line - 3 * _RADAR - 10)

    def _span(self) -> tuple[datetime, datetime]:
        middle, days = self._found.date, timedelta(days=self._found.days)
        moments = [one.acquired for one in (*self._found.scenes, *self._found.radar)]
        return min([middle - days, *moments]), max([middle + days + timedelta(days=1), *moments])

    def _x(self, moment: datetime) -> float:
        begin, end = self._span()
        plot = self._plot()
        return plot.left() + plot.width() * ((moment - begin) / (end - begin))

    def _place(self, one: FoundScene) -> QPointF:
        plot = self._plot()
        share = 1.0 if one.cloud is None else max(0.0, min(1.0, one.cloud))
        return QPointF(self._x(one.acquired), plot.bottom() - share * plot.height())

    def _text(self) -> QColor:
        return self.palette().color(QPalette.ColorRole.WindowText)

    def _quiet(self) -> QColor:
        """For lines, and for what is not ticked."""
        colour = self._text()
        colour.setAlphaF(_QUIET)
        return colour

    def _paint_axes(self, painter: QPainter) -> None:
        plot, metrics = self._plot(), painter.fontMetrics()
        text, quiet = self._text(), self._quiet()
        for share in (0.0, 0.5, 1.0):
            y = plot.bottom() - share * plot.height()
            painter.setPen(QPen(quiet, 1, Qt.PenStyle.SolidLine if share == 0 else Qt.PenStyle.DotLine))
            painter.drawLine(QPointF(plot.left(), y), QPointF(plot.right(), y))
            painter.setPen(text)
            place = QRectF(0, y - metrics.height() / 2, plot.left() - 5, metrics.height())
            painter.drawText(place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, f"{100 * share:.0f} %")
        below = plot.bottom() + 3 * _RADAR + 2
        x = self._x(self._found.date)
        wished = f"{self._found.date:%Y-%m-%d}"
        painter.setPen(QPen(text, 1.4, Qt.PenStyle.DashLine))
        painter.drawLine(QPointF(x, plot.top() - 3), QPointF(x, below))
        painter.setPen(text)
        said = tr("wished date {date}").format(date=wished)
        width = metrics.horizontalAdvance(said)
        left = max(0.0, min(x - width / 2, self.width() - width - 2.0))
        painter.drawText(QRectF(left, 0, width + 2, metrics.height()), Qt.AlignmentFlag.AlignLeft, said)
        for moment in self._ticks_of_axis(metrics.horizontalAdvance("00-00") + 14):
            x = self._x(moment)
            painter.setPen(QPen(quiet, 1))
            painter.drawLine(QPointF(x, plot.bottom()), QPointF(x, below))
            label = f"{moment:%m-%d}"
            width = metrics.horizontalAdvance(label)
            left = min(x - width / 2, self.width() - width - 1.0)
            painter.setPen(text)
            painter.drawText(QRectF(left, below, width + 2, metrics.height()), Qt.AlignmentFlag.AlignLeft, label)

    def _ticks_of_axis(self, room: float) -> list[datetime]:
        """Dates that are labelled, at least `room` pixels apart, the wished date among them."""
        begin, end = self._span()
        day = self._plot().width() / max(1.0, (end - begin) / timedelta(days=1))
        step = next((days for days in (1, 2, 5, 10, 15, 30, 60, 90) if days * day >= room), 180)
        found = [self._found.date]
        for sign in (-1, 1):
            moment = self._found.date + sign * timedelta(days=step)
            while begin <= moment <= end:
                found.append(moment)
                moment += sign * timedelta(days=step)
        return found

    def _paint_scene(self, painter: QPainter, one: FoundScene) -> None:
        use, at = self._ticks.use(one.id), self._place(one)
        if one.id == self._key:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(self._text(), 1.2))
            painter.drawEllipse(at, _RADIUS + 4, _RADIUS + 4)
        self._paint_mark(painter, at, use)
        if one.cloud is None:
            painter.setPen(self._text())
            painter.drawText(at + QPointF(_RADIUS + 3, 4), "?")

    def _paint_mark(self, painter: QPainter, at: QPointF, use: str) -> None:
        text = self._text()
        if use == SCENE:
            painter.setPen(QPen(text, 1))
            painter.setBrush(_SCENE_COLOUR)
            side = _RADIUS + 2
            corners = (QPointF(0, -side), QPointF(side, 0), QPointF(0, side), QPointF(-side, 0))
            painter.drawPolygon(QPolygonF([at + corner for corner in corners]))
        else:
            painter.setPen(QPen(text if use == REFERENCE else self._quiet(), 1 if use else 1.6))
            painter.setBrush(_OTHER_COLOUR if use == REFERENCE else QColor(Qt.GlobalColor.transparent))
            radius = _RADIUS if use else _RADIUS - 1
            painter.drawEllipse(at, radius, radius)

    def _paint_radar(self, painter: QPainter) -> None:
        for mark in self.marks():
            if mark.radar:
                self._paint_triangle(painter, mark.at, self._ticks.takes_radar(mark.key))

    def _paint_triangle(self, painter: QPainter, at: QPointF, taken: bool) -> None:
        text = self._text()
        painter.setPen(QPen(text if taken else self._quiet(), 1.2))
        painter.setBrush(text if taken else QColor(Qt.GlobalColor.transparent))
        corners = (QPointF(0, -_RADAR), QPointF(_RADAR, _RADAR), QPointF(-_RADAR, _RADAR))
        painter.drawPolygon(QPolygonF([at + corner for corner in corners]))

    def _paint_legend(self, painter: QPainter) -> None:
        metrics = painter.fontMetrics()
        y = self.height() - metrics.height() / 2 - 2
        x = _LINE + 4
        for use, said in (
            (SCENE, tr("scene")),
            (REFERENCE, tr("other date")),
            ("", tr("not ticked")),
            ("radar", tr("radar")),
        ):
            if use == "radar":
                self._paint_triangle(painter, QPointF(x, y), True)
            else:
                self._paint_mark(painter, QPointF(x, y), use)
            painter.setPen(self._text())
            painter.drawText(QPointF(x + _RADIUS + 5, y + metrics.ascent() / 2 - 1), said)
            x += metrics.horizontalAdvance(said) + 2 * _RADIUS + 18
