"""How the results of many scenes are loaded: one group, the layers of each scene below each other."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from qgis.core import QgsProcessingContext

from .layers import OVER_SCENE, Place, PlaceLayer, keep
from .outputs import STYLE, sidecar

MOST_SCENES = 20

Scenes = dict[str, list[tuple[str, Path]]]


def by_scene(written: Iterable[tuple[str, Path]], roles: Sequence[str]) -> Scenes:
    """The layers of the given roles, by the name of their scene, which is that of their folder.

    Args:
        written: Role and file of every layer.
        roles: Those that are wanted, the upper one first.
    """
    found: dict[str, dict[str, Path]] = {}
    for role, path in written:
        if role in roles:
            found.setdefault(path.parent.name, {})[role] = path
    return {name: [(role, found[name][role]) for role in roles if role in found[name]] for name in sorted(found)}


def load_scenes(context: QgsProcessingContext, scenes: Scenes, group: str, titles: dict[str, str]) -> None:
    """Have Processing load the layers as a group after the run.

    Args:
        context: Context of the run, with a project.
        scenes: Layers by scene.
        group: Name of the group.
        titles: Role to the name that stands before that of the scene.
    """
    run = str(time.time_ns())
    position = 0
    for scene, layers in scenes.items():
        over = len(layers) > 1
        for role, path in layers:
            details = QgsProcessingContext.LayerDetails(f"{titles[role]}: {scene}", context.project(), "OUTPUT")
            if hasattr(details, "layerSortKey"):
                details.layerSortKey = -position  # larger keys lie on top
            opacity = OVER_SCENE if over and role == "landcover" else 1.0
            style = sidecar(path, STYLE)
            post_processor = PlaceLayer(Place(role, style, True, position == 0, opacity, group, run, position=position))
            keep(str(path), post_processor)
            details.setPostProcessor(post_processor)
            context.addLayerToLoadOnCompletion(str(path), details)
            position += 1
