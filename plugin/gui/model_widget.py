"""The model list of the dialogs: filled by the backend in the background; accepts any other name."""

from __future__ import annotations

from qgis.PyQt import sip

from ..bridge.models import Model, ask_for_models
from ..compat import tr
from ..plain import shown
from ..settings import BackendMissingError, backend_python
from .combo import EditableCombo


class ModelWidgetWrapper(EditableCombo):
    """An editable combo box; the first entry is the backend's default."""

    def createWidget(self, task: str):
        """Called by QGIS for the dialog, the batch table and the model designer alike.

        Args:
            task: Only models for this task, such as ``cloud-removal``.
        """
        self._models: tuple[Model, ...] = ()
        combo = self.make_combo([(tr("Default"), "")])
        try:
            ask_for_models(backend_python(), task, self._take)
        except BackendMissingError as error:
            combo.setToolTip(shown(str(error)))
        return combo

    def model(self) -> Model | None:
        """The chosen or default model; None until the backend has answered."""
        name = self.value()
        return next((m for m in self._models if m.name == name or (m.default and not name)), None)

    def _take(self, models: tuple[Model, ...]) -> None:
        if sip.isdeleted(self):
            return
        self._models = models
        self.offer([(f"{m.title} ({m.name})" if m.title != m.name else m.name, m.name) for m in models])
        self.widgetValueHasChanged.emit(self)
