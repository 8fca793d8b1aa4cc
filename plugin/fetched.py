"""The scenes that `sunbreak get` has downloaded: which files they are, and how they are loaded."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from qgis.core import QgsMapLayer, QgsProcessingContext, QgsProcessingFeedback, QgsProject, QgsRasterLayer

from .compat import tr
from .dates import date_in
from .found import RADAR, REFERENCE, REFERENCE_RADAR, SCENE
from .layers import Place, PlaceLayer, keep
from .outputs import ITEM, STYLE, sidecar
from .presentation import describe
from .stretch import Range, grey, true_colour

USE = "sunbreak/use"
OTHER_DATES = "other-dates"
_ORDER = (SCENE, REFERENCE, RADAR, REFERENCE_RADAR)
_MAX_ITEM = 8 * 2**20  # bytes


@dataclass(frozen=True)
class Fetched:
    """A downloaded raster.

    Attributes:
        path: Its file.
        use: ``scene``, ``radar``, ``reference`` or ``reference-radar``.
        acquired: Its date; None if its item has none.
        date: For radar, the name of the file that it belongs to, without its ending.
    """

    path: Path
    use: str
    acquired: datetime | None
    date: str = ""

    @property
    def name(self) -> str:
        """Of its layer."""
        radar = self.use in (RADAR, REFERENCE_RADAR)
        date = f"{self.acquired:%Y-%m-%d}" if self.acquired is not None else self.path.stem
        return (tr("Radar {date}") if radar else tr("Sentinel-2 {date}")).format(date=date)


def fetched(folder: Path) -> list[Fetched]:
    """The rasters in a folder of `get`: the scene, the other dates by their date, then the radar."""
    found = []
    for path in (*folder.glob("*.tif"), *(folder / OTHER_DATES).glob("*.tif")):
        one = fetched_file(path)
        found += [one] if one is not None else []
    never = datetime.max.replace(tzinfo=timezone.utc)
    return sorted(found, key=lambda one: (_ORDER.index(one.use), one.acquired or never, one.path.name))


def fetched_file(path: Path) -> Fetched | None:
    """What its STAC item says about a raster; None if `get` did not write it."""
    item = sidecar(path, ITEM)
    try:
        # a pipe would block QGIS, and anybody may have written the file
        if not item.is_file() or item.stat().st_size > _MAX_ITEM:
            return None
        properties: dict[str, Any] = json.loads(item.read_text(encoding="utf-8"))["properties"]
        use = properties.get("sunbreak:use")
        if use not in _ORDER:
            return None
        date = date_in(str(properties.get("datetime") or ""))
        return Fetched(path, use, date, str(properties.get("sunbreak:for") or ""))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


class PlaceFetched(PlaceLayer):
    """Shows a downloaded layer in natural colours or grey, and moves it into the group of its area."""

    def postProcessLayer(
        self, layer: QgsMapLayer, context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> None:
        """Called by QGIS in the main thread, after the layer has entered the project."""
        place = self._place
        layer.setCustomProperty(USE, place.role)
        if place.role in (RADAR, REFERENCE_RADAR):
            grey(layer)
        else:
            true_colour(layer, place.stretch)
        layer.triggerRepaint()
        describe(layer)
        project = context.project()
        node = project.layerTreeRoot().findLayer(layer.id()) if project else None
        if node is not None:
            node = self._move(node, project.layerTreeRoot())
            node.setItemVisibilityChecked(place.visible)
            node.setExpanded(place.expanded)


def places(files: Iterable[Fetched], group: str) -> dict[Path, PlaceFetched]:
    """What places each layer of one download; all scenes are stretched alike.

    Args:
        files: From `fetched`.
        group: Name of their group.
    """
    files = list(files)
    run, stretch = str(time.time_ns()), _stretch(one.path for one in files if one.use in (SCENE, REFERENCE))
    return {
        one.path: PlaceFetched(
            Place(
                one.use,
                sidecar(one.path, STYLE),
                one.use == SCENE,
                False,
                1.0,
                group,
                run,
                position=position,
                stretch=stretch,
            )
        )
        for position, one in enumerate(files)
    }


def _stretch(scenes: Iterable[Path]) -> dict[str, Range]:
    """The stretch of the scene with the fewest clouds: they make white brighter than the land."""
    found = []
    for path in scenes:
        layer = QgsRasterLayer(str(path), path.stem)
        measured: dict[str, Range] = {}
        if layer.isValid():
            true_colour(layer, measured)
        found += [measured] if measured else []
    return min(found, key=lambda one: sum(white for _, white in one.values()), default={})


def group_name(files: Iterable[Fetched], fallback: str) -> str:
    """The name of the group: the date of the scene."""
    scene = next((one for one in files if one.use == SCENE and one.acquired is not None), None)
    return fallback if scene is None else tr("Found {date}").format(date=f"{scene.acquired:%Y-%m-%d}")


def load_on_completion(context: QgsProcessingContext, files: list[Fetched], group: str) -> None:
    """Have Processing load the layers of a download as a group after the run."""
    for path, place in places(files, group).items():
        one = next(one for one in files if one.path == path)
        details = QgsProcessingContext.LayerDetails(one.name, context.project(), "OUTPUT")
        if hasattr(details, "layerSortKey"):
            details.layerSortKey = -files.index(one)  # larger keys lie on top
        keep(str(path), place)
        details.setPostProcessor(place)
        context.addLayerToLoadOnCompletion(str(path), details)


def load_now(project: QgsProject, files: list[Fetched], group: str) -> dict[Path, QgsRasterLayer]:
    """Load the layers of a download as a group; those that are in the project already are not loaded again.

    Returns:
        The layers by file; files that QGIS cannot open are left out.
    """
    context, feedback = QgsProcessingContext(), QgsProcessingFeedback(False)
    context.setProject(project)
    there = {layer.source(): layer for layer in project.mapLayers().values() if isinstance(layer, QgsRasterLayer)}
    loaded: dict[Path, QgsRasterLayer] = {}
    placing = places(files, group)
    for one in files:
        layer = there.get(str(one.path))
        if layer is None:
            layer = QgsRasterLayer(str(one.path), one.name)
            if not layer.isValid():
                continue
            project.addMapLayer(layer)
        else:
            layer.reload()
        placing[one.path].postProcessLayer(layer, context, feedback)
        loaded[one.path] = layer
    return loaded
