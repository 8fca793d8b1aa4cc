"""The pages of the panel: each scrolls, and its buttons and messages stay in sight below."""

from __future__ import annotations

import re
from collections.abc import Callable

from qgis.PyQt import sip
from qgis.PyQt.QtCore import Qt, QTimer
from qgis.PyQt.QtWidgets import QFrame, QLabel, QLayout, QProgressBar, QScrollArea, QTabWidget, QVBoxLayout, QWidget

from ..plain import PlainLabel, visible

# dark on yellow, so that it stands out in light and dark themes
_WARNING = "QLabel { background: #fff3cd; color: #3d2f00; border: 1px solid #e0a800; border-radius: 3px; padding: 4px }"


_BREAK, _LONG = "\u200b", 30
# a number, its error and its unit stay on one line
_FIRM, _BEFORE_UNIT = "\u00a0", re.compile(r"(?<=\d) (?=ha\b|%|±)|(?<=±) ")


class Foot:
    """What every page says below its buttons: progress, a message, and warnings that stay until the next run."""

    def __init__(self) -> None:
        self.bar = QProgressBar()
        self.bar.setRange(0, 100)
        self.message, self.warnings = Message(), Message()
        self.warnings.setStyleSheet(_WARNING)
        self.warnings.hide()

    def warn(self, text: str) -> None:
        """Show a warning below the message, where it stays until the next run."""
        self.warnings.setText(f"{self.warnings.text()}\n{text}".strip())
        self.warnings.show()

    def forget_warnings(self) -> None:
        """Hide the warnings when a run starts."""
        self.warnings.clear()
        self.warnings.hide()


def page(column: QVBoxLayout, buttons: QLayout, foot: Foot) -> QWidget:
    """A page: the column scrolls where the screen is too low for all fields, the buttons stay in sight.

    Args:
        column: The fields.
        buttons: In a row.
        foot: Below the buttons.
    """
    inside = QWidget()
    inside.setLayout(column)
    scroll = QScrollArea()
    scroll.setFrameShape(QFrame.Shape.NoFrame)
    scroll.setWidgetResizable(True)
    scroll.setWidget(inside)
    whole = QWidget()
    below = QVBoxLayout(whole)
    below.setContentsMargins(0, 0, 0, 0)
    below.addWidget(scroll, 1)
    side = column.contentsMargins().left()
    last = QVBoxLayout()
    last.setContentsMargins(side, 0, side, side)
    last.addLayout(buttons)
    for widget in (foot.bar, foot.message, foot.warnings):
        last.addWidget(widget)
    below.addLayout(last)
    return whole


def set_tab_order(order: list[QWidget]) -> None:
    """Have the tab key go through widgets in their order."""
    for place, widget in enumerate(order[1:]):
        QWidget.setTabOrder(order[place], widget)


class Pages(QTabWidget):
    """Tabs whose further pages are made when they are opened."""

    def __init__(self) -> None:
        super().__init__()
        self._makers: dict[int, Callable[[], QWidget]] = {}
        self.setDocumentMode(True)
        self.currentChanged.connect(self._opened)

    def add_later(self, title: str, tip: str, make: Callable[[], QWidget]) -> int:
        """Add a tab, whose content `make` makes when it is opened first."""
        place = self.addTab(QWidget(), title)
        self.setTabToolTip(place, tip)
        self._makers[place] = make
        return place

    def _opened(self, place: int) -> None:
        make = self._makers.pop(place, None)
        if make is not None:
            column = QVBoxLayout(self.widget(place))
            column.setContentsMargins(0, 0, 0, 0)
            column.addWidget(make())


class Message(PlainLabel):
    """A message that breaks long names at their underscores: as one word they would widen the panel."""

    def __init__(self) -> None:
        super().__init__()
        self.setWordWrap(True)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)

    def setText(self, text: str) -> None:
        """Show a text."""
        words = re.split(r"([\s/\\]+)", visible(text))
        parts = (word.replace("_", f"_{_BREAK}") if len(word) > _LONG else word for word in words)
        QLabel.setText(self, "".join(parts))

    def text(self) -> str:
        """The text as it was given."""
        return super().text().replace(_BREAK, "")


class Figures(Message):
    """Figures of the last run, at the end of the column that scrolls; hidden if there are none."""

    def __init__(self) -> None:
        super().__init__()
        self.hide()

    def show_lines(self, lines: list[str]) -> None:
        """Show lines and scroll to them; none hides them."""
        self.setText(_BEFORE_UNIT.sub(_FIRM, "\n".join(lines)))
        self.setVisible(bool(lines))
        if lines:
            QTimer.singleShot(0, self._scroll_here)  # when the column has its new height

    def text(self) -> str:
        """The text as it was given."""
        return super().text().replace(_FIRM, " ")

    def _scroll_here(self) -> None:
        if sip.isdeleted(self):
            return
        above = self.parentWidget()
        while above is not None and not isinstance(above, QScrollArea):
            above = above.parentWidget()
        if above is not None:
            above.ensureWidgetVisible(self)
