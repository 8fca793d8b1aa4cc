"""The Python interface. `import sunbreak` gives what stands here, and imports it only when it is used."""

from sunbreak.api.inspecting import inspect
from sunbreak.api.many_scenes import batch, series
from sunbreak.api.measures import evaluate, evaluate_clouds
from sunbreak.api.one_scene import classify, clean, detect_clouds, explain, run
from sunbreak.api.opening import open_scene
from sunbreak.jobs.result import Result

__all__ = [
    "Result",
    "batch",
    "classify",
    "clean",
    "detect_clouds",
    "evaluate",
    "evaluate_clouds",
    "explain",
    "inspect",
    "open_scene",
    "run",
    "series",
]
