"""Prints texts and tables. What comes from files, such as names and titles of cards, is shown and never acts.

A terminal obeys control characters, and rich takes ``[...]`` in a text for a style or a link.
"""

from __future__ import annotations

import json
import logging
import sys
import warnings
from types import TracebackType
from typing import TYPE_CHECKING, Any

import typer

from sunbreak.texts import visible, visible_json

if TYPE_CHECKING:
    from rich.table import Table


def say(text: str, *, err: bool = False) -> None:
    """Print one line."""
    typer.echo(visible(text), err=err)


def say_json(content: Any, *, ensure_ascii: bool = True) -> None:
    """Print JSON with an indent of two."""
    typer.echo(visible_json(json.dumps(content, indent=2, ensure_ascii=ensure_ascii)))


def plain_table(*header: str) -> Table:
    """An empty table without lines."""
    from rich.markup import escape
    from rich.table import Table

    return Table(*(escape(visible(text)) for text in header), box=None, pad_edge=False, header_style="bold")


def add_row(table: Table, *cells: str, fold: bool = False) -> None:
    """Add a row of plain texts.

    Args:
        table: The table.
        cells: The texts.
        fold: Break long words instead of cutting the cell.
    """
    from rich.text import Text

    table.add_row(*(Text(visible(cell), overflow="fold" if fold else None) for cell in cells))


class _Visible(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return visible(super().format(record), keep="\n")


def tame_libraries() -> None:
    """Warnings and logged messages of libraries may hold names of files too."""
    if logging.lastResort is not None:
        logging.lastResort.setFormatter(_Visible("%(message)s"))
    format_warning = warnings.formatwarning

    def formatted(message: Any, *where: Any, **more: Any) -> str:
        return visible(format_warning(message, *where, **more), keep="\n")

    if getattr(format_warning, "__module__", "") != __name__:
        warnings.formatwarning = formatted
    report = sys.excepthook

    def reported(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        # rasterio prints that it cannot decode what GDAL quotes of a broken file; the command goes on
        if trace is not None or not issubclass(kind, UnicodeDecodeError):
            report(kind, error, trace)

    if getattr(report, "__module__", "") != __name__:
        sys.excepthook = reported
