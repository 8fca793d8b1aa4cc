"""Sunbreak: cloud removal for Sentinel-2 scenes, with calibrated uncertainty.

The headless side: the Python interface, the ``sunbreak`` command, and what runs behind the QGIS plugin. Importing this
package is cheap: each name below is imported when it is first used.

Example:
    >>> import sunbreak
    >>> result = sunbreak.clean("S2.tif", "S1.tif", "out")
"""

import os
from typing import TYPE_CHECKING, Any

# Threads that wait for each other soon sleep instead of spinning (300,000 rounds otherwise). On a busy machine a
# spinning thread takes the time slice of the one it waits for, see benchmarks/waiting_threads.py. Must be set before
# torch loads its thread pool, GNU's on Linux.
os.environ.setdefault("GOMP_SPINCOUNT", "1000")

__version__ = "0.1.0"

if TYPE_CHECKING:
    from sunbreak import models
    from sunbreak.api import (
        Result,
        batch,
        classify,
        clean,
        detect_clouds,
        evaluate,
        evaluate_clouds,
        explain,
        inspect,
        open_scene,
        run,
        series,
    )  # fmt: skip

__all__ = [
    "Result", "__version__", "batch", "classify", "clean", "detect_clouds", "evaluate", "evaluate_clouds",
    "explain", "inspect", "models", "open_scene", "run", "series",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """A name of the Python interface (PEP 562)."""
    if name not in __all__:
        raise AttributeError(f"module 'sunbreak' has no attribute {name!r}")
    from importlib import import_module

    return import_module("sunbreak.models") if name == "models" else getattr(import_module("sunbreak.api"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
