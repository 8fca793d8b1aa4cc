"""Removes the home folder and the user's name from paths in texts, as the backend does."""

from __future__ import annotations

import getpass
import os
import re
from collections.abc import Sequence

_PATH = re.compile(r"[^\s\"'<>]*[/\\][^\s\"'<>]*")


def without_private(text: str, homes: Sequence[str] | None = None, users: Sequence[str] | None = None) -> str:
    """Replace the home folder with ``~``, and the user's name in other paths with ``<user>``.

    Args:
        text: The text.
        homes: Home folders; this user's if not given.
        users: Names of the user; this user's if not given.
    """
    if homes is None:
        home = os.path.expanduser("~")  # noqa: PTH111 (never raises)
        homes = [home, os.path.realpath(home)]
    if users is None:
        users = [_user(), *(re.split(r"[/\\]", home.rstrip("/\\"))[-1] for home in homes)]
    for home in sorted({home.rstrip("/\\") for home in homes}, key=len, reverse=True):
        if len(home) > 1:
            either = r"[/\\]".join(map(re.escape, re.split(r"[/\\]", home)))
            flags = re.IGNORECASE if "\\" in home else 0
            text = re.sub(rf"(?<![\w.~-]){either}(?![^/\\\s\"':;,)\]])", "~", text, flags=flags)
    for user in {user for user in users if user}:
        word = re.compile(rf"(?<![A-Za-z0-9]){re.escape(user)}(?![A-Za-z0-9])")
        # only inside paths: the name may be an ordinary word such as "python"
        text = _PATH.sub(lambda path, word=word: word.sub("<user>", path[0]), text)
        text = re.sub(rf"(?<=[/\\]){re.escape(user)}(?=[/\\])", "<user>", text)  # a name with a space
    return text


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return ""
