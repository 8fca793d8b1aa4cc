"""Checks of the arguments of networks, which come from cards and configurations of others: type, range, finiteness."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sunbreak.errors import ModelError

_SHOWN, _NAMED, _NAME_SHOWN = 60, 4, 120


def listed(names: Sequence[str]) -> str:
    """Names that others chose, shortened and in ASCII; of many the first ones and how many more there are."""
    rest = len(names) - _NAMED
    shown = ", ".join(ascii(name)[1:-1][:_NAME_SHOWN] for name in names[:_NAMED])
    return shown + (f" and {rest} more" if rest > 0 else "")


@contextmanager
def naming(source: str | Path) -> Iterator[None]:
    """Put the name of a file before what a `ModelError` says.

    Raises:
        ModelError: As raised within.
    """
    try:
        yield
    except ModelError as error:
        raise ModelError(f"{source}: {error.message}", error.hint, code=error.code) from error


def check_whole(owner: str, name: str, value: Any, low: int, high: int) -> None:
    """Refuse what is no whole number from `low` to `high`. ``True`` is none.

    Raises:
        ModelError: ``bad-config``.
    """
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise _refusal(owner, name, value, f"a whole number from {low} to {high}")


def check_real(owner: str, name: str, value: Any, low: float, high: float) -> None:
    """Refuse what is no number from `low` to `high`.

    Raises:
        ModelError: ``bad-config``.
    """
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or not low <= value <= high:
        raise _refusal(owner, name, value, f"a number from {low:g} to {high:g}")


def check_flag(owner: str, name: str, value: Any) -> None:
    """Refuse what is neither True nor False.

    Raises:
        ModelError: ``bad-config``.
    """
    if not isinstance(value, bool):
        raise _refusal(owner, name, value, "true or false")


def check_choice(owner: str, name: str, value: Any, choices: Collection[Any]) -> None:
    """Refuse what is not one of `choices`, which are of one type.

    Raises:
        ModelError: ``bad-config``.
    """
    if not any(type(value) is type(choice) and value == choice for choice in choices):
        raise _refusal(owner, name, value, f"one of {', '.join(map(str, choices))}")


def _refusal(owner: str, name: str, value: Any, wanted: str) -> ModelError:
    return ModelError(
        f"{owner} takes for {name} {wanted}, not {ascii(value)[:_SHOWN]}.", f"Correct {name}.", code="bad-config"
    )
