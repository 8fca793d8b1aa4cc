"""The choice between the builds of the backend: Light, or Full with one of the builds of torch."""

from __future__ import annotations

import platform

from qgis.PyQt.QtCore import pyqtSignal
from qgis.PyQt.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QLineEdit,
    QRadioButton,
    QStyle,
    QVBoxLayout,
    QWidget,
)

from ..bridge.install_plan import (
    CLOUDS,
    EVALUATION,
    LIGHT,
    TORCH,
    VARIANTS,
    Gpu,
    Variant,
    recommended,
    recommended_full,
    variants_of,
)
from ..bridge.installed import Backend
from ..builds import abilities, build_name, sizes, torch_titles
from ..compat import tr
from ..plain import plain_label
from .wrapped import wrapped


class BuildChoice(QWidget):
    """Light and Full, each with its sizes and abilities. `changed` is emitted when another build is chosen."""

    changed = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self._touched = False
        self._installed: Backend | None = None
        self.light, self.full = QRadioButton(), QRadioButton()
        self.networks = QCheckBox(tr("&Networks for clouds and cloud shadows"))
        self.networks.setToolTip(tr("With SciPy, which Compare scenes needs too"))
        self.networks.setChecked(True)
        self.torch = QComboBox()
        self.index = QLineEdit()
        self.index.setPlaceholderText(tr("default package index"))
        self.about_light, self.about_full, self.machine = wrapped(), wrapped(), wrapped()
        form = QFormLayout()
        for text, widget in ((tr("Torch &build:"), self.torch), (tr("Torch &from:"), self.index)):
            label = plain_label(text)
            label.setBuddy(widget)
            form.addRow(label, widget)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.light)
        layout.addLayout(self._indented(self.about_light, self.networks))
        layout.addWidget(self.full)
        layout.addLayout(self._indented(self.about_full, form))
        layout.addWidget(self.machine)
        for button in (self.light, self.full):
            button.clicked.connect(self._touch)
            button.toggled.connect(lambda _: self._follow())
        self.networks.toggled.connect(lambda _: self._follow())
        self.torch.activated.connect(self._touch)
        self.torch.currentIndexChanged.connect(lambda _: self._follow_torch())
        self.light.setChecked(True)
        self.offer_builds(())

    def _indented(self, *parts: QWidget | QFormLayout) -> QVBoxLayout:
        """A column below a radio button, as far to the right as its text."""
        style = self.style()
        left = style.pixelMetric(QStyle.PixelMetric.PM_ExclusiveIndicatorWidth)
        left += style.pixelMetric(QStyle.PixelMetric.PM_RadioButtonLabelSpacing)
        column = QVBoxLayout()
        column.setContentsMargins(left, 0, 0, 0)
        for part in parts:
            if isinstance(part, QWidget):
                column.addWidget(part)
            else:
                column.addLayout(part)
        return column

    def offer_builds(self, gpus: tuple[Gpu, ...]) -> None:
        """List the builds for this machine, and choose the recommended one unless the user has chosen."""
        system, machine = platform.system(), platform.machine()
        best, full = recommended(system, machine, gpus), recommended_full(system, machine, gpus)
        if not self._touched:
            self.torch.clear()
            for variant in variants_of(system, machine):
                if variant.has_torch:
                    self.torch.addItem(torch_titles()[variant.key], variant)
            self.torch.setCurrentIndex(max(0, self.torch.findText(torch_titles().get(full.key if full else "", ""))))
            (self.full if best.has_torch else self.light).setChecked(True)
        if system == "Darwin":
            what = tr("Apple silicon") if full else tr("a Mac with an Intel processor, for which PyTorch has no build")
        else:
            what = ", ".join(gpu.name for gpu in gpus) if gpus else tr("no NVIDIA GPU")
        self.machine.setText(
            tr("Detected: {what}. Recommended: {build}.").format(what=what, build=build_name(best.key))
        )
        self._follow_torch()

    def show_installed(self, backend: Backend | None) -> None:
        """Take the installed backend, to which a build may only add packages."""
        self._installed = backend
        if backend is not None and backend.variant == LIGHT and not self._touched:
            self.networks.setChecked(CLOUDS in backend.extras)
        self._follow()

    def offer(self, extra: str) -> None:
        """Choose the build that brings an extra of the backend."""
        if extra == TORCH and self.torch.count():
            self.full.setChecked(True)
            self._touched = True
        elif extra in (CLOUDS, EVALUATION):
            self.networks.setChecked(True)

    def chosen(self) -> Variant:
        """The chosen build."""
        if self.full.isChecked() and self.torch.count():
            return self.torch.currentData()
        return VARIANTS[LIGHT] if self.networks.isChecked() else VARIANTS[LIGHT].without_clouds()

    def can_add_torch(self) -> bool:
        """Whether the installed backend is a light one, to which a build for this machine adds torch."""
        builds = [self.torch.itemData(position) for position in range(self.torch.count())]
        return self._installed is not None and any(map(self._installed.can_become, builds))

    def package_index(self) -> str:
        """Where torch comes from; empty for the default index, and without torch."""
        return self.index.text().strip() if self.chosen().has_torch else ""

    def adds(self) -> bool:
        """Whether the chosen build only adds packages to the installed backend."""
        return self._installed is not None and self._installed.can_become(self.chosen())

    def new_part(self) -> Variant:
        """The chosen build with the sizes of what has to be downloaded."""
        return self.chosen().beyond(self._installed.build) if self.adds() and self._installed else self.chosen()

    def _touch(self, *_: object) -> None:
        self._touched = True

    def _follow_torch(self) -> None:
        build = self.torch.currentData()
        self.index.setText(build.torch_index if build is not None else "")
        self._follow()

    def _follow(self) -> None:
        light = VARIANTS[LIGHT] if self.networks.isChecked() else VARIANTS[LIGHT].without_clouds()
        self.light.setText(tr("Li&ght: {sizes}").format(sizes=sizes(light)))
        self.about_light.setText(abilities(light))
        self.networks.setEnabled(self.light.isChecked())
        build = self.torch.currentData()
        self.full.setEnabled(build is not None)
        if build is None:
            self.full.setText(tr("F&ull"))
            self.about_full.setText(tr("PyTorch has no build for this machine."))
        else:
            self.full.setText(tr("F&ull: {sizes}").format(sizes=sizes(build)))
            self.about_full.setText(abilities(build))
        for widget in (self.torch, self.index):
            widget.setEnabled(self.full.isChecked() and build is not None)
        self.changed.emit()
