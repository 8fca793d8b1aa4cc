"""Intermediate files of the study. Each file is written as a whole and has a key.

The key is a checksum of inputs and settings. A file with another key counts as missing. So an interrupted run resumes,
and only results with changed inputs are computed again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sunbreak import array_files, drafts
from sunbreak.datasets import reading
from sunbreak.errors import OutputError

Arrays = dict[str, NDArray[Any]]


def key_of(*parts: object) -> str:
    """A checksum of settings and other keys; equal if all parts have the same JSON."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:24]


def stamp(path: Path) -> str:
    """Fingerprint of an input file: name, size and time of modification.

    Raises:
        InputError: The file does not exist.
    """
    return reading.stamp(path, "Give the data sets again with --step pair.")


def write_arrays(path: Path, key: str, arrays: Mapping[str, NDArray[Any]]) -> Path:
    """Write arrays with their key as NPZ.

    Raises:
        OutputError: The folder cannot be written.
    """
    stored: dict[str, Any] = {**arrays, "key": np.array(key)}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with drafts.draft(path) as place, place.open("wb") as file:
            np.savez_compressed(file, **stored)
    except OSError as error:
        raise unwritable(path, error) from error
    return path


def read_arrays(path: Path, key: str, names: Iterable[str] | None = None) -> Arrays | None:
    """The arrays of a file, or None if it is missing, damaged or has another key.

    Args:
        path: The file.
        key: The expected key.
        names: The arrays to read; all if not given.
    """
    try:
        with drafts.open_stored(path, limit=drafts.STATE_LIMIT) as file:
            if str(array_files.read_arrays(file, ["key"])["key"]) != key:
                return None
            file.seek(0)
            found = array_files.read_arrays(file, names)
            return {name: found[name] for name in (found if names is None else names) if name != "key"}
    except (OSError, ValueError, KeyError):
        return None


def is_current(path: Path, key: str) -> bool:
    """Whether a file exists and has this key."""
    return read_arrays(path, key, ()) is not None


def write_json(path: Path, content: object) -> Path:
    """Write JSON.

    Raises:
        OutputError: The folder cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        drafts.write_json(path, content, indent=1)
    except OSError as error:
        raise unwritable(path, error) from error
    return path


def read_json(path: Path) -> Any:
    """The content of a JSON file, or None if it is missing or damaged."""
    try:
        return json.loads(drafts.read_stored_text(path))
    except (OSError, ValueError, RecursionError):
        return None


def unwritable(path: Path, error: OSError) -> OutputError:
    """The error for a folder that cannot be written."""
    return OutputError(
        f"{path.parent} cannot be written ({error.strerror or error}).", "Choose another folder with -o."
    )
