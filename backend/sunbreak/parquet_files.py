"""The one reader of Parquet files: what their directories claim is compared with what is stored, before it is decoded.

A run of equal values takes a few bytes, whatever its length: a file of a kilobyte can claim any number of rows.

Arrow decodes in a process of its own, because some damaged directories make it end the process that it runs in
(pyarrow 25: sizes of histograms that contradict each other).
"""

from __future__ import annotations

import importlib
import json
import subprocess  # nosec B404: to decode apart
import sys
from collections.abc import Sequence
from typing import Any, BinaryIO

MAX_ROWS = 10_000_000
"""Rows of a table, unless the caller says otherwise."""
_MAX_COLUMNS = 1_000
_VALUE_BYTES = 8
_RATIO_FROM = 2**28
_MAX_RATIO = 100
_MAX_LETTERS = 2**28
_SECONDS = 600.0
_REFUSED = 3
# isolated, so that nothing in the folder of the call is imported
_CHILD = (
    "import json, sys; given = json.loads(sys.argv[1]); sys.path[:] = given.pop('path'); "
    "from sunbreak.parquet_files import hand_over; sys.exit(hand_over(**given))"
)


class DamagedTable(ValueError):
    """A file is no Parquet file, is damaged, or claims more than it may; the text says what, in a few words."""


def read_parquet(file: BinaryIO, columns: Sequence[str] | None = None, *, max_rows: int = MAX_ROWS) -> Any:
    """The table in a Parquet file.

    Arrow gets the open file and not its path, so that it looks for nothing beside it, and takes the name of no folder
    for a column.

    Args:
        file: A file on the disk, opened for reading bytes.
        columns: The columns to read, those at the top; all if not given.
        max_rows: The most rows that are read.

    Returns:
        A `pyarrow.Table`. Texts are dictionaries, so that one that is repeated is held once; they hold no more than
        2^28 letters once each row has its own, as long as the longest.

    Raises:
        ImportError: There is no pyarrow.
        DamagedTable: The file is something else, or claims more than it may.
    """
    arrow = importlib.import_module("pyarrow")
    file.seek(0)
    wanted = {"path": [entry for entry in sys.path if entry], "columns": columns, "max_rows": max_rows}
    try:
        done = subprocess.run(  # nosec B603: this interpreter, on an open file
            [sys.executable, "-I", "-c", _CHILD, json.dumps(wanted)],
            stdin=file, capture_output=True, timeout=_SECONDS, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise DamagedTable(f"it is no readable Parquet file (not decoded in {_SECONDS:.0f} s)") from None
    if done.returncode == _REFUSED:
        raise DamagedTable(done.stderr.decode("utf-8", "replace"))
    if done.returncode:
        raise DamagedTable(f"it is no readable Parquet file (its decoder ended with {done.returncode})")
    with arrow.ipc.open_stream(done.stdout) as stream:
        return stream.read_all()


def hand_over(columns: Sequence[str] | None, max_rows: int) -> int:
    """The process in which Arrow decodes: Parquet on the standard input, an Arrow stream or what is wrong as output.

    Returns:
        Its exit status.
    """
    arrow = importlib.import_module("pyarrow")
    try:
        table = decode(sys.stdin.buffer, columns, max_rows)
    except DamagedTable as error:
        sys.stderr.write(str(error))
        return _REFUSED
    with arrow.ipc.new_stream(sys.stdout.buffer, table.schema) as stream:
        stream.write_table(table)
    return 0


def decode(file: BinaryIO, columns: Sequence[str] | None = None, max_rows: int = MAX_ROWS) -> Any:
    """Decode in this process, see `read_parquet`.

    Raises:
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
