"""From JSON values back to frozen dataclasses, by their types; values that do not fit are refused with their place."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from sunbreak.errors import InputError

_SHOWN = 200


def from_plain(kind: Any, value: Any, instead: Mapping[str, Any] | None = None, where: str = "") -> Any:
    """The value of a type from its JSON form.

    Args:
        kind: A dataclass, a tuple, a union with None, a Literal, Path, str, int, float or bool.
        value: The JSON value.
        instead: Types to use instead of the declared ones, by name of the field.
        where: Place of the value, for messages.

    Raises:
        InputError: The value does not fit the type, or a field is unknown or missing (``bad-job``).
    """
    if is_dataclass(kind):
        return _object(kind, value, instead or {}, where)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return _one_of(arguments, value, where)
    if origin is Literal:
        if value in arguments and isinstance(value, str):
            return value
        raise _bad(where, f"{value!r} is none of {', '.join(map(str, arguments))}")
    if origin is tuple:
        return _tuple(arguments, value, where)
    if kind is Path:
        if isinstance(value, str):
            return Path(value)
    elif kind is float:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return float(value)
    elif isinstance(value, kind) and (kind is bool or not isinstance(value, bool)):
        return value
    raise _bad(where, f"{value!r} is no {getattr(kind, '__name__', kind)}")


def _object(kind: Any, value: Any, instead: Mapping[str, Any], where: str) -> Any:
    if not isinstance(value, dict):
        raise _bad(where, f"{value!r} is no object")
    hints = {**get_type_hints(kind), **instead}
    known = {field.name: field for field in fields(kind)}
    unknown = [name for name in value if name not in known]
    if unknown:
        raise _bad(where, f"the field {unknown[0]!r} is unknown")
    for name, field in known.items():
        if name not in value and field.default is MISSING and field.default_factory is MISSING:
            raise _bad(where, f"the field {name!r} is missing")
    return kind(**{name: from_plain(hints[name], part, None, _below(where, name)) for name, part in value.items()})


def _one_of(kinds: tuple[Any, ...], value: Any, where: str) -> Any:
    if value is None and type(None) in kinds:
        return None
    for kind in kinds:
        if kind is type(None):
            continue
        try:
            return from_plain(kind, value, None, where)
        except InputError as error:
            # a nested object says best what is wrong with it
            if is_dataclass(kind) and isinstance(value, dict):
                raise
            reason = error
    raise reason


def _tuple(kinds: tuple[Any, ...], value: Any, where: str) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise _bad(where, f"{value!r} is no list")
    if len(kinds) == 2 and kinds[1] is Ellipsis:
        kinds = (kinds[0],) * len(value)
    if len(value) != len(kinds):
        raise _bad(where, f"it has {len(value)} values, not {len(kinds)}")
    return tuple(from_plain(kind, part, None, where) for kind, part in zip(kinds, value, strict=True))


def _below(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def _bad(where: str, what: str) -> InputError:
    told = what if len(what) <= _SHOWN else f"{what[: _SHOWN // 2]}...{what[-_SHOWN // 2 :]}"
    return InputError(f"The job description is wrong: {f'{where}: ' if where else ''}{told}.", code="bad-job")
