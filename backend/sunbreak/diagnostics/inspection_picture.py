"""A picture of an inspected scene: true colour with what holds no data hatched and its cloud mask outlined, and radar.

Sentinel-2 is read as GDAL decimates it, from overviews where there are some; radar and mask row by row. North is up.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from sunbreak import drafts
from sunbreak.clouds.classes import SHADOW, THICK_CLOUD, THIN_CLOUD
from sunbreak.clouds.given_masks import given_classes
from sunbreak.errors import OutputError
from sunbreak.layers.palette import TRUE_COLOUR
from sunbreak.layers.quicklook import Panel, side_by_side, true_colour_picture
from sunbreak.layers.roles import Category
from sunbreak.outputs import check_files
from sunbreak.scene import Scene
from sunbreak.sources.gdal import environment

LARGEST = 1024
"""No side of the picture has more pixels."""

_ROOM = 90  # for titles, gaps and the legend
_BARS = 8  # distance of the hatching's bars
_LIGHT, _DARK = (170, 170, 170), (110, 110, 110)
_CLOUD, _SHADOW = (235, 0, 150), (0, 200, 255)  # seen on white and on dark ground
_VV, _VH = (-20.0, 0.0), (-27.0, -7.0)  # dB from black to white

Picture = NDArray[np.uint8]


def check_picture(path: Path, inputs: tuple[Path, ...], *, overwrite: bool) -> None:
    """Check that a picture can be written.

    Args:
        path: Where it goes.
        inputs: Files that are read.
        overwrite: Whether it may replace a file.

    Raises:
        OutputError: It is no PNG, would replace an input, exists or cannot be written.
    """
    if path.suffix.lower() != ".png":
        raise OutputError(f"The picture {path} does not end in .png.", "Give it the ending .png.", code="bad-name")
    check_files([path], overwrite=overwrite)
    if path.exists() and any(path.samefile(one) for one in inputs if one.exists()):
        raise OutputError(f"The picture {path} would replace an input.", "Choose another name.", code="bad-output")


def write_picture(path: Path, scene: Scene) -> None:
    """Write the picture as PNG; its folder is made if missing. `check_picture` comes before.

    Raises:
        InputError: ``damaged`` if a file cannot be decoded.
        OSError: It cannot be written.
    """
    panels = panels_of(scene)
    path.parent.mkdir(parents=True, exist_ok=True)
    with drafts.draft(path) as place:
        side_by_side(panels).save(place, "PNG")


def panels_of(scene: Scene) -> list[Panel]:
    """Sentinel-2, and Sentinel-1 if there is any, each at most `LARGEST` pixels a side with what surrounds it."""
    count = 2 if scene.has_s1 else 1
    room = LARGEST // count - 20 * count, LARGEST - _ROOM
    step = max(1, -(-scene.grid.width // room[0]), -(-scene.grid.height // room[1]))
    shape = -(-scene.grid.height // step), -(-scene.grid.width // step)
    enlarged = max(1, min(room[0] // shape[1], room[1] // shape[0], LARGEST // 2 // max(shape)))

    def upright(plane: NDArray[Any]) -> NDArray[Any]:
        north_up = plane[::-1] if scene.grid.transform.e > 0 else plane
        return north_up.repeat(enlarged, axis=0).repeat(enlarged, axis=1)

    title, picture, empty = _optical(scene, shape)
    picture, empty = upright(picture), upright(empty)
    legend = []
    if empty.any():
        picture[empty] = _hatched(empty.shape)[empty]
        legend.append(_category("no data", _DARK))
    if scene.has_mask:
        classes = upright(_classes(scene, step))
        for name, codes, colour in (
            ("shadow in the mask", (SHADOW,), _SHADOW),
            ("cloud in the mask", (THICK_CLOUD, THIN_CLOUD), _CLOUD),
        ):
            inside = np.isin(classes, codes)
            picture[_outline(inside)] = colour
            legend += [_category(name, colour)] if inside.any() else []
    panels: list[Panel] = [(title, picture, tuple(legend))]
    if scene.has_s1:
        radar, unknown = _radar(scene, step)
        radar, unknown = upright(radar), upright(unknown)
        radar[unknown] = _hatched(unknown.shape)[unknown]
        below = (_category("no data", _DARK),) if unknown.any() else ()
        panels.append(("Sentinel-1 (VV, VH, VV)", radar, below))
    return panels


def _optical(scene: Scene, shape: tuple[int, int]) -> tuple[str, Picture, NDArray[np.bool_]]:
    """Title, picture (row, column, 3) and where there is no data, judged by the bands that are shown."""
    stack = scene.stack
    colours = set(TRUE_COLOUR) <= set(scene.bands)
    names = TRUE_COLOUR if colours else (scene.bands[0],)
    sources = stack.select(names)
    raw = np.empty((len(sources), *shape), stack.dtype)
    with environment():
        for plane, source in zip(raw, sources, strict=True):
            with source.file.open() as dataset, source.file.reading():
                plane[...] = dataset.read(source.index, window=_in_file(scene, dataset), out_shape=shape)
        for mask in stack.masks:
            with mask.file.open() as dataset, mask.file.reading():
                window = _in_file(scene, dataset)
                kept = (
                    dataset.dataset_mask(window=window, out_shape=shape)
                    if mask.index is None
                    else dataset.read(mask.index, window=window, out_shape=shape)
                )
            raw[:, kept == 0] = raw.dtype.type(stack.nodata)
    values = scene.radiometry.to_reflectance(raw)
    picture = true_colour_picture(values if colours else np.repeat(values, 3, axis=0))
    title = "Sentinel-2, true colour" if colours else f"Sentinel-2, {names[0]}"
    return title, picture, ~stack.valid(raw, sources)


def _in_file(scene: Scene, dataset: Any) -> Window:
    """The part of a file that is worked on; a coarser one covers the same ground."""
    whole, grid = scene.stack.grid, scene.grid
    across, down = dataset.width / whole.width, dataset.height / whole.height
    column, row = scene.origin
    return Window(column * across, row * down, grid.width * across, grid.height * down)


def _classes(scene: Scene, step: int) -> NDArray[np.uint8]:
    """Class codes of the mask, (row, column)."""
    width = scene.grid.width
    with scene.reader() as reader:
        rows = [given_classes(reader, Window(0, row, width, 1))[0, ::step] for row in _rows(scene, step)]
    return np.stack(rows)


def _radar(scene: Scene, step: int) -> tuple[Picture, NDArray[np.bool_]]:
    """Picture (row, column, 3) and where radar is missing."""
    width = scene.grid.width
    with scene.reader() as reader:
        rows = [reader.s1(Window(0, row, width, 1))[:, 0, ::step] for row in _rows(scene, step)]
    vv, vh = np.stack(rows, axis=1)
    scaled = [(plane - low) / (high - low) for plane, (low, high) in ((vv, _VV), (vh, _VH), (vv, _VV))]
    shades = np.nan_to_num(np.clip(np.stack(scaled, axis=-1), 0, 1) * 255)
    return shades.astype(np.uint8), ~(np.isfinite(vv) & np.isfinite(vh))


def _rows(scene: Scene, step: int) -> range:
    return range(0, scene.grid.height, step)


def _hatched(shape: tuple[int, ...]) -> Picture:
    """Oblique bars (row, column, 3)."""
    rows, columns = np.indices(shape)
    bars = (rows + columns) % _BARS < _BARS // 2
    return np.where(bars[..., None], np.array(_DARK, np.uint8), np.array(_LIGHT, np.uint8))


def _outline(inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The outermost pixels of what is True."""
    border = np.zeros(inside.shape, bool)
    down, across = inside[1:] != inside[:-1], inside[:, 1:] != inside[:, :-1]
    border[1:] |= down
    border[:-1] |= down
    border[:, 1:] |= across
    border[:, :-1] |= across
    return border & inside


def _category(name: str, rgb: tuple[int, int, int]) -> Category:
    return Category(0, name, "#" + "".join(f"{part:02x}" for part in rgb))
