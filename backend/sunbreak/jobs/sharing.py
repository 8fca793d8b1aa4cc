"""How a step lets other processes share its work on one scene."""

from __future__ import annotations

from typing import Protocol

from sunbreak.engine import RunCount, TileTask
from sunbreak.engine.checkpoints import Dividable, State
from sunbreak.engine.writing import Write
from sunbreak.events import Reporter
from sunbreak.jobs.runtimes import SceneMemory
from sunbreak.layers.output import LayerSet
from sunbreak.removal.first_pass import BlockLook


class DividableTask(TileTask, Dividable, Protocol):
    """A task of the engine that may run in parts."""


class Sharing(Protocol):
    """Processes that share the work on one scene, see `sunbreak.jobs.parts.spread`."""

    memory: SceneMemory
    """Clouds of the other dates, which all of them know."""

    def begin(self, layers: LayerSet) -> None:
        """Use the hidden folder of these layers; called before the steps run."""
        ...

    def detect(self, task: DividableTask, write: Write, reporter: Reporter) -> RunCount:
        """Detect the clouds of the scene."""
        ...

    def find_clouds_of_dates(self, dates: int, reporter: Reporter) -> None:
        """Detect the clouds of so many other dates."""
        ...

    def look_around(self, blocks: int, reporter: Reporter) -> list[BlockLook]:
        """The first pass over so many blocks of rows; what they show, from top to bottom."""
        ...

    def clean(self, task: DividableTask, fitted: State, write: Write, reporter: Reporter) -> RunCount:
        """Clean the scene with what the first pass found, see `sunbreak.removal.task.CloudRemoval.fitted`."""
        ...
