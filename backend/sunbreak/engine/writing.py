"""The thread that writes finished rows while the network works on the next ones."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from numpy.typing import NDArray

Write = Callable[[str, int, NDArray[Any]], None]


class WriteBehind:
    """Calls `write` in one thread, in order, with a bounded queue before it.

    Args:
        write: Takes role, first row and values.
        depth: Strips that may wait.
    """

    def __init__(self, write: Write, depth: int = 4) -> None:
        self._write = write
        self._queue: queue.Queue[Callable[[], None] | None] = queue.Queue(depth)
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name="sunbreak-write", daemon=True)

    def __enter__(self) -> WriteBehind:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self._error = self._error or RuntimeError("stopped")
        self._queue.put(None)
        self._thread.join()
        if kind is None and self._error is not None:
            raise self._error

    def put(self, role: str, row: int, values: NDArray[Any]) -> None:
        """Queue one strip. The array must not be changed afterwards.

        Raises:
            Exception: Whatever an earlier write raised.
        """
        self.then(partial(self._write, role, row, values))

    def then(self, action: Callable[[], None]) -> None:
        """Queue something that is to happen when everything before it is written.

        Raises:
            Exception: Whatever an earlier write raised.
        """
        if self._error is not None:
            raise self._error
        self._queue.put(action)

    def _work(self) -> None:
        # after an error the queue is still emptied, so that nobody waits for room in it for ever
        while (action := self._queue.get()) is not None:
            if self._error is None:
                try:
                    action()
                except BaseException as error:
                    self._error = error
