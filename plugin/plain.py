"""Texts from cards, files and the backend in windows of QGIS: shown as they are, never taken for markup.

Qt guesses whether a text is HTML. A title such as ``<img src=...>`` would load a file, and a link would look like one
of QGIS. Labels made here show plain text; everywhere else a text goes through `shown` or `in_html`.
"""

from __future__ import annotations

import html
import unicodedata

from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtWidgets import QLabel

# they act instead of being shown: control characters, turned directions, bytes of names that are not UTF-8
_ACTING = {"Cc", "Cf", "Cs", "Zl", "Zp"}
_KEPT = "\n\t\u200c\u200d"


def visible(text: str) -> str:
    """The text with escapes for characters that act; line breaks stay."""
    return "".join(
        one
        if one in _KEPT or unicodedata.category(one) not in _ACTING
        else one.encode("unicode_escape").decode("ascii")
        for one in text
    )


def in_html(text: str) -> str:
    """The text as a part of HTML, on several lines if it has several."""
    return html.escape(visible(text)).replace("\n", "<br>")


def shown(text: str) -> str:
    """The text for a place where Qt guesses what it is: tooltips, questions, metadata of layers."""
    text = visible(text)
    return f"<span>{in_html(text)}</span>" if Qt.mightBeRichText(text) else text


def plain_label(text: str = "") -> PlainLabel:
    """A label that shows plain text. One `&` before a letter is the key of the widget beside it."""
    return PlainLabel(text)


class PlainLabel(QLabel):
    """A label that never takes a text for HTML."""

    def __init__(self, text: str = "") -> None:
        super().__init__()
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setText(text)

    def setText(self, text: str) -> None:
        """Show a text."""
        super().setText(visible(text))
