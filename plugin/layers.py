"""How a finished file enters the project: its name, its place in the layer tree, and the style beside it."""

from __future__ import annotations

from pathlib import Path

from qgis.core import QgsProcessingContext, QgsProcessingLayerPostProcessorInterface

from .outputs import STYLE, sidecar

# QGIS keeps only a C++ pointer: a post-processor that Python lets go of is called after its death.
_KEPT: dict[str, ApplyStyle] = {}


class ApplyStyle(QgsProcessingLayerPostProcessorInterface):
    """Loads the `.qml` beside the file, and unticks a layer that would hide the main one.

    Args:
        style: The `.qml`.
        visible: Whether the layer is to be shown at once.
    """

    def __init__(self, style: Path, visible: bool) -> None:
        super().__init__()
        self._style = style
        self._visible = visible

    def postProcessLayer(self, layer, context, feedback) -> None:
        """Called by QGIS in the main thread, after the layer has entered the project."""
        if self._style.exists():
            message, done = layer.loadNamedStyle(str(self._style))
            if not done:
                feedback.pushWarning(f"{self._style}: {message}")
            layer.triggerRepaint()
        node = context.project().layerTreeRoot().findLayer(layer.id()) if context.project() else None
        if node is not None:
            node.setItemVisibilityChecked(self._visible)
            node.setExpanded(self._visible)


def load_on_completion(
    context: QgsProcessingContext, destination: str, *, name: str, default_name: str, group: str, rank: int
) -> None:
    """Name, order and style a layer that is going to be loaded; does nothing for one that is not.

    Args:
        context: Context of the run.
        destination: File name as Processing knows it.
        name: Name in the layer tree, such as ``S2B_... cleaned``.
        default_name: Name that Processing gave it. A name from a model's author is left alone.
        group: Layer group, in versions that have groups (3.32 and later).
        rank: 0 for the main layer, which lies on top and is visible.
    """
    if not context.willLoadLayerOnCompletion(destination):
        return
    details = context.layerToLoadOnCompletionDetails(destination)
    if details.name == default_name:
        details.name = name
    if hasattr(details, "groupName") and not details.groupName:
        details.groupName = group
    if hasattr(details, "layerSortKey"):
        details.layerSortKey = -rank  # larger keys lie on top
    _KEPT[destination] = ApplyStyle(sidecar(Path(destination), STYLE), visible=rank == 0)
    details.setPostProcessor(_KEPT[destination])


def forget_post_processors() -> None:
    """Let go of all of them, when the plugin is switched off."""
    _KEPT.clear()
