"""The panel with the most common tasks. It runs the same algorithms as the toolbox."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from qgis.core import QgsProject
from qgis.gui import QgsDockWidget, QgsMapLayerComboBox
from qgis.PyQt import sip
from qgis.PyQt.QtWidgets import QComboBox, QFormLayout, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from ..algorithms.masking import detectors
from ..bridge.models import Model, ask_for_models
from ..compat import tr
from ..plain import plain_label
from ..settings import BackendMissingError, backend_python
from .dates_choice import DatesChoice
from .extent_choice import ExtentChoice, ExtentError
from .guessing import guess_radar, guess_scene, guess_vh
from .inspect_dialog import InspectDialog
from .keeping import Keeping
from .layer_combo import layer_combo
from .model_choice import ModelChoice
from .pages import Figures, Foot, Pages, page, set_tab_order
from .running import Run

if TYPE_CHECKING:
    from .find_tab import FindTab, Loaded

INSPECT = "inspectscene"
CLEAN, CHAIN, CLASSIFY = "removeclouds", "cleanclassifyexplain", "classifylandcover"
REMOVAL, LAND_COVER = "cloud-removal", "land-cover"
PREVIEW_PIXELS = 512
_SHORTEST = 22
_LAYERS = ("scene", "radar", "vh", "mask")


class Panel(QgsDockWidget):
    """Choose layers, task, models and extent; preview, run, cancel. A second page finds scenes.

    Args:
        iface: QGIS Desktop's interface.
        install: Opens the backend dialog.
        show_card: Shows a model's card.
    """

    def __init__(self, iface, install: Callable[[], None], show_card: Callable[[str], None]) -> None:
        super().__init__(tr("Sunbreak"), iface.mainWindow())
        self.setObjectName("SunbreakPanel")
        self._models: tuple[Model, ...] = ()
        self._run: Run | None = None
        self._inspection: InspectDialog | None = None
        self.find: FindTab | None = None
        self.keeping = Keeping()
        self._canvas, self._install = iface.mapCanvas(), install
        self._make_widgets(install, show_card, iface.mapCanvas())
        self._lay_out()
        QgsProject.instance().layersRemoved.connect(self._forget)
        QgsProject.instance().layersAdded.connect(self._show_dates)
        self._task_changed()
        self.refresh()

    def _make_widgets(self, install: Callable[[], None], show_card: Callable[[str], None], canvas) -> None:
        self.scene, self.radar, self.vh, self.mask = (layer_combo(empty=name != "scene") for name in _LAYERS)
        self._chosen = dict.fromkeys((self.scene, self.radar, self.vh, self.mask), "")
        self.vh.setToolTip(tr("Only if VH is a layer of its own; the layer above is VV then"))
        self.radar.currentIndexChanged.connect(lambda _: self._radar_changed())
        for combo in self._chosen:
            combo.activated.connect(lambda _, combo=combo: self._remember(combo))
        self.detector = QComboBox()
        for value, text in detectors().items():
            self.detector.addItem(text, value)
        self.mask.currentIndexChanged.connect(lambda _: self._mask_changed())
        self.task = QComboBox()
        for text, value in (
            (tr("Remove clouds"), CLEAN),
            (tr("Remove clouds, classify, explain"), CHAIN),
            (tr("Classify land cover"), CLASSIFY),
        ):
            self.task.addItem(text, value)
        self.task.currentIndexChanged.connect(lambda _: self._task_changed())
        for combo in (self.task, self.detector):  # long texts would widen the panel
            combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            combo.setMinimumContentsLength(_SHORTEST)
        self.model, self.classifier = ModelChoice(show_card), ModelChoice(show_card)
        self._foot, self.areas = Foot(), Figures()
        self.bar, self.message, self.warnings = self._foot.bar, self._foot.message, self._foot.warnings
        self._warn = self._foot.warn
        self.extent = ExtentChoice(canvas, self.message.setText)
        self.dates = DatesChoice(self.message.setText)
        self.scene.layerChanged.connect(self.dates.show_for)
        self.preview = QPushButton(tr("&Preview"))
        self.preview.setToolTip(tr("Clean the middle of the current view (takes seconds)"))
        self.preview.clicked.connect(lambda _=False: self.start(preview=True))
        self.go = QPushButton(tr("&Run"))
        self.go.clicked.connect(lambda _=False: self.start())
        self.stop = QPushButton(tr("&Cancel"))
        self.stop.clicked.connect(lambda _=False: self.cancel())
        self.inspect = QPushButton(tr("I&nspect…"))
        self.inspect.setToolTip(tr("Show what is found in the chosen layers and what a run will assume"))
        self.inspect.clicked.connect(lambda _=False: self.start_inspection())
        self.install = QPushButton(tr("&Install the backend…"))
        self.install.clicked.connect(lambda _=False: install())

    def _lay_out(self) -> None:
        self._form = form = QFormLayout()
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        for text, widget in (
            (tr("&Sentinel-2"), self.scene),
            (tr("Sentinel-&1"), self.radar),
            (tr("Sentinel-1 &VH"), self.vh),
            (tr("Cloud &mask"), self.mask),
            ("", self.inspect),
            ("", self.dates),
            (tr("Cloud &detector"), self.detector),
            (tr("&Task"), self.task),
            (tr("M&odel"), self.model),
            ("", self.model.card),
            (tr("C&lassifier"), self.classifier),
            ("", self.classifier.card),
            (tr("&Extent"), self.extent),
        ):
            if not text:
                form.addRow(widget)
                continue
            label = plain_label(text)
            label.setBuddy(widget)
            form.addRow(label, widget)
        buttons = QHBoxLayout()
        for button in (self.preview, self.go, self.stop):
            buttons.addWidget(button)
        column = QVBoxLayout()
        column.addWidget(self.install)
        column.addLayout(form)
        column.addWidget(self.areas)
        column.addStretch(1)
        self.pages = Pages()
        self.pages.addTab(page(column, buttons, self._foot), tr("Clean"))
        self._finding = self.pages.add_later(
            tr("Find scenes"), tr("Find Sentinel-2, its radar and its other dates in a catalogue"), self._make_find
        )
        self.setWidget(self.pages)
        set_tab_order(self.keyboard_order())
        self._show_running(False)

    def _make_find(self) -> QWidget:
        from .find_tab import FindTab

        self.find = FindTab(self._canvas, self._install, self.take)
        return self.find

    def open_find(self) -> FindTab:
        """Show the page that finds scenes."""
        self.pages.setCurrentIndex(self._finding)
        return self.find

    def take(self, loaded: Loaded, run: bool) -> None:
        """Choose layers that were found and loaded, so that they can be cleaned; `run` does that at once."""
        for combo, layer in ((self.scene, loaded.scene), (self.radar, loaded.radar)):
            if layer is None:
                combo.setCurrentIndex(0)
            else:
                combo.setLayer(layer)
            self._remember(combo)
        self.mask.setCurrentIndex(0)
        self._remember(self.mask)
        self._show_dates()
        self.dates.tick_only(loaded.others)
        self.extent.setCurrentIndex(0)
        if run:
            self.pages.setCurrentIndex(0)
            if self.task.currentData() == CLASSIFY:
                self.task.setCurrentIndex(self.task.findData(CLEAN))
            self.start()

    def keyboard_order(self) -> list[QWidget]:
        """Tab order, from top to bottom."""
        return [
            self.install, self.scene, self.radar, self.vh, self.mask, self.inspect, self.dates.add, self.dates.list,
            self.detector, self.task, self.model, self.model.card, self.classifier, self.classifier.card, self.extent,
            self.preview, self.go, self.stop,
        ]  # fmt: skip

    def refresh(self) -> None:
        """Guess the layers that are not chosen yet, and query the models."""
        project = QgsProject.instance()
        guessed = guess_scene(project)
        if guessed is not None and not self._chosen[self.scene]:
            self.scene.setLayer(guessed)
        radar = guess_radar(project)
        if radar is not None and not self._chosen[self.radar]:
            self.radar.setLayer(radar)
            self._remember(self.radar)
        self._radar_changed()
        self._show_dates()
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
        """Called by Qt when the panel is shown; the project or the backend may have changed."""
        super().showEvent(event)
        self.refresh()
        self.keeping.start()

    def start(self, *, preview: bool = False) -> None:
        """Start a run, if none is running."""
        if self._run is not None:
            return
        scene = self.scene.currentLayer()
        if scene is None:
            self.message.setText(tr("Load a Sentinel-2 scene and choose it above."))
            return
        algorithm = CLEAN if preview else self.task.currentData()
        try:
            parameters = self.parameters(algorithm, preview=preview)
        except ExtentError as error:
            self.message.setText(str(error))
            return
        only = {"OUTPUT": self._preview_title(scene.name())} if preview else {}
        self._run = run = Run(algorithm, parameters, only, kept=self.keeping.for_preview() if preview else None)
        run.progressed.connect(lambda share: self.bar.setValue(round(share)))
        run.said.connect(self.message.setText)
        run.warned.connect(self._warn)
        run.ended.connect(self._ended)
        self.bar.setValue(0)
        self.message.setText(tr("Starting…"))
        self._foot.forget_warnings()
        self.areas.show_lines([])
        self._show_running(True)
        run.start()

    def start_inspection(self) -> None:
        """Open a window that says what is found in the chosen layers."""
        if self.scene.currentLayer() is None:
            self.message.setText(tr("Load a Sentinel-2 scene and choose it above."))
            return
        try:
            parameters = self.parameters(INSPECT)
        except ExtentError as error:
            self.message.setText(str(error))
            return
        if self._inspection is not None and not sip.isdeleted(self._inspection):
            self._inspection.close()
        self._inspection = InspectDialog(self, parameters)
        self._inspection.show()

    def cancel(self) -> None:
        """Cancel the run."""
        if self._run is not None:
            self.message.setText(tr("Cancelling…"))
            self._run.cancel()

    def close_for_good(self) -> None:
        """Cancel the run when the plugin is unloaded."""
        QgsProject.instance().layersRemoved.disconnect(self._forget)
        QgsProject.instance().layersAdded.disconnect(self._show_dates)
        self.cancel()
        self.keeping.end_for_good()
        if self._inspection is not None and not sip.isdeleted(self._inspection):
            self._inspection.close()
        self.extent.end_drawing()
        if self.find is not None:
            self.find.close_for_good()

    def parameters(self, algorithm: str, *, preview: bool = False) -> dict[str, Any]:
        """The choices as parameters of the algorithm.

        Raises:
            ExtentError: The extent does not overlap the scene.
        """
        scene = self.scene.currentLayer()
        parameters: dict[str, Any] = {"INPUT": scene}
        if self.radar.currentLayer() is not None:
            parameters["S1"] = self.radar.currentLayer()
            if self.vh.currentLayer() is not None:
                parameters["S1_VH"] = self.vh.currentLayer()
        if algorithm != CLASSIFY:
            own_mask = self.mask.currentLayer()
            parameters |= {"MASK": own_mask} if own_mask is not None else {"DETECTOR": self.detector.currentData()}
            dates = self.dates.chosen()
            parameters |= {"DATES": dates} if dates else {}
            radar_of_dates = self.dates.radar() if algorithm != INSPECT else []
            parameters |= {"DATES_S1": radar_of_dates} if radar_of_dates else {}
        if algorithm == CLASSIFY:
            parameters["MODEL"] = self.classifier.name()
        elif algorithm != INSPECT:
            parameters["MODEL"] = self.model.name()
            parameters |= {"CLASSIFIER": self.classifier.name()} if algorithm == CHAIN else {}
        extent = self.extent.inside(scene, PREVIEW_PIXELS if preview else None)
        if extent is not None:
            sides = extent.xMinimum(), extent.xMaximum(), extent.yMinimum(), extent.yMaximum()
            parameters["EXTENT"] = ",".join(repr(side) for side in sides) + f" [{scene.crs().authid()}]"
        return {name: value for name, value in parameters.items() if value != ""}

    @staticmethod
    def _preview_title(scene: str) -> str:
        return tr("Preview {time}: {scene}").format(time=time.strftime("%H:%M:%S"), scene=scene)

    def _ended(self, successful: bool, text: str) -> None:
        run, self._run = self._run, None
        if successful and run is not None:
            text = run.summary(text)
            self.areas.show_lines(run.areas())
        self.message.setText(text)
        self.bar.setValue(100 if successful else 0)
        self._show_running(False)

    def _show_running(self, running: bool) -> None:
        ready = not running and self.install.isHidden()
        for widget in (self.preview, self.go):
            widget.setEnabled(ready)
        self.inspect.setEnabled(self.install.isHidden())
        self.stop.setEnabled(running)

    def _take_models(self, models: tuple[Model, ...]) -> None:
        if sip.isdeleted(self):
            return
        self._models = models
        self.model.offer(model for model in models if model.task == REMOVAL)
        self.classifier.offer(model for model in models if model.task == LAND_COVER)

    def _task_changed(self) -> None:
        """Show only the inputs and model lists that the task needs."""
        task = self.task.currentData()
        for choice, wanted in ((self.model, task != CLASSIFY), (self.classifier, task != CLEAN)):
            for widget in (choice, choice.card, self._form.labelForField(choice)):
                widget.setVisible(wanted)
        self.dates.setVisible(task != CLASSIFY)
        self.mask.setEnabled(task != CLASSIFY)
        self._mask_changed()

    def _radar_changed(self) -> None:
        """Without radar there is no VH of its own; for a layer of VV alone the one of VH is proposed."""
        radar = self.radar.currentLayer()
        self.vh.setEnabled(radar is not None)
        if radar is None:
            self._chosen[self.vh] = ""
            self.vh.setCurrentIndex(0)
        elif not self._chosen[self.vh]:
            found = guess_vh(QgsProject.instance(), radar)
            if found is None:
                self.vh.setCurrentIndex(0)
            else:
                self.vh.setLayer(found)

    def _mask_changed(self) -> None:
        """Without a mask, clouds are detected; with one, there is nothing to detect."""
        given = self.mask.currentLayer() is not None
        self.detector.setEnabled(self.task.currentData() != CLASSIFY and not given)
        self.detector.setToolTip(tr("The cloud mask is used as it is.") if given else "")

    def _forget(self, removed: list[str]) -> None:
        """Handle removed layers: an optional input becomes empty instead of changing to another layer."""
        for combo, chosen in self._chosen.items():
            # the combo box has already changed to its next entry
            if chosen in removed and combo is self.scene:
                self._chosen[combo] = ""
            elif chosen in removed:
                other = guess_radar(QgsProject.instance()) if combo is self.radar else None
                if other is None:
                    combo.setCurrentIndex(0)
                else:
                    combo.setLayer(other)
                self._remember(combo)
        self._show_dates()

    def _show_dates(self, _layers: object = None) -> None:
        """Propose the other dates of the chosen scene that the project has now."""
        self.dates.show_for(self.scene.currentLayer())

    def _remember(self, combo: QgsMapLayerComboBox) -> None:
        layer = combo.currentLayer()
        self._chosen[combo] = layer.id() if layer is not None else ""
