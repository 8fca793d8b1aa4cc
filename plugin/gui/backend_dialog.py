"""The dialog that installs, checks, updates, repairs and removes the backend. All work runs in the background."""

from __future__ import annotations

from pathlib import Path

from processing.core.ProcessingConfig import ProcessingConfig
from qgis.PyQt import sip
from qgis.PyQt.QtCore import Qt, pyqtSignal
from qgis.PyQt.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QHBoxLayout,
    QMessageBox,
    QPlainTextEdit,
    QProgressBar,
    QPushButton,
    QTabWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from .. import settings
from ..bridge import install_task
from ..bridge.asking import ask
from ..bridge.install import Plan, install, remove
from ..bridge.install_child import check_interpreter, refuse_unfit
from ..bridge.install_network import certificates, network_environment
from ..bridge.install_plan import GPU_QUERY, TORCH, VARIANTS, Variant, parse_gpus
from ..bridge.install_python import Check, Python, find_pythons
from ..bridge.install_wheels import prepare_wheels
from ..bridge.installed import PLUGIN_FOLDER, Backend, home, installed_backend, plugin_version
from ..bridge.kept import end_all
from ..bridge.process import BackendError
from ..compat import tr
from ..plain import shown
from .backend_pages import ExistingPage, InstallPage, OfflinePage
from .backend_texts import outcome_text, state_text
from .wrapped import wrapped

_SMI_MS = 10_000
_open: BackendDialog | None = None


def open_backend_dialog(parent: QWidget | None = None, extra: str = "") -> BackendDialog:
    """Show the dialog, or raise the open one; it is not modal.

    Its signal `backendChanged` is emitted when another backend is in use.

    Args:
        parent: QGIS's main window.
        extra: An extra of the backend that is wanted: the build that brings it is chosen.
    """
    global _open
    if _open is None or sip.isdeleted(_open):
        _open = BackendDialog(parent)
        _open.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    if extra:
        _open.offer(extra)
    _open.show()
    _open.raise_()
    _open.activateWindow()
    return _open


def close_backend_dialog() -> None:
    """Close the dialog and cancel its background task, when the plugin is unloaded."""
    global _open
    task = install_task.running()
    if task is not None:
        task.cancel()
    if _open is not None and not sip.isdeleted(_open):
        _open.close()
    _open = None


def use_interpreter(path: Path | None) -> None:
    """Set the interpreter in the Processing options; None leaves the choice to the plugin."""
    ProcessingConfig.setSettingValue(settings.PYTHON, "" if path is None else str(path))


class BackendDialog(QDialog):
    """Shows the state of the backend, three pages to get one, and the progress."""

    backendChanged = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Sunbreak backend"))
        self.state = wrapped()
        self.add_button = QPushButton(tr("&Add PyTorch…"))
        self.update_button = QPushButton(tr("&Update"))
        self.repair_button = QPushButton(tr("&Repair"))
        self.remove_button = QPushButton(tr("Remo&ve"))
        self.check_button = QPushButton(tr("&Check"))
        self.pages = (InstallPage(), OfflinePage(), ExistingPage())
        self.tabs = QTabWidget()
        for page in self.pages:
            self.tabs.addTab(page, page.title)
            page.changed.connect(self._refresh_buttons)
        self.stand, self.message = wrapped(), wrapped()
        self.bar = QProgressBar()
        self.bar.setRange(0, 1000)
        self.log_toggle = QToolButton()
        self.log_toggle.setText(tr("&Log"))
        self.log_toggle.setCheckable(True)
        self.log_toggle.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.log_toggle.setArrowType(Qt.ArrowType.RightArrow)
        self.log = QPlainTextEdit()
        self.log.setReadOnly(True)
        self.log.setMaximumBlockCount(5000)
        self.log.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self.go = self.buttons.addButton(tr("Install"), QDialogButtonBox.ButtonRole.ActionRole)
        self.cancel = self.buttons.addButton(tr("Cancel installation"), QDialogButtonBox.ButtonRole.ActionRole)
        self._lay_out()
        self._connect()
        self._show_state()
        find_pythons(self._take_pythons)
        ask("nvidia-smi", GPU_QUERY, self._take_gpus, _SMI_MS)
        install_task.clean_up()
        task = install_task.running()
        if task is not None:
            self._follow(task)
        self._refresh_buttons()

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        for button in (self.check_button, self.add_button, self.update_button, self.repair_button, self.remove_button):
            row.addWidget(button)
        row.addStretch(1)
        layout = QVBoxLayout(self)
        layout.addWidget(self.state)
        layout.addLayout(row)
        layout.addWidget(self.tabs, 1)
        for widget in (self.stand, self.bar, self.message, self.log_toggle, self.log, self.buttons):
            layout.addWidget(widget)
        self.log.setMinimumHeight(120)
        for widget in (self.stand, self.bar, self.message, self.log):
            widget.setVisible(False)
        self.resize(640, 640)

    def _connect(self) -> None:
        self.tabs.currentChanged.connect(lambda _: self._refresh_buttons())
        self.go.clicked.connect(self._go)
        self.cancel.clicked.connect(self._cancel)
        self.pages[1].prepare.clicked.connect(self._prepare)
        self.check_button.clicked.connect(self._check)
        self.add_button.clicked.connect(lambda: self.offer(TORCH))
        self.update_button.clicked.connect(lambda: self._renew(tr("Updating the Sunbreak backend")))
        self.repair_button.clicked.connect(lambda: self._renew(tr("Repairing the Sunbreak backend")))
        self.remove_button.clicked.connect(self._remove)
        self.buttons.rejected.connect(self.close)
        self.log_toggle.toggled.connect(self._show_log)

    # what is there

    def _show_state(self) -> None:
        backend = installed_backend()
        self.state.setText(state_text(backend, ProcessingConfig.getSetting(settings.PYTHON)))
        self.state.setToolTip("" if backend is None else shown(str(backend.folder)))
        self.pages[0].build.show_installed(backend)

    def _take_pythons(self, found: list[Python]) -> None:
        if not sip.isdeleted(self):
            for page in self.pages[:2]:
                page.offer_pythons(found)

    def _take_gpus(self, status: int, text: str) -> None:
        if status == 0 and not sip.isdeleted(self):
            self.pages[0].build.offer_builds(parse_gpus(text))

    def _refresh_buttons(self) -> None:
        busy = install_task.running() is not None
        backend = installed_backend()
        page = self.tabs.currentWidget()
        self.go.setText(page.action)
        self.go.setEnabled(not busy and page.ready())
        self.cancel.setVisible(busy)
        self.tabs.setEnabled(not busy)
        self.pages[1].prepare.setEnabled(self.pages[0].ready())
        for button in (self.add_button, self.update_button, self.repair_button, self.remove_button):
            button.setEnabled(not busy and backend is not None)
        self.add_button.setVisible(self.pages[0].build.can_add_torch())
        self.update_button.setVisible(backend is not None and backend.outdated)
        self.check_button.setEnabled(not busy and self._in_use() is not None)

    def _in_use(self) -> Path | None:
        try:
            return settings.backend_python()
        except settings.BackendMissingError:
            return None

    # what is done

    def offer(self, extra: str) -> None:
        """Choose the build that brings an extra of the backend; the user starts the installation."""
        self.tabs.setCurrentIndex(0)
        self.pages[0].build.offer(extra)

    def _go(self) -> None:
        page, title = self.tabs.currentWidget(), tr("Installing the Sunbreak backend")
        if page is self.pages[2]:
            self._use(page.interpreter())
        elif page is self.pages[1]:
            wheels = Path(page.folder.filePath())
            self._install(self._plan(page.chosen_python().path, VARIANTS[page.wheels.variant], wheels=wheels), title)
        elif page.build.adds():
            self._install(self._chosen_plan(self._base(), addition=True), tr("Adding packages to the Sunbreak backend"))
        else:
            self._install(self._chosen_plan(page.chosen_python().path), title)

    def _chosen_plan(self, python: Path, *, addition: bool = False) -> Plan:
        build = self.pages[0].build
        return self._plan(python, build.chosen(), index=build.package_index(), addition=addition)

    def _base(self) -> Path:
        """The Python below the installed backend, or the chosen one if that was removed."""
        backend, chosen = installed_backend(), self.pages[0].chosen_python()
        base = Path("" if backend is None else backend.base)
        return base if base.is_file() or chosen is None else chosen.path

    def _plan(
        self, python: Path, variant: Variant, *, index: str = "", wheels: Path | None = None, addition: bool = False
    ) -> Plan:
        return Plan(
            python=python,
            source=PLUGIN_FOLDER,
            root=home(),
            version=plugin_version(),
            variant=variant,
            torch_index=index,
            wheels=wheels,
            addition=addition,
            proxies=network_environment(),
            authorities=certificates(),
            keep_downloads=self.pages[0].keep.isChecked(),
        )

    def _install(self, plan: Plan, title: str) -> None:
        end_all()
        self._start(title, lambda task: install(plan, task))

    def _prepare(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, tr("Folder for the wheels"))
        page = self.pages[0]
        if folder and page.ready():
            plan = self._chosen_plan(page.chosen_python().path)
            title = tr("Preparing a folder of wheels for Sunbreak")
            self._start(title, lambda task: (prepare_wheels(plan, Path(folder), task), Path(folder)))

    def _renew(self, title: str) -> None:
        backend = installed_backend()
        if backend is None:
            return
        if backend.facts.get("origin") == "offline":
            self.tabs.setCurrentIndex(1)
            self.message.setText(
                tr("The backend was installed from a folder of wheels. Choose that folder, then install again.")
            )
            return
        index = str(backend.facts.get("index", backend.build.torch_index))
        self._install(self._plan(self._base(), backend.build, index=index), title)

    def _use(self, path: Path) -> None:
        def work(task: install_task.BackendTask) -> tuple[Path, Check]:
            task.stand(0.1, tr("Checking {path}").format(path=path))
            check = check_interpreter(path, task)
            refuse_unfit(check)
            return path, check

        self._start(tr("Checking a Python for Sunbreak"), work)

    def _check(self) -> None:
        path = self._in_use()
        if path is not None:
            self._use(path)

    def _remove(self) -> None:
        backend = installed_backend()
        if backend is None:
            return
        question = tr("Remove the backend {version} from your QGIS profile? Models and results are kept.").format(
            version=backend.version
        )
        answer = QMessageBox.question(self, self.windowTitle(), shown(question))
        if answer == QMessageBox.StandardButton.Yes:
            end_all()
            self._start(tr("Removing the Sunbreak backend"), lambda _: remove(backend))

    def _start(self, title: str, work) -> None:
        self._say("")
        self.log.clear()
        try:
            self._follow(install_task.start(title, work))
        except BackendError as error:
            self._say(str(error))

    def _cancel(self) -> None:
        task = install_task.running()
        if task is not None:
            self.stand.setText(tr("Cancelling"))
            self.cancel.setEnabled(False)
            task.cancel()

    # where it stands

    def _follow(self, task: install_task.BackendTask) -> None:
        self.bar.setVisible(True)
        self.stand.setVisible(True)
        self.cancel.setEnabled(True)
        self.log.setPlainText("\n".join(task.lines))
        self._show_stand(task.fraction, task.text)
        task.stood.connect(self._show_stand)
        task.logged.connect(self.log.appendPlainText)
        task.ended.connect(lambda: self._end(task))
        self._refresh_buttons()

    def _show_stand(self, fraction: float, text: str) -> None:
        self.bar.setValue(round(1000 * fraction))
        self.stand.setText(text)

    def _end(self, task: install_task.BackendTask) -> None:
        if sip.isdeleted(self):
            return
        self.bar.setVisible(False)
        self.stand.setVisible(False)
        if task.error is not None:
            self._say(str(task.error))
            self.log.appendPlainText(str(task.error))
        else:
            self._take_over(task.result)
            self._say(outcome_text(task.result))
            self.backendChanged.emit()
        self._show_state()
        self._refresh_buttons()

    def _take_over(self, result: object) -> None:
        """Use the interpreter that a finished task brings."""
        if isinstance(result, Backend):
            use_interpreter(None)
        elif isinstance(result, tuple) and isinstance(result[1], Check) and self._in_use() != result[0]:
            use_interpreter(result[0])

    def _say(self, text: str) -> None:
        self.message.setText(text)
        self.message.setVisible(bool(text))

    def _show_log(self, on: bool) -> None:
        self.log.setVisible(on)
        self.log_toggle.setArrowType(Qt.ArrowType.DownArrow if on else Qt.ArrowType.RightArrow)
