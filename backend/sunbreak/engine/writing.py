"""Write-behind: a thread writes finished rows while the network computes the next ones."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

# least number of rows in one write
_ROWS = 32

Write = Callable[[str, int, NDArray[Any]], None]


class WriteBehind:
    """Calls `write` from one thread, in order, through a bounded queue.

    Strips of few rows are joined before they are written: with large cells a strip of tiles is a single row.

    Args:
        write: Called with role, first row and values.
        depth: Largest number of waiting strips.
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
        """Queue the next strip of a role. The caller must not modify the array afterwards.

        Raises:
            Exception: The error of an earlier write.
        """
        if self._error is not None:
            raise self._error
        first, strips = self._held.setdefault(role, (row, []))
        strips.append(values)
        if row + values.shape[1] - first >= _ROWS:
            self._write_held(role)

    def then(self, action: Callable[[], None]) -> None:
        """Queue an action that runs once everything queued before it is written.

        Raises:
            Exception: The error of an earlier write.
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
        # after an error the queue is still emptied, so that `put` never blocks for ever
        while (action := self._queue.get()) is not None:
            if self._error is None:
                try:
                    action()
                except BaseException as error:
                    self._error = error
