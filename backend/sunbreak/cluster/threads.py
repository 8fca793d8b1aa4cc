"""Threads that one worker computes with: workers share a machine, and each library would take all of its cores."""

from __future__ import annotations

import sys

from sunbreak.engine.threads import compute_threads

_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "SUNBREAK_THREADS")


def thread_variables(count: int) -> dict[str, str]:
    """Environment of a worker that computes with so many threads; set before its libraries are imported."""
    return {**dict.fromkeys(_VARIABLES, str(count)), "DASK_LOGGING__DISTRIBUTED": "critical"}


def use_threads() -> None:
    """Hold libraries that read no variable to the number of threads of this process."""
    count = compute_threads()
    if count is None:
        return
    import cv2

    cv2.setNumThreads(count)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(count)
