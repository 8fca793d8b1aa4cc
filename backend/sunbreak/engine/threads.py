"""Number of threads that the networks of this process compute with."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

VARIABLE = "SUNBREAK_THREADS"


def compute_threads() -> int | None:
    """The number that the environment asks for (`SUNBREAK_THREADS`); None leaves it to the libraries: all cores."""
    try:
        count = int(os.environ.get(VARIABLE, ""))
    except ValueError:
        return None
    return count if count > 0 else None


def openvino_threads() -> dict[str, str]:
    """The property of OpenVINO that says it."""
    count = compute_threads()
    return {} if count is None else {"INFERENCE_NUM_THREADS": str(count)}


@contextlib.contextmanager
def one_blas_thread() -> Iterator[None]:
    """Multiply matrices in one thread: in OpenBLAS the last bits of a product depend on the number of threads.

    So the layers of a scene with other dates do not depend on the cores of the machine. The networks are not affected.
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1, user_api="blas"):
        yield
