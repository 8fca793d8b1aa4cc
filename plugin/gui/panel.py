"""The panel: what most people want of Sunbreak in one place. It runs the same algorithms as the toolbox."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qgis.core import QgsCoordinateTransform, QgsMapLayerProxyModel, QgsProject, QgsRectangle
from qgis.gui import QgsDockWidget, QgsMapLayerComboBox, QgsMapToolExtent
from qgis.PyQt import sip
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtWidgets import (
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from ..bridge.models import Model, ask_for_models
from ..compat import tr
from ..settings import BackendMissingError, backend_python
from .guessing import guess_radar, guess_scene
from .running import Run

CLEAN, CHAIN, CLASSIFY = "removeclouds", "cleanclassifyexplain", "classifylandcover"
WHOLE, VIEW, DRAWN = "whole", "view", "drawn"
PREVIEW_PIXELS = 512
_NETWORKS = {CLEAN: "cloud-removal", CHAIN: "cloud-removal", CLASSIFY: "land-cover"}


class Panel(QgsDockWidget):
    """Choose layers, task, model and extent; preview, run, cancel.

    Args:
        iface: QGIS Desktop's interface.
        install: Opens the window that installs the backend.
        show_card: Shows a model's card.
    """

    def __init__(self, iface, install: Callable[[], None], show_card: Callable[[str], None]) -> None:
        super().__init__(tr("Sunbreak"), iface.mainWindow())
        self.setObjectName("SunbreakPanel")
        self._iface, self._show_card = iface, show_card
        self._models: tuple[Model, ...] = ()
        self._drawn: QgsRectangle | None = None
        self._tool: QgsMapToolExtent | None = None
        self._run: Run | None = None
        self._make_widgets(install)
        QgsProject.instance().layersRemoved.connect(self._forget)
        self.refresh()

    def _make_widgets(self, install: Callable[[], None]) -> None:
        self.scene, self.radar, self.mask = (self._layer_combo(empty=empty) for empty in (False, True, True))
        self._chosen = dict.fromkeys((self.scene, self.radar, self.mask), "")
        for combo in self._chosen:
            combo.activated.connect(lambda _, combo=combo: self._remember(combo))
        self.task = QComboBox()
        for text, value in (
            (tr("Remove clouds"), CLEAN),
            (tr("Remove clouds, classify, explain"), CHAIN),
            (tr("Classify land cover"), CLASSIFY),
        ):
            self.task.addItem(text, value)
        self.task.currentIndexChanged.connect(lambda _: self._task_changed())
        self.model = QComboBox()
        self.model.currentIndexChanged.connect(lambda _: self._model_changed())
        self.card = QLabel()
        self.card.setWordWrap(True)
        self.card.setTextFormat(Qt.TextFormat.RichText)
        self.card.linkActivated.connect(lambda _: self._show_card(self._name()))
        self.extent = QComboBox()
        for text, value in ((tr("Whole scene"), WHOLE), (tr("Current view"), VIEW), (tr("Drawn on the map"), DRAWN)):
            self.extent.addItem(text, value)
        self.extent.activated.connect(lambda _: self._extent_chosen())
        self.preview = QPushButton(tr("&Preview"))
        self.preview.setToolTip(tr("Clean the middle of the current view, which takes seconds"))
        self.preview.clicked.connect(lambda _=False: self.start(preview=True))
        self.go = QPushButton(tr("&Run"))
        self.go.clicked.connect(lambda _=False: self.start())
        self.stop = QPushButton(tr("&Cancel"))
        self.stop.clicked.connect(lambda _=False: self.cancel())
        self.bar = QProgressBar()
        self.bar.setRange(0, 100)
        self.message = QLabel()
        self.message.setWordWrap(True)
        self.message.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.install = QPushButton(tr("&Install the backend…"))
        self.install.clicked.connect(lambda _=False: install())
        form = QFormLayout()
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        for text, widget in (
            (tr("&Sentinel-2"), self.scene),
            (tr("Sentinel-&1"), self.radar),
            (tr("Cloud &mask"), self.mask),
            (tr("&Task"), self.task),
            (tr("M&odel"), self.model),
        ):
            label = QLabel(text)
            label.setBuddy(widget)
            form.addRow(label, widget)
        form.addRow(self.card)
        label = QLabel(tr("&Extent"))
        label.setBuddy(self.extent)
        form.addRow(label, self.extent)
        buttons = QHBoxLayout()
        for button in (self.preview, self.go, self.stop):
            buttons.addWidget(button)
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.addWidget(self.install)
        column.addLayout(form)
        column.addLayout(buttons)
        column.addWidget(self.bar)
        column.addWidget(self.message)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setWidget(inside)
        self.setWidget(scroll)
        self._show_running(False)

    def refresh(self) -> None:
        """Guess the layers that are not chosen yet, and ask the backend for its models."""
        project = QgsProject.instance()
        guessed = guess_scene(project)
        if guessed is not None and not self._chosen[self.scene]:
            self.scene.setLayer(guessed)
        radar = guess_radar(project)
        if radar is not None and not self._chosen[self.radar]:
            self.radar.setLayer(radar)
            self._remember(self.radar)
        try:
            python = backend_python()
        except BackendMissingError as error:
            self.install.setVisible(True)
            self.message.setText(str(error))
            self._show_running(False)
            return
        if self.install.isVisible() or not self._models:
            self.install.setVisible(False)
            self.message.clear()
        self._show_running(self._run is not None)
        ask_for_models(python, "", self._take_models)

    def showEvent(self, event) -> None:
        """Called by Qt when the panel appears: the project or the backend may have changed meanwhile."""
        super().showEvent(event)
        self.refresh()

    def start(self, *, preview: bool = False) -> None:
        """Begin a run, if none is under way."""
        if self._run is not None:
            return
        scene = self.scene.currentLayer()
        if scene is None:
            self.message.setText(tr("Load a Sentinel-2 scene and choose it above."))
            return
        algorithm = CLEAN if preview else self.task.currentData()
        parameters = self.parameters(algorithm, preview=preview)
        if "EXTENT" not in parameters and (preview or self.extent.currentData() != WHOLE):
            self.message.setText(tr("The current view does not show the scene."))
            return
        self._run = run = Run(algorithm, parameters, ("OUTPUT",) if preview else ())
        run.progressed.connect(lambda share: self.bar.setValue(round(share)))
        run.said.connect(self.message.setText)
        run.ended.connect(self._ended)
        self.bar.setValue(0)
        self.message.setText(tr("Starting…"))
        self._show_running(True)
        run.start()

    def cancel(self) -> None:
        """Ask the run to stop."""
        if self._run is not None:
            self.message.setText(tr("Cancelling…"))
            self._run.cancel()

    def close_for_good(self) -> None:
        """Stop what runs, when the plugin is switched off."""
        QgsProject.instance().layersRemoved.disconnect(self._forget)
        self.cancel()
        self._end_drawing()

    def parameters(self, algorithm: str, *, preview: bool = False) -> dict[str, Any]:
        """What is chosen, as the algorithm calls it."""
        scene = self.scene.currentLayer()
        parameters: dict[str, Any] = {"INPUT": scene}
        if self.radar.currentLayer() is not None:
            parameters["S1"] = self.radar.currentLayer()
        if self.mask.currentLayer() is not None and algorithm != CLASSIFY:
            parameters["MASK"] = self.mask.currentLayer()
        if self._name() and _NETWORKS[algorithm] == _NETWORKS[self.task.currentData()]:
            parameters["MODEL"] = self._name()
        extent = self._extent(preview)
        if extent is not None:
            sides = extent.xMinimum(), extent.xMaximum(), extent.yMinimum(), extent.yMaximum()
            parameters["EXTENT"] = ",".join(repr(side) for side in sides) + f" [{scene.crs().authid()}]"
        return parameters

    def _extent(self, preview: bool) -> QgsRectangle | None:
        """In the scene's coordinates; None for the whole scene, or a preview that would show nothing of it."""
        scene, kind = self.scene.currentLayer(), self.extent.currentData()
        canvas = self._iface.mapCanvas()
        if kind == WHOLE and not preview:
            return None
        on_map = self._drawn if kind == DRAWN and self._drawn is not None else canvas.extent()
        to_scene = QgsCoordinateTransform(
            canvas.mapSettings().destinationCrs(), scene.crs(), QgsProject.instance().transformContext()
        )
        inside = to_scene.transformBoundingBox(on_map).intersect(scene.extent())
        if inside.isEmpty():
            return None
        if preview:
            middle = inside.center()
            width = min(inside.width(), PREVIEW_PIXELS * scene.rasterUnitsPerPixelX())
            height = min(inside.height(), PREVIEW_PIXELS * scene.rasterUnitsPerPixelY())
            inside = QgsRectangle(
                middle.x() - width / 2, middle.y() - height / 2, middle.x() + width / 2, middle.y() + height / 2
            )
        return inside

    def _ended(self, successful: bool, text: str) -> None:
        run, self._run = self._run, None
        if successful and run is not None:
            cloudy = run.results.get("CLOUD_SHARE")
            if isinstance(cloudy, (int, float)):
                text = tr("Done: {share} % of the scene was cloud.").format(share=f"{100 * cloudy:.1f}")
        self.message.setText(text)
        self.bar.setValue(100 if successful else 0)
        self._show_running(False)

    def _show_running(self, running: bool) -> None:
        ready = not running and self.install.isHidden()
        for widget in (self.preview, self.go):
            widget.setEnabled(ready)
        self.stop.setEnabled(running)

    def _take_models(self, models: tuple[Model, ...]) -> None:
        if sip.isdeleted(self):
            return
        self._models = models
        self._task_changed()

    def _task_changed(self) -> None:
        network, chosen = _NETWORKS[self.task.currentData()], self._name()
        self.model.blockSignals(True)
        self.model.clear()
        for model in sorted((m for m in self._models if m.task == network), key=lambda m: not m.default):
            self.model.addItem(model.name, model.name)
        self.model.setCurrentIndex(max(0, self.model.findData(chosen)))
        self.model.blockSignals(False)
        self._model_changed()

    def _model_changed(self) -> None:
        model = next((m for m in self._models if m.name == self._name()), None)
        if model is None:
            self.card.clear()
            return
        self.card.setText(f'{model.title} <a href="card">{tr("Model card…")}</a>')

    def _name(self) -> str:
        return self.model.currentData() or ""

    def _extent_chosen(self) -> None:
        if self.extent.currentData() != DRAWN:
            self._end_drawing()
            return
        canvas = self._iface.mapCanvas()
        self._tool = QgsMapToolExtent(canvas)
        self._tool.extentChanged.connect(self._take_drawn)
        canvas.setMapTool(self._tool)
        self.message.setText(tr("Draw a rectangle on the map."))

    def _take_drawn(self, extent: QgsRectangle) -> None:
        self._drawn = QgsRectangle(extent)
        self.message.setText(tr("The run will cover the rectangle."))
        self._end_drawing()

    def _end_drawing(self) -> None:
        if self._tool is not None:
            self._iface.mapCanvas().unsetMapTool(self._tool)
            self._tool = None

    def _forget(self, removed: list[str]) -> None:
        """Layers go: where one of them was chosen that may be left out, nothing is chosen instead of some other one."""
        for combo, chosen in self._chosen.items():
            # the combo box has moved on to its next entry by now
            if chosen in removed and combo is self.scene:
                self._chosen[combo] = ""
            elif chosen in removed:
                other = guess_radar(QgsProject.instance()) if combo is self.radar else None
                if other is None:
                    combo.setCurrentIndex(0)
                else:
                    combo.setLayer(other)
                self._remember(combo)

    def _remember(self, combo: QgsMapLayerComboBox) -> None:
        layer = combo.currentLayer()
        self._chosen[combo] = layer.id() if layer is not None else ""

    @staticmethod
    def _layer_combo(*, empty: bool) -> QgsMapLayerComboBox:
        combo = QgsMapLayerComboBox()
        combo.setFilters(QgsMapLayerProxyModel.Filter.RasterLayer)
        combo.setAllowEmptyLayer(empty)
        if empty:
            combo.setCurrentIndex(0)
        return combo
