"""Runs a task over a scene: read ahead, tile, network, sew, write behind, one strip of tiles after the other.

Peak memory depends on the scene's width and the network, not on its height. Nothing else in Sunbreak tiles, blends,
reads ahead or writes.
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
from sunbreak.engine.memory import give_back_strips
from sunbreak.engine.rows import Inputs, Planes, ReadAhead, RollingRows, TilePlace
from sunbreak.engine.runtime import Runtime
from sunbreak.engine.writing import Write, WriteBehind
from sunbreak.events import Reporter
from sunbreak.scene import Grid, Scene, SceneSeries, SeriesReader
from sunbreak.tiling import Layout, Strip, StripMosaic, Tile

# rows composed at once: bounds the temporary arrays of the last step, and lets the writer start early
_COMPOSED_ROWS = 32
# strips of small patches add few rows each to the many that stay: with some more room these are moved less often. One
# is soon done with, while unpacking a file's next row of blocks takes long, so more of them are read ahead
_LOW_ROWS, _SLACK_ROWS, _LOW_AHEAD = 128, 32, 2


class TileTask(Protocol):
    """What a task says about itself; the engine does the rest.

    Planes are named arrays (band, row, column) or (row, column) of one part of the scene. Tiles go in groups of
    neighbours, as many as the runtime takes at once: `encode` is called for the groups in order, and `decode` in the
    same order, some groups later.

    Attributes:
        unit: What progress counts.
        layout: How the scene is cut, in cells.
        cell: Side of a cell in pixels: 1 for results per pixel, more for results per group of pixels. Cells at the
            lower and right end may reach beyond the scene.
        channels: Channels of the values to blend.
    """

    unit: str
    layout: Layout
    cell: int
    channels: int

    def read(self, reader: SeriesReader, first: int, stop: int) -> Planes:
        """Read the rows [first, stop) of the scene, and of its other dates if the task wants them.

        Runs in the reading thread. A task of one date may take any `SceneReader`.
        """
        ...

    def wants(self, strip: Planes, columns: Sequence[slice]) -> Sequence[bool]:
        """Which tiles of a strip, given by their columns of pixels, have to go through the network.

        The last one may be cut by the scene's end.
        """
        ...

    def encode(self, strip: Planes, tiles: Sequence[TilePlace]) -> Inputs:
        """Tiles of a strip, equally wide, as network inputs by name: new arrays, the tile first."""
        ...

    def decode(self, outputs: tuple[NDArray[np.float32], ...]) -> NDArray[np.float32]:
        """Network outputs as the values to blend (tile, channels, row, column), in cells.

        A single row and column stand for tiles that are the same all over. Views of the outputs are good for tiles of
        more than 16 x 16 cells only; smaller ones are kept until their strip is complete.
        """
        ...

    def compose(
        self, row: int, planes: Planes, values: NDArray[np.float32], covered: NDArray[np.bool_]
    ) -> dict[str, NDArray[Any]]:
        """Blended values of finished rows as strips of layers, by role. The arrays must not be views of what came in.

        `row` counts cells; the planes are the pixels of these cells, as far as the scene reaches.
        """
        ...


@dataclass
class RunCount:
    """What a run did.

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
) -> RunCount:
    """Run `task` over all of `scene`.

    Args:
        task: What to do.
        scene: On what; with other dates it is a series, and the result is on its target's grid.
        runtime: The network.
        write: Takes the finished strips: role, first row, values. Called from one thread.
        reporter: Told about the progress and asked whether to stop.
        keeper: Says where an earlier run of the same kind stopped, and remembers where this one is.

    Raises:
        Cancelled: The caller asked to stop.
        SunbreakError: Reading, computing or writing failed.
    """
    give_back_strips()
    series = SceneSeries.of(scene)
    strips = list(task.layout.strips())
    finished = keeper.strips if keeper is not None else 0
    start = first_strip(strips, finished)
    if keeper is not None and finished == len(strips):
        keeper.restore()
        reporter.progress(task.layout.count, task.layout.count, task.unit)
        return RunCount(task.layout.count, keeper.computed)
    added = _blocks(strips[start:], task.cell, series.grid.height)
    wanted = [rows for rows in added if rows[0] < rows[1]]
    ahead = _LOW_AHEAD if _held_rows(strips, task.cell) <= _LOW_ROWS else 1
    with (
        series.reader() as reader,
        ReadAhead(lambda first, stop: task.read(reader, first, stop), wanted, ahead) as blocks,
        WriteBehind(write) as writer,
    ):
        run = _Run(task, series.grid, runtime, strips, writer, reporter, keeper)
        coming = iter(blocks)
        for index, (first, stop) in enumerate(added, start):
            # a last strip that is not higher than the halo of the one before adds nothing
            run.submit(index, next(coming) if first < stop else {})
        run.finish()
    return run.count


class _Run:
    """The state of one run. Strips are composed in order, each as soon as a tile of the next one is there.

    Those that an earlier run finished are gone through without being composed, as far as their tiles reach beyond them.
    """

    def __init__(
        self,
        task: TileTask,
        grid: Grid,
        runtime: Runtime,
        strips: list[Strip],
        writer: WriteBehind,
        reporter: Reporter,
        keeper: Keeper | None,
    ) -> None:
        self.task, self.runtime, self.strips, self.writer, self.reporter = task, runtime, strips, writer, reporter
        self.keeper, self.finished = keeper, keeper.strips if keeper is not None else 0
        start = first_strip(strips, self.finished)
        self.cell = task.cell
        self.height, self.width = grid.shape
        self.count = RunCount(tiles=task.layout.count)
        held = _held_rows(strips, self.cell)
        self.rows = RollingRows(held, strips[start].row * self.cell, _SLACK_ROWS if held <= _LOW_ROWS else 0)
        cells = -(-self.height // self.cell), -(-self.width // self.cell)
        top = strips[start - 1].done if start else 0
        self.mosaic = StripMosaic(task.channels, *cells, task.layout.capacity, top)
        self.running: deque[tuple[int, Sequence[Tile]]] = deque()
        self.composed = start
        self.computed = [0] * len(strips)
        self.done = sum(len(strip.tiles) for strip in strips[:start])
        if keeper is not None and start == self.finished > 0:
            keeper.restore()
        reporter.progress(self.done, self.count.tiles, task.unit)

    def submit(self, index: int, block: Planes) -> None:
        """Put the tiles of strip `index` into the network, whose rows are complete with `block`."""
        self.reporter.checkpoint()
        if block:
            self.rows.append(block)
        block.clear()  # it has been copied, and a block of a wide scene is large
        strip = self.strips[index]
        tiles = strip.tiles
        planes = self._planes(slice(strip.row, strip.stop))
        rows = self._pixels(slice(strip.row, strip.stop), self.height)
        columns = [self._pixels(tile.slices[1], self.width) for tile in tiles]
        widths = [part.stop - part.start for part in columns]
        wanted = self.task.wants(planes, columns)
        chosen = [number for number, is_wanted in enumerate(wanted) if is_wanted]
        self.done += len(columns) - len(chosen)
        # groups begin and end with their strip, so that a run that starts at any strip has the same ones
        first = 0
        while first < len(chosen):
            while not self.runtime.room:
                self._collect()
            group = _alike(chosen[first : first + self.runtime.batch], widths)
            first += len(group)
            places = [TilePlace(rows, columns[number]) for number in group]
            self.runtime.submit(self.task.encode(planes, places))
            self.running.append((index, [tiles[number] for number in group]))
            self.computed[index] += len(group)
        # all strips but this one have to be out of the way before further rows come in
        while self.running and self.running[0][0] < index:
            self._collect()
        self._compose_until(index)

    def finish(self) -> None:
        """Collect what is still in the network and compose what is left."""
        while self.running:
            self._collect()
        self._compose_until(len(self.strips))
        self.count.computed = self._computed()

    def _collect(self) -> None:
        self.reporter.checkpoint()
        outputs = self.runtime.collect()
        index, tiles = self.running.popleft()
        self._compose_until(index)
        # what a scene smaller than a tile was padded with is cut off
        self.mosaic.add_all(tiles, self.task.decode(outputs))
        self.done += len(tiles)
        self.reporter.progress(self.done, self.count.tiles, self.task.unit)

    def _compose_until(self, index: int) -> None:
        """Compose and write the strips before `index`."""
        while self.composed < index:
            strip = self.strips[self.composed]
            values, covered = self.mosaic.take(strip.done)
            if self.composed >= self.finished:
                self._compose(values, covered)
            self.composed += 1
            self._remember()
            following = self.strips[self.composed].row if self.composed < len(self.strips) else strip.stop
            self.rows.drop(min(min(following, strip.done) * self.cell, self.height))
            self.reporter.progress(self.done, self.count.tiles, self.task.unit)

    def _compose(self, values: NDArray[np.float32], covered: NDArray[np.bool_]) -> None:
        """Compose and write the strip whose turn it is."""
        top = self.strips[self.composed - 1].done if self.composed else 0
        done = self.strips[self.composed].done
        step = max(1, _COMPOSED_ROWS // self.cell)
        for first in range(top, done, step):
            stop = min(first + step, done)
            part = slice(first - top, stop - top)
            planes = self._planes(slice(first, stop))
            for role, layer in self.task.compose(first, planes, values[:, part], covered[part]).items():
                self.writer.put(role, first, layer)

    def _remember(self) -> None:
        """After a strip: keep what has been done, or be where the earlier run was."""
        if self.keeper is None or self.composed < self.finished:
            return
        if self.composed == self.finished:
            self.keeper.restore()
        elif self.composed == len(self.strips) or self.keeper.due():
            self.writer.then(self.keeper.capture(self.composed, self._computed()))

    def _computed(self) -> int:
        """Tiles that went through the network for the strips that are composed, in this run and the earlier one."""
        before = self.keeper.computed if self.keeper is not None else 0
        return before + sum(self.computed[self.finished : self.composed])

    def _planes(self, rows: slice) -> Planes:
        """The pixels of some rows of cells."""
        return self.rows.view(self._pixels(rows, self.height))

    def _pixels(self, cells: slice, end: int) -> slice:
        """The pixels of some cells, as far as the scene reaches."""
        return slice(cells.start * self.cell, min(cells.stop * self.cell, end))


def _alike(tiles: list[int], widths: list[int]) -> list[int]:
    """The first of these tiles that are as wide as the very first: one at the scene's end may be cut."""
    width = widths[tiles[0]]
    return list(takewhile(lambda tile: widths[tile] == width, tiles))


def _held_rows(strips: list[Strip], cell: int) -> int:
    """Rows of pixels held at once: two neighbouring strips at most are under way."""
    return max(after.stop - strip.row for strip, after in zip(strips, strips[1:] or strips, strict=False)) * cell


def _blocks(strips: list[Strip], cell: int, height: int) -> list[tuple[int, int]]:
    """The rows of pixels that each strip adds to those read before it."""
    stops = [min(strip.stop * cell, height) for strip in strips]
    return list(zip([strips[0].row * cell, *stops[:-1]], stops, strict=True))
