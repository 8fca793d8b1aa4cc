"""A file on a server is read like an open file, each byte asked for once."""

from __future__ import annotations

import io
import threading

import numpy as np
import pytest
from faulty_server import FaultyServer, half, status, unless_signed

from sunbreak.errors import SunbreakError
from sunbreak.sources.remote import RemoteFile
from sunbreak.sources.remote.file import Parts

MIB = 2**20


@pytest.fixture
def content(server: FaultyServer) -> bytes:
    server.files["/f.bin"] = np.random.default_rng(0).bytes(3 * MIB)
    return server.files["/f.bin"]


def code_of(call) -> str:
    with pytest.raises(SunbreakError) as caught:
        call()
    assert "sig=" not in str(caught.value) and "\n" not in str(caught.value)
    return caught.value.code


def test_it_reads_as_a_file_does(server: FaultyServer, content: bytes, connect) -> None:
    file, same = RemoteFile(connect(), server.url("/f.bin")), io.BytesIO(content)
    rng = np.random.default_rng(1)
    for place, length in zip(rng.integers(0, 3 * MIB + 100, 60), rng.integers(0, 50_000, 60), strict=True):
        assert file.seek(int(place)) == same.seek(int(place))
        assert file.read(int(length)) == same.read(int(length))
        assert file.tell() == same.tell()
    assert file.seek(-10, 2) == same.seek(-10, 2) and file.read() == same.read() and file.read(1) == b""
    assert file.seek(5) == 5 and file.seek(3, 1) == 8 and file.read(2) == content[8:10]


def test_the_header_is_asked_for_once_and_small_reads_need_no_request(server: FaultyServer, content, connect) -> None:
    file = RemoteFile(connect(), server.url("/f.bin"))
    for place in (0, 8, 300, 40_000, 65_000, 0, 192):
        file.seek(place)
        assert file.read(100) == content[place : place + 100]
    assert [asked for _, _, asked in server.asked] == ["bytes=0-65535"]


def test_what_lies_close_together_is_asked_for_together_and_nothing_twice(server, content, connect) -> None:
    client = connect()
    parts = Parts(client, server.url("/f.bin"))
    ranges = [(MIB, MIB + 50_000), (MIB + 50_008, MIB + 99_000), (2 * MIB, 2 * MIB + 40_000), (100, 200)]
    assert parts.read_all(ranges) == [content[start:stop] for start, stop in ranges]
    assert [asked for _, _, asked in server.asked] == [
        "bytes=0-65535",
        f"bytes={MIB}-{MIB + 98_999}",
        f"bytes={2 * MIB}-{2 * MIB + 39_999}",
    ]
    assert parts.read(MIB + 98_000, MIB + 120_000) == content[MIB + 98_000 : MIB + 120_000]
    assert server.asked[-1][2] == f"bytes={MIB + 99_000}-{MIB + 119_999}"
    assert client.moved_bytes == 65_536 + 120_000 + 40_000


def test_parts_that_were_received_first_make_room_but_not_the_header(server, content, connect, monkeypatch) -> None:
    monkeypatch.setattr("sunbreak.sources.remote.file._KEPT", 400_000)
    parts = Parts(connect(), server.url("/f.bin"))
    for start in range(100_000, 2_900_000, 100_000):
        assert parts.read(start, start + 100_000) == content[start : start + 100_000]
    assert sum(map(len, parts._kept.values())) <= 400_000
    before = len(server.asked)
    assert parts.read(0, 1000) == content[:1000] and len(server.asked) == before
    assert parts.read(0, 3 * MIB) == content


def test_large_reads_are_split(server: FaultyServer, content: bytes, connect, monkeypatch) -> None:
    monkeypatch.setattr("sunbreak.sources.remote.file._MOST", MIB)
    assert RemoteFile(connect(), server.url("/f.bin")).read(3 * MIB) == content
    assert len(server.asked) == 4
    assert RemoteFile(connect(), server.url("/f.bin")).read() == content
    assert len(server.asked) == 8


def test_a_signature_that_expired_is_renewed_once(server: FaultyServer, content: bytes, connect) -> None:
    valid, given = "2", []
    server.always = unless_signed(lambda: valid)

    def sign(href: str, again: bool) -> str:
        given.append(again)
        return f"{href}?sig={valid if again else 1}"

    file = RemoteFile(connect(), server.url("/f.bin"), sign)
    assert file.read(10) == content[:10]
    assert given == [False, True] and len(server.asked) == 2
    valid = "3"
    file = RemoteFile(connect(), server.url("/f.bin"), lambda href, again: f"{href}?sig=1")
    asked = len(server.asked)
    assert code_of(lambda: file.read(10)) == "forbidden"
    assert len(server.asked) == asked + 2


def test_other_errors_are_not_signed_again(server: FaultyServer, content: bytes, connect) -> None:
    given: list[bool] = []

    def sign(href: str, again: bool) -> str:
        given.append(again)
        return f"{href}?sig=1"

    server.faults = [status(404)]
    file = RemoteFile(connect(), server.url("/f.bin"), sign)
    assert code_of(lambda: file.read(10)) == "not-found" and given == [False]
    assert file.read(10) == content[:10]


@pytest.mark.parametrize("change", ["tag", "size"])
def test_a_file_that_changes_while_it_is_read_is_refused(server: FaultyServer, content, connect, change) -> None:
    file = RemoteFile(connect(), server.url("/f.bin"))
    file.read(10)
    if change == "tag":
        server.tag = '"2"'
    else:
        server.files["/f.bin"] = content + b"x"
    file.seek(MIB)
    assert code_of(lambda: file.read(10)) == "changed"
    assert RemoteFile(connect(), server.url("/f.bin")).read(10) == content[:10]


def test_a_server_without_ranges_is_refused(server: FaultyServer, content: bytes, connect) -> None:
    server.ranges = False
    client = connect()
    assert code_of(lambda: RemoteFile(client, server.url("/f.bin")).read(1)) == "no-ranges"
    assert client.moved_bytes == 0


def test_an_empty_file_is_none(server: FaultyServer, connect) -> None:
    server.files["/empty"] = b""
    assert code_of(lambda: RemoteFile(connect(), server.url("/empty")).read(1)) == "not-a-raster"


def test_threads_share_what_was_received(server: FaultyServer, content: bytes, connect) -> None:
    client, wrong = connect(), []
    parts = Parts(client, server.url("/f.bin"))
    server.faults = [half, status(500)]

    def read(seed: int) -> None:
        rng = np.random.default_rng(seed)
        file = RemoteFile(client, server.url("/f.bin"), parts=parts)
        for place in rng.integers(0, 3 * MIB, 30):
            file.seek(int(place))
            if file.read(30_000) != content[place : place + 30_000]:
                wrong.append(place)

    threads = [threading.Thread(target=read, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert [asked for _, _, asked in server.asked].count("bytes=0-65535") == 3  # two of them failed
    # all of it was read, hardly anything twice
    assert 3 * MIB * 0.5 < client.moved_bytes < 3 * MIB * 1.3
