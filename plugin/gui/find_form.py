"""The fields of a search: area, date, days, clouds, level and catalogue."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from qgis.core import QgsSettings
from qgis.gui import QgsMapCanvas
from qgis.PyQt.QtCore import QDate, Qt
from qgis.PyQt.QtWidgets import (
    QComboBox,
    QDateEdit,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QPushButton,
    QSpinBox,
    QWidget,
)

from ..bridge.catalogue import Query
from ..catalogues import catalogues, levels
from ..compat import tr
from ..plain import plain_label, shown
from .find_area import AreaChoice

_DAYS, _MOST_DAYS = 30, 366
_CATALOGUE, _PROFILES = "sunbreak/find/catalogue", "sunbreak/find/profiles"
_KEPT_PROFILES = 5
_SHORTEST = 7


class FindForm(QWidget):
    """The fields; the chosen catalogue and the profile files are kept for the next session.

    Args:
        canvas: The map.
        say: Shows a message.
    """

    def __init__(self, canvas: QgsMapCanvas, say: Callable[[str], None]) -> None:
        super().__init__()
        self.area = AreaChoice(canvas, say)
        self.date = QDateEdit(QDate.currentDate())
        self.date.setCalendarPopup(True)
        self.date.setDisplayFormat("yyyy-MM-dd")
        self.date.setMaximumDate(QDate.currentDate())
        self.date.setMinimumDate(QDate(2015, 6, 23))  # the launch of Sentinel-2A
        self.date.setToolTip(tr("The date that you want a scene of"))
        self.days = QSpinBox()
        self.days.setRange(1, _MOST_DAYS)
        self.days.setValue(_DAYS)
        self.days.setPrefix("\N{PLUS-MINUS SIGN} ")
        self.days.setSuffix(tr(" days"))
        self.days.setToolTip(tr("Days before and after the date; other dates come from these days too"))
        self.cloud = QSpinBox()
        self.cloud.setRange(1, 100)
        self.cloud.setValue(100)
        self.cloud.setSuffix(" %")
        self.cloud.setToolTip(tr("Leave out dates with more clouds than this; 100 % leaves out none"))
        self.level = QComboBox()
        for value, text in levels().items():
            self.level.addItem(text, value)
        self.level.setToolTip(tr("Processing level of Sentinel-2"))
        self.catalogue = QComboBox()
        for value, text in catalogues().items():
            self.catalogue.addItem(text, value)
        self.catalogue.setToolTip(tr("Where to search; only this catalogue's hosts are asked"))
        for combo, least in ((self.level, 4), (self.catalogue, _SHORTEST)):
            combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            combo.setMinimumContentsLength(least)
        self.add = QPushButton(tr("Pro&file…"))
        self.add.setToolTip(tr("Add a catalogue that a profile file (YAML) describes"))
        self.add.clicked.connect(lambda _=False: self._ask_for_profile())
        self.search = QPushButton(tr("&Search"))
        self.search.setToolTip(tr("List the Sentinel-2 and Sentinel-1 scenes of this place"))
        self._lay_out()
        self._restore()
        self.catalogue.currentIndexChanged.connect(lambda _: self._keep())

    def keyboard_order(self) -> list[QWidget]:
        """Tab order, from top to bottom."""
        return [
            self.area.kind, self.area.layer, self.date, self.days, self.cloud, self.level, self.catalogue, self.add,
            self.search,
        ]  # fmt: skip

    def query(self) -> Query:
        """What to search for.

        Raises:
            ExtentError: There is no area, or it is too large.
        """
        return Query(
            self.area.box(),
            self.date.date().toString("yyyy-MM-dd"),
            self.days.value(),
            self.cloud.value(),
            self.level.currentData(),
            self.catalogue.currentData(),
        )

    def add_profile(self, path: str) -> None:
        """Add a profile file to the catalogues, and choose it."""
        if self.catalogue.findData(path) < 0:
            self.catalogue.addItem(Path(path).name, path)
        place = self.catalogue.findData(path)
        self.catalogue.setItemData(place, shown(path), Qt.ItemDataRole.ToolTipRole)
        self.catalogue.setCurrentIndex(place)
        self._keep()

    def _lay_out(self) -> None:
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for text, widget, beside_text, beside in (
            (tr("&Area"), self.area, "", None),
            (tr("&Date"), self.date, "", self.days),
            (tr("Clo&uds up to"), self.cloud, tr("Le&vel"), self.level),
            (tr("Ca&talogue"), self.catalogue, "", self.add),
        ):
            label = plain_label(text)
            label.setBuddy(widget)
            if beside is None:
                form.addRow(label, widget)
                continue
            row = QHBoxLayout()
            row.addWidget(widget, 1)
            if beside_text:
                other = plain_label(beside_text)
                other.setBuddy(beside)
                row.addWidget(other)
            row.addWidget(beside, 0 if beside is self.add else 1)
            form.addRow(label, row)
        self.days.setAccessibleName(tr("Days before and after the date"))
        form.addRow(self.search)

    def _ask_for_profile(self) -> None:
        path, _ = QFileDialog.getOpenFileName(
            self, tr("Profile of a catalogue"), "", tr("Profiles of catalogues (*.yaml *.yml)")
        )
        if path:
            self.add_profile(path)

    def _restore(self) -> None:
        settings = QgsSettings()
        paths = settings.value(_PROFILES, []) or []
        for path in [paths] if isinstance(paths, str) else paths:
            if Path(path).is_file():
                self.catalogue.addItem(Path(path).name, path)
                self.catalogue.setItemData(self.catalogue.count() - 1, shown(path), Qt.ItemDataRole.ToolTipRole)
        self.catalogue.setCurrentIndex(max(0, self.catalogue.findData(settings.value(_CATALOGUE, ""))))

    def _keep(self) -> None:
        settings = QgsSettings()
        settings.setValue(_CATALOGUE, self.catalogue.currentData())
        values = (self.catalogue.itemData(place) for place in range(self.catalogue.count()))
        own = [value for value in values if value not in catalogues()]
        settings.setValue(_PROFILES, own[-_KEPT_PROFILES:])
