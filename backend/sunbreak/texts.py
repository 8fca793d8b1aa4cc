"""Makes texts from files and names of files safe to show: characters that act instead of being shown are escaped."""

from __future__ import annotations

import re
import unicodedata

# Cc: control characters, of which ESC and U+009B begin commands to a terminal. Cf: invisible ones, of which some turn
# the direction of what follows. Cs: bytes of names that are not UTF-8. Zl, Zp: breaks of lines that are no "\n".
_ACTING = {"Cc", "Cf", "Cs", "Zl", "Zp"}
_JOINERS = "\u200c\u200d"
"""Some scripts need them."""
_NAMES = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}
_PLAIN = re.compile(r"[ -~]*")


def visible(text: str, *, keep: str = "") -> str:
    r"""The text on one line, with escapes such as ``\n``, ``\x1b`` and ``\u202e`` for characters that act.

    Args:
        text: Any text.
        keep: Characters that stay, such as the line breaks of a page.
    """
    if _PLAIN.fullmatch(text):
        return text
    return "".join(
        one if one in keep or one in _JOINERS or unicodedata.category(one) not in _ACTING else _escape(one)
        for one in text
    )


def _escape(one: str) -> str:
    code = ord(one)
    if 0xDC80 <= code <= 0xDCFF:  # how Python holds a byte that is not UTF-8
        return f"\\x{code - 0xDC00:02x}"
    return _NAMES.get(one) or (
        f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}"
    )


def visible_json(text: str) -> str:
    """JSON text whose strings hold escapes for characters that act; it means the same."""
    if _PLAIN.fullmatch(text.replace("\n", "")):
        return text

    def escape(one: str) -> str:
        code = ord(one)
        if code < 65536:
            return f"\\u{code:04x}"
        return f"\\u{0xD7C0 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"

    return "".join(
        escape(one) if one != "\n" and unicodedata.category(one) in _ACTING and one not in _JOINERS else one
        for one in text
    )
