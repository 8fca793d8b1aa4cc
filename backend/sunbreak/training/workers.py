"""Work in worker processes, and what the loss of one means: the system kills one, in most cases for its memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from typing import TypeVar

from sunbreak.errors import RunError

_Item = TypeVar("_Item")
_Found = TypeVar("_Found")


def map_in_processes(
    function: Callable[[_Item], _Found], items: Sequence[_Item], workers: int, *, chunk: int
) -> list[_Found]:
    """The function's results for all items in their order, computed in worker processes.

    Args:
        function: Of a module, since it travels by name.
        items: Its arguments.
        workers: How many processes.
        chunk: Items that travel at once.

    Raises:
        RunError: ``worker-lost``.
    """
    # spawn: a forked process would inherit locked mutexes of torch's threads
    with lost_worker_is_named(), ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        return list(pool.map(function, items, chunksize=chunk))


@contextmanager
def lost_worker_is_named() -> Iterator[None]:
    """Around work that worker processes do for a pool, or for a loader of torch.

    Raises:
        RunError: ``worker-lost``.
    """
    try:
        yield
    except RuntimeError as error:
        if not isinstance(error, BrokenProcessPool) and "DataLoader worker (pid" not in str(error):
            raise
        raise RunError(
            "A worker process was lost: it was killed or crashed, in most cases because the memory was full.",
            "Free memory or use fewer workers, and run the same command again; finished work is kept.",
            code="worker-lost",
        ) from error
