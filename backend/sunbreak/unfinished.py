"""What a process must remove if it has to end at once: drafts, hidden folders, locks, and folders it made.

Whoever makes such a thing names it here and takes the name back when it is gone or finished. A cancelled run removes
its files itself. A run that is inside a long call of a library cannot; the session then calls `remove_all`.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

_things: dict[Path, tuple[bool, Callable[[], bool]]] = {}
_renaming = threading.RLock()
_TRIES = 3


def add(path: Path, *, keep_content: bool = False, only_if: Callable[[], bool] = lambda: True) -> None:
    """Name a file or folder that must not be left behind.

    Args:
        path: Absolute, since the working folder may change.
        keep_content: It is a folder that is removed only if it is empty.
        only_if: Asked right before it is removed. Another process may have put something of its own in its place; then
            this is false, or raises `OSError`.
    """
    _things[path] = (keep_content, only_if)


def drop(path: Path) -> None:
    """Take a name back."""
    _things.pop(path, None)


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Around renames that must happen all or not at all: `remove_all` waits for their end."""
    with _renaming:
        yield


def remove_all(patience: float) -> bool:
    """Remove everything that is named, the latest first.

    Args:
        patience: Seconds to wait for the end of renames.

    Returns:
        False if there were renames to wait for, so that something was finished meanwhile.
    """
    at_once = _renaming.acquire(blocking=False)
    held = at_once or _renaming.acquire(timeout=patience)
    try:
        for path, (keep_content, only_if) in reversed(list(_things.items())):
            with contextlib.suppress(OSError):
                if only_if():
                    _remove(path, keep_content)
    finally:
        if held:
            _renaming.release()
    return at_once


def _remove(path: Path, keep_content: bool) -> None:
    for _ in range(_TRIES):  # a thread that is still writing may add a file
        with contextlib.suppress(OSError):
            if keep_content:
                path.rmdir()
            elif path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
        if keep_content or not os.path.lexists(path):
            return


if hasattr(os, "register_at_fork"):  # a child process owns nothing
    os.register_at_fork(after_in_child=_things.clear)
