"""A model list with a short card: metrics and their data, licence, link to the full card."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable

from qgis.PyQt.QtCore import QEvent, Qt
from qgis.PyQt.QtGui import QPalette
from qgis.PyQt.QtWidgets import QComboBox, QLabel

from ..bridge.models import Measurement, Model
from ..compat import tr
from ..plain import in_html, shown

_LINK_ON_LIGHT, _LINK_ON_DARK = "#1a5fb4", "#8ab4f8"
_MIDDLE = 127
_NETWORK, _CLOUDY = "network, default of clean", "cloudy image"


class ModelChoice(QComboBox):
    """The models of one task, the default first; the choice is kept when the list is updated.

    Args:
        show_card: Opens the whole card of a model.
    """

    def __init__(self, show_card: Callable[[str], None]) -> None:
        super().__init__()
        self._models: dict[str, Model] = {}
        self.card = _Card()
        self.card.linkActivated.connect(lambda _: show_card(self.name()))
        self.currentIndexChanged.connect(lambda _: self._follow())

    def offer(self, models: Iterable[Model]) -> None:
        """Replace the entries."""
        chosen = self.name()
        self._models = {model.name: model for model in sorted(models, key=lambda model: not model.default)}
        self.blockSignals(True)
        self.clear()
        for model in self._models.values():
            self.addItem(model.name, model.name)
            self.setItemData(self.count() - 1, shown(model.title), Qt.ItemDataRole.ToolTipRole)
        self.setCurrentIndex(max(0, self.findData(chosen)))
        self.blockSignals(False)
        self._follow()

    def name(self) -> str:
        """Name of the chosen model; empty until the backend has answered."""
        return self.currentData() or ""

    def _follow(self) -> None:
        self.card.show_model(self._models.get(self.name()))


class _Card(QLabel):
    """The short card; its link is readable on dark and light backgrounds."""

    _model: Model | None = None  # a class attribute, because Qt may send change events during construction

    def __init__(self) -> None:
        super().__init__()
        self.setWordWrap(True)
        self.setTextFormat(Qt.TextFormat.RichText)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.LinksAccessibleByKeyboard | Qt.TextInteractionFlag.LinksAccessibleByMouse
        )

    def show_model(self, model: Model | None) -> None:
        """Show a model's card; nothing for None."""
        self._model = model
        # QGIS's dark themes change the colour of text, but not of links
        dark = self.palette().color(QPalette.ColorRole.WindowText).lightness() > _MIDDLE
        text = card_text(model, _LINK_ON_DARK if dark else _LINK_ON_LIGHT) if model is not None else ""
        if text != self.text():
            self.setText(text)
            self.setToolTip(shown(model.description) if model is not None else "")

    def changeEvent(self, event: QEvent) -> None:
        """Called by Qt when the theme changes."""
        super().changeEvent(event)
        if event.type() in {QEvent.Type.PaletteChange, QEvent.Type.StyleChange}:
            self.show_model(self._model)


def card_text(model: Model, link: str = _LINK_ON_LIGHT) -> str:
    """The short card as HTML: title, kind of classifier, the most important metrics with their data, licence, link.

    Args:
        model: The model.
        link: Colour of the link.
    """
    lines = [in_html(model.title)]
    if model.classes:
        kind = tr("Gives a class to each pixel.") if model.per_pixel else tr("Gives a class to each patch.")
        lines.append(html.escape(kind))
    told = [text for text in map(headline, model.measured) if text]
    lines += [in_html(told[-1])] if told else [html.escape(tr("No metrics are recorded for this model."))]
    lines.append(in_html(tr("Licence: {licence}").format(licence=model.licence or tr("unknown"))))
    lines.append(f'<a href="card" style="color:{link}">{html.escape(tr("Model card…"))}</a>')
    return "<br>".join(lines)


def headline(measured: Measurement) -> str:
    """One measurement as a sentence; empty if it has none of the usual metrics."""
    accuracy, f1 = measured.number("accuracy"), measured.number("macro_f1")
    if accuracy is not None:
        said = tr("accuracy {accuracy:.0f} %").format(accuracy=100 * accuracy)
        if f1 is not None:
            said += tr(", macro F1 {f1:.2f}").format(f1=f1)
        return tr("Measured on {data}: {figures}.").format(data=measured.data, figures=said)
    inside, before = measured.number(_NETWORK, "psnr_in_cloud"), measured.number(_CLOUDY, "psnr_in_cloud")
    whole = measured.number(_NETWORK, "psnr")
    if whole is None:
        return ""
    said = tr("PSNR {value:.1f} dB").format(value=whole)
    if inside is not None:
        said += tr(", {value:.1f} dB under clouds").format(value=inside)
    if before is not None:
        said += tr(" (cloudy input: {value:.1f} dB)").format(value=before)
    return tr("Measured on {data}: {figures}.").format(data=measured.data, figures=said)
