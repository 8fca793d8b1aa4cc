"""How a run remembers how far it has come, so that one that was killed goes on where it stopped.

What is remembered is a whole number of strips and what the task counted in them. The tiles of earlier strips that reach
into the rows still missing are computed again, so nothing in flight has to be kept.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from numpy.typing import NDArray

from sunbreak.tiling import Strip

State = dict[str, NDArray[Any]]


class Resumable(Protocol):
    """A task that can be put back to where it was after some strip."""

    def state(self) -> State:
        """Copies of everything that `compose` and `decode` have added up so far."""
        ...

    def restore(self, state: State) -> None:
        """Go back to such a state."""
        ...


class Keeper(Protocol):
    """Remembers a run.

    Attributes:
        strips: Strips that an earlier run finished, all of whose rows are written.
        computed: Tiles that went through the network for them.
    """

    strips: int
    computed: int

    def restore(self) -> None:
        """Put the task back to where it was after `strips` strips."""
        ...

    def due(self) -> bool:
        """Whether it is time to remember again."""
        ...

    def capture(self, strips: int, computed: int) -> Callable[[], None]:
        """Take the task's state now; what comes back writes it down, once the rows of these strips are written."""
        ...


def first_strip(strips: list[Strip], finished: int) -> int:
    """The first strip whose tiles reach beyond the rows of the `finished` ones."""
    if finished == 0:
        return 0
    done = strips[finished - 1].done
    return next((index for index, strip in enumerate(strips[:finished]) if _reach(strip) > done), finished)


def _reach(strip: Strip) -> int:
    """The row after the last one that the strip's tiles give values for."""
    return max(tile.row + tile.inset[0] + tile.weights.shape[0] for tile in strip.tiles)
