"""CSV tables: the one place that writes them. No text in them can act as a formula of a spreadsheet.

A cell that begins with ``=``, ``+``, ``-``, ``@`` or a tab is a formula to a spreadsheet, and can open files and
addresses. Such a text gets a leading apostrophe, which spreadsheets do not show; numbers stay as they are. `original`
gives back the text. Characters that act are escaped, see `sunbreak.texts`.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TextIO

from sunbreak.texts import visible

# some spreadsheets take the wide forms of the characters too
_FORMULA = re.compile(r"'*\s*[=+\-@\uff1d\uff0b\uff0d\uff20]")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?(inf|nan)")


class CsvTable:
    """Writes the rows of a table.

    Args:
        stream: Opened with ``newline=""``.
        lineterminator: Ends each row.
    """

    def __init__(self, stream: TextIO, *, lineterminator: str = "\r\n") -> None:
        self._writer = csv.writer(stream, lineterminator=lineterminator)

    def row(self, cells: Iterable[Any]) -> None:
        """Write one row."""
        self._writer.writerow([plain(cell) for cell in cells])

    def rows(self, rows: Iterable[Iterable[Any]]) -> None:
        """Write rows."""
        for row in rows:
            self.row(row)

    def records(self, columns: Sequence[str], records: Iterable[Mapping[str, Any]]) -> None:
        """Write a header and one row for each record; what a record lacks is empty."""
        self.row(columns)
        self.rows([record.get(column, "") for column in columns] for record in records)


def plain(cell: Any) -> Any:
    """The cell as it is written."""
    if not isinstance(cell, str) or _NUMBER.fullmatch(cell):
        return cell
    # a tab or a line break at the beginning is gone once it is visible
    text = visible(cell)
    return f"'{text}" if _FORMULA.match(text) else text


def original(cell: str) -> str:
    """The text of a cell that `plain` gave an apostrophe."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell
