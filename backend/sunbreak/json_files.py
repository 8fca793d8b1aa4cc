"""The one reader of JSON files that others wrote: bounded in size, depth and numbers, one clear line for each fault.

What it returns can be walked with recursion, every number in it fits a float, and every text can be printed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from sunbreak.errors import InputError
from sunbreak.regular_files import read_regular

#: Largest file that is read unless the caller says otherwise. STAC items and model cards have some 100 kB at most.
LIMIT_BYTES = 8 * 2**20
_MAX_DEPTH = 100
_MAX_DIGITS = 100
_HINT = "Repair or remove it."


def read_json(path: Path, *, limit_bytes: int = LIMIT_BYTES, hint: str = _HINT) -> object:
    """The content of a JSON file.

    Args:
        path: The file, in UTF-8.
        limit_bytes: The largest size that is read.
        hint: What to do about a file that is no JSON.

    Raises:
        InputError: ``missing-file``, ``unreadable``, ``not-a-file``, ``too-large``, or ``not-json`` if it is not UTF-8,
            not JSON, nested more than 100 deep, or holds an integer of more than 100 digits or half a character.
    """
    return parse_json(read_regular(path, "JSON file", limit_bytes=limit_bytes), str(path), hint=hint)


def parse_json(content: bytes | str, name: str, *, hint: str = _HINT) -> object:
    """The content of a JSON text, with the same bounds as `read_json` except for the size.

    Args:
        content: The text, or its bytes in UTF-8.
        name: What messages call it.
        hint: What to do about a text that is no JSON.

    Raises:
        InputError: ``not-json``.
    """
    try:
        text = content if isinstance(content, str) else content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{name} is not text in UTF-8.", hint, code="not-json") from None
    try:
        value: object = json.loads(text, parse_int=_integer)
    except json.JSONDecodeError as error:
        raise InputError(
            f"{name} is not JSON: {error.msg} at line {error.lineno}, column {error.colno}.", hint, code="not-json"
        ) from None
    except RecursionError:
        raise _too_deep(name, hint) from None
    except _HugeInteger as error:
        raise InputError(f"{name} holds an integer of {error} digits.", hint, code="not-json") from None
    _check(value, name, hint)
    return value


class _HugeInteger(Exception):
    """An integer that no field can mean, and that no float can hold."""


def _integer(text: str) -> int:
    if len(text) > _MAX_DIGITS:
        raise _HugeInteger(len(text.lstrip("-")))
    return int(text)


def _check(value: object, name: str, hint: str) -> None:
    level: list[object] = [value]
    for _ in range(_MAX_DEPTH):
        below: list[object] = []
        for one in level:
            if isinstance(one, str):
                _check_text(one, name, hint)
            elif isinstance(one, Mapping):
                for key, held in one.items():
                    _check_text(key, name, hint)
                    below.append(held)
            elif isinstance(one, Sequence):
                below.extend(one)
        level = below
    if level:
        raise _too_deep(name, hint)


def _check_text(text: str, name: str, hint: str) -> None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise InputError(f"{name} holds half a character (a lone surrogate).", hint, code="not-json") from None


def _too_deep(name: str, hint: str) -> InputError:
    return InputError(f"{name} is nested more than {_MAX_DEPTH} levels deep.", hint, code="not-json")
