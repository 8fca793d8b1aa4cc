"""Texts that can be shown to anybody: without the home folder and the user's name in paths."""

from __future__ import annotations

import getpass
import os
import re
from collections.abc import Sequence

_PATH = re.compile(r"[^\s\"']*[/\\][^\s\"']*")


def without_private(text: str, homes: Sequence[str] | None = None, users: Sequence[str] | None = None) -> str:
    """A text that can be shown to anybody: ``~`` for the home folder, ``<user>`` for the user's name in other paths.

    Args:
        text: The text.
        homes: Home folders; this user's if not given.
        users: Names of the user; this user's if not given.
    """
    if homes is None:
        homes = [os.path.expanduser("~"), os.path.realpath(os.path.expanduser("~"))]  # noqa: PTH111 (never raises)
    if users is None:
        users = [_user(), *(re.split(r"[/\\]", home.rstrip("/\\"))[-1] for home in homes)]
    for home in sorted({home.rstrip("/\\") for home in homes}, key=len, reverse=True):
        if len(home) > 1:
            either = r"[/\\]".join(map(re.escape, re.split(r"[/\\]", home)))
            text = re.sub(
                rf"(?<![\w.~-]){either}(?![^/\\\s\"':;,)\]])", "~", text, flags=re.IGNORECASE if "\\" in home else 0
            )
    for user in {user for user in users if user}:
        name = re.escape(user)
        word = re.compile(rf"(?<![A-Za-z0-9]){name}(?![A-Za-z0-9])")
        # only in what looks like a path: "root" stays in "the root of the tree", "bob" goes in "/tmp/cache-bob"
        text = _PATH.sub(lambda path, word=word: word.sub("<user>", path[0]), text)  # type: ignore[misc]
        text = re.sub(rf"(?<=[/\\]){name}(?=[/\\])", "<user>", text)  # a name with a space
    return text


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # no such user in the system's list, as in some containers
        return ""
