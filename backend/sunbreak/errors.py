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
    """An input file or an option is wrong: exit status 2.

    Raised when data is opened, checked or read, and for options that contradict each other or the data. Another input
    or another option helps.
    """

    exit_status = 2
    default_code = "bad-input"


class MissingExtra(InputError):
    """A job needs a package that an extra of Sunbreak brings, and it is not installed: exit status 2.

    Args:
        purpose: What needs it, as the subject of a sentence in the singular, such as ``Comparing images``.
        package: Its name in the package index.
        extra: The extra that brings it.
    """

    default_code = "missing-extra"

    def __init__(self, purpose: str, package: str, extra: str) -> None:
        super().__init__(
            f"{purpose} needs {package}, which is not installed.", f"Install it: pip install 'sunbreak[{extra}]'."
        )
        self.extra = extra
        self._arguments = (purpose, package, extra)

    def __reduce__(self) -> tuple[type[MissingExtra], tuple[str, str, str]]:
        """How an error travels from a worker process: by the arguments, of which the message is made."""
        return type(self), self._arguments


class ModelError(SunbreakError):
    """A model card, its weights or a checkpoint cannot be used: exit status 2.

    Raised when a model is looked up, loaded or imported, and when it does not fit the job. No other input helps.
    """

    exit_status = 2
    default_code = "bad-model"


class OutputError(SunbreakError):
    """An output exists, is an input of the run, or cannot be written: exit status 2.

    Raised before a run writes anything, and when finished files cannot get their final names. Another folder, or the
    permission to overwrite, helps. A disk that fails during a run is a `RunError`.
    """

    exit_status = 2
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
