"""The thread that writes finished rows while the network works on the next ones."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

# rows that are worth a write of their own
_ROWS = 32

Write = Callable[[str, int, NDArray[Any]], None]


class WriteBehind:
    """Calls `write` in one thread, in order, with a bounded queue before it.

    Strips of few rows are put together first: with cells of many pixels a strip of tiles gives a single row.

    Args:
        write: Takes role, first row and values.
        depth: Strips that may wait.
    """

    def __init__(self, write: Write, depth: int = 4) -> None:
        self._write = write
        self._queue: queue.Queue[Callable[[], None] | None] = queue.Queue(depth)
        self._error: BaseException | None = None
        self._held: dict[str, tuple[int, list[NDArray[Any]]]] = {}
        self._thread = threading.Thread(target=self._work, name="sunbreak-write", daemon=True)

    def __enter__(self) -> WriteBehind:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self._error = self._error or RuntimeError("stopped")
        for role in list(self._held):
            self._write_held(role)
        self._queue.put(None)
        self._thread.join()
        if kind is None and self._error is not None:
            raise self._error

    def put(self, role: str, row: int, values: NDArray[Any]) -> None:
        """Queue one strip, which follows the role's last one. The array must not be changed afterwards.

        Raises:
            Exception: Whatever an earlier write raised.
        """
        if self._error is not None:
            raise self._error
        first, strips = self._held.setdefault(role, (row, []))
        strips.append(values)
        if row + values.shape[1] - first >= _ROWS:
            self._write_held(role)

    def then(self, action: Callable[[], None]) -> None:
        """Queue something that is to happen when everything before it is written.

        Raises:
            Exception: Whatever an earlier write raised.
        """
        if self._error is not None:
            raise self._error
        for role in list(self._held):
            self._write_held(role)
        self._queue.put(action)

    def _write_held(self, role: str) -> None:
        first, strips = self._held.pop(role)
        values = strips[0] if len(strips) == 1 else np.concatenate(strips, axis=1)
        self._queue.put(partial(self._write, role, first, values))

    def _work(self) -> None:
        # after an error the queue is still emptied, so that nobody waits for room in it for ever
        while (action := self._queue.get()) is not None:
            if self._error is None:
                try:
                    action()
                except BaseException as error:
                    self._error = error
