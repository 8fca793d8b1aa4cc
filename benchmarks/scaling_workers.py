"""Many dask workers in one process, which sleep instead of computing: `scaling_workers.py ADDRESS COUNT`.

For `benchmarks/scaling.py simulate` only. They run the project's own `serve`, and send its events. The lock that lets
one call at a time compute in a process is replaced, since all workers are in this process and nothing is computed.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Mapping
from types import ModuleType
from typing import Any

import distributed

from sunbreak.cluster import serving
from sunbreak.cluster.connection import quiet
from sunbreak.events import Reporter

MODULE = "sunbreak.simulated"
FUNCTION = f"{MODULE}:sleep"
_TICK_S = 0.25


def sleep(arguments: Mapping[str, Any], reporter: Reporter) -> dict[str, float]:
    """Sleep as long as the arguments say, with progress as a scene sends it."""
    began = time.monotonic()
    seconds = float(arguments["seconds"])
    while (left := seconds - (time.monotonic() - began)) > 0:
        reporter.progress(seconds - left, seconds, "tiles")
        time.sleep(min(left, _TICK_S))
    return {"seconds": time.monotonic() - began}


async def work(address: str, count: int) -> None:
    """Run so many workers until the scheduler ends."""
    workers = [
        distributed.Worker(address, nthreads=1, name=f"simulated-{number}", dashboard=False, memory_limit=0)
        for number in range(count)
    ]
    await asyncio.gather(*workers)
    await asyncio.gather(*(worker.finished() for worker in workers))


def main() -> None:
    """Make the function known to `serve`, and run the workers."""
    quiet()
    module = ModuleType(MODULE)
    module.sleep = sleep  # type: ignore[attr-defined]
    sys.modules[MODULE] = module
    count = int(sys.argv[2])
    serving._one_at_a_time = threading.Semaphore(count)  # type: ignore[assignment]
    asyncio.run(work(sys.argv[1], count))


if __name__ == "__main__":
    main()
