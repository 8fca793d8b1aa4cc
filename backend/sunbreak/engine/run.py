"""Runs a task over a scene strip by strip: read-ahead, tiles, network, blended mosaic, write-behind, checkpoints.

Peak memory depends on the network and on the width of the scene, not on its height. All tasks of Sunbreak run through
this module; no other module cuts tiles, blends them, reads ahead or writes behind.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sunbreak.engine.checkpoints import Keeper, first_strip
from sunbreak.engine.memory import fix_mmap_threshold
from sunbreak.engine.rows import Inputs, Planes, ReadAhead, RollingRows, TilePlace
from sunbreak.engine.runtime import Runtime
from sunbreak.engine.writing import Write, WriteBehind
from sunbreak.events import Reporter
from sunbreak.scene import Grid, Scene, SceneSeries, SeriesReader
from sunbreak.tiling import Layout, Strip, StripMosaic, Tile

# rows composed at once: bounds the temporary arrays of `compose`, and lets the writer start early
_COMPOSED_ROWS = 32
# a strip of small patches adds few rows to the buffer. Slack rows make moves of the buffer rarer. Such a strip takes
# less time than decompressing the next row of blocks in the file, so more strips are read ahead
_LOW_ROWS, _SLACK_ROWS, _LOW_AHEAD = 128, 32, 2


class TileTask(Protocol):
    """The interface of a task: the steps that differ between tasks. The engine does the rest.

    Planes are named arrays (band, row, column) or (row, column) of one part of the scene. Neighbouring tiles form
    groups of at most the runtime's batch size. `encode` is called for the groups in order; `decode` follows in the
    same order, some groups later.

    A task whose strips are high may have two further attributes. `encoded` names planes that only `wants` and `encode`
    need: they are dropped as soon as their strip is encoded, and `compose` does not get them. `read_rows` is the number
    of rows that are read at once; half a strip is read ahead then, instead of a whole one.

    A task may have a method `place`, which takes the planes of a strip, the strip, and how many of its tiles are
    wanted. It gives fewer tiles of the same size in the rows of the strip that do as well, or None.

    Attributes:
        unit: Unit of the progress, such as tiles.
        layout: Tiles of the scene and their blending weights, in cells.
        cell: Side of a cell in pixels: 1 for results per pixel, more for coarser results. Cells at the lower and right
            edge may extend beyond the scene.
        channels: Number of channels to blend.
    """

    unit: str
    layout: Layout
    cell: int
    channels: int

    def read(self, reader: SeriesReader, first: int, stop: int) -> Planes:
        """Read the rows [first, stop) of the scene, and of its other dates if the task uses them.

        Called in the read-ahead thread. A task with one date accepts any `SceneReader`.
        """
        ...

    def wants(self, strip: Planes, columns: Sequence[slice]) -> Sequence[bool]:
        """Which tiles of a strip, given by their columns of pixels, must go through the network.

        The last tile may be cropped by the edge of the scene.
        """
        ...

    def encode(self, strip: Planes, tiles: Sequence[TilePlace]) -> Inputs:
        """Network inputs by name, for tiles of a strip that have equal width: new arrays (tile, ...)."""
        ...

    def decode(self, outputs: tuple[NDArray[np.float32], ...]) -> NDArray[np.float32]:
        """The values to blend, (tile, channels, row, column) in cells, from the network outputs.

        A tile with a constant value may have a single row and column. Tiles of up to 16 x 16 cells are buffered until
        their strip is complete, so they must not be views of the outputs; larger tiles may be.
        """
        ...

    def compose(
        self, row: int, planes: Planes, values: NDArray[np.float32], covered: NDArray[np.bool_]
    ) -> dict[str, NDArray[Any]]:
        """Rows of the output layers by role, from finished rows of the mosaic. They must not be views of the arguments.

        `row` is in cells. The planes hold the pixels of these cells, cropped to the scene.
        """
        ...


@dataclass
class RunCount:
    """Tile counts of a run.

    Attributes:
        tiles: Tiles of the scene.
        computed: Tiles that went through the network.
    """

    tiles: int = 0
    computed: int = 0


def run_task(
    task: TileTask,
    scene: Scene | SceneSeries,
    runtime: Runtime,
    write: Write,
    reporter: Reporter,
    keeper: Keeper | None = None,
    *,
    part: tuple[int, int] | None = None,
) -> RunCount:
    """Run `task` over all of `scene`, or over a part of its strips.

    The rows of a part are those of the whole run to the bit: tiles of the strip before it that reach into them are
    computed too.

    Args:
        task: The task.
        scene: The scene, or a series of its dates; results are on the grid of the target date.
        runtime: The network on its device.
        write: Called with the role, first row and values of finished rows, from one thread.
        reporter: Receives the progress and can cancel the run.
        keeper: Checkpoints: the position at which to resume an earlier run, and where to save new ones.
        part: First strip of the part, and the strip after its last; without `keeper`.

    Raises:
        Cancelled: The caller asked to stop.
        SunbreakError: Reading, computing or writing failed.
    """
    fix_mmap_threshold()
    series = SceneSeries.of(scene)
    strips = list(task.layout.strips())
    finished, stop = part or (keeper.strips if keeper is not None else 0, len(strips))
    start = first_strip(strips, finished)
    strips = strips[:stop]
    if keeper is not None and finished == len(strips):
        keeper.restore()
        reporter.progress(task.layout.count, task.layout.count, task.unit)
        return RunCount(task.layout.count, keeper.computed)
    at_once = getattr(task, "read_rows", series.grid.height)
    added = [_split(rows, at_once) for rows in _blocks(strips[start:], task.cell, series.grid.height)]
    wanted = [rows for parts in added for rows in parts]
    low = _held_rows(strips, task.cell) <= _LOW_ROWS
    ahead = _LOW_AHEAD if low else max(1, max(len(parts) for parts in added[1:] or added) // 2)
    with (
        series.reader() as reader,
        ReadAhead(lambda first, stop: task.read(reader, first, stop), wanted, ahead) as blocks,
        WriteBehind(write) as writer,
    ):
        run = _Run(task, series.grid, runtime, strips, finished, writer, reporter, keeper)
        coming = iter(blocks)
        for index, parts in enumerate(added, start):
            # a last strip that lies within the halo of the strip before needs no further rows
            for _ in parts:
                run.append(next(coming))
            run.submit(index)
        run.finish()
    return run.count


class _Run:
    """The state of one run. Strips are composed in order, each once the first outputs of the next strip arrive.

    When a run resumes, finished strips whose tiles reach into the missing rows are computed but not composed again.
    """

    def __init__(
        self,
        task: TileTask,
        grid: Grid,
        runtime: Runtime,
        strips: list[Strip],
        finished: int,
        writer: WriteBehind,
        reporter: Reporter,
        keeper: Keeper | None,
    ) -> None:
        self.task, self.runtime, self.strips, self.writer, self.reporter = task, runtime, strips, writer, reporter
        self.keeper, self.finished = keeper, finished
        start = first_strip(strips, self.finished)
        self.cell = task.cell
        self.height, self.width = grid.shape
        # a part counts its own strips; the progress counts those that are computed for their borders too
        own, shown = (strips, strips) if keeper is not None else (strips[finished:], strips[start:])
        self.count = RunCount(tiles=sum(len(strip.tiles) for strip in own))
        self.total = sum(len(strip.tiles) for strip in shown)
        held = _held_rows(strips, self.cell)
        slack = _SLACK_ROWS if held <= _LOW_ROWS else 0
        self.rows = RollingRows(held, strips[start].row * self.cell, slack)
        self.encoded: frozenset[str] = getattr(task, "encoded", frozenset())
        highest = max(strip.stop - strip.row for strip in strips) * self.cell
        self.encoded_rows = RollingRows(highest, strips[start].row * self.cell)
        cells = -(-self.height // self.cell), -(-self.width // self.cell)
        top = strips[start - 1].done if start else 0
        self.mosaic = StripMosaic(task.channels, *cells, task.layout.capacity, top)
        self.running: deque[tuple[int, Sequence[Tile]]] = deque()
        self.composed = start
        self.computed = [0] * len(strips)
        self.done = sum(len(strip.tiles) for strip in strips[:start]) if keeper is not None else 0
        if keeper is not None and start == self.finished > 0:
            keeper.restore()
        reporter.progress(self.done, self.total, task.unit)

    def append(self, block: Planes) -> None:
        """Append further rows of the next strip."""
        self.reporter.checkpoint()
        apart = {name: block.pop(name) for name in self.encoded if name in block}
        self.rows.append(block)
        if apart:
            self.encoded_rows.append(apart)
        block.clear()  # frees its memory: the rows have been copied, and a block of a wide scene is large

    def submit(self, index: int) -> None:
        """Submit the tiles of strip `index`, whose rows have been appended, to the network."""
        self.reporter.checkpoint()
        strip = self.strips[index]
        rows = self._pixels(slice(strip.row, strip.stop), self.height)
        planes = self.rows.view(rows) | self.encoded_rows.view(rows)
        tiles = self._wanted(strip, planes)
        self.done += len(strip.tiles) - len(tiles)
        columns = [self._pixels(tile.slices[1], self.width) for tile in tiles]
        widths = [part.stop - part.start for part in columns]
        # groups do not cross strips, so that a run resumed at any strip forms the same groups
        first = 0
        while first < len(tiles):
            while not self.runtime.room:
                self._collect()
            group = _equally_wide(range(first, min(first + self.runtime.batch, len(tiles))), widths)
            first += len(group)
            places = [TilePlace(rows, columns[number], tiles[number].inset) for number in group]
            self.runtime.submit(self.task.encode(planes, places))
            self.running.append((index, [tiles[number] for number in group]))
            self.computed[index] += len(group)
        if index + 1 < len(self.strips):
            self.encoded_rows.drop(min(self.strips[index + 1].row * self.cell, self.height))
        # all earlier strips must be composed before further rows are appended
        while self.running and self.running[0][0] < index:
            self._collect()
        self._compose_until(index)

    def _wanted(self, strip: Strip, planes: Planes) -> Sequence[Tile]:
        """The tiles of a strip that are computed: those of the layout, or fewer that the task places itself."""
        columns = [self._pixels(tile.slices[1], self.width) for tile in strip.tiles]
        wanted = [
            tile for tile, is_wanted in zip(strip.tiles, self.task.wants(planes, columns), strict=True) if is_wanted
        ]
        place = getattr(self.task, "place", None)
        placed: Sequence[Tile] | None = place(planes, strip, len(wanted)) if place is not None and wanted else None
        return wanted if placed is None else placed

    def finish(self) -> None:
        """Collect the remaining outputs and compose the remaining strips."""
        while self.running:
            self._collect()
        self._compose_until(len(self.strips))
        self.count.computed = self._computed()

    def _collect(self) -> None:
        self.reporter.checkpoint()
        outputs = self.runtime.collect()
        index, tiles = self.running.popleft()
        self._compose_until(index)
        # crops the padding of scenes smaller than a tile
        self.mosaic.add_all(tiles, self.task.decode(outputs))
        self.done += len(tiles)
        self.reporter.progress(self.done, self.total, self.task.unit)

    def _compose_until(self, index: int) -> None:
        """Compose and write the strips before `index`."""
        while self.composed < index:
            strip = self.strips[self.composed]
            values, covered = self.mosaic.take(strip.done)
            if self.composed >= self.finished:
                self._compose(values, covered)
            self.composed += 1
            self._save_or_restore()
            following = self.strips[self.composed].row if self.composed < len(self.strips) else strip.stop
            self.rows.drop(min(min(following, strip.done) * self.cell, self.height))
            self.reporter.progress(self.done, self.total, self.task.unit)

    def _compose(self, values: NDArray[np.float32], covered: NDArray[np.bool_]) -> None:
        """Compose the next strip and queue its rows for writing."""
        top = self.strips[self.composed - 1].done if self.composed else 0
        done = self.strips[self.composed].done
        step = max(1, _COMPOSED_ROWS // self.cell)
        for first in range(top, done, step):
            stop = min(first + step, done)
            part = slice(first - top, stop - top)
            planes = self._planes(slice(first, stop))
            for role, layer in self.task.compose(first, planes, values[:, part], covered[part]).items():
                self.writer.put(role, first, layer)

    def _save_or_restore(self) -> None:
        """After a strip: save a checkpoint if one is due, or restore the state at which the earlier run stopped."""
        if self.keeper is None or self.composed < self.finished:
            return
        if self.composed == self.finished:
            self.keeper.restore()
        elif self.composed == len(self.strips) or self.keeper.due():
            self.writer.then(self.keeper.capture(self.composed, self._computed()))

    def _computed(self) -> int:
        """Tiles that went through the network for the composed strips, in this run and the earlier one."""
        before = self.keeper.computed if self.keeper is not None else 0
        return before + sum(self.computed[self.finished : self.composed])

    def _planes(self, rows: slice) -> Planes:
        """The planes at some rows of cells."""
        return self.rows.view(self._pixels(rows, self.height))

    def _pixels(self, cells: slice, end: int) -> slice:
        """The pixel range of some cells, cropped to the scene."""
        return slice(cells.start * self.cell, min(cells.stop * self.cell, end))


def _equally_wide(tiles: Sequence[int], widths: list[int]) -> list[int]:
    """The leading tiles with the width of the first one; a tile at the edge of the scene may be narrower."""
    width = widths[tiles[0]]
    return list(takewhile(lambda tile: widths[tile] == width, tiles))


def _held_rows(strips: list[Strip], cell: int) -> int:
    """Rows of pixels held at once: at most two neighbouring strips are in progress."""
    return max(after.stop - strip.row for strip, after in zip(strips, strips[1:] or strips, strict=False)) * cell


def _split(rows: tuple[int, int], at_once: int) -> list[tuple[int, int]]:
    """Rows of pixels, [first, stop), in parts of at most `at_once` rows; none if there are no rows."""
    first, stop = rows
    return [(row, min(row + at_once, stop)) for row in range(first, stop, at_once)]


def _blocks(strips: list[Strip], cell: int, height: int) -> list[tuple[int, int]]:
    """The rows of pixels, [first, stop), that each strip adds to those already read."""
    stops = [min(strip.stop * cell, height) for strip in strips]
    return list(zip([strips[0].row * cell, *stops[:-1]], stops, strict=True))
