"""Reads and writes tables of patches: NPZ, or Parquet if pyarrow is installed. `table` describes the columns."""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from sunbreak.array_files import DamagedArrays, read_arrays
from sunbreak.drafts import draft
from sunbreak.errors import InputError, OutputError
from sunbreak.extras import require
from sunbreak.json_files import parse_json
from sunbreak.parquet_files import DamagedTable, read_parquet
from sunbreak.regular_files import open_regular
from sunbreak.studies.downstream.table import Column, PatchTable, columns_of, make_table

_CLASSES_KEY = b"sunbreak.classes"
_MAX_CLASSES, _LONGEST_CLASS = 10_000, 1_000


def read_table(path: Path) -> PatchTable:
    """Read a table of patches.

    Raises:
        InputError: The file is missing, is no regular file, is not NPZ or Parquet, claims more than it stores, or its
            columns contradict each other.
    """
    with open_regular(path, "table of patches") as file:
        columns = _read_parquet(path, file) if path.suffix == ".parquet" else _read_npz(path, file)
    try:
        return make_table(columns, source=path.name)
    except (ValueError, TypeError, IndexError, KeyError, OverflowError) as error:  # columns of kinds that NumPy has
        raise InputError(
            f"{path}: a column holds values of the wrong kind ({type(error).__name__}).",
            "Write the table again: texts in patch and split, numbers elsewhere.",
            code="table-mismatch",
        ) from error


def write_table(table: PatchTable, path: Path) -> Path:
    """Write a table as NPZ, or as Parquet if the name ends in `.parquet`. The file is written as a whole.

    Raises:
        OutputError: The extension is neither, or the folder cannot be written.
        InputError: Parquet is requested, but pyarrow is not installed.
    """
    if path.suffix not in (".npz", ".parquet"):
        raise OutputError(f"{path}: the file name of a table ends in .npz or .parquet.", code="table-ending")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with draft(path) as place:
            if path.suffix == ".parquet":
                _write_parquet(table, place)
            else:
                arrays: dict[str, Any] = {**columns_of(table), "classes": np.array(table.classes)}
                with place.open("wb") as file:
                    np.savez_compressed(file, **arrays)
    except OSError as error:
        raise OutputError(f"{path} cannot be written ({error.strerror or error}).", "Choose another folder.") from error
    return path


def _read_npz(path: Path, file: BinaryIO) -> dict[str, Any]:
    try:
        return dict(read_arrays(file))
    except (DamagedArrays, OSError) as error:
        raise InputError(
            f"{path} cannot be read as a table of patches: {error}.",
            "Give an .npz or .parquet file without Python objects.",
            code="table-unreadable",
        ) from error


def _arrow() -> Any:
    require("pyarrow", "training", "A Parquet table")
    return importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")


def _write_parquet(table: PatchTable, path: Path) -> None:
    arrow, parquet = _arrow()
    columns = {}
    for name, values in columns_of(table).items():
        if values.ndim == 1:
            columns[name] = arrow.array(values.tolist() if values.dtype.kind == "U" else values)
        else:
            flat = arrow.array(np.ascontiguousarray(values).ravel())
            columns[name] = arrow.FixedSizeListArray.from_arrays(flat, values.shape[1])
    stored = arrow.table(columns).replace_schema_metadata({_CLASSES_KEY: json.dumps(table.classes).encode()})
    parquet.write_table(stored, path)


def _read_parquet(path: Path, file: BinaryIO) -> dict[str, Any]:
    _arrow()
    try:
        stored = read_parquet(file)
    except DamagedTable as error:
        raise InputError(
            f"{path} cannot be read as Parquet: {error}.", "Write the table again.", code="table-unreadable"
        ) from error
    columns: dict[str, Any] = {name: _column(path, name, stored[name], len(stored)) for name in stored.column_names}
    metadata: Mapping[bytes, bytes] = stored.schema.metadata or {}
    if _CLASSES_KEY in metadata:
        columns["classes"] = _classes(path, metadata[_CLASSES_KEY])
    return columns


def _classes(path: Path, text: bytes) -> list[str]:
    """The names of the classes from the metadata."""
    names = parse_json(text, f"{path}: the list of its classes")
    if (
        not isinstance(names, list)
        or len(names) > _MAX_CLASSES
        or not all(isinstance(name, str) and len(name) <= _LONGEST_CLASS for name in names)
    ):
        raise InputError(
            f"{path}: its classes are no list of names.", "Write the table again.", code="table-unreadable"
        )
    return names


def _column(path: Path, name: str, stored: Any, count: int) -> Column:
    """One column in its stored precision; lists of equal length become (patch, entry)."""
    if "list" not in str(stored.type):
        plain = stored.cast(stored.type.value_type) if str(stored.type).startswith("dictionary") else stored
        return np.asarray(plain.to_numpy())
    flat = np.concatenate([np.asarray(chunk.flatten()) for chunk in stored.chunks])
    lengths = {len(row) if row is not None else 0 for chunk in stored.chunks for row in chunk}
    if len(lengths) != 1:
        raise InputError(
            f"{path}: the rows of {name} differ in length.",
            "Every row needs one value per class.",
            code="table-mismatch",
        )
    rows: Column = flat.reshape(count, -1)
    return rows
