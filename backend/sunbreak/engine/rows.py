"""A window of rows that moves down the scene, and the thread that reads ahead of it."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Planes = dict[str, NDArray[Any]]


class RollingRows:
    """Named planes (band, row, column) or (row, column) of the rows that are still needed.

    Buffers are allocated once, from the first block; old rows are dropped by moving the rest up.

    Args:
        capacity: Rows held at once.
        first: The first row that will come.
    """

    def __init__(self, capacity: int, first: int = 0) -> None:
        self._capacity = capacity
        self._planes: Planes = {}
        self.top = first
        self.stop = first

    def append(self, block: Planes) -> None:
        """Add the rows that follow.

        Raises:
            ValueError: There is no room for them.
        """
        count = next(iter(block.values())).shape[-2]
        first = self.stop - self.top
        if first + count > self._capacity:
            raise ValueError(f"{count} rows do not fit after {first} of {self._capacity}")
        for name, plane in block.items():
            if name not in self._planes:
                shape = (*plane.shape[:-2], self._capacity, plane.shape[-1])
                self._planes[name] = np.empty(shape, plane.dtype)
            self._planes[name][..., first : first + count, :] = plane
        self.stop += count

    def view(self, rows: slice) -> Planes:
        """The part of every plane at scene rows, without a copy."""
        local = slice(rows.start - self.top, rows.stop - self.top)
        return {name: plane[..., local, :] for name, plane in self._planes.items()}

    def drop(self, row: int) -> None:
        """Forget the rows before `row`."""
        count, held = row - self.top, self.stop - self.top
        if count <= 0:
            return
        for plane in self._planes.values():
            for band in plane.reshape(-1, *plane.shape[-2:]):
                band[: held - count] = band[count:held]
        self.top = row


def at_columns(planes: Planes, columns: slice) -> Planes:
    """The part of every plane at some columns, without a copy."""
    return {name: plane[..., columns] for name, plane in planes.items()}


class ReadAhead:
    """Reads the blocks of a scene in a thread; at most `depth` blocks are read and not yet taken.

    Args:
        read: Called in the thread with (first row, stop row), returns the planes.
        blocks: The blocks in order.
        depth: Blocks that may wait.
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
        """The blocks in order. The caller may empty a block to let go of its memory.

        Raises:
            Exception: Whatever reading raised.
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
