"""Runs a task over a scene: device, runtime, read-ahead, mosaic, checkpoints, write-behind."""

from sunbreak.engine.rows import Inputs, Planes, TilePlace
from sunbreak.engine.run import RunCount, TileTask, run_task
from sunbreak.engine.runtime import Runtime, make_runtime

__all__ = ["Inputs", "Planes", "RunCount", "Runtime", "TilePlace", "TileTask", "make_runtime", "run_task"]
