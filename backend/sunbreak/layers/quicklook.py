"""One picture of a run: the cloudy scene, its clouds, the cleaned scene and sigma, side by side.

Drawn from the coarsest overviews of the finished files, so that it is fast and shows what was written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from sunbreak.layers.palette import REFLECTANCE_STRETCH, Ramp, ramp, shown_band, true_colour_bands
from sunbreak.layers.roles import LayerSpec
from sunbreak.layers.staging import level_shapes
from sunbreak.scene.grid import Grid

_NODATA = (128, 128, 128)
_GAP = 8
_TITLE = 26
_FOOT = 34
_LEAST_CELL = 120  # a title must fit over the narrowest scene
_BAR_HEIGHT = 10
_ROW = 4


class Thumbnail:
    """The scene before processing, collected from the strips that a run reads.

    Args:
        grid: The scene's grid.
    """

    def __init__(self, grid: Grid) -> None:
        rows, cols = level_shapes(grid)[-1]
        self._step = 2 ** (len(level_shapes(grid)) - 1)
        self.rgb = np.full((3, rows, cols), np.nan, np.float32)
        """(3, row, column) reflectance of B04, B03, B02, at most 512 pixels a side; NaN where no strip is yet."""

    def add(
        self,
        row: int,
        raw: NDArray[Any],
        unknown: NDArray[np.bool_],
        to_reflectance: Callable[[NDArray[Any]], NDArray[np.float32]],
    ) -> None:
        """Add a strip. Strips may come in any order and overlap.

        Args:
            row: Its first row.
            raw: (3, row, column) stored numbers of B04, B03, B02 over the whole width.
            unknown: (row, column), where there is no data.
            to_reflectance: From stored numbers to reflectance; only the pixels that are kept are converted.
        """
        first = -row % self._step
        rows, columns = slice(first, None, self._step), slice(None, None, self._step)
        picked = to_reflectance(np.ascontiguousarray(raw[:, rows, columns]))
        picked[:, unknown[rows, columns]] = np.nan
        start = (row + first) // self._step
        self.rgb[:, start : start + picked.shape[1]] = picked


def write_quicklook(
    path: Path, layers: Mapping[str, tuple[LayerSpec, Path]], before: NDArray[np.float32] | None = None
) -> None:
    """Write the picture as PNG.

    Args:
        path: The file.
        layers: Role -> (spec, file with overviews). Roles that are missing leave their panel out.
        before: (3, row, column) reflectance, NaN where unknown, any size; None leaves the panel out.
    """
    panels: list[tuple[str, NDArray[np.uint8], Ramp | None]] = []
    ground = _true_colour(before) if before is not None else None
    if "cleaned" in layers:
        ground = picture_of(*layers["cleaned"])
    if before is not None:
        panels.append(("before", _true_colour(before), None))
    for title, roles in (
        ("clouds", ("cloud_mask", "cloud_probability")),
        ("after", ("cleaned",)),
        ("sigma", ("uncertainty",)),
        ("land cover", ("landcover",)),
        ("trust", ("trust",)),
        ("saliency", tuple(role for role in layers if role.startswith("saliency_"))),
    ):
        role = next((role for role in roles if role in layers), None)
        if role is None:
            continue
        title, picture, colours = _panel(title, *layers[role])
        if ground is not None and fades(layers[role][0]):
            picture = overlay(ground, *layers[role])
        panels.append((title, picture, colours))
    if panels:
        _compose(_alike(panels)).save(path, "PNG", compress_level=1)


def picture_of(spec: LayerSpec, path: Path) -> NDArray[np.uint8]:
    """A finished layer as (row, column, 3) bytes, at most 512 pixels a side."""
    return _panel("", spec, path)[1]


def fades(spec: LayerSpec) -> bool:
    """Whether a layer is meant to lie over another one, transparent where it is low."""
    return not spec.categories and spec.role != "cleaned" and ramp(spec).fade == 0


def true_colour_picture(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    """(3, row, column) reflectance as (row, column, 3) bytes with the stretch of the QGIS style."""
    return _true_colour(values)


def overlay(ground: NDArray[np.uint8], spec: LayerSpec, path: Path) -> NDArray[np.uint8]:
    """A continuous layer over a grey picture (row, column, 3), the less transparent the higher it is."""
    with rasterio.open(path) as file:
        coarse = 2 ** len(file.overviews(1))
        values = _physical(file.read(1, out_shape=(-(-file.height // coarse), -(-file.width // coarse))), spec)
    colours = _coloured(values, ramp(spec))
    size = ground.shape[1], ground.shape[0]
    over = np.asarray(Image.fromarray(colours).resize(size, Image.Resampling.BILINEAR), np.float32)
    strength = Image.fromarray(np.nan_to_num(values).astype(np.float32)).resize(size, Image.Resampling.BILINEAR)
    alpha = np.clip(np.asarray(strength), 0, 1)[..., None]
    grey = ground.mean(axis=2, keepdims=True)
    mixed: NDArray[np.uint8] = np.clip(grey + alpha * (over - grey), 0, 255).astype(np.uint8)
    return mixed


def _alike(
    panels: list[tuple[str, NDArray[np.uint8], Ramp | None]],
) -> list[tuple[str, NDArray[np.uint8], Ramp | None]]:
    """Panels of coarser layers enlarged to about the size of the largest one."""
    largest = max(max(picture.shape[:2]) for _, picture, _ in panels)
    enlarged = []
    for title, picture, colours in panels:
        factor = max(1, round(largest / max(picture.shape[:2])))
        enlarged.append((title, picture.repeat(factor, axis=0).repeat(factor, axis=1), colours))
    return enlarged


def _panel(title: str, spec: LayerSpec, path: Path) -> tuple[str, NDArray[np.uint8], Ramp | None]:
    rgb = true_colour_bands(spec) if spec.role == "cleaned" else None
    bands = rgb or (shown_band(spec),)
    with rasterio.open(path, driver="VRT" if path.suffix == ".vrt" else "GTiff") as file:
        coarse = 2 ** len(file.overviews(1))
        shape = (len(bands), -(-file.height // coarse), -(-file.width // coarse))
        stored = file.read(bands, out_shape=shape)
    if spec.categories:
        return title, _classes(stored[0], spec), None
    values = _physical(stored, spec)
    if rgb is not None:
        return title, _true_colour(values), None
    if spec.role == "cleaned":
        return title, _true_colour(np.repeat(values, 3, axis=0)), None
    colours = ramp(spec)
    name = f"{title} {spec.bands[bands[0] - 1]}" if len(spec.bands) > 1 else title
    return name, _coloured(values[0], colours), colours


def _physical(stored: NDArray[Any], spec: LayerSpec) -> NDArray[np.float32]:
    values = stored.astype(np.float32) * np.float32(spec.scale) + np.float32(spec.offset)
    if spec.nodata is not None and not np.isnan(spec.nodata):
        values[stored == spec.nodata] = np.nan
    return values


def _true_colour(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    """(3, row, column) reflectance to (row, column, 3) bytes with the stretch of the QGIS style."""
    low, high = REFLECTANCE_STRETCH
    scaled = np.clip((values - low) / (high - low), 0, 1) * 255
    unknown = np.isnan(values).any(axis=0)
    picture = np.moveaxis(np.nan_to_num(scaled), 0, -1).astype(np.uint8)
    picture[unknown] = _NODATA
    return picture


def _coloured(values: NDArray[np.float32], colours: Ramp) -> NDArray[np.uint8]:
    """(row, column) values to (row, column, 3) bytes."""
    table = _table(colours)
    unknown = np.isnan(values)
    place = np.clip((np.nan_to_num(values) - colours.low) / (colours.high - colours.low), 0, 1)
    picture: NDArray[np.uint8] = table[np.rint(place * 255).astype(np.uint8)]
    picture[unknown] = _NODATA
    return picture


def _table(colours: Ramp) -> NDArray[np.uint8]:
    """256 colours of a ramp."""
    rgb = np.array([[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in colours.colours], np.float64)
    at = np.linspace(0, 1, len(rgb))
    return (
        np.stack([np.interp(np.linspace(0, 1, 256), at, rgb[:, i]) for i in range(3)], axis=-1).round().astype(np.uint8)
    )


def _classes(stored: NDArray[Any], spec: LayerSpec) -> NDArray[np.uint8]:
    picture = np.full((*stored.shape, 3), _NODATA, np.uint8)
    for category in spec.categories:
        picture[stored == category.value] = category.rgb
    return picture


def _compose(panels: list[tuple[str, NDArray[np.uint8], Ramp | None]]) -> Image.Image:
    """The panels in rows of at most `_ROW`."""
    rows = [_row(panels[i : i + _ROW]) for i in range(0, len(panels), _ROW)]
    sheet = Image.new("RGB", (max(row.width for row in rows), sum(row.height for row in rows)), "white")
    top = 0
    for row in rows:
        sheet.paste(row, (0, top))
        top += row.height
    return sheet


def _row(panels: list[tuple[str, NDArray[np.uint8], Ramp | None]]) -> Image.Image:
    cells = [max(picture.shape[1], _LEAST_CELL) for _, picture, _ in panels]
    height = max(picture.shape[0] for _, picture, _ in panels)
    size = (sum(cells) + _GAP * (len(panels) + 1), _TITLE + height + _FOOT)
    sheet = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(sheet)
    font, small = ImageFont.load_default(15), ImageFont.load_default(12)
    left = _GAP
    for cell, (title, picture, colours) in zip(cells, panels, strict=True):
        start = left + (cell - picture.shape[1]) // 2
        draw.text((left + cell // 2, _TITLE // 2), title, fill="black", font=font, anchor="mm")
        sheet.paste(Image.fromarray(picture), (start, _TITLE))
        if colours is not None:
            width = min(cell, 200)
            bar = np.repeat(_table(colours)[None], _BAR_HEIGHT, axis=0)
            top, bar_left = _TITLE + height + 4, left + (cell - width) // 2
            sheet.paste(Image.fromarray(bar).resize((width, _BAR_HEIGHT)), (bar_left, top))
            for place, value in ((0.0, colours.low), (0.5, (colours.low + colours.high) / 2), (1.0, colours.high)):
                anchor = "lt" if place == 0 else "rt" if place == 1 else "mt"
                at = (bar_left + place * width, top + _BAR_HEIGHT + 3)
                draw.text(at, f"{value:g}", fill="black", font=small, anchor=anchor)
        left += cell + _GAP
    return sheet
