"""JSON files that others wrote are read within bounds, and each fault is one clear line."""

import json
import os
import socket

import pytest

from sunbreak.errors import InputError
from sunbreak.json_files import read_json


def test_a_good_file_is_read_as_it_is(tmp_path):
    path = tmp_path / "a.json"
    path.write_text('{"a": [1, 2.5, null, true, "ä\\ud83d\\ude00", -12345678901234567890]}', encoding="utf-8")
    assert read_json(path) == {"a": [1, 2.5, None, True, "ä😀", -12345678901234567890]}


def test_a_byte_order_mark_is_no_fault(tmp_path):
    path = tmp_path / "a.json"
    path.write_bytes(b'\xef\xbb\xbf{"a": 1}')
    assert read_json(path) == {"a": 1}


def test_a_hundred_levels_are_the_limit(tmp_path):
    path = tmp_path / "a.json"
    path.write_text("[" * 99 + "1" + "]" * 99)
    assert json.dumps(read_json(path)) == path.read_text()
    path.write_text("[" * 100 + "1" + "]" * 100)
    with pytest.raises(InputError, match="more than 100 levels"):
        read_json(path)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is not JSON: Expecting value at line 1, column 1"),
        (b'{"a": ', "is not JSON"),
        (b'{"a": "\xff"}', "is not text in UTF-8"),
        (b'{"a": 1' + b"0" * 400 + b"}", "an integer of 401 digits"),
        (b'{"a": -1' + b"0" * 10_000 + b"}", "an integer of 10001 digits"),
        (b"[" * 100_000, "more than 100 levels"),
        (b"[" * 500 + b"]" * 500, "more than 100 levels"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "more than 100 levels"),
        (b'{"a": "\\ud800"}', "lone surrogate"),
        (b'{"\\udc00": 1}', "lone surrogate"),
        (b'"' + b"x" * 1000 + b'"', "is larger than"),
    ],
    ids=lambda value: None if isinstance(value, bytes) else value,
)
def test_each_fault_is_one_line_that_names_the_file(tmp_path, content, says):
    path = tmp_path / "bad.json"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_json(path, limit_bytes=1000 if "larger" in says else 8 * 2**20)
    assert says in caught.value.message and "\n" not in str(caught.value) and str(path) in caught.value.message


def test_what_is_no_regular_file_is_refused_without_waiting(tmp_path):
    folder, pipe, missing = tmp_path / "folder", tmp_path / "pipe", tmp_path / "missing"
    folder.mkdir()
    os.mkfifo(pipe)
    for path, says in (
        (folder, "is a folder"),
        (pipe, "is a named pipe"),
        (tmp_path / "null", "is a device"),
        (missing, "there is no such"),
        (tmp_path / ("x" * 300), "cannot be read: File name too long"),
    ):
        if path.name == "null":
            path.symlink_to(os.devnull)
        with pytest.raises(InputError, match=says):
            read_json(path)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s"))
        with pytest.raises(InputError, match="is a socket"):
            read_json(tmp_path / "s")
