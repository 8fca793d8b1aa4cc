"""The list of other dates in the panel: layers that are proposed, and files that the user adds, each with a tick."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from qgis.core import QgsMapLayer, QgsProject, QgsProviderRegistry, QgsRasterLayer
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from ..compat import tr
from ..dates import date_of, days_between
from ..plain import plain_label, shown
from ..sources import SourceError, backend_path
from .proposing import OtherDate, other_dates

_KEY = Qt.ItemDataRole.UserRole
_MOST_ROWS = 5


class DatesChoice(QWidget):
    """A titled list with a check box for each date, and a button that adds files.

    What was ticked off and added is kept for each scene.

    Args:
        say: Shows a message.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        super().__init__()
        self._say = say
        self._scene: QgsRasterLayer | None = None
        self._offered: dict[str, OtherDate] = {}
        self._unticked: dict[str, set[str]] = {}
        self._added: dict[str, dict[str, datetime | None]] = {}
        self._radar: dict[str, str] = {}
        self.list = QListWidget()
        self.list.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setAccessibleName(tr("Other dates"))
        self.list.itemChanged.connect(self._ticked)
        self.none = plain_label(tr("The project has no other date of this place."))
        self.none.setWordWrap(True)
        self.add = QPushButton(tr("&Add files…"))
        self.add.setToolTip(tr("Sentinel-2 scenes of the same place, before or after; they may be cloudy"))
        self.add.clicked.connect(lambda _=False: self._ask_for_files())
        title = plain_label(tr("Ot&her dates"))
        title.setBuddy(self.list)
        head = QHBoxLayout()
        head.addWidget(title)
        head.addStretch(1)
        head.addWidget(self.add)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(head)
        column.addWidget(self.none)
        column.addWidget(self.list)
        self.show_for(None)

    def show_for(self, scene: QgsMapLayer | None) -> None:
        """List the other dates of a scene; called again when the project has changed."""
        self._scene = scene if isinstance(scene, QgsRasterLayer) and scene.isValid() else None
        self.add.setEnabled(self._scene is not None)
        self._offered = {}
        if self._scene is not None:
            self._offered = {one.key: one for one in other_dates(QgsProject.instance(), self._scene)}
            known = {one.path.resolve() for one in self._offered.values()}
            acquired = self._date()
            for text, date in self._added.get(self._scene.id(), {}).items():
                path = Path(text)
                if path.exists() and path.resolve() not in known:
                    self._offered[text] = OtherDate(text, path.stem, path, date, days_between(acquired, date))
        self._fill()

    def chosen(self) -> list[str]:
        """The ticked dates: ids of layers of the project, and paths of files."""
        items = (self.list.item(row) for row in range(self.list.count()))
        return [item.data(_KEY) for item in items if item.checkState() == Qt.CheckState.Checked]

    def radar(self) -> list[str]:
        """Radar of the ticked dates, where it was downloaded with them."""
        there = QgsProject.instance().mapLayers()
        found = (self._radar.get(key, "") for key in self.chosen())
        return list(dict.fromkeys(key for key in found if key in there))

    def tick_only(self, dates: dict[str, str]) -> None:
        """Tick the dates that were downloaded with the scene, and no others.

        Args:
            dates: Layer id of each date to the layer id of its radar, empty for none.
        """
        if self._scene is not None:
            self._unticked[self._scene.id()] = set(self._offered) - set(dates)
            self._radar |= {key: radar for key, radar in dates.items() if radar}
            self._fill()

    def add_files(self, paths: list[str]) -> None:
        """Add files to the list, ticked; says which cannot be opened."""
        if self._scene is None:
            return
        added = self._added.setdefault(self._scene.id(), {})
        for text in paths:
            layer = QgsRasterLayer(text, Path(text).stem)
            try:
                if not layer.isValid():
                    raise SourceError(
                        tr("{path} cannot be opened as a raster. Check that the file exists.").format(path=text)
                    )
                path = backend_path(layer)
                if path.resolve() == backend_path(self._scene).resolve():
                    raise SourceError(tr("{path} is the scene itself.").format(path=text))
            except SourceError as error:
                self._say(str(error))
                continue
            added[str(path)] = date_of(layer, path)
            self._unticked.get(self._scene.id(), set()).discard(str(path))
        self.show_for(self._scene)

    def _ask_for_files(self) -> None:
        filters = QgsProviderRegistry.instance().fileRasterFilters()
        paths, _ = QFileDialog.getOpenFileNames(self, tr("Other dates of the same place"), "", filters)
        self.add_files(paths)

    def _fill(self) -> None:
        self.list.blockSignals(True)
        self.list.clear()
        unticked = self._unticked.get(self._scene.id(), set()) if self._scene is not None else set()
        for key, one in self._offered.items():
            item = QListWidgetItem(described(one))
            item.setData(_KEY, key)
            item.setToolTip(shown(f"{item.text()}\n{one.path}"))
            item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(Qt.CheckState.Unchecked if key in unticked else Qt.CheckState.Checked)
            self.list.addItem(item)
        self.list.blockSignals(False)
        rows = self.list.count()
        self.list.setVisible(rows > 0)
        self.none.setVisible(rows == 0)
        if rows:
            height = self.list.sizeHintForRow(0) * min(rows, _MOST_ROWS) + 2 * self.list.frameWidth() + 2
            self.list.setFixedHeight(height)

    def _ticked(self, item: QListWidgetItem) -> None:
        if self._scene is None:
            return
        unticked = self._unticked.setdefault(self._scene.id(), set())
        if item.checkState() == Qt.CheckState.Checked:
            unticked.discard(item.data(_KEY))
        else:
            unticked.add(item.data(_KEY))

    def _date(self) -> datetime | None:
        """The scene's date, where known."""
        try:
            return date_of(self._scene, backend_path(self._scene)) if self._scene is not None else None
        except SourceError:
            return None


def described(one: OtherDate) -> str:
    """A date in one line: when it is, how many days after the scene (before it with a minus), and its name."""
    name = one.name
    if one.acquired is None:
        return tr("Date unknown: {name}").format(name=name)
    date = one.acquired.strftime("%Y-%m-%d")
    if one.days is None:
        return f"{date}: {name}"
    days = f"{one.days:+d}".replace("-", "\N{MINUS SIGN}")
    text = tr("{date} ({days} day): {name}") if abs(one.days) == 1 else tr("{date} ({days} days): {name}")
    return text.format(date=date, days=days, name=name)
