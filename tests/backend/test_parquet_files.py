"""Parquet files of others: what is stored comes back, and what is only claimed takes no memory."""

from __future__ import annotations

import io
import tempfile
import time
from typing import BinaryIO

import pytest

from sunbreak.parquet_files import DamagedTable, decode, read_parquet

arrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")


def written(columns: dict, **how) -> io.BytesIO:
    file = io.BytesIO()
    parquet.write_table(arrow.table(columns), file, **how)
    file.seek(0)
    return file


def stored(content: bytes) -> BinaryIO:
    file: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
    file.write(content)
    return file


def many_rows() -> io.BytesIO:
    """Twelve million equal numbers take a few bytes."""
    return written({"a": arrow.array([1] * 4_000_000 * 3, arrow.int8())})


def wide() -> io.BytesIO:
    return written({f"c{number}": [1] for number in range(1001)})


def long_lists() -> io.BytesIO:
    """Two rows of twenty million equal numbers."""
    values = arrow.nulls(40_000_000, arrow.int8())
    offsets = arrow.array([0, 20_000_000, 40_000_000], arrow.int32())
    return written({"a": arrow.ListArray.from_arrays(offsets, values)})


def repeated_text() -> io.BytesIO:
    """A text of a megabyte, a thousand times."""
    long = arrow.DictionaryArray.from_arrays(arrow.array([0] * 1000, arrow.int32()), arrow.array(["x" * 2**20]))
    return written({"a": long})


def repeated_text_in_lists() -> io.BytesIO:
    long = arrow.DictionaryArray.from_arrays(arrow.array([0] * 1000, arrow.int32()), arrow.array(["x" * 2**20]))
    return written({"a": arrow.ListArray.from_arrays(arrow.array([0, 1000], arrow.int32()), long)})


def claims_rows() -> io.BytesIO:
    """The directory at the end of the file says 10^12 rows."""
    content = written({"a": [1, 2, 3]}).getvalue()
    length = int.from_bytes(content[-8:-4], "little")
    footer = content[-8 - length : -8]
    # the number of rows is the third field of a compact structure: a list, then 0x16 and a number in zigzag form
    place = footer.rindex(b"\x16\x06\x19")
    changed = footer[:place] + b"\x16" + _zigzag(10**12) + footer[place + 2 :]
    return io.BytesIO(content[: -8 - length] + changed + len(changed).to_bytes(4, "little") + b"PAR1")


def _zigzag(number: int) -> bytes:
    number, found = number * 2, bytearray()
    while number > 127:
        found.append(number & 127 | 128)
        number >>= 7
    return bytes([*found, number])


BAD = {
    "more rows than any table has": (many_rows, "12,000,000 rows"),
    "10^12 rows in its directory": (claims_rows, "1,000,000,000,000 rows"),
    "more columns than any table has": (wide, "1,001 columns"),
    "lists that are next to nothing": (long_lists, "claims .* MiB and stores"),
    "a long text again and again": (repeated_text, "up to 1,048,576 letters"),
    "a long text again and again in a list": (repeated_text_in_lists, "up to 1,048,576 letters"),
    "half a file": (lambda: io.BytesIO(written({"a": [1]}).getvalue()[:-30]), "no readable Parquet file"),
    "a text": (lambda: io.BytesIO(b"patch,label\n"), "no readable Parquet file"),
    "nothing": (lambda: io.BytesIO(), "no readable Parquet file"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_table_that_claims_too_much_is_refused_at_once(name):
    make, said = BAD[name]
    content = make().getvalue()
    before, started = arrow.total_allocated_bytes(), time.monotonic()
    with pytest.raises(DamagedTable, match=said):
        decode(io.BytesIO(content))
    assert arrow.total_allocated_bytes() - before < 2**27
    assert time.monotonic() - started < 5
    with stored(content) as file, pytest.raises(DamagedTable, match=said):
        read_parquet(file)


def test_the_content_comes_back_and_only_the_wanted_columns():
    columns = {"name": ["a", "b", None], "label": [["x", "y"], [], ["x"]], "number": [1.5, 2.5, 3.5]}
    file = stored(written(columns).getvalue())
    assert read_parquet(file).to_pydict() == columns
    assert read_parquet(file, ["number", "absent"]).to_pydict() == {"number": columns["number"]}


def test_the_most_rows_are_those_that_the_caller_says():
    file = stored(written({"a": [1, 2, 3]}).getvalue())
    assert len(read_parquet(file, max_rows=3)) == 3
    with pytest.raises(DamagedTable, match="3 rows"):
        read_parquet(file, max_rows=2)


def test_a_table_with_any_byte_of_its_values_changed_is_refused_or_can_be_used():
    content = written({"patch": [f"p{number}" for number in range(20)], "label": list(range(20))}).getvalue()
    directory = start_of_directory(content)
    refused = 0
    for place in range(directory):
        try:
            decode(io.BytesIO(changed(content, place))).to_pylist()
        except DamagedTable:
            refused += 1
        except UnicodeDecodeError:
            pass  # a text that is none is the caller's to judge
    assert 20 < refused < directory


def test_a_table_whose_directory_makes_arrow_end_its_process_is_refused():
    content = written({"patch": [f"p{number}" for number in range(20)], "label": list(range(20))}).getvalue()
    # the highest definition level, behind the histogram of levels that has to fit it
    place = content.index(b"\x15\x0c%\x02\x18\x05patch", start_of_directory(content)) + 3
    with stored(changed(content, place)) as file, pytest.raises(DamagedTable, match="no readable Parquet file"):
        read_parquet(file)


def start_of_directory(content: bytes) -> int:
    return len(content) - 8 - int.from_bytes(content[-8:-4], "little")


def changed(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 0x15]) + content[place + 1 :]
