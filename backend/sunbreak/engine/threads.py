"""Number of threads that the networks of this process compute with."""

from __future__ import annotations

import os

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
