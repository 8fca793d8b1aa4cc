"""How finished files are loaded into the project: names, one group per run in a fixed order, and styles."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

from qgis.core import (
    QgsLayerTreeGroup,
    QgsLayerTreeLayer,
    QgsMapLayer,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingLayerPostProcessorInterface,
    QgsRasterLayer,
    QgsUnitTypes,
)

from .legends import translate_legend
from .outputs import STYLE, sidecar
from .presentation import add_themes, describe, offer_false_colour
from .stretch import Range, natural_colours

# From top to bottom: trust and errors, results, evidence, and the scene below everything.
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
    "source",
    "changed",
    "cleaned",
)

ROLE = "sunbreak/role"
_RUN, _RANK = "sunbreak/run", "sunbreak/rank"

# Land cover is translucent over the scene, so that fields and shores stay visible.
OVER_SCENE = 0.7

# QGIS keeps only a C++ pointer: Python must keep a reference to a post-processor until it was called.
_KEPT: dict[str, PlaceLayer] = {}


@dataclass(frozen=True)
class Output:
    """One finished layer that is loaded into the project.

    Attributes:
        destination: File name as Processing knows it.
        role: One of `ORDER`.
        name: Name in the layer tree, such as ``Land cover: S2B_...``.
        default_name: Name that Processing gave it.
        visible: Whether it is shown when it is loaded.
    """

    destination: str
    role: str
    name: str
    default_name: str
    visible: bool


@dataclass(frozen=True)
class Place:
    """Position and style of a layer in the layer tree.

    Attributes:
        role: One of `ORDER`; the layer keeps it as the custom property `ROLE`.
        style: The `.qml`.
        visible: Whether the layer is shown when it is loaded.
        expanded: Whether its legend is.
        opacity: Of the whole layer, 0..1.
        group: Name of the group; empty for a layer that stays where QGIS put it.
        run: Id of the run; distinguishes groups of the same name.
        scene: The layer that was cleaned and its name, for a cleaned one that gets map themes; None for all others.
        position: Of the layer in the group where layers of one role have an order, 0 on top; None for that of the role.
        stretch: Of the bands of the cleaned scene; places that share it show their scenes alike.
    """

    role: str
    style: Path
    visible: bool
    expanded: bool
    opacity: float
    group: str
    run: str
    scene: tuple[str, str] | None = None
    position: int | None = None
    stretch: dict[str, Range] = field(default_factory=dict)

    @property
    def rank(self) -> int:
        """Position in the group, 0 on top."""
        return ORDER.index(self.role) if self.position is None else self.position


class PlaceLayer(QgsProcessingLayerPostProcessorInterface):
    """Loads the `.qml` beside the file and moves the layer to its position in the group of its run.

    All versions of QGIS call it after the layer was added to the tree, so grouping works the same in all of them.
    """

    def __init__(self, place: Place) -> None:
        super().__init__()
        self._place = place

    def postProcessLayer(
        self, layer: QgsMapLayer, context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> None:
        """Called by QGIS in the main thread, after the layer has entered the project."""
        place, done = self._place, False
        if place.style.exists():
            message, done = layer.loadNamedStyle(str(place.style))
            if not done:
                feedback.pushWarning(f"{place.style}: {message}")
        translate_legend(layer, place.role)
        layer.setCustomProperty(ROLE, place.role)
        if place.opacity < 1:
            layer.setOpacity(place.opacity)
        layer.triggerRepaint()
        describe(layer)
        project = context.project()
        if place.role == "cleaned" and done:  # without its style the layer may hold other numbers than reflectance
            natural_colours(layer, place.stretch)
            offer_false_colour(layer, place.stretch)
        if place.scene is not None and project:
            before = project.mapLayer(place.scene[0])
            if before is not None:
                add_themes(project, before, layer, place.scene[1])
        node = project.layerTreeRoot().findLayer(layer.id()) if project else None
        if node is None:
            return
        if place.group:
            node = self._move(node, project.layerTreeRoot())
        node.setItemVisibilityChecked(place.visible)
        node.setExpanded(place.expanded)

    def _move(self, node: QgsLayerTreeLayer, root: QgsLayerTreeGroup) -> QgsLayerTreeLayer:
        """The node's copy at its place in the group, which is made where the first layer stood.

        A layer that was in the project before, because a run wrote the same file again, leaves the group of that run.
        """
        run, rank = self._place.run, self._place.rank
        parent = node.parent()
        old = parent if parent.customProperty(_RUN) not in (None, run) else None
        group = next((found for found in root.findGroups(True) if found.customProperty(_RUN) == run), None)
        if group is None:
            first = old or node
            group = first.parent().insertGroup(first.parent().children().index(first), self._place.group)
            group.setCustomProperty(_RUN, run)
            group.setExpanded(True)
        moved = node.clone()
        moved.setCustomProperty(_RANK, rank)
        ranks = [int(child.customProperty(_RANK, -1)) for child in group.children()]
        group.insertChildNode(next((i for i, other in enumerate(ranks) if other > rank), len(ranks)), moved)
        parent.removeChildNode(node)
        if old is not None and not old.children():
            old.parent().removeChildNode(old)
        return moved


def scene_name(scene: str, layer: str) -> str:
    """The scene name in the names of a run's layers: the file name, or the layer name for a temporary ``OUTPUT`` file.

    Args:
        scene: Name of the scene's file.
        layer: Name of its layer; the prefix that an earlier run put before the scene's name is removed.
    """
    temporary = scene.isupper() and scene.replace("_", "").isalpha() and layer
    return layer.rpartition(": ")[2] if temporary else scene


def with_cell_size(title: str, path: Path) -> str:
    """A layer's title with the side of its cells, such as ``Land cover (10 m)``; without it for degrees."""
    layer = QgsRasterLayer(str(path), path.stem)
    if not layer.isValid() or not layer.crs().isValid() or layer.crs().isGeographic():
        return title
    unit = QgsUnitTypes.toAbbreviatedString(layer.crs().mapUnits())
    return f"{title} ({layer.rasterUnitsPerPixelX():g} {unit})"


def load_on_completion(context: QgsProcessingContext, outputs: list[Output], scene: str, source: str = "") -> None:
    """Set name, order and style of the layers of a run that will be loaded; several layers form one group.

    A preview, or a layer named by the author of a model, keeps its name and position and gets no map themes.

    Args:
        context: Context of the run.
        outputs: Its layers; those that will not be loaded are ignored.
        scene: Name of the scene; it names the group, together with the time.
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
        opacity = OVER_SCENE if {output.role, "cleaned"} <= shown and output.role == "landcover" else 1.0
        expanded = output.visible or output.role == "trust"  # its legend is worth reading before it is shown
        about = (source, scene) if output.role == "cleaned" and mine else None
        place = Place(output.role, style, output.visible, expanded, opacity, group if mine else "", run, about)
        post_processor = PlaceLayer(place)
        keep(output.destination, post_processor)
        details.setPostProcessor(post_processor)


def keep(destination: str, post_processor: PlaceLayer) -> None:
    """Keep the post-processor of a layer until it was called; a further one for the same file takes its place."""
    _KEPT[destination] = post_processor


def forget_post_processors() -> None:
    """Release all post-processors when the plugin is unloaded."""
    _KEPT.clear()
