"""Turns scenes whose first row is the southernmost one, so that networks see every scene with the north at the top."""

from __future__ import annotations

from dataclasses import replace

from sunbreak.scene.resample import Mapping
from sunbreak.scene.scene import Scene
from sunbreak.scene.series import SceneSeries


def north_up(scene: Scene) -> Scene:
    """The scene with its rows from north to south; the scene itself if they are so already.

    Its stack is `turned` then: the pixels are the same, and layers are stored in the files' own order of rows.
    """
    if not scene.grid.south_up:
        return scene
    whole = scene.stack.grid.turned()
    column, row = scene.origin
    radar, mask = scene.radar, scene.cloud_mask
    if radar is not None:
        one, other = (Mapping(mapping.source, whole) for mapping in radar.mappings)
        radar = replace(radar, mappings=(one, other), shifts=(one.shift(), other.shift()))
    return replace(
        scene,
        grid=scene.grid.turned(),
        origin=(column, whole.height - row - scene.grid.height),
        stack=replace(scene.stack, grid=whole, turned=True),
        radar=radar,
        cloud_mask=None if mask is None else replace(mask, mapping=Mapping(mask.mapping.source, whole)),
    )


def series_north_up(series: SceneSeries) -> SceneSeries:
    """The series with the rows of every date from north to south; the series itself if they are so already."""
    if not any(scene.grid.south_up for scene in (series.target, *series.others)):
        return series
    return replace(series, target=north_up(series.target), others=tuple(north_up(scene) for scene in series.others))
