"""One picture of a run: the cloudy scene, its clouds, the cleaned scene and sigma, side by side.

With other dates it also shows which date fills each pixel, and where the ground changed, with their legends. It is
drawn from the coarsest overviews of the finished files, so that it is fast and shows what was written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from rasterio.io import DatasetReader

from sunbreak.layers.palette import REFLECTANCE_STRETCH, Ramp, ramp, shown_band, true_colour_bands
from sunbreak.layers.roles import Category, LayerSpec
from sunbreak.layers.staging import level_shapes
from sunbreak.scene.grid import Grid
from sunbreak.sources.gdal import open_staged

_NODATA = (128, 128, 128)
_GAP = 8
_TITLE = 26
_FOOT = 34
_LEAST_CELL = 120  # a title must fit over the narrowest scene
_BAR_HEIGHT = 10
_ROW = 4
_LINE = 18
_KEY = 11
# the colours of these layers mean something else in each run
_WITH_LEGEND = ("source", "changed")

Below = Ramp | tuple[Category, ...] | None
"""What stands below a panel: a colour bar, the classes in it, or nothing."""
Panel = tuple[str, NDArray[np.uint8], Below]
"""Title, picture (row, column, 3), and what stands below it."""


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
    panels: list[Panel] = []
    ground = _true_colour(before) if before is not None else None
    if "cleaned" in layers:
        ground = picture_of(*layers["cleaned"])
    if before is not None:
        panels.append(("before", _true_colour(before), None))
    for title, roles in (
        ("clouds", ("cloud_mask", "cloud_probability")),
        ("after", ("cleaned",)),
        ("sigma", ("uncertainty",)),
        ("source", ("source",)),
        ("changed ground", ("changed",)),
        ("land cover", ("landcover",)),
        ("trust", ("trust",)),
        ("saliency", tuple(role for role in layers if role.startswith("saliency_"))),
    ):
        role = next((role for role in roles if role in layers), None)
        if role is None:
            continue
        title, picture, below = _panel(title, *layers[role])
        if ground is not None and fades(layers[role][0]):
            picture = overlay(ground, *layers[role])
        panels.append((title, picture, below))
    if panels:
        side_by_side(panels).save(path, "PNG", compress_level=1)


def side_by_side(panels: list[Panel]) -> Image.Image:
    """Panels with their titles and legends on one sheet."""
    return _compose(_alike(panels))


def picture_of(spec: LayerSpec, path: Path) -> NDArray[np.uint8]:
    """A finished layer as (row, column, 3) bytes, at most 512 pixels a side."""
    return _panel("", spec, path)[1]


def legend_of(spec: LayerSpec, path: Path) -> tuple[Category, ...]:
    """The classes that the picture of a layer shows, of those layers whose pictures have a legend."""
    below = _panel("", spec, path)[2]
    return below if isinstance(below, tuple) else ()


def fades(spec: LayerSpec) -> bool:
    """Whether a layer is meant to lie over another one, transparent where it is low."""
    return not spec.categories and spec.role != "cleaned" and ramp(spec).fade == 0


def true_colour_picture(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    """(3, row, column) reflectance as (row, column, 3) bytes with the stretch of the QGIS style."""
    return _true_colour(values)


def overlay(ground: NDArray[np.uint8], spec: LayerSpec, path: Path) -> NDArray[np.uint8]:
    """A continuous layer over a grey picture (row, column, 3), the less transparent the higher it is."""
    with open_staged(path) as file:
        coarse = 2 ** len(file.overviews(1))
        stored = file.read([1], out_shape=(1, -(-file.height // coarse), -(-file.width // coarse)))
        values = _physical(_north_up(file, stored)[0], spec)
    colours = _coloured(values, ramp(spec))
    size = ground.shape[1], ground.shape[0]
    over = np.asarray(Image.fromarray(colours).resize(size, Image.Resampling.BILINEAR), np.float32)
    strength = Image.fromarray(np.nan_to_num(values).astype(np.float32)).resize(size, Image.Resampling.BILINEAR)
    alpha = np.clip(np.asarray(strength), 0, 1)[..., None]
    grey = ground.mean(axis=2, keepdims=True)
    mixed: NDArray[np.uint8] = np.clip(grey + alpha * (over - grey), 0, 255).astype(np.uint8)
    return mixed


def _alike(panels: list[Panel]) -> list[Panel]:
    """Panels of coarser layers enlarged to about the size of the largest one."""
    largest = max(max(picture.shape[:2]) for _, picture, _ in panels)
    enlarged = []
    for title, picture, below in panels:
        factor = max(1, round(largest / max(picture.shape[:2])))
        enlarged.append((title, picture.repeat(factor, axis=0).repeat(factor, axis=1), below))
    return enlarged


def _panel(title: str, spec: LayerSpec, path: Path) -> Panel:
    rgb = true_colour_bands(spec) if spec.role == "cleaned" else None
    bands = rgb or (shown_band(spec),)
    with open_staged(path) as file:
        coarse = 2 ** len(file.overviews(1))
        shape = (len(bands), -(-file.height // coarse), -(-file.width // coarse))
        stored = _north_up(file, file.read(bands, out_shape=shape))
    if spec.categories:
        return title, _classes(stored[0], spec), _shown(stored[0], spec) if spec.role in _WITH_LEGEND else None
    values = _physical(stored, spec)
    if rgb is not None:
        return title, _true_colour(values), None
    if spec.role == "cleaned":
        return title, _true_colour(np.repeat(values, 3, axis=0)), None
    colours = ramp(spec)
    name = f"{title} {spec.bands[bands[0] - 1]}" if len(spec.bands) > 1 else title
    return name, _coloured(values[0], colours), colours


def _north_up(file: DatasetReader, stored: NDArray[Any]) -> NDArray[Any]:
    """(band, row, column) with the north at the top."""
    return stored[:, ::-1] if file.transform.e > 0 else stored


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


def _shown(stored: NDArray[Any], spec: LayerSpec) -> tuple[Category, ...]:
    """The classes that a picture shows."""
    values = set(np.unique(stored).tolist())
    return tuple(category for category in spec.categories if category.value in values)


def _compose(panels: list[Panel]) -> Image.Image:
    """The panels in rows of at most `_ROW`, which are about equally long."""
    length = -(-len(panels) // -(-len(panels) // _ROW))
    rows = [_row(panels[i : i + length]) for i in range(0, len(panels), length)]
    sheet = Image.new("RGB", (max(row.width for row in rows), sum(row.height for row in rows)), "white")
    top = 0
    for row in rows:
        sheet.paste(row, (0, top))
        top += row.height
    return sheet


def _row(panels: list[Panel]) -> Image.Image:
    cells = [max(picture.shape[1], _LEAST_CELL) for _, picture, _ in panels]
    height = max(picture.shape[0] for _, picture, _ in panels)
    draw = ImageDraw.Draw(Image.new("RGB", (1, 1)))
    font, small = ImageFont.load_default(15), ImageFont.load_default(12)
    legends = [
        _legend(draw, below, cell, small) if isinstance(below, tuple) else []
        for cell, (_, _, below) in zip(cells, panels, strict=True)
    ]
    foot = max(_FOOT, *(_LINE * len(lines) + 12 for lines in legends))
    sheet = Image.new("RGB", (sum(cells) + _GAP * (len(panels) + 1), _TITLE + height + foot), "white")
    draw = ImageDraw.Draw(sheet)
    left = _GAP
    for cell, lines, (title, picture, below) in zip(cells, legends, panels, strict=True):
        start = left + (cell - picture.shape[1]) // 2
        draw.text((left + cell // 2, _TITLE // 2), title, fill="black", font=font, anchor="mm")
        sheet.paste(Image.fromarray(picture), (start, _TITLE))
        if isinstance(below, Ramp):
            width = min(cell, 200)
            bar = np.repeat(_table(below)[None], _BAR_HEIGHT, axis=0)
            top, bar_left = _TITLE + height + 4, left + (cell - width) // 2
            sheet.paste(Image.fromarray(bar).resize((width, _BAR_HEIGHT)), (bar_left, top))
            for place, value in ((0.0, below.low), (0.5, (below.low + below.high) / 2), (1.0, below.high)):
                anchor = "lt" if place == 0 else "rt" if place == 1 else "mt"
                at = (bar_left + place * width, top + _BAR_HEIGHT + 3)
                draw.text(at, f"{value:g}", fill="black", font=small, anchor=anchor)
        for number, line in enumerate(lines):
            middle = _TITLE + height + 4 + _LINE * number + _LINE // 2
            for across, colour, name in line:
                corner = left + across, middle - _KEY // 2
                draw.rectangle((*corner, corner[0] + _KEY, corner[1] + _KEY), fill=colour, outline="#8a95a0")
                draw.text((corner[0] + _KEY + 5, middle), name, fill="black", font=small, anchor="lm")
        left += cell + _GAP
    return sheet


def _legend(
    draw: ImageDraw.ImageDraw, classes: tuple[Category, ...], width: int, font: Any
) -> list[list[tuple[int, str, str]]]:
    """Lines of a legend in columns: distance from the left, colour and name; names that are too long are cut."""
    fits = width - _KEY - 5
    names = [_cut(draw, category.name, fits, font) for category in classes]
    column = max((round(draw.textlength(name, font)) for name in names), default=0) + _KEY + 5 + 12
    across = max(1, (width + 12) // column)
    entries = [(category.colour, name) for category, name in zip(classes, names, strict=True)]
    return [
        [(column * place, colour, name) for place, (colour, name) in enumerate(entries[first : first + across])]
        for first in range(0, len(entries), across)
    ]


def _cut(draw: ImageDraw.ImageDraw, text: str, width: int, font: Any) -> str:
    if draw.textlength(text, font) <= width:
        return text
    while text and draw.textlength(f"{text}…", font) > width:
        text = text[:-1]
    return f"{text}…"
