"""The page *Find scenes*: search a catalogue, tick dates and radar, load them, clean."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from qgis.core import QgsApplication, QgsProject, QgsRasterLayer, QgsSettings
from qgis.gui import QgsFileWidget, QgsMapCanvas
from qgis.PyQt import sip
from qgis.PyQt.QtCore import QStandardPaths, QTemporaryDir
from qgis.PyQt.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from ..bridge.catalogue import Choice, Query, find_arguments, get_arguments
from ..bridge.command_task import CommandTask
from ..bridge.network import catalogue_environment
from ..compat import tr
from ..fetched import Fetched, fetched, group_name, load_now
from ..found import RADAR, REFERENCE, REFERENCE_RADAR, SCENE, Found, FoundScene, parse_found
from ..found_texts import counted
from ..plain import plain_label
from ..settings import BackendMissingError, backend_python
from ..ticks import Ticks
from .extent_choice import ExtentError
from .find_form import FindForm
from .find_list import SceneList
from .find_timeline import Timeline
from .pages import Foot, page, set_tab_order

_FOLDER = "sunbreak/find/folder"
_NO_EXTRA, _NOTHING = "no-catalogue", "nothing-found"  # error codes of the backend
_MOST_FOLDERS = 1000


@dataclass(frozen=True)
class Loaded:
    """The layers of a download.

    Attributes:
        scene: The scene.
        radar: Its radar.
        others: Layer id of each other date to the layer id of its radar, empty for none.
    """

    scene: QgsRasterLayer
    radar: QgsRasterLayer | None = None
    others: dict[str, str] = field(default_factory=dict)


class FindTab(QWidget):
    """Searches and loads in the background; what is loaded is handed on to be cleaned.

    Args:
        canvas: The map.
        install: Opens the backend dialog.
        take: Called with the loaded layers, and whether to clean them at once.
    """

    def __init__(self, canvas: QgsMapCanvas, install: Callable[[], None], take: Callable[[Loaded, bool], None]) -> None:
        super().__init__()
        self._take = take
        self._task: CommandTask | None = None
        self._query: Query | None = None
        self._pictures: QTemporaryDir | None = None
        self._folders: dict[tuple[Path, Query | None, Choice], Path] = {}
        self.found: Found | None = None
        self.ticks: Ticks | None = None
        self._foot = Foot()
        self.bar, self.message, self.warnings = self._foot.bar, self._foot.message, self._foot.warnings
        self.form = FindForm(canvas, self.message.setText)
        self.timeline, self.list = Timeline(), SceneList()
        self.hint = plain_label()
        self.hint.setWordWrap(True)
        self.folder = QgsFileWidget()
        self.folder.setStorageMode(QgsFileWidget.StorageMode.GetDirectory)
        self.folder.setDialogTitle(tr("Folder for the scenes"))
        self.folder.setToolTip(tr("Each load makes a folder of its own in it"))
        self.load = QPushButton(tr("&Load"))
        self.load.setToolTip(tr("Load the ticked dates and their radar, cut to the area"))
        self.clean = QPushButton(tr("L&oad and clean"))
        self.clean.setToolTip(tr("Load the ticked dates, then remove the clouds of the scene"))
        self.stop = QPushButton(tr("&Cancel"))
        self.install = QPushButton(tr("&Install the backend…"))
        self.install.setToolTip(tr("The backend lacks the packages that search catalogues"))
        self.install.clicked.connect(lambda _=False: install())
        self.form.search.clicked.connect(lambda _=False: self.search())
        self.load.clicked.connect(lambda _=False: self.start_loading())
        self.clean.clicked.connect(lambda _=False: self.start_loading(clean=True))
        self.stop.clicked.connect(lambda _=False: self.cancel())
        self.list.ticked.connect(self._ticked)
        self.list.chosen.connect(self.timeline.choose)
        self.timeline.chosen.connect(self.list.choose)
        self._lay_out()
        self._show_state()

    def keyboard_order(self) -> list[QWidget]:
        """Tab order, from top to bottom."""
        return [
            *self.form.keyboard_order(), self.timeline, self.list, self.folder.lineEdit(), self.install, self.load,
            self.clean, self.stop,
        ]  # fmt: skip

    def search(self) -> None:
        """Search in the background, if nothing is running."""
        if self._task is not None:
            return
        try:
            query = self.form.query()
        except ExtentError as error:
            self.message.setText(str(error))
            return
        self._pictures = pictures = QTemporaryDir()
        self._show_found(None)
        arguments = find_arguments(query, thumbnails=Path(pictures.path()))
        self._start(tr("Searching…"), arguments, lambda task: self._searched(task, query))

    def start_loading(self, *, clean: bool = False) -> None:
        """Download the ticked dates in the background, load them, and clean the scene if that is wanted."""
        if self._task is not None or self.ticks is None or self.found is None or self._query is None:
            return
        choice = self.ticks.choice()
        scene = self.found.scene(choice.scene)
        if scene is None:
            self.message.setText(tr("Tick one date as the scene first."))
            return
        base = self.folder.filePath().strip()
        if not base:
            self.message.setText(tr("Choose a folder for the scenes first."))
            return
        if base != default_folder():
            QgsSettings().setValue(_FOLDER, base)
        folder = self._folder_of(Path(base) / folder_name(scene), choice)
        arguments = get_arguments(self._query, folder, choice)
        self._start(tr("Loading…"), arguments, lambda _: self._fetched(folder, clean))

    def _folder_of(self, wanted: Path, choice: Choice) -> Path:
        """The folder of a download: one of its own, and the same again to resume one that was stopped."""
        key = wanted, self._query, choice
        if key not in self._folders:
            taken = set(self._folders.values())
            names = (wanted, *(wanted.with_name(f"{wanted.name}-{number}") for number in range(2, _MOST_FOLDERS)))
            self._folders[key] = next((name for name in names if not name.exists() and name not in taken), wanted)
        return self._folders[key]

    def cancel(self) -> None:
        """Cancel what is running."""
        if self._task is not None:
            self.message.setText(tr("Cancelling…"))
            self._task.cancel()

    def close_for_good(self) -> None:
        """Cancel what is running when the plugin is unloaded."""
        self.form.area.forget()
        self.cancel()

    def show_found(self, found: Found, query: Query) -> None:
        """Show a result, with what is proposed ticked."""
        self._query = query
        self._show_found(found)
        for text in found.warnings:
            self._foot.warn(text)
        self.list.show_found(found, self.ticks)
        self.timeline.show_found(found, self.ticks)
        self.message.setText("\n".join((counted(found).strip(), *found.notes)))

    def _lay_out(self) -> None:
        column = QVBoxLayout()
        column.addWidget(self.form)
        for widget in (self.hint, self.timeline):
            column.addWidget(widget)
        column.addWidget(self.list, 1)
        self._space = QWidget()
        column.addWidget(self._space, 1)
        self._where = QWidget()
        row = QHBoxLayout(self._where)
        row.setContentsMargins(0, 0, 0, 0)
        label = plain_label(tr("Folde&r"))
        label.setBuddy(self.folder.lineEdit())
        row.addWidget(label)
        row.addWidget(self.folder, 1)
        buttons = QVBoxLayout()
        buttons.addWidget(self._where)
        buttons.addWidget(self.install)
        line = QHBoxLayout()
        for button in (self.load, self.clean, self.stop):
            line.addWidget(button)
        buttons.addLayout(line)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(page(column, buttons, self._foot))
        self.folder.setFilePath(QgsSettings().value(_FOLDER, "") or default_folder())
        set_tab_order(self.keyboard_order())

    def _start(self, said: str, arguments: list[str], done: Callable[[CommandTask], None]) -> None:
        self._foot.forget_warnings()
        self.install.hide()
        try:
            python = backend_python()
        except BackendMissingError as error:
            self.message.setText(str(error))
            self._offer_install()
            return
        self._task = task = CommandTask(f"Sunbreak: {said}", python, arguments, catalogue_environment())
        task.said.connect(self._say)
        task.stepped.connect(self._say)
        task.progressChanged.connect(self._progress)
        task.ended.connect(lambda successful, text: sip.isdeleted(self) or self._ended(task, successful, text, done))
        self.message.setText(said)
        self.bar.setRange(0, 0)  # until the first progress
        self._show_state()
        QgsApplication.taskManager().addTask(task)

    def _ended(self, task: CommandTask, successful: bool, text: str, done: Callable[[CommandTask], None]) -> None:
        self._task = None
        self.bar.setRange(0, 100)
        self.bar.setValue(100 if successful else 0)
        self.message.setText(text.partition("\n")[0] if successful else text)
        self._show_state()
        if not successful:
            if task.code == _NO_EXTRA:
                self._offer_install()
            if task.code == _NOTHING:  # where the list would be
                self.hint.setText(text)
                self.message.setText(tr("No scene was found."))
            return
        for warning in task.warnings:
            self._foot.warn(warning)
        done(task)

    def _searched(self, task: CommandTask, query: Query) -> None:
        try:
            found = parse_found(str(task.result.numbers.get("found", "")))
        except ValueError as error:
            self.message.setText(tr("The backend ended without a result.") + f" {error}")
            return
        # the warnings of the result are those that were said during the search
        self._foot.forget_warnings()
        self.show_found(found, query)

    def _fetched(self, folder: Path, clean: bool) -> None:
        files = fetched(folder)
        layers = load_now(QgsProject.instance(), files, group_name(files, folder.name))
        loaded = sorted_out(files, layers)
        if loaded is None:
            self.message.setText(tr("{folder} has no scene that QGIS can open.").format(folder=folder))
            return
        self.message.setText(tr("Loaded: {count} layers in {folder}.").format(count=len(layers), folder=folder))
        self._take(loaded, clean)

    def _show_found(self, found: Found | None) -> None:
        self.found, self.ticks = found, None if found is None else Ticks(found)
        if found is None:
            self.list.clear()
        self._show_state()

    def _show_state(self) -> None:
        """Show only what there is, and allow only what can be done."""
        busy, listed = self._task is not None, self.found is not None and bool(self.found.scenes)
        for widget in (self.timeline, self.list, self._where):
            widget.setVisible(listed)
        for widget in (self.hint, self._space):
            widget.setVisible(not listed)
        if self.found is None:
            asked = tr("Choose a place and a date, then search. What is found is listed here.")
            self.hint.setText(tr("Searching…") if busy else asked)
        self.form.setEnabled(not busy)
        self.stop.setEnabled(busy)
        self.bar.setVisible(busy)
        ready = listed and not busy and bool(self.ticks.scene)
        for button in (self.load, self.clean):
            button.setEnabled(ready)
        if not busy:
            self.install.setVisible(False)

    def _ticked(self) -> None:
        self.timeline.update()
        self._show_state()

    def _offer_install(self) -> None:
        self.install.setVisible(True)

    def _say(self, text: str) -> None:
        if not sip.isdeleted(self):
            self.message.setText(text)

    def _progress(self, share: float) -> None:
        if not sip.isdeleted(self):
            self.bar.setRange(0, 100)
            self.bar.setValue(round(share))


def sorted_out(files: list[Fetched], layers: dict[Path, QgsRasterLayer]) -> Loaded | None:
    """The loaded layers by what they are; None without a scene.

    Radar of another date belongs to the one that its item names, or else to the nearest one.
    """

    def of(use: str) -> list[Fetched]:
        return [one for one in files if one.use == use and one.path in layers]

    scene, radar = of(SCENE), of(RADAR)
    if not scene:
        return None
    others = {layers[one.path].id(): "" for one in of(REFERENCE)}
    for one in of(REFERENCE_RADAR):
        date = _date_of(one, of(REFERENCE))
        if date is not None:
            others[layers[date.path].id()] = layers[one.path].id()
    return Loaded(layers[scene[0].path], layers[radar[0].path] if radar else None, others)


def _date_of(radar: Fetched, dates: list[Fetched]) -> Fetched | None:
    named = next((one for one in dates if one.path.stem == radar.date), None)
    dated = [one for one in dates if one.acquired is not None]
    if named is not None or not dated or radar.acquired is None:
        return named
    return min(dated, key=lambda one: abs(one.acquired - radar.acquired))


def default_folder() -> str:
    """Beside the project, or else among the user's documents."""
    home = QgsProject.instance().homePath()
    documents = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
    return str(Path(home or documents or Path.home()) / "sunbreak")


def folder_name(scene: FoundScene) -> str:
    """The name of the folder of one download, such as ``2018-06-10_32UMA``."""
    parts = [f"{scene.acquired:%Y-%m-%d}", *scene.tiles[:1]]
    return re.sub(r"[^A-Za-z0-9_.-]", "-", "_".join(parts))
