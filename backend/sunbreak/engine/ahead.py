"""Makes something in a thread while other work goes on, such as the network of the next step."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Ahead(Generic[T]):
    """Begins to make a value at once.

    The thread does not keep the process alive: a run that fails before it needs the value ends without waiting.

    Args:
        make: Makes it, in a thread of its own.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._made: list[T] = []
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, args=(make,), name="sunbreak-ahead", daemon=True)
        self._thread.start()

    def get(self) -> T:
        """Wait for the value.

        Raises:
            BaseException: What `make` raised.
        """
        self._thread.join()
        if self._failure is not None:
            raise self._failure
        return self._made[0]

    def _run(self, make: Callable[[], T]) -> None:
        try:
            self._made.append(make())
        except BaseException as error:
            self._failure = error
