"""Positions of tiles, a rolling buffer of rows, and the read-ahead thread that fills it."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Planes = dict[str, NDArray[Any]]
# network inputs by name: "x" (tile, channel, row, column) and further inputs (tile, ...)
Inputs = Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True)
class TilePlace:
    """The position of a tile in the scene.

    Attributes:
        rows: Rows of pixels in the scene.
        columns: Columns of pixels in the scene. A strip spans all columns, so these index its planes as well.
        inset: Rows and columns of halo before the used part, in cells. At the scene's edges they are fewer.
    """

    rows: slice
    columns: slice
    inset: tuple[int, int] = (0, 0)


class RollingRows:
    """A rolling buffer of named planes (band, row, column) or (row, column), for the rows that are still needed.

    The buffers are allocated once, in the memory order of the first block. When a new block does not fit at the end,
    the rows still needed are moved to the beginning.

    Args:
        capacity: Rows held at once.
        first: The first row that will be appended.
        slack: Extra rows in the buffers, so that rows are not moved for every block.
    """

    def __init__(self, capacity: int, first: int = 0, slack: int = 0) -> None:
        self._capacity, self._room = capacity, capacity + slack
        self._planes: Planes = {}
        self._first = first  # scene row at the beginning of the buffers
        self.top = first
        self.stop = first

    def append(self, block: Planes) -> None:
        """Append the next rows. Views taken before are invalid afterwards.

        Raises:
            ValueError: They exceed the capacity.
        """
        count = next(iter(block.values())).shape[-2]
        held = self.stop - self.top
        if held + count > self._capacity:
            raise ValueError(f"{count} rows do not fit after {held} of {self._capacity}")
        if self.stop - self._first + count > self._room:
            self._move_up()
        rows = self._local(slice(self.stop, self.stop + count))
        for name, plane in block.items():
            if name not in self._planes:
                shape = (*plane.shape[:-2], self._room, plane.shape[-1])
                self._planes[name] = np.empty_like(plane, order="K", subok=False, shape=shape)
            self._planes[name][..., rows, :] = plane
        self.stop += count

    def view(self, rows: slice) -> Planes:
        """Views of every plane at the given rows of the scene."""
        local = self._local(rows)
        return {name: plane[..., local, :] for name, plane in self._planes.items()}

    def drop(self, row: int) -> None:
        """Release the rows before `row`."""
        self.top = max(self.top, row)

    def _local(self, rows: slice) -> slice:
        return slice(rows.start - self._first, rows.stop - self._first)

    def _move_up(self) -> None:
        """Move the held rows to the beginning of the buffers, in steps without overlap, so that no copy is needed."""
        held, step = self.stop - self.top, self.top - self._first
        for first in range(0, held, step):
            stop = min(first + step, held)
            for plane in self._planes.values():
                for part in _rows_first(plane):
                    part[first:stop] = part[first + step : stop + step]
        self._first = self.top


def _rows_first(plane: NDArray[Any]) -> NDArray[Any] | list[NDArray[Any]]:
    """Views of a plane with the row as first axis: one per band, or a single one if the channels are interleaved."""
    if plane.flags.c_contiguous:
        return plane.reshape(-1, *plane.shape[-2:])
    return [np.moveaxis(plane, -2, 0)]


def at_columns(planes: Planes, columns: slice) -> Planes:
    """Views of every plane at the given columns."""
    return {name: plane[..., columns] for name, plane in planes.items()}


class ReadAhead:
    """Reads the blocks of a scene ahead in a thread; at most `depth` blocks wait to be used.

    Args:
        read: Called in the thread with (first row, stop row), returns the planes.
        blocks: The blocks in order.
        depth: Largest number of waiting blocks.
    """

    def __init__(self, read: Callable[[int, int], Planes], blocks: Sequence[tuple[int, int]], depth: int = 1) -> None:
        self._read = read
        self._blocks = blocks
        self._room = threading.Semaphore(depth)
        self._queue: queue.SimpleQueue[Planes | BaseException] = queue.SimpleQueue()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._work, name="sunbreak-read", daemon=True)

    def __enter__(self) -> ReadAhead:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._room.release()
        self._thread.join()

    def __iter__(self) -> Iterator[Planes]:
        """The blocks in order. The caller may clear a block to free its memory.

        Raises:
            Exception: The error that `read` raised.
        """
        for _ in self._blocks:
            item = self._queue.get()
            self._room.release()
            if isinstance(item, BaseException):
                raise item
            yield item

    def _work(self) -> None:
        try:
            for first, stop in self._blocks:
                self._room.acquire()
                if self._stopped.is_set():
                    return
                self._queue.put(self._read(first, stop))
        except BaseException as error:
            self._queue.put(error)
