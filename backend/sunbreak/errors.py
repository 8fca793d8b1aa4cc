"""The errors that Sunbreak raises on purpose: one root, each with a code, one clear line and a hint."""

from __future__ import annotations


class SunbreakError(Exception):
    """Something went wrong that a person can act on.

    Args:
        message: One line that names the file or option and says what is wrong with it.
        hint: One line that says what to do. May be empty.
        code: A stable machine-readable name, such as ``no-crs``.
    """

    exit_status = 1
    default_code = "internal"

    def __init__(self, message: str, hint: str = "", *, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code or self.default_code

    def __str__(self) -> str:
        """The message and the hint as one line."""
        return f"{self.message} {self.hint}".strip()


class InputError(SunbreakError):
    """A file or an option that the caller gave is wrong: exit status 2."""

    exit_status = 2
    default_code = "bad-input"


class ModelError(InputError):
    """A model card, its weights or a checkpoint cannot be used."""

    default_code = "bad-model"


class OutputError(InputError):
    """An output exists already, equals an input, or its folder cannot be written."""

    default_code = "bad-output"


class RunError(SunbreakError):
    """A failure of ours or of the machine while a run was under way: exit status 1."""

    default_code = "run-failed"


class Cancelled(SunbreakError):
    """The caller asked to stop: exit status 130."""

    exit_status = 130
    default_code = "cancelled"

    def __init__(self, message: str = "Cancelled.", hint: str = "Nothing was left behind.") -> None:
        super().__init__(message, hint)
