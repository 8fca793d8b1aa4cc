"""How finished files enter the project: their names, one group per run in a fixed order, and the styles beside them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from qgis.core import (
    QgsLayerTreeGroup,
    QgsLayerTreeLayer,
    QgsMapLayer,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingLayerPostProcessorInterface,
)

from .outputs import STYLE, sidecar
from .presentation import add_themes, describe, offer_false_colour

# From top to bottom: what says how far to trust, what was found, what it rests on, and the picture below everything.
ORDER = (
    "trust",
    "error",
    "spectral_angle",
    "saliency_*",
    "landcover",
    "landcover_cloudy_vs_cleaned",
    "landcover_confidence",
    "landcover_entropy",
    "landcover_probabilities",
    "landcover_evidence",
    "cloud_mask",
    "cloud_probability",
    "reconstructed",
    "uncertainty",
    "cleaned",
)

_RUN, _RANK = "sunbreak/run", "sunbreak/rank"

# Land cover lets the scene below shine through: fields and shores tell where one is.
_OVER_SCENE = 0.7

# QGIS keeps only a C++ pointer: a post-processor that Python lets go of is called after its death.
_KEPT: dict[str, PlaceLayer] = {}


@dataclass(frozen=True)
class Output:
    """One finished layer on its way into the project.

    Attributes:
        destination: File name as Processing knows it.
        role: One of `ORDER`.
        name: Name in the layer tree, such as ``Land cover: S2B_...``.
        default_name: Name that Processing gave it.
        visible: Whether it is shown at once.
    """

    destination: str
    role: str
    name: str
    default_name: str
    visible: bool


class PlaceLayer(QgsProcessingLayerPostProcessorInterface):
    """Loads the `.qml` beside the file, and puts the layer at its place in the group of its run.

    Every version of QGIS calls it when the layer already stands in the tree, so one way of grouping serves all of them.

    Args:
        style: The `.qml`.
        visible: Whether the layer is to be shown at once.
        expanded: Whether its legend is.
        opacity: Of the whole layer, 0..1.
        rank: Place in the group, 0 on top.
        group: Name of the group; empty for a layer that stays where QGIS put it.
        run: Tells the group of this run from another one of the same name.
        scene: The layer that was cleaned and its name, for a cleaned one; None for all others.
    """

    def __init__(
        self,
        style: Path,
        visible: bool,
        expanded: bool,
        opacity: float,
        rank: int,
        group: str,
        run: str,
        scene: tuple[str, str] | None = None,
    ) -> None:
        super().__init__()
        self._scene = scene
        self._style, self._visible, self._expanded, self._opacity = style, visible, expanded, opacity
        self._rank, self._group, self._run = rank, group, run

    def postProcessLayer(
        self, layer: QgsMapLayer, context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> None:
        """Called by QGIS in the main thread, after the layer has entered the project."""
        if self._style.exists():
            message, done = layer.loadNamedStyle(str(self._style))
            if not done:
                feedback.pushWarning(f"{self._style}: {message}")
        if self._opacity < 1:
            layer.setOpacity(self._opacity)
        layer.triggerRepaint()
        describe(layer)
        project = context.project()
        if self._scene is not None:
            offer_false_colour(layer)
            before = project.mapLayer(self._scene[0]) if project else None
            if before is not None:
                add_themes(project, before, layer, self._scene[1])
        node = context.project().layerTreeRoot().findLayer(layer.id()) if context.project() else None
        if node is None:
            return
        if self._group:
            node = self._move(node, context.project().layerTreeRoot())
        node.setItemVisibilityChecked(self._visible)
        node.setExpanded(self._expanded)

    def _move(self, node: QgsLayerTreeLayer, root: QgsLayerTreeGroup) -> QgsLayerTreeLayer:
        """The node's copy at its place in the group, which is made where the first layer stood.

        A layer that was in the project before, because a run wrote the same file again, leaves the group of that run.
        """
        parent = node.parent()
        old = parent if parent.customProperty(_RUN) not in (None, self._run) else None
        group = next((found for found in root.findGroups(True) if found.customProperty(_RUN) == self._run), None)
        if group is None:
            first = old or node
            group = first.parent().insertGroup(first.parent().children().index(first), self._group)
            group.setCustomProperty(_RUN, self._run)
            group.setExpanded(True)
        moved = node.clone()
        moved.setCustomProperty(_RANK, self._rank)
        ranks = [int(child.customProperty(_RANK, -1)) for child in group.children()]
        group.insertChildNode(next((i for i, rank in enumerate(ranks) if rank > self._rank), len(ranks)), moved)
        parent.removeChildNode(node)
        if old is not None and not old.children():
            old.parent().removeChildNode(old)
        return moved


def load_on_completion(context: QgsProcessingContext, outputs: list[Output], scene: str, source: str = "") -> None:
    """Name, order and style those layers of a run that are going to be loaded, in one group if they are several.

    A layer whose name a model's author gave keeps it, and its place.

    Args:
        context: Context of the run.
        outputs: Its layers; those that will not be loaded are left alone.
        scene: What the run was about: names the group, with the time.
        source: Id of the scene's layer, if it is one of the project.
    """
    loaded = [output for output in outputs if context.willLoadLayerOnCompletion(output.destination)]
    own = {
        o.destination for o in loaded if context.layerToLoadOnCompletionDetails(o.destination).name == o.default_name
    }
    group = f"{scene}, {time.strftime('%Y-%m-%d %H:%M')}" if len(own) > 1 else ""
    run = str(time.time_ns())
    shown = {output.role for output in loaded if output.visible and output.destination in own}
    for output in loaded:
        details = context.layerToLoadOnCompletionDetails(output.destination)
        rank = ORDER.index(output.role)
        mine = output.destination in own
        if mine:
            details.name = output.name
        if hasattr(details, "layerSortKey"):
            details.layerSortKey = -rank  # larger keys lie on top
        style = sidecar(Path(output.destination), STYLE)
        opacity = _OVER_SCENE if {output.role, "cleaned"} <= shown and output.role == "landcover" else 1.0
        expanded = output.visible or output.role == "trust"  # its legend is worth reading before it is shown
        about = (source, scene) if output.role == "cleaned" else None
        post_processor = PlaceLayer(style, output.visible, expanded, opacity, rank, group if mine else "", run, about)
        _KEPT[output.destination] = post_processor
        details.setPostProcessor(post_processor)


def forget_post_processors() -> None:
    """Let go of all of them, when the plugin is switched off."""
    _KEPT.clear()
