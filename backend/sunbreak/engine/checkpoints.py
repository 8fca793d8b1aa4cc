"""Checkpoints of a run, so that a killed run can be resumed.

A checkpoint holds the number of finished strips and the task's sums over them. When a run resumes, tiles of finished
strips that overlap the missing rows are computed again. Therefore no blended rows or network outputs are stored.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from numpy.typing import NDArray

from sunbreak.tiling import Strip

State = dict[str, NDArray[Any]]


class Resumable(Protocol):
    """A task whose state can be saved after a strip and restored."""

    def state(self) -> State:
        """Copies of all sums that `compose` and `decode` have accumulated so far."""
        ...

    def restore(self, state: State) -> None:
        """Replace the sums with those of a saved state."""
        ...


class Dividable(Resumable, Protocol):
    """A task that may run in parts, each in a process of its own."""

    def merge(self, state: State) -> None:
        """Add the sums of a part, from its `state`. The order of the parts makes no difference."""
        ...


class Keeper(Protocol):
    """Loads and saves the checkpoints of a run.

    Attributes:
        strips: Number of strips that an earlier run finished; all their rows are written.
        computed: Number of tiles that went through the network for them.
    """

    strips: int
    computed: int

    def restore(self) -> None:
        """Restore the task's state after `strips` strips."""
        ...

    def due(self) -> bool:
        """Whether the next checkpoint is due."""
        ...

    def capture(self, strips: int, computed: int) -> Callable[[], None]:
        """Copy the task's state. The returned function saves it; call it once the rows of these strips are written."""
        ...


def first_strip(strips: list[Strip], finished: int) -> int:
    """The first strip to compute again: its tiles reach beyond the rows of the `finished` strips."""
    if finished == 0:
        return 0
    done = strips[finished - 1].done
    return next((index for index, strip in enumerate(strips[:finished]) if _reach(strip) > done), finished)


def _reach(strip: Strip) -> int:
    """The row after the last one that the strip's tiles contribute to."""
    return max(tile.row + tile.inset[0] + tile.weights.shape[0] for tile in strip.tiles)
