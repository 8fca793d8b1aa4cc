"""The menu *Plugins > Sunbreak*. The modules of an entry are imported when it is chosen."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from qgis.core import Qgis, QgsProject, QgsRasterLayer
from qgis.PyQt import sip
from qgis.PyQt.QtCore import Qt, QUrl
from qgis.PyQt.QtGui import QDesktopServices, QIcon
from qgis.PyQt.QtWidgets import QAction, QPushButton, QWidget

from .. import settings
from ..bridge.missing import notices
from ..compat import tr
from ..plain import in_html

if TYPE_CHECKING:
    from .panel import Panel

NAME = "Sunbreak"
DEMO = settings.PLUGIN_FOLDER / "resources" / "demo"
DEMO_SCENE = "demo_s2_cloudy"
# DN of its land; those of its clouds would leave the land dark
DEMO_STRETCH = {"B04": (370.0, 1650.0), "B03": (640.0, 1600.0), "B02": (900.0, 1650.0)}


class Menu:
    """Adds the menu entries, offers to install a missing backend, and removes the entries again.

    Args:
        iface: QGIS Desktop's interface.
    """

    def __init__(self, iface) -> None:
        self._iface = iface
        self._doctor: QWidget | None = None
        self._models: QWidget | None = None
        self._panel: Panel | None = None
        self.panel_action = self._add(tr("&Panel"), self.toggle_panel)
        self._iface.addToolBarIcon(self.panel_action)
        self.actions = [
            self.panel_action,
            self._add(tr("Mode&ls…"), self.open_models),
            self._add(tr("&Backend…"), self.open_backend),
            self._add(tr("&Doctor…"), self.open_doctor, "doctor"),
            self._add(tr("Open the de&mo scene"), self.open_demo),
            self._add(tr("&User guide"), self.open_guide),
        ]
        self._lacking: QWidget | None = None
        notices.lacking.connect(self._offer_package)
        settings.with_processing(self._offer)

    def remove(self) -> None:
        """Remove the entries and close their dialogs."""
        notices.lacking.disconnect(self._offer_package)
        opened = sys.modules.get(f"{__package__}.backend_dialog")
        if opened is not None:
            opened.close_backend_dialog()
        models = sys.modules.get(f"{__package__}.models_dialog")
        if models is not None:
            models.stop()
        if self._models is not None and not sip.isdeleted(self._models):
            self._models.close()
        self._models = None
        if self._panel is not None:
            self._panel.close_for_good()
            self._iface.removeDockWidget(self._panel)
            self._panel.deleteLater()
            self._panel = None
        self._iface.removeToolBarIcon(self.panel_action)
        for action in self.actions:
            self._iface.removePluginMenu(NAME, action)
            action.deleteLater()
        self.actions = []

    @property
    def panel(self) -> Panel:
        """The panel; created on first use."""
        if self._panel is None:
            from .panel import Panel

            self._panel = Panel(self._iface, self.open_backend, self.open_models)
            self._iface.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, self._panel)
            self._panel.hide()
        return self._panel

    def toggle_panel(self) -> None:
        """Show the panel, or hide it."""
        self.panel.setUserVisible(not self.panel.isUserVisible())

    def open_models(self, name: str = "") -> None:
        """Open the model list, with one model selected."""
        from .models_dialog import ModelsDialog

        dialog = self._models
        if dialog is None or sip.isdeleted(dialog):
            dialog = self._models = ModelsDialog(self._iface.mainWindow())
            dialog.changed.connect(lambda: self._panel is None or self._panel.refresh())
        dialog.choose(name)
        dialog.show()
        dialog.raise_()

    def open_backend(self, extra: str = "") -> None:
        """Open the backend dialog; with an extra of the backend, at the build that brings it."""
        from .backend_dialog import open_backend_dialog

        dialog = open_backend_dialog(self._iface.mainWindow(), extra)
        if self._panel is not None and dialog is not None:
            dialog.backendChanged.connect(self._panel.refresh)

    def open_doctor(self) -> None:
        """Open the dialog of the doctor algorithm."""
        import processing

        self._doctor = processing.createAlgorithmDialog("sunbreak:doctor", {})
        self._doctor.show()

    def open_demo(self) -> None:
        """Load the demo scene: the cloudy scene on top; its radar and its other dates below, which are not shown."""
        from ..stretch import true_colour

        project, stretch = QgsProject.instance(), dict(DEMO_STRETCH)
        for name in ("demo_s1", "demo_s2_after", "demo_s2_before", DEMO_SCENE):
            layer = QgsRasterLayer(str(DEMO / f"{name}.tif"), name)
            if not layer.isValid():
                text = tr("{path} cannot be opened. Install the plugin again.").format(path=DEMO / f"{name}.tif")
                self._iface.messageBar().pushMessage(NAME, in_html(text), Qgis.MessageLevel.Warning)
                return
            true_colour(layer, stretch)
            project.addMapLayer(layer)
            node = project.layerTreeRoot().findLayer(layer.id())
            node.setItemVisibilityChecked(name == DEMO_SCENE)
            node.setExpanded(False)
        self._iface.setActiveLayer(layer)
        self._iface.zoomToActiveLayer()

    def open_guide(self) -> None:
        """Open the user guide in the browser."""
        QDesktopServices.openUrl(QUrl(settings.guide()))

    def _add(self, text: str, run: Callable[[], None], icon: str = "sunbreak") -> QAction:
        action = QAction(QIcon(str(settings.ICONS / f"{icon}.svg")), text, self._iface.mainWindow())
        action.triggered.connect(lambda _=False: run())
        self._iface.addPluginToMenu(NAME, action)
        return action

    def _offer(self) -> None:
        """Show once per session that the backend is missing, with an install button."""
        if not self.actions:  # already removed
            return
        try:
            settings.backend_python()
        except settings.BackendMissingError:
            text = tr("The backend, which runs the computations, is not installed yet.")
            self._say(text, tr("Install…"), self.open_backend, Qgis.MessageLevel.Info)

    def _offer_package(self, message: str, extra: str) -> None:
        """Show that the backend lacks a package, with a button that opens its dialog at the right choice."""
        if self._lacking is not None and not sip.isdeleted(self._lacking):
            self._iface.messageBar().popWidget(self._lacking)
        self._lacking = self._say(message, tr("Add…"), lambda: self.open_backend(extra), Qgis.MessageLevel.Warning)

    def _say(self, text: str, label: str, run: Callable[[], None], level: Qgis.MessageLevel) -> QWidget:
        """A message in the main window with a button."""
        bar = self._iface.messageBar()
        item = bar.createMessage(NAME, in_html(text))
        button = QPushButton(label, item)
        button.clicked.connect(lambda _=False: run())
        item.layout().addWidget(button)
        bar.pushWidget(item, level)
        return item
