"""The interface of all steps of a job. A step names its layers first and writes them when it runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from sunbreak.events import Reporter
from sunbreak.layers.output import LayerSet
from sunbreak.layers.roles import LayerSpec


class Step(Protocol):
    """One step of a job: detect, clean, classify or explain. A job has one step, the chain has three."""

    @property
    def specs(self) -> list[LayerSpec]:
        """The layers."""
        ...

    @property
    def parameters(self) -> Mapping[str, object]:
        """What the layers depend on beside the files; JSON types."""
        ...

    @property
    def weight(self) -> float:
        """Rough fraction of the time of a chain, in percent."""
        ...

    @property
    def phases(self) -> int:
        """How many times the step counts its tiles from zero, at most two."""
        ...

    def run(self, layers: LayerSet, reporter: Reporter) -> None:
        """Write the layers.

        Raises:
            SunbreakError: Reading, computing or writing failed.
        """
        ...

    def numbers(self) -> dict[str, float | str]:
        """Figures of the run."""
        ...
