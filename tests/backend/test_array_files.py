"""NPZ files of others: what is stored comes back, and what is only claimed takes no memory."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest
from numpy.lib import format as npy

from sunbreak.array_files import DamagedArrays, read_arrays


def header(descr: str, shape: str) -> bytes:
    """The header of an array as `numpy.save` writes it, whatever it says."""
    text = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    text += b" " * (63 - (10 + len(text)) % 64) + b"\n"
    return npy.MAGIC_PREFIX + b"\x01\x00" + struct.pack("<H", len(text)) + text


def packed(content: bytes, *, name: str = "a.npy", method: int = zipfile.ZIP_STORED) -> io.BytesIO:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        archive.writestr(name, content)
    file.seek(0)
    return file


def bomb() -> io.BytesIO:
    """300 MB of zeros in 300 kB."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("a.npy", "w") as member:
        member.write(header("'<f8'", f"({300 * 2**17},)"))
        for _ in range(300):
            member.write(bytes(2**20))
    file.seek(0)
    return file


def claims_size() -> io.BytesIO:
    """The directory of the archive says that a member of 100 bytes has 2 GB."""
    content = bytearray(packed(header("'<f8'", "(1,)") + bytes(8)).getvalue())
    place = content.rindex(b"PK\x01\x02")
    content[place + 24 : place + 28] = struct.pack("<I", 2**31)
    return io.BytesIO(bytes(content))


def twice() -> io.BytesIO:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.npy", header("'<f8'", "(0,)"))
        archive.writestr("a", header("'<f8'", "(0,)"))
    file.seek(0)
    return file


def encrypted() -> io.BytesIO:
    content = bytearray(packed(header("'<f8'", "(0,)")).getvalue())
    place = content.rindex(b"PK\x01\x02")
    content[place + 8] |= 1
    return io.BytesIO(bytes(content))


def many() -> io.BytesIO:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for number in range(10_001):
            archive.writestr(f"{number}", b"")
    file.seek(0)
    return file


def damaged() -> io.BytesIO:
    content = bytearray(packed(header("'<f8'", "(4,)") + bytes(32)).getvalue())
    content[content.index(b"\n") + 3] ^= 255
    return io.BytesIO(bytes(content))


def objects() -> io.BytesIO:
    file = io.BytesIO()
    np.savez(file, a=np.array([{}], dtype=object))
    file.seek(0)
    return file


def single() -> io.BytesIO:
    file = io.BytesIO()
    np.save(file, np.arange(3))
    file.seek(0)
    return file


BAD = {
    "zeros that are packed a thousandfold": (bomb, "claims 300 MiB and stores"),
    "a size in the directory that is not there": (claims_size, "claims 2,048 MiB"),
    "an array of 10^12 numbers": (lambda: packed(header("'<f8'", f"({10**12},)") + bytes(8)), "claims 1000000000000 elements"),
    "a shape whose product is beyond any number": (lambda: packed(header("'<f8'", f"({2**62}, {2**62}, {2**62})") + bytes(8)), "elements"),
    "elements without a size": (lambda: packed(header("'|V0'", f"({10**12},)")), "elements"),
    "texts of 10^8 letters": (lambda: packed(header("'<U100000000'", "(1,)") + bytes(4)), "elements"),
    "a negative shape": (lambda: packed(header("'<f8'", "(-1, -1)") + bytes(8)), "elements"),
    "Python objects": (objects, "Python objects"),
    "Python objects within a structure": (lambda: packed(header("[('a', '|O')]", "(1,)") + bytes(8)), "Python objects"),
    "a header that is an expression": (lambda: packed(header("__import__('os').abort()", "(1,)") + bytes(8)), "damaged"),
    "a header that does not end": (lambda: packed(header("'<f8'", "((1,")), "damaged"),
    "a header that is nested": (lambda: packed(header("(" * 9000 + ")" * 9000, "(1,)") + bytes(8)), "damaged"),
    "a header of another version": (lambda: packed(npy.MAGIC_PREFIX + b"\x09\x09" + bytes(80)), "damaged"),
    "no array": (lambda: packed(b"a text"), "damaged"),
    "two arrays of one name": (twice, "two arrays of one name"),
    "an encrypted member": (encrypted, "packed in a way"),
    "another compression": (lambda: packed(header("'<f8'", "(0,)"), method=zipfile.ZIP_BZIP2), "packed in a way"),
    "ten thousand and one arrays": (many, "more than 10000 arrays"),
    "a changed byte": (damaged, "damaged"),
    "half a file": (lambda: io.BytesIO(packed(header("'<f8'", "(4,)") + bytes(32)).getvalue()[:150]), "damaged"),
    "a single array": (single, "a single array"),
    "a text": (lambda: io.BytesIO(b"patch,label\n1,2\n"), "no NPZ file"),
    "nothing": (lambda: io.BytesIO(b""), "no NPZ file"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_what_is_only_claimed_is_refused_before_memory_is_taken(name):
    make, said = BAD[name]
    file = make()
    tracemalloc.start()
    with pytest.raises(DamagedArrays, match=said):
        read_arrays(file)
    assert tracemalloc.get_traced_memory()[1] < 2**25
    tracemalloc.stop()


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_arrays_come_back_as_they_were(save):
    stored = {
        "floats": np.linspace(0, 1, 7, dtype=np.float32).reshape(7, 1),
        "transposed": np.asfortranarray(np.arange(12).reshape(3, 4)),
        "texts": np.array(["a", "bcd", "é"]),
        "one": np.array("key"),
        "empty": np.zeros((0, 3)),
        "flags": np.array([True, False]),
    }
    file = io.BytesIO()
    save(file, **stored)
    file.seek(0)
    found = read_arrays(file)
    assert list(found) == list(stored)
    for name, values in stored.items():
        assert found[name].dtype == values.dtype
        np.testing.assert_array_equal(found[name], values)
    file.seek(0)
    assert list(read_arrays(file, ["one", "absent"])) == ["one"]


def test_a_small_file_that_is_mostly_zeros_is_read():
    file = io.BytesIO()
    np.savez_compressed(file, a=np.zeros(2**23))
    assert len(file.getvalue()) * 500 < 2**26
    file.seek(0)
    assert read_arrays(file)["a"].shape == (2**23,)


@pytest.mark.parametrize("order", ["<", ">"])
def test_texts_of_letters_that_there_are_not_are_refused(order):
    letters = np.array([ord("a"), 0x110000], f"{order}u4").tobytes()
    with pytest.raises(DamagedArrays, match="letters"):
        read_arrays(packed(header(f"'{order}U2'", "(1,)") + letters))
    right = np.array([ord("a"), 0x10FFFF], f"{order}u4").tobytes()
    assert read_arrays(packed(header(f"'{order}U2'", "(1,)") + right))["a"].tolist() == ["a\U0010ffff"]
