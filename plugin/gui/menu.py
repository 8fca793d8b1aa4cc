"""The menu *Plugins > Sunbreak*: what is not done in the toolbox. What an entry needs is imported when it is chosen."""

from __future__ import annotations

import sys
from collections.abc import Callable

from qgis.core import Qgis, QgsProject, QgsRasterLayer
from qgis.PyQt.QtCore import QUrl
from qgis.PyQt.QtGui import QDesktopServices, QIcon
from qgis.PyQt.QtWidgets import QAction, QPushButton, QWidget

from .. import settings
from ..compat import tr

NAME = "Sunbreak"
GUIDE = "https://github.com/sunbreak/sunbreak/blob/main/docs/guide.md"
DEMO = settings.PLUGIN_FOLDER / "resources" / "demo"


class Menu:
    """Puts the entries into the menu, offers the backend where there is none, and takes everything away again.

    Args:
        iface: QGIS Desktop's interface.
    """

    def __init__(self, iface) -> None:
        self._iface = iface
        self._doctor: QWidget | None = None
        self.actions = [
            self._add(tr("&Backend…"), self.open_backend),
            self._add(tr("&Doctor…"), self.open_doctor),
            self._add(tr("Open the de&mo scene"), self.open_demo),
            self._add(tr("&User guide"), self.open_guide),
        ]
        self._offer()

    def remove(self) -> None:
        """Take the entries away, and close what they opened."""
        opened = sys.modules.get(f"{__package__}.backend_dialog")
        if opened is not None:
            opened.close_backend_dialog()
        for action in self.actions:
            self._iface.removePluginMenu(NAME, action)
            action.deleteLater()
        self.actions = []

    def open_backend(self) -> None:
        """The window that installs the backend."""
        from .backend_dialog import open_backend_dialog

        open_backend_dialog(self._iface.mainWindow())

    def open_doctor(self) -> None:
        """The algorithm that looks for what does not work, in its dialog."""
        import processing

        self._doctor = processing.createAlgorithmDialog("sunbreak:doctor", {})
        self._doctor.show()

    def open_demo(self) -> None:
        """The demo scene that came with the plugin: radar below, the cloudy scene above."""
        for name in ("demo_s1", "demo_s2_cloudy"):
            layer = QgsRasterLayer(str(DEMO / f"{name}.tif"), name)
            if not layer.isValid():
                text = tr("{path} cannot be opened. Install the plugin again.").format(path=DEMO / f"{name}.tif")
                self._iface.messageBar().pushMessage(NAME, text, Qgis.MessageLevel.Warning)
                return
            QgsProject.instance().addMapLayer(layer)
        self._iface.setActiveLayer(layer)
        self._iface.zoomToActiveLayer()

    def open_guide(self) -> None:
        """The user guide, in the browser."""
        QDesktopServices.openUrl(QUrl(GUIDE))

    def _add(self, text: str, run: Callable[[], None]) -> QAction:
        action = QAction(QIcon(str(settings.ICON)), text, self._iface.mainWindow())
        action.triggered.connect(lambda _=False: run())
        self._iface.addPluginToMenu(NAME, action)
        return action

    def _offer(self) -> None:
        """Say once per start that the backend is missing, with the button that installs it."""
        try:
            settings.backend_python()
        except settings.BackendMissingError:
            bar = self._iface.messageBar()
            item = bar.createMessage(NAME, tr("The backend, which does the computing, is not installed yet."))
            button = QPushButton(tr("Install…"), item)
            button.clicked.connect(self.open_backend)
            item.layout().addWidget(button)
            bar.pushWidget(item, Qgis.MessageLevel.Info)
