"""Seeded mutations for `tools/fuzz.py`: of bytes, of TIFF directories, of JSON, of XML and of zip members.

Every function takes a `random.Random` and the content, and returns the changed content. The same generator state gives
the same result. `tokens` are texts that a hostile file would hold, addresses of the listener among them.
"""

from __future__ import annotations

import io
import json
import random
import struct
import zipfile
from collections.abc import Callable, Sequence
from typing import Any

INTEGERS = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 2**63, 2**64 - 1)
SIZES = {1: "B", 2: "H", 4: "I", 8: "Q"}
#: Tags that decide what is allocated, where data lies, and what GDAL takes from a text.
TIFF_TAGS = (
    256, 257, 258, 259, 262, 266, 270, 273, 277, 278, 279, 284, 305, 306, 317, 322, 323, 324, 325, 330, 338, 339,
    33550, 33922, 34264, 34735, 34736, 34737, 42112, 42113, 50844,
)  # fmt: skip

Mutation = Callable[[random.Random, bytes, Sequence[bytes]], bytes]


def flip_bits(rng: random.Random, content: bytes, tokens: Sequence[bytes]) -> bytes:
    """Flip 1 to 16 bits."""
    data = bytearray(content)
    for _ in range(rng.randint(1, 16) if data else 0):
        data[_place(rng, data)] ^= 1 << rng.randrange(8)
    return bytes(data)


def set_integer(rng: random.Random, content: bytes, tokens: Sequence[bytes]) -> bytes:
    """Write an interesting integer somewhere, more often near the start."""
    data = bytearray(content)
    size = rng.choice(tuple(SIZES))
    if len(data) <= size:
        return bytes(data)
    place = min(_place(rng, data), len(data) - size)
    value = rng.choice(INTEGERS) & (256**size - 1)
    data[place : place + size] = struct.pack(rng.choice("<>") + SIZES[size], value)
    return bytes(data)


def cut(rng: random.Random, content: bytes, tokens: Sequence[bytes]) -> bytes:
    """Leave out the end or a piece."""
    if rng.random() < 0.5:
        return content[: rng.randint(0, len(content))]
    start = _place(rng, content) if content else 0
    return content[:start] + content[start + rng.randint(1, 256) :]


def repeat(rng: random.Random, content: bytes, tokens: Sequence[bytes]) -> bytes:
    """Repeat a piece, sometimes thousands of times."""
    start = _place(rng, content) if content else 0
    piece = content[start : start + rng.randint(1, 64)]
    return content[:start] + piece * rng.choice((2, 2, 3, 100, 5000)) + content[start:]


def insert_token(rng: random.Random, content: bytes, tokens: Sequence[bytes]) -> bytes:
    """Put a token into the content, over what is there or between it."""
    start, token = _place(rng, content) if content else 0, rng.choice(tokens)
    return content[:start] + token + content[start + rng.choice((0, len(token))) :]


PLAIN: tuple[Mutation, ...] = (flip_bits, set_integer, cut, repeat, insert_token)


def mutate_bytes(rng: random.Random, content: bytes, tokens: Sequence[bytes]) -> bytes:
    """One to three plain mutations."""
    for _ in range(rng.choice((1, 1, 2, 3))):
        content = rng.choice(PLAIN)(rng, content, tokens)
    return content


def mutate_tiff(rng: random.Random, content: bytes, tokens: Sequence[bytes]) -> bytes:
    """Change entries of the first image directory of a classic little-endian TIFF, or mutate its bytes."""
    if rng.random() < 0.3 or content[:4] != b"II*\0":
        return mutate_bytes(rng, content, tokens)
    data = bytearray(content)
    directory = struct.unpack_from("<I", data, 4)[0]
    count = struct.unpack_from("<H", data, directory)[0]
    for _ in range(rng.choice((1, 1, 2, 3))):
        entry = directory + 2 + 12 * rng.randrange(count)
        tag, kind, number, value = struct.unpack_from("<HHII", data, entry)
        what = rng.randrange(7)
        if what == 0:
            tag = rng.choice(TIFF_TAGS)
        elif what == 1:
            kind = rng.randrange(20)
        elif what == 2:
            number = rng.choice((0, 1, 2, number // 2, number + 1, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF))
        elif what == 3:
            value = rng.choice((*(item & 0xFFFFFFFF for item in INTEGERS), value ^ 1 << rng.randrange(32), len(data)))
        elif what == 4:  # a text or table at the end of the file
            text = rng.choice(tokens) + b"\0"
            kind, number, value = rng.choice((2, kind)), len(text), len(data)
            data += text
        elif what == 5 and value < len(data):  # in the table that the entry points to
            place = min(value + rng.randrange(max(1, min(number * 8, 4096))), len(data) - 1)
            data[place] = rng.choice((0, 255, data[place] ^ 1 << rng.randrange(8)))
        else:  # the next directory is this one, or nowhere
            struct.pack_into("<I", data, directory + 2 + 12 * count, rng.choice((directory, 8, len(data), 0xFFFFFFFF)))
        struct.pack_into("<HHII", data, entry, tag & 0xFFFF, kind, number & 0xFFFFFFFF, value & 0xFFFFFFFF)
    return bytes(data)


def mutate_json(rng: random.Random, content: bytes, tokens: Sequence[bytes]) -> bytes:
    """Change values of a JSON document, or mutate its text."""
    if rng.random() < 0.2:
        return mutate_bytes(rng, content, tokens)
    document = json.loads(content)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        places = list(_places(document))
        holder, key = rng.choice(places)
        if rng.random() < 0.15:
            del holder[key]
            if not document:
                break
        else:
            holder[key] = _odd_value(rng, holder[key], tokens)
    text = json.dumps(document)
    for mark, digits in (("@huge@", "1" + "0" * 400), ("@float@", "1e999"), ("@deep@", "[" * 100_000 + "]" * 100_000)):
        text = text.replace(f'"{mark}"', digits)
    return text.encode("utf-8", "surrogatepass")


def mutate_xml(rng: random.Random, content: bytes, tokens: Sequence[bytes]) -> bytes:
    """Change the text of elements, nest or repeat them, add a document type; or mutate the bytes."""
    what = rng.randrange(6)
    start = content.find(b">", _place(rng, content))
    if what == 0 or start < 0:
        return mutate_bytes(rng, content, tokens)
    start, end = start + 1, content.find(b"<", start)
    end = end if end >= start else len(content)
    if what == 1:
        return content[:start] + rng.choice(tokens) + content[end:]
    if what == 2:
        return content[:start] + b"../" * rng.randint(1, 50) + content[start:]
    if what == 3:
        opened = content.rfind(b"<", 0, start)
        return content[:start] + content[opened:start] * rng.choice((2, 1000, 20_000)) + content[start:]
    if what == 4:
        entities = b"".join(b'<!ENTITY e%d "%s">' % (n, b"&e%d;" % (n - 1) * 10) for n in range(1, 10))
        head = b'<!DOCTYPE x [<!ENTITY e0 "ha">' + entities + b'<!ENTITY f SYSTEM "' + rng.choice(tokens) + b'">]>'
        return head + content[:start] + rng.choice((b"&e9;", b"&f;")) + content[end:]
    return content[:start] + rng.choice((b"A", b" ", b"9")) * rng.choice((300, 5000, 2_000_000)) + content[end:]


def mutate_zip(rng: random.Random, content: bytes, tokens: Sequence[bytes]) -> bytes:
    """Change a member of a zip file with a correct checksum, its compression or its name; or mutate the bytes."""
    if rng.random() < 0.3:
        return mutate_bytes(rng, content, tokens)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = [(entry.filename, archive.read(entry)) for entry in archive.infolist()]
    except (OSError, ValueError, zipfile.BadZipFile):
        return mutate_bytes(rng, content, tokens)
    # the pickle decides what is read, so it is changed most often
    chosen = next((n for n, (name, _) in enumerate(members) if name.endswith("data.pkl")), 0)
    chosen = chosen if rng.random() < 0.7 else rng.randrange(len(members))
    name, inside = members[chosen]
    what = rng.randrange(5)
    if what < 3:
        members[chosen] = name, mutate_bytes(rng, inside, tokens)
    elif what == 3:
        members[chosen] = rng.choice(("../" + name, name + "x", "/" + name)), inside
    else:
        members[chosen] = name, inside + bytes(rng.choice((1, 1000, 30_000_000)))
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as archive:
        for name, inside in members:
            archive.writestr(name, inside)
    return whole.getvalue()


def mutate_safetensors(rng: random.Random, content: bytes, tokens: Sequence[bytes]) -> bytes:
    """Change the header of a safetensors file with a correct length, or its numbers; or mutate the bytes."""
    if rng.random() < 0.3:
        return mutate_bytes(rng, content, tokens)
    length = struct.unpack_from("<Q", content)[0]
    header, numbers = content[8 : 8 + length], content[8 + length :]
    if rng.random() < 0.6:
        header = mutate_json(rng, header, tokens)
        if rng.random() < 0.3:
            header += b" " * rng.randint(0, 7)
    else:
        data = bytearray(numbers)
        for _ in range(rng.choice((1, 4, 64))):
            place = 4 * rng.randrange(len(data) // 4)
            odd = rng.choice((float("nan"), float("inf"), -float("inf"), -1e30, 1e38, 0.0))
            struct.pack_into("<f", data, place, odd)
        numbers = bytes(data)
    return struct.pack("<Q", len(header)) + header + numbers


def _place(rng: random.Random, content: bytes | bytearray) -> int:
    """An index into the content, in half of the cases among the first 512."""
    return rng.randrange(min(len(content), 512) if rng.random() < 0.5 else len(content)) if content else 0


def _places(document: Any) -> list[tuple[Any, Any]]:
    """(holder, key) of every value inside a document."""
    found: list[tuple[Any, Any]] = []
    stack = [document]
    while stack:
        holder = stack.pop()
        if not isinstance(holder, (dict, list)):
            continue
        for key in holder if isinstance(holder, dict) else range(len(holder)):
            found.append((holder, key))
            stack.append(holder[key])
    return found


def _odd_value(rng: random.Random, value: Any, tokens: Sequence[bytes]) -> Any:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and rng.random() < 0.4:
        return rng.choice((-value, value + 1, value * 2, value * 1000, value / 3, 0))
    return rng.choice(
        (
            None, True, False, 0, -1, 1, 2, 0.5, -1e30, 10**4, 10**7, 2**31, 2**63, "@huge@", "@float@", "@deep@",
            float("nan"), "", "x", "yes", "0", "../../x", "a" * 5000, "\x1b[31mred\nline", "\u202eabc", "\ud800", [], {},
            [value], {"x": value}, [value] * 50, [[[]]], str(value)[:5000],
            rng.choice(tokens).decode("latin-1")[:300],
        )
    )  # fmt: skip
