"""The one reader of Parquet files: what their directories claim is compared with what is stored, before it is decoded.

A run of equal values takes a few bytes, whatever its length: a file of a kilobyte can claim any number of rows.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any, BinaryIO

MAX_ROWS = 10_000_000
"""Rows of a table, unless the caller says otherwise."""
_MAX_COLUMNS = 1_000
_VALUE_BYTES = 8
_RATIO_FROM = 2**28
_MAX_RATIO = 100
_MAX_LETTERS = 2**28


class DamagedTable(ValueError):
    """A file is no Parquet file, is damaged, or claims more than it may; the text says what, in a few words."""


def read_parquet(file: BinaryIO, columns: Sequence[str] | None = None, *, max_rows: int = MAX_ROWS) -> Any:
    """The table in a Parquet file.

    Arrow gets the open file and not its path, so that it looks for nothing beside it, and takes the name of no folder
    for a column.

    Args:
        file: Opened for reading bytes.
        columns: The columns to read, those at the top; all if not given.
        max_rows: The most rows that are read.

    Returns:
        A `pyarrow.Table`. Texts are dictionaries, so that one that is repeated is held once; they hold no more than
        2^28 letters once each row has its own, as long as the longest.

    Raises:
        ImportError: There is no pyarrow.
        DamagedTable: The file is something else, or claims more than it may.
    """
    parquet = importlib.import_module("pyarrow.parquet")
    arrow = importlib.import_module("pyarrow")
    try:
        whole = parquet.ParquetFile(file)
        _check_claims(whole.metadata, file.seek(0, 2), max_rows)
        schema = whole.schema
        leaves = [schema.column(index) for index in range(len(schema))]
        texts = [leaf.path for leaf in leaves if leaf.physical_type == "BYTE_ARRAY"]
        table = parquet.ParquetFile(file, read_dictionary=texts).read(columns=columns, use_threads=False)
        table.validate(full=True)
        for name, column in zip(table.column_names, table.columns, strict=True):
            for chunk in column.chunks:
                _check_texts(arrow.types, name, chunk)
    except DamagedTable:
        raise
    # Arrow's errors are OSError, ValueError, KeyError, NotImplementedError, MemoryError and more
    except Exception as error:
        text = " ".join(str(error).split())[:200].rstrip(".")
        raise DamagedTable(f"it is no readable Parquet file ({text or type(error).__name__})") from error
    return table


def _check_claims(metadata: Any, size: int, max_rows: int) -> None:
    rows, width = metadata.num_rows, metadata.num_columns
    if width > _MAX_COLUMNS or not 0 <= rows <= max_rows:
        raise DamagedTable(f"it claims {rows:,} rows of {width:,} columns")
    groups = [metadata.row_group(index) for index in range(metadata.num_row_groups)]
    if not sum(group.num_rows for group in groups) == rows:
        raise DamagedTable("its parts do not have as many rows as it claims")
    claimed = 0
    for column in range(width):
        each = max(_VALUE_BYTES, metadata.schema.column(column).length)
        for group in groups:
            chunk = group.column(column)
            claimed += max(chunk.num_values * each, chunk.total_uncompressed_size)
    if claimed > _RATIO_FROM and claimed > _MAX_RATIO * size:
        raise DamagedTable(f"it claims {claimed / 2**20:,.0f} MiB and stores {size / 2**20:.3g} MiB")


def _check_texts(types: Any, name: str, values: Any) -> None:
    """Bound the memory that the texts of a column take once each row has its own."""
    if types.is_list(values.type) or types.is_large_list(values.type) or types.is_fixed_size_list(values.type):
        _check_texts(types, name, values.flatten())
    elif types.is_dictionary(values.type):
        held = values.dictionary.to_pylist()
        longest = max((len(text) for text in held if isinstance(text, (str, bytes))), default=0)
        if longest * len(values) > _MAX_LETTERS:
            raise DamagedTable(f"the texts of {name} have up to {longest:,} letters")
