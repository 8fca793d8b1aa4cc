"""Compares a file with the checksum that its catalogue states, a multihash (STAC's file extension)."""

from __future__ import annotations

import hashlib

# code of the function and length of the digest, as hexadecimal digits -> name
_FUNCTIONS = {"1220": "sha256", "1114": "sha1", "1340": "sha512", "d50110": "md5"}


def agrees(checksum: str, content: bytes) -> bool | None:
    """Whether a content has a checksum; None if the kind of the checksum is not known."""
    text = checksum.lower()
    for start, name in _FUNCTIONS.items():
        made = hashlib.new(name, usedforsecurity=False)
        if text.startswith(start) and len(text) == len(start) + 2 * made.digest_size:
            made.update(content)
            return made.hexdigest() == text[len(start) :]
    return None
