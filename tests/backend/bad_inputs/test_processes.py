"""Processes that are killed, terminated or starved, and journals of unfinished runs that were damaged or changed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from bad_input_files import rewrite
from bad_input_frame import Place, run_here, snapshot
from program import sunbreak

CHECKOUT = Path(__file__).resolve().parents[3]
#: Ends its own process behind the third line of the journal.
STOP = """
import os, signal
from sunbreak.layers import journal
journal._SHARE = 1e9
whole, seen = journal.Journal._line, []
def line(self, content):
    whole(self, content)
    seen.append(1)
    if len(seen) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
journal.Journal._line = line
"""


@pytest.fixture(scope="module")
def unfinished(tmp_path_factory, good_inputs, models) -> tuple[Place, dict]:
    """A place with a run that was killed after its clouds, and what a whole run writes."""
    root = tmp_path_factory.mktemp("unfinished")
    shutil.copytree(good_inputs, root / "in")
    place = Place(root / "in", root / "out", models, 0)
    assert run_here(place.clean()) == 0
    whole = rasters(place.out)
    shutil.rmtree(place.out)
    done = sunbreak(*place.clean(), first=STOP)
    assert done.returncode == -9, done.stderr
    shutil.copytree(place.out, root / "kept", symlinks=True)
    return place, whole


@pytest.fixture
def killed(unfinished, place, listener):
    """The unfinished run again, as it was left."""
    where, whole = unfinished
    shutil.rmtree(where.out, ignore_errors=True)
    shutil.copytree(where.out.parent / "kept", where.out)
    yield Place(where.folder, where.out, where.models, listener.port), whole
    shutil.rmtree(where.out, ignore_errors=True)


def rasters(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix in (".tif", ".png")}


def hidden(place: Place) -> Path:
    return place.out / ".sunbreak-s2.tmp"


def state(place: Place) -> Path:
    return next((hidden(place) / "journal").glob("*.npz"))


def test_the_unfinished_run_ends_with_the_bytes_of_a_whole_one(killed, warm):
    place, whole = killed
    assert run_here(place.clean("--resume")) == 0
    assert rasters(place.out) == whole


def cut_state(place: Place) -> None:
    state(place).write_bytes(state(place).read_bytes()[:100])


def flipped_state(place: Place) -> None:
    data = bytearray(state(place).read_bytes())
    data[len(data) // 2] ^= 0xFF
    data[60] ^= 0xFF
    state(place).write_bytes(data)


def other_state(place: Place) -> None:
    np.savez(state(place), nothing=np.zeros(3))


def pickled_state(place: Place) -> None:
    np.savez(state(place), classes=np.array([{"a": 1}], dtype=object))


def no_state(place: Place) -> None:
    state(place).unlink()


def empty_state(place: Place) -> None:
    state(place).write_bytes(b"")


@pytest.mark.parametrize("damage", [cut_state, flipped_state, other_state, pickled_state, no_state, empty_state])
def test_counts_that_cannot_be_read_are_named_and_the_finished_work_stays(killed, warm, capfd, damage):
    place, _ = killed
    damage(place)
    before = snapshot(hidden(place))
    assert run_here(place.clean("--resume")) == 2
    said = capfd.readouterr().err
    assert "Traceback" not in said
    assert "out" in said.splitlines()[-1] and "--resume" in said.splitlines()[-1]
    after = snapshot(hidden(place))
    assert {name for name in before if name.endswith((".raw", ".npz"))} <= set(after)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[" * 100_000 + "\n",
        "null\n",
        '{"run": 7}\n',
        '{"run": {}}\n{"point": 1}\n',
        "\xff\xfe\n",
        '{"run": {}}\n[]\n',
    ],
)
def test_a_journal_that_is_none_starts_anew_or_is_named(killed, warm, capfd, text):
    place, whole = killed
    (hidden(place) / "journal" / "lines").write_bytes(text.encode("latin-1"))
    status = run_here(place.clean("--resume"))
    assert "Traceback" not in capfd.readouterr().err
    assert status in (0, 2)
    if status == 0:
        assert rasters(place.out) == whole


def test_an_input_that_changed_since_the_start_is_not_resumed(killed, warm, capfd):
    place, _ = killed
    before = place.s2.read_bytes(), place.s2.stat()
    try:
        rewrite(place.s2, lambda values: values + 5)
        assert run_here(place.clean("--resume")) == 2
        said = capfd.readouterr().err.splitlines()[-1]
        assert "different" in said and "--resume" in said
        assert hidden(place).is_dir()
    finally:
        place.s2.write_bytes(before[0])
        os.utime(place.s2, ns=(before[1].st_atime_ns, before[1].st_mtime_ns))


@pytest.mark.parametrize("command", ["clean", "run"])
def test_a_finished_run_may_be_asked_to_resume(place, warm, capfd, command):
    """A kill behind the last rename looks like this: all is done."""
    arguments = place.clean()
    if command == "run":
        arguments = ["run", *arguments[1:], "--classifier", place.models / "small-landcover.json"]
    assert run_here(arguments) == 0
    before = rasters(place.out)
    assert run_here([*arguments, "--resume"]) == 0, capfd.readouterr().err
    assert rasters(place.out) == before


def test_kills_and_terminations_at_random_moments_lose_nothing():
    """The tool does hundreds; this one runs it with two kills and a signal to end."""
    command = [
        sys.executable,
        CHECKOUT / "tools" / "kill_test.py",
        "--kills",
        "2",
        "--terms",
        "1",
        "--commands",
        "clean",
    ]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=170, env={**os.environ, "OMP_NUM_THREADS": "1"}, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 identical" in done.stdout


@pytest.mark.skipif(sys.platform != "linux", reason="limits the size of files as a full disk would")
@pytest.mark.parametrize("kilobytes", [1, 60, 300])
def test_a_disk_that_is_full_is_named_and_nothing_is_left(place, kilobytes):
    """A file that grows beyond the limit fails as a disk that is full does (EFBIG stands for ENOSPC)."""
    code = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        "n = 1024 * int(sys.argv.pop(1)); import sunbreak.cli.app as c; import torch, rasterio; "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (n, n)); c.app(sys.argv[1:], prog_name='sunbreak')"
    )
    command = [sys.executable, "-c", code, str(kilobytes), *map(str, place.clean())]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert "Traceback" not in done.stderr
    if done.returncode == 0:
        return  # every file was smaller
    line = done.stderr.splitlines()[-1]
    assert done.returncode in (1, 2), line
    assert "Internal error" not in line
    assert "out" in line and any(word in line for word in ("large", "full", "written", "space", "File too")), line
    assert not place.out.exists()
