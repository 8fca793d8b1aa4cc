"""A group of commands whose modules are imported when one of them runs.

The list of the commands, which ``--help`` shows, comes from a table: importing every command would take longer than
anything else that ``--help`` does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any, ClassVar

import typer
from typer.core import TyperCommand, TyperGroup

from sunbreak.texts import visible


@dataclass(frozen=True)
class Entry:
    """A command that is not imported yet.

    Attributes:
        place: ``module:name`` of its function, or of the `typer.Typer` of a group.
        line: Its help in one line: the first line of the function's docstring, or the group's help.
        hidden: It is left out of the list.
    """

    place: str
    line: str
    hidden: bool = False


class LazyGroup(TyperGroup):
    """A group that knows its commands from a table; set `table` in a subclass."""

    table: ClassVar[Mapping[str, Entry]] = {}

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for name, entry in self.table.items():
            self.add_command(_Listed(name, entry))

    def loaded(self) -> dict[str, Any]:
        """All commands by name, imported."""
        return {
            name: command.load() if isinstance(command, _Listed) else command for name, command in self.commands.items()
        }

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Import the command that the call names."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, command.load() if isinstance(command, _Listed) else command, rest

    def invoke(self, ctx: Any) -> Any:
        """Run the command that the call names."""
        with _visible_errors():
            return super().invoke(ctx)

    def make_context(self, *arguments: Any, **named: Any) -> Any:
        """Parse the options before the command's name."""
        with _visible_errors():
            return super().make_context(*arguments, **named)


class _Listed(TyperCommand):
    """Stands in the list for a command that is not imported."""

    def __init__(self, name: str, entry: Entry) -> None:
        super().__init__(name, help=entry.line, hidden=entry.hidden)
        self._place = entry.place

    def load(self) -> Any:
        module, _, name = self._place.partition(":")
        found = getattr(import_module(module), name)
        if not isinstance(found, typer.Typer):
            app = typer.Typer(add_completion=False)
            app.command(self.name)(found)
            found = app
        command = typer.main.get_command(found)
        command.name = self.name
        return command


@contextmanager
def _visible_errors() -> Iterator[None]:
    """What an error in the call quotes of it acts no more."""
    try:
        yield
    except Exception as error:
        # errors of click, which typer holds a copy of
        if hasattr(error, "format_message") and isinstance(getattr(error, "message", None), str):
            error.message = visible(error.message, keep="\n")  # type: ignore[attr-defined]
        raise
