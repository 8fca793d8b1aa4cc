"""Worker processes for a dask scheduler, as `sunbreak worker` starts them.

Each worker takes one call at a time and computes with a number of threads of its own. A worker whose scheduler goes
away ends; here another one is started, which waits for the scheduler.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sunbreak.cluster.connection import quiet, require_distributed, share_out, total_memory
from sunbreak.cluster.threads import thread_variables
from sunbreak.errors import Cancelled, InputError
from sunbreak.events import Reporter

_TRY_S = 5.0
_TICK_S = 0.2
_CLOSE_S = 3.0


@dataclass(frozen=True)
class WorkerOptions:
    """How workers run.

    Attributes:
        count: Processes; None chooses by cores and memory.
        threads: Threads that each computes with; None shares the cores out.
        memory: Bytes at which a worker is ended and started anew; None shares the memory out.
        gpus: CUDA devices: one worker for each, which sees no other.
        wait: Seconds to wait for the scheduler, at the start and when it went away.
    """

    count: int | None = None
    threads: int | None = None
    memory: int | None = None
    gpus: Sequence[str] = ()
    wait: float = 600.0


def run_workers(address: str, options: WorkerOptions, reporter: Reporter) -> None:
    """Run workers until the caller asks to stop.

    Args:
        address: Of the scheduler, such as ``tcp://host:8786``.
        options: How.
        reporter: Is told what happens; its cancellation ends the workers.

    Raises:
        InputError: `distributed` is not installed, or no scheduler answers in time (``no-scheduler``).
        Cancelled: The caller asked to stop.
    """
    require_distributed()
    quiet()
    count, threads = share_out(options.count or len(options.gpus) or None, options.threads)
    memory = options.memory or total_memory() // count
    places = [{"CUDA_VISIBLE_DEVICES": gpu} for gpu in options.gpus] or [{}] * count
    variables = thread_variables(threads)
    each = f"{threads} thread{'s' * (threads > 1)} and {memory / 2**30:.1f} GiB"
    reporter.message(f"{len(places)} worker{'s' * (len(places) > 1)} for {address}, {each} each.")
    asyncio.run(_keep(address, [variables | place for place in places], memory, options.wait, reporter))


async def _keep(
    address: str, environments: Sequence[dict[str, str]], memory: int, wait: float, reporter: Reporter
) -> None:
    import dask

    # libraries read some variables when they are imported, so they are set before the process starts
    with dask.config.set({"distributed.nanny.pre-spawn-environ": environments[0]}):
        tasks = [asyncio.create_task(_one(address, own, memory, wait, reporter)) for own in environments]
        try:
            while not reporter.cancellation.requested:
                over = [task for task in tasks if task.done()]
                for task in over:
                    await task
                await asyncio.sleep(_TICK_S)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks, timeout=_CLOSE_S + 1)
    raise Cancelled("The workers have ended.", "")


async def _one(address: str, environment: dict[str, str], memory: int, wait: float, reporter: Reporter) -> None:
    """One worker after another, each as long as the scheduler is there."""
    import distributed

    start: Any = distributed.Nanny
    until = time.monotonic() + wait
    told = False
    while True:
        nanny = start(address, nthreads=1, memory_limit=memory, env=environment, death_timeout=_TRY_S, dashboard=False)
        try:
            await asyncio.wait_for(nanny, _TRY_S * 4)
            reporter.message(f"Connected to {address}.")
            told = False
            await nanny.finished()
        except (OSError, asyncio.TimeoutError, RuntimeError, ValueError) as error:
            if isinstance(error, ValueError) or time.monotonic() > until:
                raise _no_scheduler(address, error) from error
        else:
            until = time.monotonic() + wait
        finally:
            with contextlib.suppress(Exception):
                await asyncio.wait_for(nanny.close(timeout=_CLOSE_S), _CLOSE_S + 1)
        if not told:
            reporter.message(f"The scheduler at {address} does not answer. Waiting for it.", "warning")
            told = True
        await asyncio.sleep(1.0)


def _no_scheduler(address: str, error: BaseException) -> InputError:
    text = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return InputError(
        f"No dask scheduler answers at {address}: {text}.",
        "Start one with 'dask scheduler' and give its address, such as tcp://host:8786.",
        code="no-scheduler",
    )
