"""How much of what the network says is kept where other dates are clear: measured on the scene itself.

Blocks of clear pixels are hidden and predicted from the other dates. The network, whose guide is that prediction, adds
what it sees fit. The fraction of this addition that lessens the squared error most is kept; none if it hardly helps.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sunbreak.engine import Planes, Runtime, TilePlace
from sunbreak.engine.rows import at_columns
from sunbreak.removal.other_dates import OtherDatesRemoval
from sunbreak.removal.temporal.guide import STEP
from sunbreak.scene import SeriesReader

_TILES = 3
_LEAST_CLEAR = 0.2  # of a tile
_BLOCK = 32  # pixels
_LEAST_GAIN = 0.02  # of the squared error
_LEAST_SHARE = 0.05


def network_share(task: OtherDatesRemoval, runtime: Runtime) -> float:
    """The fraction of the network's addition to keep, 0 to 1.

    Args:
        task: A task whose guide is fitted.
        runtime: The network.
    """
    if task.guide is None or not task.network or not task.card.guided:
        return 0.0
    products = squares = errors = 0.0
    with task.reads.reader() as reader:
        places = _tiles(task)
        planes = task.read(reader, places[0].rows.start, places[0].rows.stop) if places else {}
        for place in places:
            added, left = _additions(task, runtime, reader, place, at_columns(planes, place.columns))
            products += float((added * left).sum(dtype=np.float64))
            squares += float((added**2).sum(dtype=np.float64))
            errors += float((left**2).sum(dtype=np.float64))
    if squares == 0 or errors == 0:
        return 0.0
    share = min(max(products / squares, 0.0), 1.0)
    gain = (2 * share * products - share**2 * squares) / errors
    return share if share >= _LEAST_SHARE and gain >= _LEAST_GAIN else 0.0


def _tiles(task: OtherDatesRemoval) -> list[TilePlace]:
    """The clearest tiles of the strip that has the clearest ones, of those that are hidden in part."""
    if task.guide is None:
        raise ValueError("the task has no guide yet")
    lattice = task.guide.lattice
    clear = lattice.grid(lattice.clear & ((lattice.codes & task.guide.blocks.optical_bits) > 0))
    height, width = task.scene.grid.shape
    best: list[tuple[float, TilePlace]] = []
    for strip in task.layout.strips():
        found = []
        for tile in strip.tiles:
            rows = slice(tile.row, min(tile.row + tile.height, height))
            columns = slice(tile.col, min(tile.col + tile.width, width))
            down = (lattice.rows >= rows.start) & (lattice.rows < rows.stop)
            across = (lattice.columns >= columns.start) & (lattice.columns < columns.stop)
            part = clear[np.ix_(down, across)]
            if part.size and _LEAST_CLEAR <= part.mean() < 1:
                found.append((float(part.mean()), TilePlace(rows, columns)))
        found.sort(key=lambda one: (-one[0], one[1].columns.start))
        best = max(best, found[:_TILES], key=lambda tiles: sum(share for share, _ in tiles))
    return [place for _, place in best]


def _additions(
    task: OtherDatesRemoval, runtime: Runtime, reader: SeriesReader, place: TilePlace, planes: Planes
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """What the network adds to the prediction of hidden blocks, and what is missing there, (band, pixel) each."""
    guide = task.guide
    if guide is None:
        raise ValueError("the task has no guide yet")
    first, stop = place.rows.start, place.rows.stop
    rows, columns = np.indices(planes["valid"].shape) // _BLOCK
    covered = (planes["codes"] & guide.blocks.optical_bits) > 0
    held = ((rows + columns) % 2 == 0) & planes["valid"] & ~planes["cloudy"] & covered
    predicted = guide.left_out(reader, first, stop, place.columns, held)
    truth = task.scene.radiometry.to_reflectance(planes["raw"])
    planes["dates"] = np.where(held, np.rint(np.maximum(predicted, 0) / STEP).astype(np.uint16), planes["dates"])
    planes["cloudy"] = planes["cloudy"] | held
    planes["weight"] = np.where(held, np.float32(1), planes["weight"])
    runtime.submit({"x": task.guided_tile(planes, place)[None]})
    said = task.decode(runtime.collect())[0]
    size = held.shape
    bands = [(i, source) for i, source in enumerate(task.outputs_of_bands) if source is not None]
    added = np.stack([said[source, : size[0], : size[1]][held] - predicted[i][held] for i, source in bands])
    return added, np.stack([truth[i][held] - predicted[i][held] for i, _ in bands])
