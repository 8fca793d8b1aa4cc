"""The class list of the dialogs: the classes of the chosen classifier, or any other name."""

from __future__ import annotations

from ..classes import PREDICTED, class_label
from ..compat import tr
from .combo import EditableCombo

NONE = "none"


class ClassWidgetWrapper(EditableCombo):
    """An editable combo box; the first entry explains the class assigned to each place."""

    def createWidget(self, model: str, none: bool = False):
        """Called by QGIS for the dialog, the batch table and the model designer alike.

        Args:
            model: Parameter that names the classifier.
            none: Whether "explain nothing" can be chosen.
        """
        self._model = model
        entries = [(tr("predicted (the class of each place)"), PREDICTED)]
        return self.make_combo(entries + ([(tr("none (explain nothing)"), NONE)] if none else []))

    def postInitialize(self, wrappers) -> None:
        """Follow the choice of the classifier; called when all widgets of the dialog exist."""
        for wrapper in wrappers:
            if wrapper.parameterDefinition().name() == self._model and hasattr(wrapper, "model"):
                wrapper.widgetValueHasChanged.connect(self._follow)
                self._follow(wrapper)

    def _follow(self, wrapper) -> None:
        model = wrapper.model()
        self.offer([(class_label(name), name) for name in model.classes] if model is not None else [])
