"""A lock is a lease: it is renewed while its process lives, and ends by itself when its host has stopped."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sunbreak import unfinished
from sunbreak.errors import OutputError
from sunbreak.layers import lease
from sunbreak.layers.lease import look_at, take_away
from sunbreak.layers.lock import OutputLock

HOLDER = """
import socket, sys, time
from pathlib import Path
from sunbreak.layers import lease
from sunbreak.layers.lock import OutputLock
lease.RENEW_S = 0.05
host = sys.argv[2]
if host:
    socket.gethostname = lambda: host
lock = OutputLock(Path(sys.argv[1]))
lock.acquire()
print("held", flush=True)
sys.stdin.readline()
lock.release()
"""


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / ".sunbreak-place.lock"


@pytest.fixture
def short(monkeypatch) -> None:
    """A lease ends after 0.6 s."""
    monkeypatch.setattr(lease, "LEASE_S", 0.6)
    monkeypatch.setattr(lease, "RENEW_S", 0.05)


@contextmanager
def holder(path: Path, host: str = "") -> Iterator[subprocess.Popen]:
    """Another process that holds the lock, on a host of that name."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path), host], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout.readline() == "held\n"
            yield process
        finally:
            process.kill()


def left_by(path: Path, content: str, seconds: float) -> None:
    """A lock file that was written so long ago."""
    path.write_text(content)
    then = time.time() - seconds
    os.utime(path, (then, then))


def refused(path: Path) -> OutputError:
    with pytest.raises(OutputError) as caught:
        OutputLock(path).acquire()
    assert caught.value.code == "output-locked"
    assert "\n" not in str(caught.value)
    return caught.value


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def renewing(short, monkeypatch) -> Callable[[], int]:
    """How many threads renew the leases of this test; other tests may have left some."""
    monkeypatch.setattr(lease, "_held", {})
    monkeypatch.setattr(lease, "_stop", None)
    others = set(threading.enumerate())
    return lambda: sum(thread.name == "sunbreak-leases" for thread in set(threading.enumerate()) - others)


def wait_until(true, seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_the_file_names_process_host_and_a_token_that_no_other_lock_has(path):
    tokens = set()
    for _ in range(2):
        lock = OutputLock(path)
        lock.acquire()
        pid, host, token = path.read_text().split()
        assert (int(pid), host, len(token)) == (os.getpid(), socket.gethostname(), 32)
        tokens.add(token)
        lock.release()
    assert len(tokens) == 2
    assert not names(path.parent)


def test_one_thread_renews_all_leases_and_ends_with_the_last(tmp_path, renewing):
    locks = [OutputLock(tmp_path / f"{number}.lock") for number in range(3)]
    assert renewing() == 0
    for lock in locks:
        lock.acquire()
    assert renewing() == 1
    before = [look_at(lock.path) for lock in locks]
    wait_until(
        lambda: all(look_at(lock.path).changed_ns > old.changed_ns for lock, old in zip(locks, before, strict=True))
    )
    assert [look_at(lock.path).content for lock in locks] == [old.content for old in before]
    for lock in locks:
        lock.release()
    wait_until(lambda: renewing() == 0)
    assert not names(tmp_path)


def test_the_thread_does_not_keep_the_interpreter_alive(path):
    code = HOLDER.replace("sys.stdin.readline()", "sys.exit(3)")
    done = subprocess.run([sys.executable, "-c", code, str(path), ""], capture_output=True, timeout=30)
    assert done.returncode == 3
    assert names(path.parent) == [path.name]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no such call")
def test_a_forked_child_holds_nothing_and_can_hold_locks_of_its_own(tmp_path, renewing):
    lock = OutputLock(tmp_path / "parent.lock")
    lock.acquire()
    content = lock.path.read_text()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            assert not lock.held and not renewing()
            lock.release()
            unfinished.remove_all(0)
            assert lock.path.read_text() == content
            own = OutputLock(tmp_path / "child.lock")
            own.acquire()
            before = look_at(own.path).changed_ns
            wait_until(lambda: look_at(own.path).changed_ns > before)
            own.release()
            status = 0
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert lock.held
    lock.release()
    assert not names(tmp_path)


def test_a_lease_of_another_host_is_kept_while_it_is_renewed_and_ends_when_that_host_stops(path, short):
    with holder(path, "farm-2") as process:
        time.sleep(1.2)  # two leases
        message = refused(path).message
        assert "farm-2" in message and str(path) in message and "0 s ago" in message
        process.kill()
        process.wait()
        content = path.read_text()
        lock = OutputLock(path)
        with pytest.raises(OutputError):
            lock.acquire()
        time.sleep(0.7)
        lock.acquire()
    assert path.read_text() != content and lock.held
    lock.release()
    assert not names(path.parent)


def test_what_is_said_of_another_hosts_lock_names_the_host_the_time_and_what_to_do(path):
    left_by(path, f"4711 farm-2 {'a' * 32}\n", 42)
    error = refused(path)
    assert (
        error.message
        == f"Another run on the host farm-2 is writing the same output ({path}); it renewed its lock 42 s ago."
    )
    assert "60 s" in error.hint
    assert names(path.parent) == [path.name]


@pytest.mark.parametrize("shift", [3600, -3600])
def test_the_clock_of_this_host_does_not_count(path, monkeypatch, shift):
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + shift)
    path.write_text(f"4711 farm-2 {'a' * 32}\n")
    assert "0 s ago" in refused(path).message
    left_by(path, path.read_text(), 61 + shift)
    lock = OutputLock(path)
    lock.acquire()
    lock.release()


def test_a_killed_process_of_this_host_leaves_a_lock_that_is_replaced_at_once(path):
    with holder(path) as process:
        assert refused(path).message == f"Another run is writing the same output ({path})."
        process.kill()
        process.wait()
        lock = OutputLock(path)
        lock.acquire()
    lock.release()
    assert not names(path.parent)


def test_a_live_process_of_this_host_keeps_a_lock_that_it_does_not_renew(path):
    content = f"{os.getppid()} {socket.gethostname()} {'a' * 32}\n"
    left_by(path, content, 500)
    error = refused(path)
    assert f"process {os.getppid()}" in error.message and "500 s" in error.message
    assert path.read_text() == content


def test_a_lock_with_the_number_of_this_process_that_it_does_not_hold_is_replaced(path):
    for content in (f"{os.getpid()} {socket.gethostname()} {'a' * 32}\n", f"{os.getpid()} {socket.gethostname()}\n"):
        path.write_text(content)
        lock = OutputLock(path)
        lock.acquire()
        assert "Another run" in refused(path).message
        lock.release()


def test_a_lock_of_an_earlier_version_counts_as_it_did_then(path):
    host = socket.gethostname()
    left_by(path, f"{os.getppid()} {host}\n", 500)
    assert refused(path).message == f"Another run is writing the same output ({path})."
    left_by(path, "4711 farm-2\n", 500)
    error = refused(path)
    assert "farm-2" in error.message and "earlier version" in error.message and "delete that file" in error.hint
    left_by(path, f"{2**22 + 1} {host}\n", 0)
    lock = OutputLock(path)
    lock.acquire()
    lock.release()


@pytest.mark.parametrize(("seconds", "stale"), [(3, False), (8, True)])
def test_an_empty_file_belongs_for_a_moment_to_who_is_about_to_write_it(path, seconds, stale):
    left_by(path, "", seconds)
    if stale:
        lock = OutputLock(path)
        lock.acquire()
        assert path.read_text()
        lock.release()
    else:
        refused(path)


@pytest.mark.parametrize("content", ["precious", "a b c d", "x farm-2 token", f"{2**80} farm-2 token"])
def test_a_file_that_is_no_lock_is_never_replaced(path, content):
    left_by(path, content, 10**6)
    refused(path)
    assert path.read_text() == content


def test_a_lease_that_was_renewed_or_replaced_after_it_was_looked_at_is_put_back(path):
    left_by(path, f"4711 farm-2 {'a' * 32}\n", 100)
    seen = look_at(path)
    left_by(path, f"4711 farm-2 {'a' * 32}\n", 0)
    assert not take_away(path, seen)
    assert path.read_text() == f"4711 farm-2 {'a' * 32}\n"
    left_by(path, f"4711 farm-2 {'a' * 32}\n", 100)
    seen = look_at(path)
    winner = OutputLock(path)
    winner.acquire()
    assert not take_away(path, seen)
    winner.check()
    winner.release()
    assert not names(path.parent)


def test_a_lock_that_another_run_took_over_is_lost_and_stays(path):
    lock = OutputLock(path)
    lock.acquire()
    lock.check()
    path.write_text(f"4711 farm-2 {'a' * 32}\n")
    for _ in range(2):
        with pytest.raises(OutputError, match="lost its lock") as caught:
            lock.check()
        assert caught.value.code == "lease-lost" and caught.value.hint
    assert not lock.held
    lock.release()
    unfinished.remove_all(0)
    assert path.read_text() == f"4711 farm-2 {'a' * 32}\n"
    unfinished.drop(path)


def test_a_lock_whose_file_was_deleted_is_lost(path, renewing):
    lock = OutputLock(path)
    lock.acquire()
    path.unlink()
    wait_until(lambda: renewing() == 0)
    with pytest.raises(OutputError, match="deleted"):
        lock.check()
    lock.release()
    assert not names(path.parent)


def test_a_lease_is_renewed_also_where_nothing_can_be_written(path):
    resource = pytest.importorskip("resource")
    lock = OutputLock(path)
    lock.acquire()
    content = path.read_bytes()
    os.utime(path, (1, 1))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))  # every write fails
    try:
        lock.check()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes() == content
    assert look_at(path).age(path) < 5
    lock.release()


def test_a_lock_that_was_never_taken_is_not_held(path):
    lock = OutputLock(path)
    assert not lock.held
    with pytest.raises(OutputError):
        lock.check()
    lock.release()


def test_a_lock_is_removed_when_its_process_is_ended_by_force(path):
    lock = OutputLock(path)
    lock.acquire()
    unfinished.remove_all(0)
    assert not names(path.parent)
    lock.release()
