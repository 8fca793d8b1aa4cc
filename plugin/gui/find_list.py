"""The list of found dates: a picture, the clouds as a bar, and ticks for the scene, the other dates and their radar."""

from __future__ import annotations

from qgis.PyQt.QtCore import QModelIndex, QRect, QSize, Qt, pyqtSignal
from qgis.PyQt.QtGui import QIcon, QPainter, QPalette, QPixmap
from qgis.PyQt.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QHeaderView,
    QMenu,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeWidget,
    QTreeWidgetItem,
)

from ..compat import tr
from ..found import REFERENCE, SCENE, Found, FoundRadar, FoundScene
from ..found_texts import cover_text, percent, radar_lines, radar_tip, scene_lines, scene_tip
from ..plain import shown, visible
from ..ticks import Ticks

DATE, AS_SCENE, AS_OTHER, CLOUD = range(4)
_KEY, _SHARE = Qt.ItemDataRole.UserRole, Qt.ItemDataRole.UserRole + 1
_PICTURE = 56
_SHARP = 2  # screens with small pixels show that many for one
_ROOM = 4
_BAR = 7
_ROWS_SHOWN = 2.5
_SMALLER = 0.88  # three lines beside a picture, in a panel that leaves room for the map


class SceneList(QTreeWidget):
    """A row for each date, with its radar below it.

    Enter makes the chosen date the scene, the space bar ticks it as another date.
    """

    ticked = pyqtSignal()
    chosen = pyqtSignal(str)
    """Id of the date whose row is the current one."""

    def __init__(self) -> None:
        super().__init__()
        self._ticks: Ticks | None = None
        self._showing = False
        self.setColumnCount(4)
        self.setHeaderLabels([tr("Date"), tr("Scene"), tr("Other"), tr("Clouds")])
        self.headerItem().setToolTip(AS_SCENE, tr("The scene whose clouds are removed: one date"))
        self.headerItem().setToolTip(AS_OTHER, tr("Other dates that show what lies under the clouds: any number"))
        self.headerItem().setToolTip(CLOUD, tr("Cloud cover over the area, and how much of the area has data"))
        self.setIconSize(QSize(_PICTURE, _PICTURE))
        font = self.font()
        font.setPointSizeF(max(7.0, font.pointSizeF() * _SMALLER))
        self.setFont(font)
        self.header().setFont(font)
        self.setIndentation(12)
        self.setUniformRowHeights(False)
        self.setAllColumnsShowFocus(True)
        self.setAlternatingRowColors(True)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._offer)
        self.setAccessibleName(tr("Found dates"))
        self.setAccessibleDescription(
            tr("Enter makes a date the scene, the space bar ticks it as another date. Its radar lies below it.")
        )
        self.setItemDelegateForColumn(CLOUD, CloudBar(self))
        header = self.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(DATE, QHeaderView.ResizeMode.Fixed)
        for column in (AS_SCENE, AS_OTHER, CLOUD):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        header.setMinimumSectionSize(40)
        self.setMinimumHeight(round(_ROWS_SHOWN * _PICTURE) + header.sizeHint().height())
        self.itemChanged.connect(self._changed)
        self.currentItemChanged.connect(lambda item, _: self.chosen.emit(_date_of(item)))

    def show_found(self, found: Found, ticks: Ticks) -> None:
        """List the dates of a result; the scene's row is the current one."""
        self._ticks = ticks
        self._showing = True
        self.clear()
        for scene in found.scenes:
            row = _scene_row(scene)
            self.addTopLevelItem(row)
            for radar in found.radar_near(scene):
                row.addChild(_radar_row(radar, scene))
        self._showing = False
        self.show_ticks()
        for place in range(self.topLevelItemCount()):
            row = self.topLevelItem(place)
            row.setExpanded(_key(row) == ticks.scene)
        self._fit()
        self.choose(ticks.scene)

    def choose(self, key: str) -> None:
        """Make a date's row the current one, in sight."""
        row = self._row(key)
        if row is not None:
            self.setCurrentItem(row)
            self.scrollToItem(row, QAbstractItemView.ScrollHint.PositionAtCenter)

    def show_ticks(self) -> None:
        """Show what is ticked."""
        if self._ticks is None:
            return
        self._showing = True
        for place in range(self.topLevelItemCount()):
            row = self.topLevelItem(place)
            use = self._ticks.use(_key(row))
            _tick(row, AS_SCENE, use == SCENE)
            _tick(row, AS_OTHER, use == REFERENCE)
            for below in range(row.childCount()):
                radar = row.child(below)
                radar.setDisabled(not use)
                _tick(radar, DATE, bool(use) and self._ticks.radar.get(_key(row)) == _key(radar))
        self._showing = False

    def keyPressEvent(self, event) -> None:
        """Called by Qt: Enter and the space bar tick the current row."""
        row = self.currentItem()
        if self._ticks is not None and row is not None and row.parent() is None:
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._take_scene(row)
                return
            if event.key() == Qt.Key.Key_Space:
                self._take_other(row, self._ticks.use(_key(row)) != REFERENCE)
                return
        elif row is not None and event.key() == Qt.Key.Key_Space:
            row.setCheckState(DATE, _state(row.checkState(DATE) != Qt.CheckState.Checked))
            return
        super().keyPressEvent(event)

    def resizeEvent(self, event) -> None:
        """Called by Qt: the dates get the room that the other columns leave; a narrow list is scrolled."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        others = sum(self.columnWidth(column) for column in (AS_SCENE, AS_OTHER, CLOUD))
        least = _PICTURE + self.fontMetrics().horizontalAdvance("2000-00-00 (+00 days) MM")
        self.setColumnWidth(DATE, max(least, self.viewport().width() - others))

    def _changed(self, row: QTreeWidgetItem, column: int) -> None:
        if self._showing or self._ticks is None:
            return
        ticked = row.checkState(column) == Qt.CheckState.Checked
        if row.parent() is not None:
            self._ticks.take_radar(_key(row.parent()), _key(row) if ticked else "")
            self._show_change(None)
        elif column == AS_SCENE:
            self._take_scene(row)
        elif column == AS_OTHER:
            self._take_other(row, ticked)

    def _take_scene(self, row: QTreeWidgetItem) -> None:
        self._ticks.take_scene(_key(row))
        self._show_change(row)

    def _take_other(self, row: QTreeWidgetItem, taken: bool) -> None:
        self._ticks.take_other(_key(row), taken)
        self._show_change(row if taken else None)

    def _show_change(self, row: QTreeWidgetItem | None) -> None:
        self.show_ticks()
        if row is not None:
            row.setExpanded(True)
        self.ticked.emit()

    def _offer(self, place) -> None:
        row = self.itemAt(place)
        if row is None or row.parent() is not None or self._ticks is None:
            return
        use = self._ticks.use(_key(row))
        menu = QMenu(self)
        if use != SCENE:
            menu.addAction(tr("Take as the &scene")).triggered.connect(lambda _=False: self._take_scene(row))
            taken = use == REFERENCE
            text = tr("Do &not take it") if taken else tr("Take as another &date")
            menu.addAction(text).triggered.connect(lambda _=False: self._take_other(row, not taken))
            menu.exec(self.viewport().mapToGlobal(place))

    def _row(self, key: str) -> QTreeWidgetItem | None:
        rows = (self.topLevelItem(place) for place in range(self.topLevelItemCount()))
        return next((row for row in rows if _key(row) == key), None)


class CloudBar(QStyledItemDelegate):
    """A percentage, a bar of that length, and how much of the area has data."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        """Called by Qt."""
        metrics = option.fontMetrics
        lines = (index.data(Qt.ItemDataRole.DisplayRole) or "").split("\n")
        width = max(metrics.horizontalAdvance(line) for line in (*lines, cover_text(1.0)))
        return QSize(width + 3 * _ROOM, len(lines) * metrics.height() + _BAR + 2 * _ROOM)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        """Called by Qt."""
        self.initStyleOption(option, index)
        # Qt has put other line breaks into the text of the option
        lines, share = str(index.data(Qt.ItemDataRole.DisplayRole) or "").split("\n"), index.data(_SHARE)
        option.text = ""
        style = option.widget.style() if option.widget is not None else QApplication.style()
        style.drawControl(QStyle.ControlElement.CE_ItemViewItem, option, painter, option.widget)
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        group = QPalette.ColorGroup.Active
        role = QPalette.ColorRole.HighlightedText if chosen else QPalette.ColorRole.Text
        colour = option.palette.color(group, role)
        height = option.fontMetrics.height()
        bar = _BAR if share is not None else 0
        whole = len(lines) * height + bar
        place = option.rect.adjusted(_ROOM, 0, -2 * _ROOM, 0)
        top = place.top() + (place.height() - whole) // 2
        painter.save()
        painter.setPen(colour)
        for number, line in enumerate(lines):
            below = bar if number else 0
            rect = QRect(place.left(), top + number * height + below, place.width(), height)
            painter.drawText(rect, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, line)
        if share is not None:
            rect = QRect(place.left(), top + height, place.width() - 1, _BAR - 2)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(rect)
            rect.setWidth(round(rect.width() * max(0.0, min(1.0, share))))
            painter.fillRect(rect, colour)
        painter.restore()


def _scene_row(scene: FoundScene) -> QTreeWidgetItem:
    row = QTreeWidgetItem([visible(scene_lines(scene)), "", "", ""])
    row.setData(DATE, _KEY, scene.id)
    row.setIcon(DATE, _picture(scene))
    cloud = percent(scene.area_cloud)
    if scene.area_cloud is None and scene.tile_cloud is not None:
        cloud = tr("{share} of tile").format(share=percent(scene.tile_cloud))
    row.setText(CLOUD, "\n".join(filter(None, (cloud, cover_text(scene.covers)))))
    row.setData(CLOUD, _SHARE, scene.cloud)
    for column in range(4):
        row.setToolTip(column, shown(scene_tip(scene)))
    row.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsUserCheckable)
    return row


def _radar_row(radar: FoundRadar, scene: FoundScene) -> QTreeWidgetItem:
    row = QTreeWidgetItem([visible(radar_lines(radar, scene)), "", "", cover_text(radar.covers)])
    row.setData(DATE, _KEY, radar.id)
    row.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsUserCheckable)
    for column in range(4):
        row.setToolTip(column, shown(radar_tip(radar) if radar.why else radar.id))
    return row


def _picture(scene: FoundScene) -> QIcon:
    """The thumbnail, cut to a square; a grey one without a thumbnail, so that the rows are aligned."""
    picture = QPixmap(str(scene.thumbnail)) if scene.thumbnail is not None else QPixmap()
    side = _PICTURE * _SHARP
    square = QPixmap(side, side)
    square.fill(Qt.GlobalColor.gray)
    if not picture.isNull():
        scaled = picture.scaled(
            square.size(),
            Qt.AspectRatioMode.KeepAspectRatioByExpanding,
            Qt.TransformationMode.SmoothTransformation,
        )
        painter = QPainter(square)
        painter.drawPixmap((side - scaled.width()) // 2, (side - scaled.height()) // 2, scaled)
        painter.end()
    icon = QIcon(square)
    icon.addPixmap(square, QIcon.Mode.Selected)  # the style would tint it
    return icon


def _key(row: QTreeWidgetItem) -> str:
    return row.data(DATE, _KEY)


def _date_of(row: QTreeWidgetItem | None) -> str:
    """The id of the Sentinel-2 date that a row belongs to."""
    return "" if row is None else _key(row.parent() or row)


def _tick(row: QTreeWidgetItem, column: int, ticked: bool) -> None:
    row.setCheckState(column, _state(ticked))


def _state(ticked: bool) -> Qt.CheckState:
    return Qt.CheckState.Checked if ticked else Qt.CheckState.Unchecked
