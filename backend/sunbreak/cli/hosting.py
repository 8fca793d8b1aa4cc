"""The process that runs one command after the other (`sunbreak serve`), as its commands see it.

A command of its own process reserves standard output, and reads standard input to hear of its cancellation. In a
process of several commands both belong to the process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from sunbreak.cli.ending import Ending
    from sunbreak.events import Cancellation, JsonLines


class Host(Protocol):
    """Runs the commands of another program."""

    def reporter(self, cancellation: Cancellation) -> JsonLines:
        """Sends the events of a command to the program."""
        ...

    def attach(self, ending: Ending) -> None:
        """Begin the end of the running command when the program cancels it, or has done so already."""
        ...


_host: Host | None = None


def current() -> Host | None:
    """The host of the commands of this process; None in a process of one command."""
    return _host


def become(host: Host) -> None:
    """Make this process the host of the commands that it runs from now on."""
    global _host
    _host = host
